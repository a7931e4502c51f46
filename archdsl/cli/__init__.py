"""The command line: a thin face of the compiler."""

import os
import sys
from collections.abc import Sequence

from archdsl.cli.importing import Importing

_COMPLETION = "_ARCHDSL_COMPLETE"
"""The variable by which a shell asks for the script that completes words, and for the words."""


def main() -> int:
    """Run the command that the program's arguments name, and give the exit code.

    0 is success, 1 mistakes in a spec, 2 a failure (bad usage, a file or tool that is missing, a bug), 130 an
    interrupt from the keyboard, 141 a reader that went away.
    """
    try:
        from archdsl.cli.console import open_streams

        open_streams()
        code = _answer(sys.argv[1:])
        if code is not None:
            return code
        with Importing("archdsl.cli.app"):
            from archdsl.cli.app import app

        if _COMPLETION in os.environ:
            from typer.completion import get_completion_inspect_parameters

            get_completion_inspect_parameters()  # has typer know the shells, which it else does for options of its own
        app(prog_name="archdsl")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback unasked
        from archdsl.cli.failure import report

        return report(error, sys.argv[1:])
    return 0


def _answer(words: Sequence[str]) -> int | None:
    """Run what is asked for without options: the version, or a check. None where typer has to read the words.

    Typer with what it imports takes as long as a check.
    """
    # A shell that completes words asks by a variable, and on Windows typer replaces patterns by the files they name.
    if os.name == "nt" or _COMPLETION in os.environ:
        return None
    match words:
        case ["--version"]:
            from archdsl import __version__
            from archdsl.cli.console import write

            write(f"archdsl {__version__}\n")
            return 0
        case ["check", *specs] if specs and all(word == "-" or _is_plain(word) for word in specs):
            with Importing("archdsl.cli.checking"):
                from archdsl.cli.checking import CheckFormat, CheckOptions, check

            return check(specs, CheckFormat.TEXT, CheckOptions())
        case _:
            return None


def _is_plain(word: str) -> bool:
    """Return whether a word is an argument to anyone: neither an option nor with bytes that are no text."""
    return word.isprintable() and not word.startswith("-") and word != ""
