"""SVG from a scene: no scripts, no style sheets and no identifiers, so that it may stand anywhere in a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from archdsl.backends.picture.scene import Curve, Disc, Pen, Primitive, Rectangle, Scene, Text, Triangle

FAMILY = "Helvetica,Arial,sans-serif"


def write_svg(scene: Scene, family: str = FAMILY) -> str:
    """Write a scene as SVG, one pixel a unit. The same scene gives the same text."""
    width, height = number(scene.width), number(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="{family}">'
    )
    words = f"<title>{clean(scene.title)}</title><desc>{clean(scene.description)}</desc>"
    ground = f'<rect width="{width}" height="{height}" fill="{scene.background}"/>'
    primitives = [primitive for primitive in scene.primitives if not isinstance(primitive, Text)]
    texts = [primitive for primitive in scene.primitives if isinstance(primitive, Text)]
    return "\n".join([head, words, ground, *_primitives(primitives), *_texts(texts), "</svg>"]) + "\n"


def _primitives(primitives: Iterable[Primitive]) -> Iterator[str]:
    """Write primitives that look the same and follow each other as one group."""
    for look, members in groupby(_merged(primitives), _look):
        yield f"<g{look}>{''.join(map(_primitive, members))}</g>"


def _merged(primitives: Iterable[Primitive]) -> Iterator[Primitive]:
    """Put lines and their heads in an order in which the same look follows itself: they do not hide each other."""
    for is_line, members in groupby(primitives, lambda primitive: isinstance(primitive, Curve | Triangle)):
        found = list(members)
        yield from sorted(found, key=_look) if is_line else found


def _look(primitive: Primitive) -> str:
    match primitive:
        case Rectangle() | Disc():
            return f' fill="{primitive.fill or "none"}"{_pen(primitive.pen)}'
        case Curve():
            return f' fill="none"{_pen(primitive.pen)}'
        case Triangle():
            return f' fill="{primitive.fill}"'
        case _:
            return ""


def _pen(pen: Pen) -> str:
    if not pen.colour:
        return ""
    width = f' stroke-width="{number(pen.width)}"' if pen.width != 1 else ""
    dash = f' stroke-dasharray="{pen.dash}"' if pen.dash else ""
    return f' stroke="{pen.colour}"{width}{dash}'


def _primitive(primitive: Primitive) -> str:
    match primitive:
        case Rectangle():
            left, top, right, bottom = primitive.rect
            place = (
                f'x="{number(left)}" y="{number(top)}" width="{number(right - left)}" height="{number(bottom - top)}"'
            )
            radius = f' rx="{number(primitive.radius)}"' if primitive.radius else ""
            note = f"><title>{clean(primitive.note)}</title></rect>" if primitive.note else "/>"
            return f"<rect {place}{radius}{note}"
        case Disc():
            x, y = primitive.centre
            return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(primitive.radius)}"/>'
        case Curve():
            return f'<path d="{path_data(primitive)}"/>'
        case Triangle():
            points = " ".join(f"{number(x)},{number(y)}" for x, y in primitive.points)
            return f'<path d="M{points.replace(" ", "L")}z"/>'
        case _:
            return ""


def path_data(path: Curve) -> str:
    """Write a line in the words of an SVG path."""
    x, y = path.start
    parts = [f"M{number(x)},{number(y)}"]
    for piece in path.pieces:
        points = " ".join(f"{number(x)},{number(y)}" for x, y in piece)
        parts.append(f"{'C' if len(piece) > 1 else 'L'}{points}")
    return "".join(parts)


def _texts(texts: Iterable[Text]) -> Iterator[str]:
    """Write text, what looks alike together: it lies above everything, and lets the pointer through."""
    by_look: dict[str, list[Text]] = {}
    for text in texts:
        anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
        bold = ' font-weight="bold"' if text.is_bold else ""
        look = f' font-size="{number(text.size)}" fill="{text.colour}"{bold}{anchor}'
        by_look.setdefault(look, []).append(text)
    if by_look:
        groups = (f"<g{look}>{''.join(map(_text, members))}</g>" for look, members in by_look.items())
        yield f'<g pointer-events="none">{"".join(groups)}</g>'


def _text(text: Text) -> str:
    x, y = number(text.at.x), number(text.at.y)
    turned = f' transform="rotate(-90 {x} {y})"' if text.is_turned else ""
    return f'<text x="{x}" y="{y}"{turned}>{clean(text.text)}</text>'


def number(value: float) -> str:
    """Write a length to a tenth of a pixel, as short as it goes."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def clean(text: str) -> str:
    """Write any text as XML: what no XML may hold, and marks that turn the direction of text, become U+FFFD."""
    return escape("".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in text))
