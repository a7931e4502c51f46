"""Accuracies that others report for bundled networks, from specs/published.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from archdsl.semantics.files import bundled_folder

IMAGENET = "ImageNet-1k"


@dataclass(frozen=True, slots=True)
class Published:
    """One reported result: accuracies in percent on a data set, the image's side, and where that stands.

    `weights` and `file` name what torchvision offers for download; `pretrained_on` other data that training began with.
    """

    top1: float
    data: str
    input: int
    source: str
    top5: float | None = None
    weights: str | None = None
    file: str | None = None
    pretrained_on: str | None = None

    @property
    def label(self) -> str:
        """Name the source in a few words: "torchvision 0.28.0 V2"."""
        name = re.split(r"[,:]| \(", self.source)[0]
        version = f" {self.weights.removeprefix('IMAGENET1K_')}" if self.weights else ""
        return f"{name}{version}" if self.data == IMAGENET else f"{self.data}, {name}{version}"


class _Content(TypedDict):
    sources: Mapping[str, str]
    networks: Mapping[str, Sequence[Mapping[str, object]]]


def read_published() -> Mapping[str, tuple[Published, ...]]:
    """Map the names of bundled networks to what is reported of them."""
    text = (bundled_folder() / "published.json").read_text(encoding="utf-8")
    content = cast("_Content", json.loads(text))
    return {
        name: tuple(_result({**entry, "source": content["sources"][str(entry["source"])]}) for entry in entries)
        for name, entries in content["networks"].items()
    }


def _result(fields: Mapping[str, object]) -> Published:
    # The file is part of archdsl, and a test holds it to this class.
    return Published(**fields)  # pyright: ignore[reportArgumentType]


def best_of(results: Sequence[Published], side: int) -> Published | None:
    """Return the most accurate result of training on the data set alone, for images of that side if there is any."""
    return max(results, key=lambda r: (r.input == side, r.pretrained_on is None, r.top1), default=None)
