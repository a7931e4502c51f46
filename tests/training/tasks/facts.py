"""Data sets as far as a task looks at them, and networks from one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from archdsl import Network, Source, load

Kind = Literal["class", "classes", "number", "mask", "image"]


@dataclass(frozen=True)
class Facts:
    kind: Kind = "class"
    classes: tuple[str, ...] = tuple("abc")
    name: str = "pets"
    channels: int = 3
    parts: dict[str, Any] = field(default_factory=dict[str, Any])


def facts(kind: Kind = "class", classes: int = 3, channels: int = 3) -> Any:
    names = tuple(f"c{i}" for i in range(classes)) if kind in ("class", "classes", "mask") else ()
    return Facts(kind, names, channels=channels)


def network(steps: str, parameters: str = "") -> Network:
    return load(Source(f"model net{parameters} {{ {steps} }}", "net.arch"))
