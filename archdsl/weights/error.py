"""The error that training raises for what its user can mend."""

from importlib.util import find_spec
from typing import ClassVar

PACKAGES = {"sklearn": "scikit-learn"}


class TrainingError(Exception):
    """A run that cannot start or go on: the fact in one line, and what to do about it."""

    code: ClassVar[str] = ""
    """What `archdsl explain` knows it by, if anything."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(f"{message}; {help}" if help else message)
        self.message, self.help = message, help


def require(*modules: str) -> None:
    """Check that optional packages are installed.

    Errors: TrainingError names those that are absent and the extra that brings them.
    """
    absent = [PACKAGES.get(module, module) for module in modules if find_spec(module) is None]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise TrainingError(f"{', '.join(absent)} {verb} not installed", 'run `pip install "archdsl[train]"`')
