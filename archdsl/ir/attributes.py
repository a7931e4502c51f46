"""The attributes that a network's networkx graphs carry: the one list of their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

from archdsl.ir.again import Again
from archdsl.ir.start import WeightsSource
from archdsl.ir.value import NodeId, Output, Value
from archdsl.ops.base import Op, Tensor
from archdsl.ops.shape import Shape
from archdsl.text.source import Span

if TYPE_CHECKING:
    from networkx import MultiDiGraph


class GraphAttributes(TypedDict, total=False):
    """What `graph.graph` holds. Only `outputs` has to be there."""

    name: str
    """Of the model, or of the block that was written; a group goes by its label."""
    kind: Literal["model", "block", "group"]
    outputs: Sequence[Output]
    """What it gives, the main one first, those of training only last."""
    bindings: Mapping[str, object]
    """The values of the model's or block's parameters and variables."""
    doc: str
    span: Span
    """Where it was declared; bodies of one declaration become one class as far as they agree."""
    again: Again[object]
    """Makes it once more as other calls would."""
    digest: str
    """Of the text and settings that the model was made from."""
    content: str
    """Of all that is read again; where it still holds, so does the digest."""
    weights: WeightsSource
    """The file that the weights start from; absent where there is none."""
    key_maps: tuple[object, ...]
    """What files of other origins call the weights."""


class NodeAttributes(TypedDict, total=False):
    """What a node holds: an `op`, or a `body` that it calls, or neither where the input of a body arrives."""

    op: Op
    body: MultiDiGraph[str]
    """A graph of its own; calls that share one object are equal."""
    repeats: tuple[str, ...]
    """The further names of equal steps that follow each other; the node's own name is the first."""
    reuses: str
    """The node whose weights this one applies again."""
    frozen: bool
    """Whether training leaves an operator's tensors as they are, and it acts as in evaluation; absent where not."""
    labelled: bool
    """Whether its name is a label of the text."""
    span: Span
    arguments: Mapping[str, Span]
    """Where its arguments were written, by name."""
    calls: tuple[tuple[str, Span], ...]
    """The calls of blocks that led to it."""
    path: str
    """A fact: its path in the network, that of the first call where several share the body."""
    shapes: Mapping[str, Shape]
    """A fact: its outputs' shapes by name, "" being the main one."""
    costs: object
    """A fact: what one application costs, an `archdsl.passes.costs.Total`."""
    tensors: tuple[Tensor, ...]
    """A fact: the entries of the state_dict below its own path, in torch's order; none for a call."""


class EdgeAttributes(TypedDict, total=False):
    """What an edge holds, from the node that gives a value to the one that reads it."""

    port: int
    """Which of the reader's inputs it is, from 0."""
    output: str
    """Which of the giver's outputs it is, "" being the main one."""
    shape: Shape
    """A fact: that of the value."""


class BodyFacts(Protocol):
    """What is known of the nodes of a body where certain shapes enter it. Equal calls share one object."""

    @property
    def about(self) -> GraphAttributes:
        """Return what is known of the whole model."""
        ...

    def of(self, node: NodeId) -> NodeAttributes:
        """Return the shapes, costs and tensors of a node."""
        ...

    def shape(self, value: Value) -> Shape | None:
        """Return the shape of a value, None where it is not known."""
        ...

    def inside(self, call: NodeId) -> BodyFacts:
        """Return what is known of the body of a call."""
        ...
