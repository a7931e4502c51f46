"""Failures: what stops the work and is no mistake in a spec."""

from __future__ import annotations

from importlib.util import find_spec

from archdsl.text.render.display import visible

# Where a package bears another name than its module.
_PACKAGES = {"sklearn": "scikit-learn", "resvg_py": "resvg-py", "PIL": "pillow"}


class Failure(Exception):
    """What stops the work and is no mistake in a spec: bad usage, a file, or something that is missing.

    `message` is the fact in one line, `help` what to do about it, `code` that of its page, if it has one. As
    text, and so at the end of a traceback, it has nothing that a terminal obeys.
    """

    def __init__(self, message: str, help: str = "", code: str = "") -> None:
        super().__init__(visible(f"{message}; {help}" if help else message))
        self.message, self.help, self.code = message, help, code


def cannot(act: str, path: object, error: OSError) -> str:
    """Say what could not be done to a file, and why.

    >>> cannot("read", "net.arch", FileNotFoundError(2, "No such file or directory"))
    'cannot read `net.arch`: no such file or directory'
    """
    named = f"`{path}`" if path else "a file"
    return f"cannot {act} {named}: {(error.strerror or str(error)).lower()}"


def require(*modules: str, extra: str) -> None:
    """Check that optional packages are installed.

    Errors: Failure names those that are absent and the extra of archdsl that brings them.
    """
    absent = [_PACKAGES.get(module, module) for module in modules if find_spec(module) is None]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise Failure(f"{', '.join(absent)} {verb} not installed", f'run `pip install "archdsl[{extra}]"`')
