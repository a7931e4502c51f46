"""Contact sheets: many small images with a line of text below each, as PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil, sqrt

from PIL import Image, ImageDraw
from torch import Tensor

from archdsl.text.render.display import visible

_MARGIN, _LINE = 4, 14
_SMALLEST, _LARGEST = 64, 256


def contact_sheet(images: Sequence[Tensor], captions: Sequence[str], columns: int = 0) -> bytes:
    """Draw images, uint8 [C, H, W], in a grid, row by row; small ones are enlarged by whole factors.

    A caption that is too long for its image is cut off, with a dot in place of what a terminal would obey.
    """
    pictures = [_picture(image) for image in images]
    columns = columns or max(1, ceil(sqrt(len(pictures))))
    wide, high = (max((picture.size[axis] for picture in pictures), default=_SMALLEST) for axis in (0, 1))
    cell = wide + _MARGIN, high + _LINE + _MARGIN
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell[0] + _MARGIN, rows * cell[1] + _MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = (index % columns) * cell[0] + _MARGIN, (index // columns) * cell[1] + _MARGIN
        sheet.paste(picture, (left, top))
        draw.text((left, top + high + 1), _fitting(draw, caption, wide), fill="black")
    content = io.BytesIO()
    sheet.save(content, "png")
    return content.getvalue()


def _picture(image: Tensor) -> Image.Image:
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
    longest = max(picture.size)
    factor = -(-_SMALLEST // longest)
    if longest > _LARGEST:
        width, height = (max(1, round(side * _LARGEST / longest)) for side in picture.size)
        return picture.resize((width, height), Image.Resampling.LANCZOS)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _fitting(draw: ImageDraw.ImageDraw, text: str, width: int) -> str:
    # The font that comes with Pillow has Latin letters alone.
    text = "".join(c if ord(c) < 256 else "·" for c in visible(text))
    while text and draw.textlength(text) > width:
        text = text[:-1]
    return text
