"""The command line: a thin face of the compiler."""

import sys


def main() -> int:
    """Run the command that the program's arguments name, and give the exit code.

    0 is success, 1 mistakes in a spec, 2 a failure (bad usage, a file or tool that is missing, a bug), 130 an
    interrupt from the keyboard, 141 a reader that went away.
    """
    try:
        from archdsl.cli.app import app
        from archdsl.cli.console import open_streams

        open_streams()
        app(prog_name="archdsl")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback unasked
        from archdsl.cli.failure import report

        return report(error, sys.argv[1:])
    return 0
