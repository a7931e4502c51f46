"""Parts that are noted by themselves: functions from the numbers that reach them to shapes and costs."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from archdsl.ir.graph import Graph, Output, Value
from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.lowering import EnoughMistakes
from archdsl.ops.base import OpError
from archdsl.ops.shape import Dim, Shape
from archdsl.passes.costs import Total
from archdsl.text.source import NOWHERE, Span
from archdsl.tracing.measure import PartBody, measure
from archdsl.tracing.recorder import Recorder, Traced, Untraceable, exact, plain
from archdsl.tracing.replay import Program, program, replayed

MOST_KNOWN = 4096
"""How many results of one part are kept."""
_MOST_PROGRAMS = 400
"""How many ways through one part are kept."""
MISTAKES = (Trouble, Reported, OpError, EnoughMistakes, RecursionError)
"""How lowering says that a spec has a mistake."""


class Opening(tuple[Any, ...]):
    """A shape without its numbers: which axis is the channels, and the sizes that follow the image's."""

    __slots__ = ()

    @staticmethod
    def of(shape: Shape) -> Opening:
        return Opening((shape.axis, shape.is_named, tuple([size if isinstance(size, Dim) else None for size in shape])))

    @property
    def numbers(self) -> int:
        """How many sizes are numbers."""
        return sum(size is None for size in self[2])

    def filled(self, numbers: Iterator[Any], dims: Iterator[Any] | None = None) -> Shape:
        """Return the shape with its numbers, and with numbers for the sizes that follow the image's where given."""
        sizes = [next(numbers) if size is None else size if dims is None else next(dims) for size in self[2]]
        return Shape(*sizes, axis=self[0], is_named=self[1])


@dataclass(frozen=True, slots=True)
class Structure:
    """What a part makes, without its numbers: its outputs by name, none for what only hands on, and settings taken."""

    outputs: tuple[tuple[str, bool, Opening], ...]
    taken: frozenset[str] = frozenset()

    @property
    def is_pass(self) -> bool:
        return not self.outputs


@dataclass(frozen=True, slots=True)
class Drawn:
    """What lowering made of a part in one run."""

    structure: Structure
    sizes: tuple[Any, ...]
    """The numbers of its outputs' shapes, traced where they depend on what the part was handed."""
    graph: Graph | None
    entries: tuple[Opening, ...]
    """What flows in, whose numbers the part was handed last."""
    effort: tuple[Any, ...]
    """What it takes of a compilation's limits, to be added up."""
    depth: tuple[Any, ...] = (0,)
    """How deep calls nest in it, in several places."""
    check: Callable[[Total], None] | None = None
    """What holds its costs against what the spec says of them."""
    labels: tuple[list[str], list[str], list[int]] = ((), (), ())  # pyright: ignore[reportAssignmentType]
    """The labels that it gives to the level that it stands in."""


class Lower(Protocol):
    """Lowers a part for the numbers of a recorder."""

    def __call__(self, recorder: Recorder, leaves: Sequence[Any]) -> Drawn: ...


class Passage:
    """One way through a part: its programs, good for all numbers that decide everything as those of its run did."""

    def __init__(self, recorder: Recorder, drawn: Drawn, structure: int) -> None:
        self.recorder, self.drawn = recorder, drawn
        self.structure = structure
        """The number of what it makes."""
        settled, texts, reads = drawn.labels
        size = drawn.graph.size if drawn.graph is not None else 0
        labels = f"({', '.join([*map(repr, settled), *texts])}{',' if settled or texts else ''})"
        efforts, read = recorder.write_all(drawn.effort)
        effort = recorder.compute(" + ".join(efforts), read, sum(map(plain, drawn.effort)))
        depths, read = recorder.write_all(drawn.depth)
        depth = recorder.compute(f"max({', '.join([*depths, '0'])})", read, max(map(plain, drawn.depth)))
        label = recorder.compute(labels, reads, ()) if labels != "()" else ()
        self.calls = tuple(recorder.calls)
        kept = [recorder.at(place) for place in self.calls]
        self.run: Program = program(recorder, [size, effort, depth, label, *kept, *drawn.sizes], recorder.guards)
        self.count = len(recorder.values)
        self.is_pass, self.taken = drawn.graph is None, drawn.structure.taken
        self.first_size = 4 + len(self.calls)
        """Where in what `run` gives the numbers of its outputs' shapes begin, behind what the calls in it gave."""
        self.only = self._only(drawn)
        """Which of the calls in it is all that it is; -1 where it is more, or none."""
        self.mark = recorder.mark()
        self._replay: Program | None = None
        self.measures: list[Program] = []

    def _only(self, drawn: Drawn) -> int:
        nodes = list(drawn.graph.nodes.values()) if drawn.graph is not None else []
        body = nodes[1].body if len(nodes) == 2 and drawn.graph is not None else None
        if not isinstance(body, CalledPart) or type(nodes[1].repeat) is not int or nodes[1].repeat != 1:
            return -1
        is_end = drawn.graph is not None and [o.value for o in drawn.graph.outputs] == [Value(nodes[1].id)]
        return self.calls.index(body.node.place) if is_end and len(body.structure.outputs) == 1 else -1

    def measure(self, leaves: tuple[Any, ...], kept: tuple[Any, ...], dims: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the sizes that follow the image's of its outputs, and its costs.

        Errors: Untraceable where something does not fit
        """
        for made in self.measures:
            known = made(*kept, *leaves, *dims)
            if known is not None:
                return known
        recorder = self.recorder
        if self._replay is None:
            recorder.rewind(self.mark, recorder.values[: self.count])
            self._replay = replayed(recorder, self.count)
        values = self._replay(*leaves)
        assert values is not None
        recorder.rewind(self.mark, values)
        guards = len(recorder.guards)
        added = iter([recorder.parameter(size) for size in dims])
        numbers = iter(self.entering(leaves))
        shapes = [opening.filled(numbers, added) for opening in self.drawn.entries]
        assert self.drawn.graph is not None
        if not shapes:
            shapes = [node.op.infer_shape([]) for node in self.drawn.graph.inputs if node.op is not None]
        outputs, total = measure(self.drawn.graph, shapes)
        if self.drawn.check is not None:
            self.drawn.check(total)
        found: list[Any] = []
        for name, _, opening in self.drawn.structure.outputs:
            shape = outputs[name]
            found += [size for size, dim in zip(shape, opening[2], strict=True) if dim is not None]
        found += [total.parameters, total.buffers, total.macs, total.elementwise, total.activations]
        made = program(recorder, found, recorder.guards[guards:], self.calls)
        if len(self.measures) >= _MOST_PROGRAMS:
            self.measures.clear()
        self.measures.insert(0, made)
        return tuple(map(plain, found))

    def entering(self, leaves: tuple[Any, ...]) -> list[Any]:
        """Return the numbers of what flows in, as the run has them."""
        count = sum(opening.numbers for opening in self.drawn.entries)
        places = self.recorder.parameters[: len(leaves)]
        return [self.recorder.at(place) for place in places[len(places) - count :]]


class PartResult:
    """What a part makes of certain numbers."""

    __slots__ = ("depth", "effort", "kept", "key", "labels", "leaves", "size", "sizes", "structure", "unit", "way")

    def __init__(
        self, unit: SpecPart, way: Passage, leaves: tuple[Any, ...], found: tuple[Any, ...], key: tuple[Any, ...]
    ) -> None:
        self.unit, self.way, self.leaves, self.key = unit, way, leaves, key
        self.size, self.effort, self.depth, self.labels = found[:4]
        self.kept, self.sizes = found[4 : way.first_size], found[way.first_size :]
        """What the calls in it gave, and the numbers of its outputs' shapes."""
        self.structure = way.structure

    def costs(self, *dims: int) -> tuple[Any, ...]:
        """Return the sizes that follow the image's of its outputs, then parameters, buffers, macs and the rest."""
        return self.unit.costs(self, dims)


Turn: TypeAlias = "tuple[Passage, tuple[Any, ...], tuple[Any, ...]]"
"""A way, the numbers that it was run for, and what it gave: size, effort, depth, labels, what calls gave, sizes."""


class Structures:
    """Numbers for structures, by which programs tell them apart."""

    def __init__(self) -> None:
        self._numbers: dict[Structure, int] = {}
        self._all: list[Structure] = []

    def number(self, structure: Structure) -> int:
        number = self._numbers.setdefault(structure, len(self._all))
        if number == len(self._all):
            self._all.append(structure)
        return number

    def __getitem__(self, number: int) -> Structure:
        return self._all[number]


_UNKNOWN = object()


class SpecPart:
    """A part of a network as a function of the numbers that reach it, which notes every way through it once."""

    def __init__(self, lower: Lower, structures: Structures) -> None:
        self._lower, self.structures = lower, structures
        self.ways: list[Passage] = []
        self._known: dict[tuple[Any, ...], Any] = {}
        self._costs: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.is_underway = False
        self._has_lists: bool | None = None
        """Whether there are lists among the numbers that reach it; None before any did."""

    def __call__(self, *leaves: Any) -> PartResult:
        """Return what it makes of these numbers.

        Errors: Untraceable where that is a mistake, or cannot be noted
        """
        if self._has_lists is None:
            self._has_lists = tuple in map(type, leaves)
        key = exact(leaves) if self._has_lists else leaves
        made = self._known.get(key, _UNKNOWN)
        if made is _UNKNOWN:
            try:
                way, _, found = self.found(leaves)
                made = PartResult(self, way, leaves, found, key)
            except Untraceable:
                made = None
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = made
        if made is None:
            raise Untraceable("a part that is known to be one")
        return made

    def costs(self, made: PartResult, dims: tuple[int, ...]) -> tuple[Any, ...]:
        key = made.key, dims
        found = self._costs.get(key)
        if found is None:
            found = made.way.measure(made.leaves, made.kept, dims)
            if len(self._costs) >= MOST_KNOWN:
                self._costs.clear()
            self._costs[key] = found
        return found

    def found(self, leaves: tuple[Any, ...]) -> Turn:
        """Return the way that these numbers take, and what it gives for them.

        Errors: Untraceable where that is a mistake, or cannot be noted
        """
        for index, way in enumerate(self.ways):
            found = way.run(*leaves)
            if found is not None:
                if index:
                    self.ways[0], self.ways[index] = way, self.ways[0]
                return way, leaves, found
        if self.is_underway:
            raise Untraceable("a part that calls itself")
        self.is_underway = True
        try:
            recorder = Recorder(leaves)
            drawn = self._lower(recorder, [recorder.at(place) for place in recorder.parameters])
            way = Passage(recorder, drawn, self.structures.number(drawn.structure))
        except MISTAKES as error:
            raise Untraceable("a mistake") from error
        finally:
            self.is_underway = False
        if len(self.ways) >= _MOST_PROGRAMS:
            self.ways.pop()
        self.ways.insert(0, way)
        found = way.run(*leaves)
        assert found is not None, "a run decides as it decided"
        return way, leaves, found


class CalledPart(PartBody):
    """The body of a call that is a part by itself."""

    def __init__(self, node: Traced, made: PartResult, structure: Structure, entries: tuple[Opening, ...]) -> None:
        outputs = tuple(Output(name, Value(""), is_training) for name, is_training, _ in structure.outputs)
        super().__init__("part", "block", {}, outputs, Span(0, 0, NOWHERE))
        self.node, self.structure, self.entries = node, structure, entries
        recorder = node.recorder
        self.size = recorder.part(node, ".size", made.size)  # pyright: ignore[reportAttributeAccessIssue]

    def cost(self, inputs: Sequence[Shape]) -> tuple[dict[str, Shape], Total]:
        """Return the shapes of its outputs for these of its inputs, and its costs, all noted."""
        recorder, made = self.node.recorder, self.node.value
        dims = [
            size
            for shape, opening in zip(inputs, self.entries, strict=True)
            for size, dim in zip(shape, opening[2], strict=True)
            if dim is not None
        ]
        found = made.costs(*map(plain, dims))
        written, reads = recorder.write_all(dims)
        node = recorder.compute(f"v{self.node.place}.costs({', '.join(written)})", (self.node.place, *reads), found)
        left = iter([recorder.part(node, f"[{index}]", value) for index, value in enumerate(found)])
        numbers = iter([recorder.part(self.node, f".sizes[{i}]", v) for i, v in enumerate(made.sizes)])
        shapes = {name: opening.filled(numbers, left) for name, _, opening in self.structure.outputs}
        return shapes, Total(*left)
