"""What ends a command before its work is done, told to people, and the exit code that goes with it."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Sequence

from archdsl.cli.console import complain, has_color, say
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure, cannot

FINDINGS, FAILURE = 1, 2
"""Exit codes for mistakes in a spec, and for what keeps a command from doing its work."""
INTERRUPTED = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
"""Exit codes by the signal that a command was asked to end by."""


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Say what ended the program, and give the exit code. ARCHDSL_TRACEBACK=1 adds the traceback."""
    if os.environ.get("ARCHDSL_TRACEBACK"):
        traceback.print_exception(error)
    match error:
        case SpecError():
            complain(error.diagnostics)
            return FINDINGS
        case Failure():
            _say_error(error.message, error.help, error.code)
        case OSError():
            _say_error(cannot("use", error.filename, error))
        case _:
            _report_bug(error, arguments)
    return FAILURE


def _report_bug(error: Exception, arguments: Sequence[str]) -> None:
    text = " ".join(str(error).split()) or "no message"
    _say_error(
        f"this is a bug in archdsl, no mistake of yours: {type(error).__name__}: {text}",
        "report it with the spec, this command, and what it prints with ARCHDSL_TRACEBACK=1:",
    )
    say(f"          archdsl {shlex.join(arguments)}")


def _say_error(message: str, help: str = "", code: str = "") -> None:
    label = f"error[{code}]" if code else "error"
    label = f"\x1b[1;31m{label}\x1b[0m" if has_color(sys.stderr) else label
    say(message, f"{label}: ")
    if help:
        say(f"  = help: {help}")
