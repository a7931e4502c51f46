"""Draw the pictures that the documentation shows: python docs/make_images.py."""

from __future__ import annotations

from pathlib import Path

import archdsl

IMAGES = Path(__file__).resolve().parent / "images"


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    archdsl.load("resnet50").diagram("blocks").render(IMAGES / "resnet50.svg")


if __name__ == "__main__":
    main()
