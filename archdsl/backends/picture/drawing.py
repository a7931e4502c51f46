"""A diagram as users hold it: a picture with a look, and the files that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from archdsl.backends.picture.failure import DrawError
from archdsl.backends.picture.measure import CostName
from archdsl.backends.picture.picture import Picture
from archdsl.backends.picture.scene import Scene
from archdsl.backends.theme import THEMES, Theme, ThemeName
from archdsl.text.files import write_atomically
from archdsl.text.marks import marked

Format: TypeAlias = Literal["svg", "png", "pdf", "dot", "mermaid", "tikz"]

Engine: TypeAlias = Literal["archdsl", "dot"]
"""Who finds the places of boxes and lines: archdsl itself, or Graphviz's program `dot`."""

FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".svg": "svg",
    ".png": "png",
    ".pdf": "pdf",
    ".dot": "dot",
    ".mmd": "mermaid",
    ".tex": "tikz",
}
"""Maps the ends of files' names to formats."""


@dataclass(frozen=True, eq=False)
class Diagram:
    """A picture of a network. A notebook shows it; `render` writes it to a file.

    With `cost`, boxes are coloured by their part of that cost, not by kind.
    """

    picture: Picture
    theme: ThemeName = "light"
    cost: CostName | None = None

    @property
    def look(self) -> Theme:
        return THEMES[self.theme]

    @cached_property
    def scene(self) -> Scene:
        """Return the shapes and texts that are drawn, with their places."""
        from archdsl.backends.picture.paint import paint

        return paint(self.picture, self.look, self.cost)

    @cached_property
    def svg(self) -> str:
        """Return the picture as SVG, without scripts."""
        from archdsl.backends.picture.svg import write_svg

        return write_svg(self.scene)

    @cached_property
    def dot(self) -> str:
        """Return the picture in Graphviz's language."""
        from archdsl.backends.picture.dot import write_dot

        return write_dot(self.picture, self.look)

    @cached_property
    def mermaid(self) -> str:
        """Return the picture as a Mermaid flow chart, for Markdown."""
        from archdsl.backends.picture.mermaid import write_mermaid

        return write_mermaid(self.picture, self.look)

    @cached_property
    def tikz(self) -> str:
        """Return the picture as a LaTeX document that TikZ draws."""
        from archdsl.backends.picture.tikz import write_tikz

        return write_tikz(self.scene)

    def draw(self, format: Format, *, engine: Engine = "archdsl") -> bytes:
        """Return the diagram in a format, laid out by archdsl, or as svg, png or pdf by Graphviz's `dot`.

        Errors: DrawError where what makes it is missing, where `dot` does not write the format, and for costs in DOT or
        Mermaid, which colour by kind alone
        """
        if self.cost is not None and (format in ("dot", "mermaid") or engine == "dot"):
            what = "Graphviz" if engine == "dot" else format
            raise DrawError(f"{what} has no colours for costs; use svg, png, pdf or tikz")
        if engine == "dot":
            return self._draw_by_dot(format)
        match format:
            case "svg":
                return self.svg.encode()
            case "dot":
                return self.dot.encode()
            case "mermaid":
                return self.mermaid.encode()
            case "tikz":
                return self.tikz.encode()
            case "png":
                from archdsl.backends.picture.png import write_png

                return write_png(self.scene)
            case "pdf":
                from archdsl.backends.picture.pdf import write_pdf

                return write_pdf(self.scene)

    def _draw_by_dot(self, format: Format) -> bytes:
        from archdsl.backends.picture.graphviz import DOT_FORMATS, draw_dot

        if format not in DOT_FORMATS:
            raise DrawError(f"Graphviz lays out {', '.join(DOT_FORMATS)}, and a picture as {format} has no places")
        return draw_dot(self.dot, format)

    def render(self, path: str | Path, *, engine: Engine = "archdsl") -> Path:
        """Write the diagram in the format that the suffix names, as `draw` makes it.

        The file appears whole or not at all.
        Errors: DrawError for another suffix, and as `draw` has it; OSError
        """
        path = Path(path)
        format = format_of(path)
        write_atomically(path, marked(self.draw(format, engine=engine), format))
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Diagram({self.picture.title!r}, {len(self.picture.boxes)} boxes)"


def format_of(path: Path) -> Format:
    """Return the format that a file's name asks for. Raises DrawError if it asks for none."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DrawError(f"a diagram is written as {', '.join(SUFFIXES)}, not as `{path.name}`")
    return SUFFIXES[suffix]
