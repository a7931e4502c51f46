"""A network as users hold it: a compiled spec with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from hashlib import sha256
from typing import TYPE_CHECKING

from archdsl.compiler import Compilation, write_text
from archdsl.facts import NetworkFacts
from archdsl.ir.attributes import GraphAttributes
from archdsl.ir.content import content_of
from archdsl.ir.flatten import flatten
from archdsl.ir.freezing import Freezing
from archdsl.ir.graph import Graph
from archdsl.ir.start import InputAdaption, WeightsSource
from archdsl.ir.trouble import Trouble
from archdsl.lower.settings import UserValue
from archdsl.passes.annotations import Annotations
from archdsl.passes.costs import count_costs
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.passes.tables import Tables
from archdsl.semantics.keymap import KeyMap
from archdsl.text.diagnostic import Diagnostic, Reporter, Severity
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure

if TYPE_CHECKING:
    import torch
    from networkx import MultiDiGraph
    from torch import nn

    from archdsl.backends.picture import CostName, Diagram, DiagramLevel, ThemeName
    from archdsl.backends.summary import TableFormat
    from archdsl.passes.fold import Fold
    from archdsl.weights.load import Weights
    from archdsl.weights.transfer import Transfer


class Network(NetworkFacts):
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
        self.freezings: tuple[Freezing, ...] = compilation.freezings
        """What the spec says of its frozen parts, and what `frozen` added."""
        self.weights: WeightsSource | None = compilation.weights
        """The file that the spec says its weights start from, which `module` opens."""
        self._compilation = compilation
        if self.graph.facts is None:
            self.graph.facts = Annotations(self.tables, lambda: _about(self))
        self.folds: tuple[Fold, ...] = ()
        """Which norms `for_inference` has folded, and how the state changes with it."""
        self.taps: tuple[str, ...] = ()
        """The paths that its outputs are called by, where `tap` made it end there."""

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

    def frozen(self, freezing: Freezing | str) -> Network:
        """Return the same network with more of it frozen; what is frozen already stays so.

        A text says what stands behind the word `freeze` in a spec, where quotes may be left out: `"* except fc"`.
        Errors: SpecError with E132 where it cannot be read, or a pattern of it reaches no step
        """
        freezing = Freezing.read(freezing) if isinstance(freezing, str) else freezing
        return Network(_frozen(self._compilation, freezing))

    @property
    def smallest_input(self) -> int | None:
        """The smallest n for which evaluation takes n x n images; None where the declared size allows none."""
        from archdsl.passes.smallest_input import smallest_input

        return smallest_input(self.for_inference(fold=False).shapes)

    def for_inference(self, fold: bool = True) -> Network:
        """Return the network that evaluation runs: no training-only parts, no noise, and norms folded if `fold`.

        Names stay; with `fold` the state changes as the result's `folds` say, which its `fold_state` carries out.
        """
        from archdsl.passes.fold import fold_norms
        from archdsl.passes.inference import for_inference

        network = Network(_with_graph(self._compilation, for_inference(self.graph), "inference"))
        if not fold:
            return network
        folded = fold_norms(network.shapes)
        network = Network(_with_graph(network._compilation, folded.graph, "folded"))
        network.folds = folded.folds
        return network

    def tap(self, *paths: str) -> Network:
        """Return the network that ends at places inside this one: its outputs are what flows behind these steps.

        Paths are those of `summary`; that of a block or a level stands for its last result. What no tap needs is left
        out; the other names stay. As a module it gives a dict of tensors by these paths.
        Errors: Failure with E374 for a path that no step has
        """
        from archdsl.passes.taps import tap

        try:
            graph = tap(self.graph, paths)
        except Trouble as trouble:
            raise Failure(trouble.message, trouble.help, trouble.code) from None
        network = Network(_with_graph(self._compilation, graph, f"taps {' '.join(paths)}"))
        network.taps = tuple(dict.fromkeys(paths))
        return network

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
        return write_text(self.shapes, self.weights)

    def source(self) -> str:
        """Return the Python file that it compiles to: a standalone PyTorch module."""
        return self._source

    @cached_property
    def _source(self) -> str:
        from archdsl.backends.torch.emit import emit

        return emit(self.tables, self.name, self.digest, self.taps)

    def module(
        self,
        weights: Weights | None = None,
        *,
        origin: str | None = None,
        strict: bool = True,
        taps: Sequence[str] = (),
        adapt: InputAdaption | None = None,
        anew: str | Sequence[Freezing] = (),
        is_initial: bool = False,
        init: bool = True,
    ) -> nn.Module:
        """Build the network as an nn.Module from the code that `source` gives. Needs torch.

        `weights` are a file, by path, a name such as `torchvision:resnet50` or `timm:resnet50`, or a state_dict;
        without them it is the file that the spec names, which lies in the spec's folder, and without that, or with
        `is_initial`, torch's generator draws initial values. `origin` names the name map to use, `"timm"`; without it
        the one that fits best is used, if any does better than equal keys. With `strict`, anything that is missing,
        left over, of another shape or no number raises `archdsl.weights.load.MisfitError`, which carries the report;
        without it, what fits is loaded.

        `adapt` says what the first convolutions get where the file has other input channels: its `mean`, a `copy`, or
        `new` values. `anew` names parts as `freeze` does, such as "head", which are drawn anew whatever the file has.
        Both are taken from the spec where it names the file.

        With `taps`, paths of steps such as "layer3", the module gives a dict of what flows behind them, and has no more
        than that needs: `tap` says what paths mean. The weights are still those of the whole network, of which what is
        needed has to fit.

        Without `init` no file is opened and nothing drawn, for a state_dict to be loaded next: what would be random is
        zero, and `forward` raises until weights are there. ValueError where weights or first values are asked for too.
        """
        from archdsl.backends.torch.build import build

        patterns = self.anew(anew)
        if not init and (weights is not None or is_initial or patterns):
            raise ValueError("without `init` there are neither weights nor initial values")
        if weights is None and self.weights is not None and not is_initial and init:
            weights, origin = self.weights.path(), origin or self.weights.origin
            adapt, patterns = adapt or self.weights.adapt, (*self.weights.all_anew(), *patterns)
        tapped = self.tap(*taps) if taps else self
        make, kept = partial(build, tapped.source(), self.name), {key for key, _ in tapped.state} if taps else None
        if weights is None:
            return make() if init else _undrawn(make)
        from archdsl.weights import load as loading

        compared = loading.compare(self.shapes, self.key_maps, weights, origin, adapt=adapt, anew=patterns)
        return loading.build(self.name, make, compared, strict=strict, kept=kept)

    def compare_weights(
        self,
        weights: Weights,
        origin: str | None = None,
        *,
        values: bool = False,
        adapt: InputAdaption | None = None,
        anew: str | Sequence[Freezing] = (),
        guess: bool = False,
    ) -> Transfer:
        """Say what of a file's or a state_dict's weights fits the network, and how: by keys, shapes and types.

        With `values`, which need torch, by numbers too; with `guess`, what is most likely renamed is "guessed", which
        loads only by the report's `rules`. `adapt` and `anew` are as in `module`.
        Raises `archdsl.weights.load.WeightsError` where they cannot be read.
        """
        from archdsl.weights.load import compare

        return compare(
            self.shapes, self.key_maps, weights, origin,
            values=values, adapt=adapt, guess=guess, anew=self.anew(anew),
        )[1]  # fmt: skip

    def anew(self, anew: str | Sequence[Freezing]) -> tuple[Freezing, ...]:
        """Read which parts are to be drawn anew, as `module` takes them.

        Errors: SpecError with E132 where it reaches no weights
        """
        from archdsl.passes.freeze import covered_keys

        given = (Freezing.read(anew, "<anew>"),) if isinstance(anew, str) else tuple(anew)
        try:
            for patterns in given:
                covered_keys(self.shapes, patterns)
        except Trouble as trouble:
            raise _told(trouble) from None
        return given

    def summary(
        self, format: TableFormat = "text", width: int = 100, *, depth: int | None = None, color: bool = False
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
        return page(self.shapes, self.name, None if again is None else partial(_varied, again))

    def diagram(
        self, level: DiagramLevel = "blocks", *, theme: ThemeName = "light", cost: CostName | None = None
    ) -> Diagram:
        """Draw the network: its stages at a glance, its blocks with each one's inside, or every layer.

        With `cost`, boxes are coloured by their part of that cost, so that the bottleneck is seen.
        """
        from archdsl.backends.picture import diagram

        return diagram(self.tables, level, self.name, theme=theme, cost=cost)


def _undrawn(make: Callable[[], nn.Module]) -> nn.Module:
    from archdsl.weights.undrawn import undrawn  # which imports torch

    return undrawn(make)


def _varied(again: Callable[[Mapping[str, UserValue]], Compilation], name: str, value: str) -> Shapes | None:
    # A width that breaks an `assert` of the spec still has shapes, and the page may show it.
    tables = again({name: value}).tables
    return tables.shapes if tables is not None else None


def _with_graph(compilation: Compilation, graph: Graph, change: str) -> Compilation:
    assert compilation.tables is not None
    shapes, misfits = infer_shapes(_own(graph), compilation.tables.shapes.inputs)
    assert not misfits, "a transform keeps a network legal"
    digest = sha256(f"{compilation.digest} {change}".encode()).hexdigest()[: len(compilation.digest)]
    tables = Tables(shapes, count_costs(shapes))
    return replace(compilation, graph=shapes.graph, tables=tables, digest=digest, again=None)


def _frozen(compilation: Compilation, freezing: Freezing) -> Compilation:
    """Return a sound model's compilation with more of it frozen, also where it is compiled once more."""
    from archdsl.passes.freeze import freeze

    assert compilation.tables is not None
    before = compilation.again
    try:
        shapes = freeze(compilation.tables.shapes, [freezing])
    except Trouble as trouble:
        raise _told(trouble) from None

    def again(changed: Mapping[str, UserValue]) -> Compilation:
        assert before is not None
        made = before(changed)
        return made if made.tables is None else _frozen(made, freezing)

    return replace(
        compilation,
        graph=shapes.graph,
        tables=Tables(shapes, count_costs(shapes)),
        digest=sha256(f"{compilation.digest} freeze {freezing}".encode()).hexdigest()[: len(compilation.digest)],
        freezings=(*compilation.freezings, freezing),
        again=None if before is None else again,
    )


def _told(trouble: Trouble) -> SpecError:
    report = Reporter()
    trouble.tell(report)
    return SpecError(report.diagnostics)


def _own(graph: Graph) -> Graph:
    """Return an equal graph for a network of its own: a network's graph bears what is known of that network."""
    return Graph(graph.name, graph.kind, graph.nodes, graph.outputs, graph.span, graph.bindings, graph.doc)


def _about(network: Network) -> GraphAttributes:
    """Return what the graph in networkx bears of the model, so that what comes back is known."""
    about: GraphAttributes = {
        "digest": network.digest,
        "content": content_of(network.graph),
        "key_maps": network.key_maps,
    }
    if network.weights is not None:
        about["weights"] = network.weights
    return about
