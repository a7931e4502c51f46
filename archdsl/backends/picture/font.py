"""The fonts that pictures are set in: how wide text is, and what a PDF needs to embed them.

They come with archdsl, so that a picture is the same on a machine without fonts. Their widths are those of Arial and
Helvetica, which a browser uses when it shows the SVG.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FAMILY = "Archdsl Sans"
FOLDER = Path(__file__).with_name("fonts")


@dataclass(frozen=True, eq=False)
class Font:
    """A TrueType font. `advances` and the metrics are in units of a thousandth of the font's size."""

    data: bytes
    glyphs: dict[int, int]
    """Maps code points to glyphs."""
    advances: tuple[float, ...]
    """The width of each glyph."""
    ascent: float
    descent: float
    box: tuple[float, float, float, float]

    def glyph(self, character: str) -> int:
        """Return a character's glyph; 0, an empty box, for one that the font lacks."""
        return self.glyphs.get(ord(character), 0)

    def width(self, text: str) -> float:
        """Return the width of a text set in size 1. Characters that the font lacks count as browsers set them."""
        return sum(map(self._advance, text)) / 1000

    def _advance(self, character: str) -> float:
        glyph = self.glyph(character)
        if glyph:
            return self.advances[glyph]
        if unicodedata.combining(character):
            return 0
        return 1000 if unicodedata.east_asian_width(character) in "WF" else 700


@cache
def load(*, is_bold: bool = False) -> Font:
    """Read one of the two fonts.

    >>> load().width("mm") > load().width("ii")
    True
    """
    data = (FOLDER / ("sans-bold.ttf" if is_bold else "sans.ttf")).read_bytes()
    tables = _tables(data)
    (units,) = struct.unpack_from(">H", data, tables["head"] + 18)
    bounds = struct.unpack_from(">4h", data, tables["head"] + 36)
    ascent, descent = struct.unpack_from(">hh", data, tables["hhea"] + 4)
    (count,) = struct.unpack_from(">H", data, tables["hhea"] + 34)
    scale = 1000 / units
    raw = struct.unpack_from(f">{2 * count}H", data, tables["hmtx"])[::2]
    (glyphs,) = struct.unpack_from(">H", data, tables["maxp"] + 4)
    advances = [value * scale for value in (*raw, *[raw[-1]] * (glyphs - count))]
    left, bottom, right, top = (value * scale for value in bounds)
    return Font(data, _glyphs(data, tables["cmap"]), tuple(advances), ascent * scale, descent * scale, (
        left, bottom, right, top,
    ))  # fmt: skip


def _tables(data: bytes) -> dict[str, int]:
    """Return where each table of the file begins."""
    (count,) = struct.unpack_from(">H", data, 4)
    entries = (struct.unpack_from(">4s3I", data, 12 + 16 * index) for index in range(count))
    return {tag.decode("ascii"): offset for tag, _, offset, _ in entries}


def _glyphs(data: bytes, cmap: int) -> dict[int, int]:
    """Read the map from code points to glyphs: a subtable of format 4, which holds the plane of all but rare signs."""
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    starts = [cmap + struct.unpack_from(">I", data, cmap + 8 + 8 * index)[0] for index in range(count)]
    start = next(at for at in starts if struct.unpack_from(">H", data, at) == (4,))
    size = struct.unpack_from(">H", data, start + 6)[0] // 2
    ends, firsts, deltas, offsets = (
        struct.unpack_from(f">{size}H", data, start + 14 + 2 * size * index + (2 if index else 0)) for index in range(4)
    )
    found: dict[int, int] = {}
    for index, (end, first, delta, offset) in enumerate(zip(ends, firsts, deltas, offsets, strict=True)):
        here = start + 16 + 6 * size + 2 * index
        for code in range(first, min(end, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", data, here + offset + 2 * (code - first))
            if glyph or not offset:
                found[code] = (glyph + delta) % 0x10000
    return found
