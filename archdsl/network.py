"""A network as users hold it: a compiled spec with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from archdsl.compiler import Compilation, UserValue, compile, find_spec
from archdsl.ir.flatten import flatten
from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape
from archdsl.passes.costs import Costs, Total, walk
from archdsl.passes.shapes import Shapes
from archdsl.text.diagnostic import Diagnostic, SpecError
from archdsl.text.source import Source

if TYPE_CHECKING:
    from networkx import MultiDiGraph
    from torch import nn

Level = Literal["stages", "blocks", "layers"]


@dataclass(frozen=True, slots=True)
class NodeCosts:
    """One operator of the written-out network: its path, what it is, and what it costs for one image."""

    path: str
    op: str
    output: Shape
    parameters: int
    buffers: int
    macs: int
    elementwise: int
    activation_bytes: int

    @property
    def flops(self) -> int:
        return 2 * self.macs


@dataclass(frozen=True)
class NetworkCosts:
    """A network's costs for one image: in total, per operator, and per body.

    `macs` are the multiply-adds of convolutions and matrix products without bias, `flops` twice that. `elementwise`
    counts norms, activations, pools and joins apart. `activation_bytes` are the bytes that operators write in float32.
    """

    total: Total
    nodes: tuple[NodeCosts, ...]

    @property
    def parameters(self) -> int:
        return self.total.parameters

    @property
    def buffers(self) -> int:
        return self.total.buffers

    @property
    def macs(self) -> int:
        return self.total.macs

    @property
    def flops(self) -> int:
        return self.total.flops

    @property
    def elementwise(self) -> int:
        return self.total.elementwise

    @property
    def activation_bytes(self) -> int:
        return self.total.activation_bytes


class Network:
    """A compiled model. Everything but `module` works without torch; what costs time is worked out when first asked for."""

    def __init__(self, compilation: Compilation) -> None:
        if compilation.graph is None or compilation.shapes is None or compilation.costs is None:
            raise SpecError(compilation.diagnostics)
        self.name = compilation.name
        self.digest = compilation.digest
        """Identifies the spec's text with its settings."""
        self.spec = compilation.source
        self.graph: Graph = compilation.graph
        """The hierarchical graph, in which equal calls share one body."""
        self.shapes: Shapes = compilation.shapes
        self.body_costs: Costs = compilation.costs
        self.diagnostics: tuple[Diagnostic, ...] = compilation.diagnostics

    def __repr__(self) -> str:
        total = self.body_costs.total
        return f"Network({self.name!r}, {total.parameters:,} parameters, {total.macs:,} macs)"

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """Map each input's name to its shape, without the batch."""
        return MappingProxyType(dict(zip((n.id for n in self.graph.inputs), self.shapes.inputs, strict=True)))

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Map each output's name to its shape, without the batch; an unnamed main output is called "output"."""
        return MappingProxyType({o.name or "output": self.shapes.of(o.value) for o in self.graph.outputs})

    @cached_property
    def costs(self) -> NetworkCosts:
        nodes: list[NodeCosts] = []
        for path, node, shapes, costs in walk(self.shapes, self.body_costs):
            if node.op is None or node.is_input:
                continue
            one = costs.nodes[node.id]
            own = one.parameters if node.reuses is None else 0
            buffers = one.buffers if node.reuses is None else 0
            output = shapes.results[node.id][""]
            nodes.append(
                NodeCosts(
                    path, node.op.keyword, output, own, buffers, one.macs, one.elementwise, one.activation_bytes
                )
            )
        return NetworkCosts(self.body_costs.total, tuple(nodes))

    def flatten(self) -> MultiDiGraph:
        """Give the networkx graph with one node per operator, named by its path."""
        return flatten(self.graph)

    def source(self) -> str:
        """Give the Python file that compiles to: a standalone PyTorch module."""
        from archdsl.backends.torch.emit import emit

        return emit(self.graph, self.shapes, self.body_costs, self.name, self.digest)

    def module(self) -> nn.Module:
        """Build the network as an nn.Module from the code that `source` gives. Needs torch."""
        from archdsl.backends.torch.build import build

        return build(self.source(), self.name)

    def summary(self, format: Literal["text", "json", "csv", "markdown"] = "text", width: int = 100) -> str:
        """Describe the network: a table of its steps with shapes, parameters and macs."""
        from archdsl.backends.summary import summarise

        return summarise(self.graph, self.shapes, self.body_costs, format, width)


def load(
    spec: str | Path,
    model: str | None = None,
    *,
    input: Sequence[int] | None = None,
    **settings: UserValue,
) -> Network:
    """Compile a spec, given by path or bundled name, with some settings changed.

    `input` replaces the input's shape, [C, H, W]. Raises SpecError with every diagnostic if the spec has mistakes.

    >>> load("resnet50", classes=10).costs.parameters
    23528522
    """
    source, folder, named = find_spec(spec)
    return Network(compile(source, model or named, settings, input, folder))


def load_text(
    text: str,
    model: str | None = None,
    *,
    name: str = "<string>",
    input: Sequence[int] | None = None,
    **settings: UserValue,
) -> Network:
    """Compile a spec's text, as `load` does a file."""
    return Network(compile(Source(text, name), model, settings, input))


def check_text(text: str, name: str = "<string>") -> tuple[Diagnostic, ...]:
    """Give the diagnostics of a spec's text."""
    from archdsl.compiler import check

    return check(Source(text, name))
