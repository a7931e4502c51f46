"""PNG from a scene: its SVG, drawn by resvg with the fonts that come with archdsl."""

from __future__ import annotations

from archdsl.backends.picture.failure import DrawError
from archdsl.backends.picture.font import FAMILY, FOLDER
from archdsl.backends.picture.scene import Scene
from archdsl.backends.picture.svg import write_svg

SCALE = 2.0
"""Pixels of the image to one of the scene, so that text is sharp in print and on fine screens."""
LARGEST = 12_000
"""The image's longer side at most; what would be larger is scaled down."""


def write_png(scene: Scene) -> bytes:
    """Draw a scene as PNG. Raises DrawError where the library for it is missing."""
    try:
        import resvg_py
    except ImportError:
        raise DrawError("a PNG needs the library resvg-py: pip install resvg-py") from None

    scale = min(SCALE, LARGEST / max(scene.width, scene.height))
    fonts = [str(FOLDER / name) for name in ("sans.ttf", "sans-bold.ttf")]
    # Other fonts than these are there for the characters that they lack.
    image = resvg_py.svg_to_bytes(
        svg_string=write_svg(scene, FAMILY),
        font_files=fonts,
        font_family=FAMILY,
        sans_serif_family=FAMILY,
        width=round(scene.width * scale),
        height=round(scene.height * scale),
    )
    return bytes(image)
