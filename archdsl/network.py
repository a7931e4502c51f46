"""A network as users hold it: a compiled spec with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING

from archdsl.compiler import Compilation, write_text
from archdsl.ir.attributes import GraphAttributes
from archdsl.ir.content import content_of
from archdsl.ir.flatten import flatten
from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape
from archdsl.passes.annotations import Annotations
from archdsl.passes.costs import Total, count_costs
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.passes.tables import Tables
from archdsl.semantics.keymap import KeyMap
from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.error import SpecError

if TYPE_CHECKING:
    import torch
    from networkx import MultiDiGraph
    from torch import nn

    from archdsl.backends.picture import CostName, Diagram, DiagramLevel, ThemeName
    from archdsl.backends.summary import TableFormat
    from archdsl.ops.base import Tensor
    from archdsl.passes.fold import Fold
    from archdsl.passes.intensity import Intensities
    from archdsl.passes.memory import Memory
    from archdsl.passes.receptive import Fields, ReceptiveField
    from archdsl.weights.load import Weights
    from archdsl.weights.transfer import Transfer


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
        """Twice the multiply-adds."""
        return 2 * self.macs


@dataclass(frozen=True)
class NetworkCosts:
    """A network's costs for one image: in total, and per operator in the order of the text.

    `macs` are the multiply-adds of convolutions and matrix products without bias, `flops` twice that. `elementwise`
    counts norms, activations, pools and joins apart. `activation_bytes` are the bytes that operators write in float32.
    """

    total: Total
    nodes: tuple[NodeCosts, ...]

    @property
    def parameters(self) -> int:
        """How many numbers are trained; those that several steps share count once."""
        return self.total.parameters

    @property
    def buffers(self) -> int:
        """How many numbers of the state are not trained, such as running statistics."""
        return self.total.buffers

    @property
    def macs(self) -> int:
        """The multiply-adds of convolutions and matrix products."""
        return self.total.macs

    @property
    def flops(self) -> int:
        """Twice the multiply-adds."""
        return self.total.flops

    @property
    def elementwise(self) -> int:
        """The operations of norms, activations, pools and joins."""
        return self.total.elementwise

    @property
    def activation_bytes(self) -> int:
        """The bytes that operators write in float32."""
        return self.total.activation_bytes


class Network:
    """A compiled model. Everything but `module` and `fold_state` works without torch and is worked out when asked for.

    Shapes are [C, H, W] and such, without the batch; costs are for one image.
    Errors: SpecError where the compilation found mistakes
    """

    def __init__(self, compilation: Compilation) -> None:
        has_errors = any(diagnostic.severity is Severity.ERROR for diagnostic in compilation.diagnostics)
        if has_errors or compilation.graph is None or compilation.tables is None:
            raise SpecError(compilation.diagnostics)
        self.name = compilation.name
        self.digest = compilation.digest
        """Identifies the spec's text with its settings."""
        self.spec, self.files = compilation.source, compilation.files
        self.graph: Graph = compilation.graph
        """The hierarchical graph, in which equal calls share one body."""
        self.tables: Tables = compilation.tables
        """The shapes and costs of the graph, body by body; `costs` has them written out."""
        self.shapes: Shapes = self.tables.shapes
        self.diagnostics: tuple[Diagnostic, ...] = compilation.diagnostics
        self.key_maps: tuple[KeyMap, ...] = compilation.key_maps
        """What files of other origins call the weights."""
        self._compilation = compilation
        if self.graph.facts is None:
            self.graph.facts = Annotations(self.tables, lambda: _about(self))
        self.folds: tuple[Fold, ...] = ()
        """Which norms `for_inference` has folded, and how the state changes with it."""

    def __repr__(self) -> str:
        total = self.tables.costs.total
        return f"Network({self.name!r}, {total.parameters:,} parameters, {total.macs:,} macs)"

    def _repr_svg_(self) -> str:
        return self.diagram().svg

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show the network in a notebook as its picture, and where there are only letters as its summary."""
        return {"image/svg+xml": self._repr_svg_(), "text/plain": self.summary()}

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Say what is legal and most likely costs a training run, without what the spec allows.

        Only what stands in the spec's own text counts, and not in files that it uses.
        """
        return self._compilation.find_warnings()

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
        """Parameters, buffers, multiply-adds and bytes for one image, in total and for each operator written out."""
        from archdsl.backends.summary import operators

        nodes = [
            NodeCosts(
                row.path,
                row.node.op.keyword,
                row.output,
                row.costs.parameters,
                row.costs.buffers,
                row.costs.macs,
                row.costs.elementwise,
                row.costs.activation_bytes,
            )
            for row in operators(self.tables)
            if row.node.op is not None
        ]
        return NetworkCosts(self.tables.costs.total, tuple(nodes))

    @property
    def state(self) -> tuple[tuple[str, Tensor], ...]:
        """List the keys and tensors of the state_dict, in torch's order."""
        from archdsl.passes.state import list_state

        return list_state(self.shapes)

    @property
    def symbolic_shapes(self) -> Shapes:
        """The shapes for images of any height H and width W, as polynomials in them."""
        from archdsl.passes.symbolic import symbolic_shapes

        return symbolic_shapes(self.graph, self.shapes.inputs)

    @property
    def receptive_fields(self) -> Fields:
        """What every value sees of the inputs, in pixels."""
        from archdsl.passes.receptive import receptive_fields

        return receptive_fields(self.shapes)

    @property
    def receptive_field(self) -> ReceptiveField:
        """What an element of the last feature map, which enters the global pooling, sees of the first input."""
        return self.receptive_fields.last_feature_map()[next(iter(self.inputs))]

    @property
    def smallest_input(self) -> int | None:
        """The smallest n for which evaluation takes n x n images; None where the declared size allows none."""
        from archdsl.passes.smallest_input import smallest_input

        return smallest_input(self.for_inference(fold=False).shapes)

    def memory(self, batch_size: int = 1, *, in_place: bool = False) -> Memory:
        """Work out the bytes that an evaluation and a training step need in float32.

        With `in_place`, activations in evaluation write over an input that nothing else reads.
        """
        from archdsl.passes.memory import measure_memory

        return measure_memory(self.shapes, batch_size, in_place=in_place)

    def intensity(self, batch_size: int = 1) -> Intensities:
        """Work out flops per moved byte, for each node and in total."""
        from archdsl.passes.intensity import arithmetic_intensity

        return arithmetic_intensity(self.shapes, batch_size)

    def for_inference(self, fold: bool = True) -> Network:
        """Return the network that evaluation runs: no training-only parts, no noise, and norms folded if `fold`.

        Names stay; with `fold` the state changes as the result's `folds` say, which its `fold_state` carries out.
        """
        from archdsl.passes.fold import fold_norms
        from archdsl.passes.inference import for_inference

        network = self._with_graph(for_inference(self.graph), "inference")
        if not fold:
            return network
        folded = fold_norms(network.shapes)
        network = network._with_graph(folded.graph, "folded")
        network.folds = folded.folds
        return network

    def _with_graph(self, graph: Graph, change: str) -> Network:
        shapes, misfits = infer_shapes(_own(graph), self.shapes.inputs)
        assert not misfits, "a transform keeps a network legal"
        digest = sha256(f"{self.digest} {change}".encode()).hexdigest()[: len(self.digest)]
        tables = Tables(shapes, count_costs(shapes))
        return Network(replace(self._compilation, graph=shapes.graph, tables=tables, digest=digest, again=None))

    def fold_state(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the state_dict that this network takes, from that of the network `for_inference` made it of.

        Needs torch. Raises KeyError where the state lacks an entry that is needed.
        """
        from archdsl.weights.fold import fold_state

        return fold_state(state, self.folds, [key for key, _ in self.state])

    def flatten(self) -> MultiDiGraph[str]:
        """Return a new networkx graph with one node per operator, named by its path; `from_networkx` compiles it."""
        return flatten(self.graph)

    def text(self) -> str:
        """Return the text of a spec that compiles to this network; SpecError with E314 where the language has none."""
        return write_text(self.graph)

    def source(self) -> str:
        """Return the Python file that it compiles to: a standalone PyTorch module."""
        from archdsl.backends.torch.emit import emit

        return emit(self.tables, self.name, self.digest)

    def module(self, weights: Weights | None = None, *, origin: str | None = None, strict: bool = True) -> nn.Module:
        """Build the network as an nn.Module from the code that `source` gives. Needs torch.

        `weights` are a file, by path, or a state_dict; without them torch's generator draws initial values. `origin`
        names the name map to use, `"timm"`; without it the one that fits best is used, if any does better than equal
        keys. With `strict`, anything that is missing, left over, of another shape or no number raises
        `archdsl.weights.load.MisfitError`, which carries the report; without it, what fits is loaded.
        """
        from archdsl.backends.torch.build import build

        if weights is None:
            return build(self.source(), self.name)
        from archdsl.weights import load as loading

        compared = loading.compare(self.shapes, self.key_maps, weights, origin)
        source = self.source()
        return loading.build(self.name, lambda: build(source, self.name), compared, strict=strict)

    def compare_weights(self, weights: Weights, origin: str | None = None, *, values: bool = False) -> Transfer:
        """Say what of a file's or a state_dict's weights fits the network, and how.

        By keys, shapes and types, for which torch is not needed with safetensors; with `values`, which needs it, by the
        numbers too. Raises `archdsl.weights.load.WeightsError` where they cannot be read.
        """
        from archdsl.weights.load import compare

        return compare(self.shapes, self.key_maps, weights, origin, values=values)[1]

    def summary(
        self,
        format: TableFormat = "text",
        width: int = 100,
        *,
        depth: int | None = None,
        color: bool = False,
    ) -> str:
        """Describe the network: a table of its steps with shapes, parameters and macs.

        As text it is `width` columns wide at most and shows paths of up to `depth` segments, by default as many as keep
        it short; the other formats have a row for every operator.
        """
        from archdsl.backends.summary import summarise

        named = {"spec": self.spec.name, "digest": self.digest}
        return summarise(self.tables, format, width, depth=depth, color=color, **named)

    def page(self) -> str:
        """Write the network as one HTML file that needs no network: a picture to fold, unfold, search and measure.

        Sliders change the input's size and, where the spec has a parameter for it, the width.
        """
        from archdsl.backends.page import page

        again = self._compilation.again

        def vary(name: str, value: str) -> Shapes | None:
            # A width that breaks an `assert` of the spec still has shapes, and the page may show it.
            tables = again({name: value}).tables if again is not None else None
            return tables.shapes if tables is not None else None

        return page(self.shapes, self.name, None if again is None else vary)

    def diagram(
        self,
        level: DiagramLevel = "blocks",
        *,
        theme: ThemeName = "light",
        cost: CostName | None = None,
    ) -> Diagram:
        """Draw the network: its stages at a glance, its blocks with each one's inside, or every layer.

        With `cost`, boxes are coloured by their part of that cost, so that the bottleneck is seen.
        """
        from archdsl.backends.picture import diagram

        return diagram(self.tables, level, self.name, theme=theme, cost=cost)


def _own(graph: Graph) -> Graph:
    """Return an equal graph for a network of its own: a network's graph bears what is known of that network."""
    return Graph(graph.name, graph.kind, graph.nodes, graph.outputs, graph.span, graph.bindings, graph.doc)


def _about(network: Network) -> GraphAttributes:
    """Return what the graph in networkx bears of the model, so that what comes back is known."""
    return {"digest": network.digest, "content": content_of(network.graph), "key_maps": network.key_maps}
