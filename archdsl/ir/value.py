"""What flows in a graph, and what it gives out."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

NodeId: TypeAlias = str


class Value(NamedTuple):
    """A tensor in a graph: a node's result, or the named one of a call with several outputs."""

    node: NodeId
    output: str = ""


class Output(NamedTuple):
    """A named result of a graph; a training-only one is absent in eval mode."""

    name: str
    value: Value
    is_training_only: bool = False
