"""TikZ from a scene: a document that LaTeX compiles with pgf, standalone and helvet alone."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.backends.picture.layout.arrangement import Point
from archdsl.backends.picture.scene import Curve, Disc, Pen, Primitive, Rectangle, Scene, Text, Triangle

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # no ligatures
    "×": r"$\times$",
    "·": r"$\cdot$",
    "−": "$-$",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "…": r"\dots{}",
    "→": r"$\to$",
    "∞": r"$\infty$",
}
_HEAD = r"""\documentclass[border=0pt]{standalone}
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\usepackage{helvet}
\usepackage{tikz}
\begin{document}
\begin{tikzpicture}[x=0.75bp,y=-0.75bp,inner sep=0pt,outer sep=0pt,font=\sffamily]"""
_TAIL = r"""\end{tikzpicture}
\end{document}
"""


def write_tikz(scene: Scene) -> str:
    """Write a scene as a LaTeX document. The same scene gives the same text."""
    colours = list(dict.fromkeys(colour for primitive in scene.primitives for colour in _colours(primitive)))
    names = {colour: f"archdsl{_letters(index)}" for index, colour in enumerate(colours)}
    names[scene.background] = names.get(scene.background, "archdslground")
    defined = [f"\\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}" for colour, name in names.items()]
    ground = f"\\fill[{names[scene.background]}] (0,0) rectangle ({_number(scene.width)},{_number(scene.height)});"
    body = [line for primitive in scene.primitives for line in _primitive(primitive, names)]
    return "\n".join([_HEAD, *defined, ground, *body, _TAIL])


def _letters(index: int) -> str:
    """Write a number in letters: `a`, `b`, … `z`, `ba`."""
    more, last = divmod(index, 26)
    return (_letters(more) if more else "") + chr(ord("a") + last)


def _colours(primitive: Primitive) -> Iterator[str]:
    match primitive:
        case Rectangle() | Disc():
            yield from (colour for colour in (primitive.fill, primitive.pen.colour) if colour)
        case Curve():
            yield primitive.pen.colour
        case Triangle():
            yield primitive.fill
        case Text():
            yield primitive.colour


def _primitive(primitive: Primitive, names: dict[str, str]) -> Iterator[str]:
    match primitive:
        case Rectangle():
            left, top, right, bottom = primitive.rect
            radius = min(primitive.radius, (right - left) / 2, (bottom - top) / 2)
            look = _look(primitive.fill, primitive.pen, names)
            if look:
                corners = [f"rounded corners={_number(radius * 0.75)}bp"] if radius else []
                place = f"{_at(Point(left, top))} rectangle {_at(Point(right, bottom))}"
                yield f"\\path[{','.join([*look, *corners])}] {place};"
        case Disc():
            look = ",".join(_look(primitive.fill, primitive.pen, names))
            yield f"\\path[{look}] {_at(primitive.centre)} circle[radius={_number(primitive.radius * 0.75)}bp];"
        case Curve():
            pieces = "".join(map(_piece, primitive.pieces))
            yield f"\\path[{','.join(_look('', primitive.pen, names))}] {_at(primitive.start)}{pieces};"
        case Triangle():
            one, two, three = primitive.points
            yield f"\\path[fill={names[primitive.fill]}] {_at(one)} -- {_at(two)} -- {_at(three)} -- cycle;"
        case Text():
            yield _text(primitive, names)


def _look(fill: str, pen: Pen, names: dict[str, str]) -> list[str]:
    look = [f"fill={names[fill]}"] if fill else []
    if pen.colour:
        look += [f"draw={names[pen.colour]}", f"line width={_number(pen.width * 0.75)}bp"]
    if pen.dash:
        lengths = zip(pen.dash.split()[::2], pen.dash.split()[1::2], strict=True)
        pattern = " ".join(
            f"on {_number(float(on) * 0.75)}bp off {_number(float(off) * 0.75)}bp" for on, off in lengths
        )
        look.append(f"dash pattern={pattern}")
    return look


def _piece(piece: tuple[Point, ...]) -> str:
    if len(piece) == 1:
        return f" -- {_at(piece[0])}"
    one, two, end = piece
    return f" .. controls {_at(one)} and {_at(two)} .. {_at(end)}"


def _text(text: Text, names: dict[str, str]) -> str:
    size = _number(text.size * 0.75)
    font = f"\\fontsize{{{size}bp}}{{{size}bp}}\\selectfont" + ("\\bfseries" if text.is_bold else "")
    look = [f"text={names[text.colour]}", f"font=\\sffamily{font}"]
    look.append({"start": "anchor=base west", "middle": "anchor=base", "end": "anchor=base east"}[text.anchor])
    look += ["rotate=90"] if text.is_turned else []
    return f"\\node[{','.join(look)}] at {_at(text.at)} {{{escape(text.text)}}};"


def escape(text: str) -> str:
    r"""Write any text so that LaTeX shows it and does nothing else; signs that its fonts lack become question marks.

    >>> escape(r"\input{x} 50%")
    '\\textbackslash{}input\\{x\\} 50\\%'
    """
    return "".join(_ESCAPES.get(c) or (c if _is_known(c) else "?") for c in text)


def _is_known(character: str) -> bool:
    """Return whether LaTeX's usual fonts have a character: ASCII, and Latin letters with accents."""
    return " " <= character <= "~" or "À" <= character <= "ſ"


def _at(point: Point) -> str:
    return f"({_number(point.x)},{_number(point.y)})"


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
