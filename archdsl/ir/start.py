"""Where a network's weights start from, as its spec says it."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Literal, TypeAlias

from archdsl.ir.freezing import EXCEPT, Freezing
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.record import record
from archdsl.text.source import Span

InputAdaption: TypeAlias = Literal["mean", "copy", "new"]
"""What becomes of a first convolution whose file has other input channels."""
ADAPTIONS: tuple[InputAdaption, ...] = ("mean", "copy", "new")

BESIDE = "put the file beside the spec, or give it as `--weights FILE`"


def outside(file: str) -> str:
    """Return what to say of a file that a spec may not name, whatever its folder holds; nothing where it may."""
    path = Path(file)
    is_outside = path.is_absolute() or ".." in path.parts or path.drive != ""
    return f"`{file}` lies outside the spec's folder" if is_outside else ""


@record
class WeightsSource:
    """`weights "FILE" from ORIGIN adapt=WAY except PATTERN…`: a file in the spec's folder, and how it is taken.

    Nothing is opened before somebody asks for the path. `folder` is that of the spec, None where it has none.
    """

    file: str
    origin: str | None
    """The name map that it takes, if one is named."""
    span: Span = field(compare=False, repr=False)
    folder: Path | None = field(default=None, compare=False, repr=False)
    adapt: InputAdaption | None = None
    """What is done where it is for other input channels, if that is said."""
    anew: Freezing | None = None
    """What is drawn anew, whatever the file has of it."""

    def __str__(self) -> str:
        """Write it as a spec does, without the word `weights`."""
        words = [f'"{self.file}"']
        words += [f"from {self.origin}"] if self.origin is not None else []
        words += [f"adapt={self.adapt}"] if self.adapt is not None else []
        words += [f"{EXCEPT} {self.anew}"] if self.anew is not None else []
        return " ".join(words)

    def all_anew(self) -> tuple[Freezing, ...]:
        """Return what is drawn anew, to be joined by what somebody asks for beside the spec."""
        return (self.anew,) if self.anew is not None else ()

    def is_file(self, path: Path) -> bool:
        """Return whether a path leads to the file."""
        return not self._objection()[0] and self.path() == path.resolve()

    def path(self) -> Path:
        """Return the path of the file, links resolved.

        Errors: SpecError with E133 where there is no such file, or it lies outside the spec's folder
        """
        message, help = self._objection()
        if message:
            report = Reporter()
            report.error("E133", message, self.span, help=help)
            raise SpecError(report.diagnostics)
        assert self.folder is not None
        return (self.folder / self.file).resolve()

    def _objection(self) -> tuple[str, str]:
        """Return what is wrong with the file, and what to do about it."""
        if self.folder is None:
            help = "give the weights themselves: `network.module(weights=…)`, or `--weights FILE`"
            return f"this spec has no folder that could hold `{self.file}`", help
        if problem := outside(self.file):
            return problem, BESIDE
        try:
            path = (self.folder / self.file).resolve()
            if not path.is_relative_to(self.folder.resolve()):
                return f"`{self.file}` lies outside the spec's folder", BESIDE
            return ("", "") if path.exists() else (f"no file `{self.file}` lies beside the spec", BESIDE)
        # RuntimeError for links in a circle, before Python 3.13
        except (OSError, RuntimeError, ValueError) as error:
            return f"`{self.file}` is no path: {error}", BESIDE
