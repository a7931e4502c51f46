"""PDF from a scene: one page, with vectors and text that can be searched and copied.

Source: ISO 32000-1. The fonts are embedded whole, as publishers ask: they are small.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from archdsl.backends.picture import font
from archdsl.backends.picture.layout.arrangement import Point
from archdsl.backends.picture.scene import Curve, Disc, Pen, Primitive, Rectangle, Scene, Text, Triangle

_POINTS = 0.75
"""Points to a pixel: 72 against 96 to the inch."""
_KAPPA = 0.5523
"""With controls at this part of a quarter circle's radius, a cubic curve follows it."""
_NAMES = {False: "F1", True: "F2"}


def write_pdf(scene: Scene) -> bytes:
    """Draw a scene as PDF. The same scene gives the same bytes."""
    content = "\n".join(_content(scene)).encode("ascii")
    used = {text.is_bold: set[str]() for text in scene.primitives if isinstance(text, Text)}
    for primitive in scene.primitives:
        if isinstance(primitive, Text):
            used[primitive.is_bold].update(primitive.text)
    size = f"{_number(scene.width * _POINTS)} {_number(scene.height * _POINTS)}"
    # 1: catalogue, 2: pages, 3: the page, 4: its content, 5: about the document, then five for each font
    fonts = {is_bold: 6 + 5 * index for index, is_bold in enumerate(sorted(used))}
    names = " ".join(f"/{_NAMES[is_bold]} {number} 0 R" for is_bold, number in fonts.items())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] /Contents 4 0 R "
        f"/Resources << /Font << {names} >> >> >>".encode(),
        _stream(content),
        f"<< /Title {_unicode(scene.title)} /Subject {_unicode(scene.description)} /Producer (archdsl) >>".encode(),
    ]
    for is_bold, number in fonts.items():
        objects += _font(is_bold=is_bold, first=number, characters=used[is_bold])
    return _file(objects)


def _file(objects: Iterable[bytes]) -> bytes:
    parts = [b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"]
    offsets: list[int] = []
    length = len(parts[0])
    for index, body in enumerate(objects, 1):
        offsets.append(length)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (index, body))
        length += len(parts[-1])
    count = len(offsets) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, length))
    return b"".join(parts)


def _stream(data: bytes, more: str = "") -> bytes:
    packed = zlib.compress(data, 9)
    return f"<< /Length {len(packed)} /Filter /FlateDecode{more} >>\nstream\n".encode() + packed + b"\nendstream"


def _font(*, is_bold: bool, first: int, characters: set[str]) -> Iterator[bytes]:
    """Yield the five objects of a font: itself, its glyphs, its metrics, its file, and what its glyphs mean."""
    face = font.load(is_bold=is_bold)
    name = f"ArchdslSans-{'Bold' if is_bold else 'Regular'}"
    glyphs = {face.glyph(character): character for character in sorted(characters) if face.glyph(character)}
    widths = " ".join(f"{glyph} [{_number(face.advances[glyph])}]" for glyph in sorted(glyphs))
    yield (
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
        f"/DescendantFonts [{first + 1} 0 R] /ToUnicode {first + 4} 0 R >>"
    ).encode()
    yield (
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDToGIDMap /Identity "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {first + 2} 0 R /DW 700 /W [{widths}] >>"
    ).encode()
    box = " ".join(map(_number, face.box))
    yield (
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 32 /FontBBox [{box}] /ItalicAngle 0 "
        f"/Ascent {_number(face.ascent)} /Descent {_number(face.descent)} /CapHeight 716 "
        f"/StemV {140 if is_bold else 80} /FontFile2 {first + 3} 0 R >>"
    ).encode()
    yield _stream(face.data, f" /Length1 {len(face.data)}")
    yield _stream(_meanings(glyphs).encode("ascii"))


def _meanings(glyphs: dict[int, str]) -> str:
    """Say which character each glyph stands for, so that text can be searched and copied."""
    entries = [f"<{glyph:04x}> <{character.encode('utf-16-be').hex()}>" for glyph, character in glyphs.items()]
    chunks = (entries[start : start + 100] for start in range(0, len(entries), 100))
    blocks = "\n".join(f"{len(chunk)} beginbfchar\n{chr(10).join(chunk)}\nendbfchar" for chunk in chunks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{blocks}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    )


def _content(scene: Scene) -> Iterator[str]:
    """Yield the drawing's commands, with y turned to go down, as in the scene."""
    yield f"{_number(_POINTS)} 0 0 {_number(-_POINTS)} 0 {_number(scene.height * _POINTS)} cm"
    yield f"{_colour(scene.background)} rg 0 0 {_number(scene.width)} {_number(scene.height)} re f"
    for primitive in scene.primitives:
        yield from _primitive(primitive)


def _primitive(primitive: Primitive) -> Iterator[str]:
    match primitive:
        case Rectangle():
            left, top, right, bottom = primitive.rect
            outline = _rounded(left, top, right, bottom, min(primitive.radius, (right - left) / 2, (bottom - top) / 2))
            yield _painted(outline, primitive.fill, primitive.pen)
        case Disc():
            (x, y), radius = primitive.centre, primitive.radius
            yield _painted(
                _rounded(x - radius, y - radius, x + radius, y + radius, radius), primitive.fill, primitive.pen
            )
        case Curve():
            pieces = [f"{' '.join(map(_at, piece))} {'c' if len(piece) > 1 else 'l'}" for piece in primitive.pieces]
            yield _painted(f"{_at(primitive.start)} m {' '.join(pieces)}", "", primitive.pen)
        case Triangle():
            one, two, three = primitive.points
            yield _painted(f"{_at(one)} m {_at(two)} l {_at(three)} l h", primitive.fill, Pen("", 0))
        case Text():
            yield _text(primitive)


def _painted(outline: str, fill: str, pen: Pen) -> str:
    """Fill and draw an outline; what is neither filled nor drawn is left out."""
    if not fill and not pen.colour:
        return ""
    looks = [f"{_colour(fill)} rg"] if fill else []
    if pen.colour:
        dash = " ".join(pen.dash.split())
        looks.append(f"{_colour(pen.colour)} RG {_number(pen.width)} w [{dash}] 0 d")
    action = {(True, True): "B", (True, False): "f", (False, True): "S"}[bool(fill), bool(pen.colour)]
    return f"{' '.join(looks)} {outline} {action}"


def _rounded(left: float, top: float, right: float, bottom: float, radius: float) -> str:
    if not radius:
        return f"{_number(left)} {_number(top)} {_number(right - left)} {_number(bottom - top)} re"
    near = radius * (1 - _KAPPA)
    corners = (
        ((right - radius, top), (right - near, top), (right, top + near), (right, top + radius)),
        ((right, bottom - radius), (right, bottom - near), (right - near, bottom), (right - radius, bottom)),
        ((left + radius, bottom), (left + near, bottom), (left, bottom - near), (left, bottom - radius)),
        ((left, top + radius), (left, top + near), (left + near, top), (left + radius, top)),
    )
    parts = [f"{_number(left + radius)} {_number(top)} m"]
    for start, *curve in corners:
        parts.append(f"{_at(Point(*start))} l {' '.join(_at(Point(*point)) for point in curve)} c")
    return f"{' '.join(parts)} h"


def _text(text: Text) -> str:
    face = font.load(is_bold=text.is_bold)
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor] * face.width(text.text) * text.size
    x, y = text.at
    if text.is_turned:
        matrix = f"0 -1 -1 0 {_number(x)} {_number(y + before)}"
    else:
        matrix = f"1 0 0 -1 {_number(x - before)} {_number(y)}"
    glyphs = "".join(f"{face.glyph(character):04x}" for character in text.text)
    return f"BT {_colour(text.colour)} rg /{_NAMES[text.is_bold]} {_number(text.size)} Tf {matrix} Tm <{glyphs}> Tj ET"


def _at(point: Point) -> str:
    return f"{_number(point.x)} {_number(point.y)}"


def _colour(colour: str) -> str:
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3g}" for at in (1, 3, 5))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def _unicode(text: str) -> str:
    """Write text for the document's properties."""
    return f"<feff{text.encode('utf-16-be', 'replace').hex()}>"
