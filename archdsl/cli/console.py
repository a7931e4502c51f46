"""What is written to the terminal or to whatever stands in for it: data to stdout, messages to stderr.

What only some of it needs is imported there: a program that only tells its version should not wait for the rest.
"""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from archdsl.text.diagnostic import Diagnostic

PIPE_WIDTH = 100
"""Columns where nobody can tell: in a pipe or a file."""

_WIDEST_MESSAGE = 120
_BROKEN_PIPE = 141


def open_streams() -> None:
    """Let stdout and stderr be UTF-8, whatever the locale, as all files are; what is closed takes everything."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            from pathlib import Path

            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def write(content: str | bytes) -> None:
    """Write data to stdout, ending the program without a word if nobody reads it any more.

    Errors: Failure where it cannot be written, as on a full disk
    """
    try:
        if isinstance(content, str):
            sys.stdout.write(content)
        else:
            sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except OSError as error:
        # Python flushes stdout once more as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(_BROKEN_PIPE) from None
        from archdsl.text.failure import Failure, cannot

        raise Failure(cannot("write", sys.stdout.name, error)) from None


def say(message: str, lead: str = "") -> None:
    """Write a line to stderr: a message, with nothing in it that a terminal obeys, behind a lead of our own."""
    from archdsl.text.render.display import visible

    _tell(f"{lead}{visible(message)}\n")


def _tell(text: str) -> None:
    from contextlib import suppress

    with suppress(OSError):  # nobody is left to be told that nobody reads it
        sys.stderr.write(text)
        sys.stderr.flush()


def complain(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, for people."""
    from archdsl.text.render import RENDERERS

    width = min(width_of(sys.stderr), _WIDEST_MESSAGE)
    _tell(RENDERERS["terminal"](diagnostics, width=width, color=has_color(sys.stderr)))


def remark(warnings: Iterable[Diagnostic], spec: str) -> None:
    """Write warnings to stderr in a line each, where something else was asked for."""
    from archdsl.text.render import RENDERERS

    text = RENDERERS["plain"](warnings)
    if text:
        _tell(text)
        say(f"`archdsl check {spec}` says more")


def width_of(stream: TextIO) -> int:
    """Return the columns of a terminal; COLUMNS overrides it, and what is no terminal has 100."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or PIPE_WIDTH
    except (OSError, ValueError):
        return PIPE_WIDTH


def has_color(stream: TextIO) -> bool:
    """Return whether to colour: NO_COLOR forbids it, FORCE_COLOR asks for it, otherwise terminals that can.

    Source: no-color.org and force-color.org; NO_COLOR goes first
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
