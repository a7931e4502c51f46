"""What is written to the terminal or to whatever stands in for it: data to stdout, messages to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

import typer

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.render import RENDERERS

PIPE_WIDTH = 100
"""Columns where nobody can tell: in a pipe or a file."""

_WIDEST_MESSAGE = 120
_BROKEN_PIPE = 141


def write(text: str) -> None:
    """Write data to stdout, ending the program without a word if nobody reads it any more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_BROKEN_PIPE) from None


def say(message: str) -> None:
    """Write a message to stderr."""
    sys.stderr.write(f"{message}\n")


def complain(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, for people."""
    width = min(width_of(sys.stderr), _WIDEST_MESSAGE)
    sys.stderr.write(RENDERERS["terminal"](diagnostics, width=width, color=has_color(sys.stderr)))


def remark(warnings: Iterable[Diagnostic], spec: str) -> None:
    """Write warnings to stderr in a line each, where something else was asked for."""
    text = RENDERERS["plain"](warnings)
    if text:
        sys.stderr.write(f"{text}`archdsl check {spec}` says more\n")


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
