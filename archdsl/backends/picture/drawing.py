"""A diagram as users hold it: DOT at once, and pictures where the program `dot` is there to draw them."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import graphviz  # pyright: ignore[reportMissingTypeStubs] - it has none

from archdsl.backends.picture.dot import write_dot
from archdsl.backends.picture.picture import Picture

FORMATS = ("svg", "png", "pdf", "dot")


class DrawError(Exception):
    """A diagram that cannot be drawn here; the message says what mends it."""


@dataclass(frozen=True, eq=False)
class Diagram:
    """A picture of a network. A notebook shows it; `render` writes it to a file."""

    picture: Picture

    @cached_property
    def dot(self) -> str:
        """The picture in Graphviz's language."""
        return write_dot(self.picture)

    def render(self, path: str | Path) -> Path:
        """Write the diagram in the format that the suffix names: svg, png, pdf or dot.

        The file appears whole or not at all. Raises DrawError for another suffix, and, except for dot, where the
        program `dot` is missing or fails.
        """
        path = Path(path)
        suffix = path.suffix.removeprefix(".").lower()
        if suffix not in FORMATS:
            raise DrawError(f"a diagram is written as {', '.join(FORMATS)}, not as `{path.name}`")
        _write(path, self.dot.encode() if suffix == "dot" else self.draw(suffix))
        return path

    def draw(self, file_format: str) -> bytes:
        """Draw the diagram as svg, png or pdf. Raises DrawError where `dot` is missing or fails."""
        try:
            return graphviz.pipe("dot", file_format, self.dot.encode(), quiet=True)
        except graphviz.ExecutableNotFound:
            install = "`apt-get install graphviz` or `brew install graphviz`"
            raise DrawError(f"the program `dot` is missing; install it with {install}") from None
        except graphviz.CalledProcessError as error:
            raise DrawError(f"`dot` fails: {error}") from error

    def _repr_svg_(self) -> str | None:
        try:
            return self.draw("svg").decode()
        except DrawError:
            return None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        svg = self._repr_svg_()
        return {"text/plain": self.dot} if svg is None else {"image/svg+xml": svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Diagram({self.picture.title!r}, {len(self.picture.boxes)} boxes)"


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # Temporary files are private; the diagram gets the rights that any new file here would.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
