"""What is published of torchvision's networks, and how much of it the bundled specs cover."""

from __future__ import annotations

import json
from functools import cache
from typing import NotRequired, TypedDict, cast

from archdsl.api import load
from archdsl.network import Network
from archdsl.specs import bundled_models
from tests.conftest import ROOT


class Published(TypedDict):
    parameters: int
    gmacs: float
    input: int
    min_size: list[int]
    receptive_field: NotRequired[dict[str, int]]


@cache
def published() -> dict[str, Published]:
    text = (ROOT / "tests" / "data" / "torchvision.json").read_text(encoding="utf-8")
    return cast("dict[str, Published]", json.loads(text)["models"])


@cache
def bundled() -> tuple[str, ...]:
    return tuple(name for name, _ in bundled_models())


@cache
def network(name: str) -> Network:
    return load(name)
