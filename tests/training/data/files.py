"""Folders of small images for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(number: int, size: tuple[int, int] = (20, 16)) -> Image.Image:
    """Make a picture of a width and height: coarse noise, which JPEG keeps, of its own for each number."""
    noise = np.random.default_rng(number).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BILINEAR)


def folder_of(root: Path, counts: Mapping[str, int], suffix: str = ".png") -> Path:
    """Write so many pictures into each folder, named from 0; sizes differ a little."""
    number = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            picture(number, (16 + number % 5, 16 + number % 3)).save(root / name / f"{index}{suffix}")
            number += 1
    return root
