"""Memory: what is live at once while a network runs or takes a training step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from archdsl.ir.graph import Graph, Node, NodeId, Output, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.base import Op
from archdsl.passes.costs import BYTES
from archdsl.passes.shapes import Shapes

_FLOATS_PER_INDEX = 2
_DTYPE_BYTES = {"float32": BYTES, "int64": 8}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes for a batch in float32, by use.

    `weights` holds parameters and buffers; `gradients` and `momentum` as many bytes as the parameters that train each
    (SGD with momentum). `activations` is the largest set of tensors live at once in evaluation, `saved` what autograd
    keeps of the forward pass, `backward` the largest set of activation gradients live at once.
    """

    batch_size: int
    weights: int
    gradients: int
    momentum: int
    activations: int
    saved: int
    backward: int

    @property
    def inference(self) -> int:
        """Return the peak of an evaluation."""
        return self.weights + self.activations

    @property
    def training(self) -> int:
        """Return a bound on the peak of a training step: everything saved, at the time when most gradients are live.

        Where most is frozen, it may come before, as in an evaluation.
        """
        return self.weights + self.gradients + self.momentum + max(self.saved + self.backward, self.activations)


def measure_memory(shapes: Shapes, batch_size: int = 1, *, in_place: bool = False) -> Memory:
    """Work out the memory of evaluations and training steps.

    Evaluation: operators run one by one in the order of the text, training-only parts left out. A tensor is live from
    when it is computed until its last reader has run, however deep in calls; what views give shares memory with their
    input. With `in_place`, activations that can write over an input that nothing else reads do so. The allocator's
    rounding and the workspaces of kernels are left out.

    Training: `Op.saves` says whether an operator keeps its input or its output for the backward pass, and a tensor
    that several keep counts once. A gradient is live from the backward pass of its value's last reader to that of its
    producer: the mirror image of the forward pass. What does not depend on parameters that train, such as images and
    what frozen steps make of them, has no gradient, and nothing is kept for one. The indices that max pools
    keep count as well, 8 bytes for each output element; dropout's masks and norms' statistics do not. For
    torchvision's resnet18 the saved bytes are exactly those that torch keeps but for the statistics, within 1%.

    Requires: shapes without errors, all numbers. Ensures: the peaks are those of the graph with all bodies written
    out, while each distinct call is followed once and a repetition until it settles.
    """
    weights, parameters = PerBody[Shapes, tuple[int, int]](_bytes_of_state)(shapes)
    activations, _ = _Simulation(in_training=False, in_place=in_place).network(shapes)
    backward, saved = _Simulation(in_training=True).network(shapes)
    scale = BYTES * batch_size
    return Memory(
        batch_size=batch_size,
        weights=weights,
        gradients=parameters,
        momentum=parameters,
        activations=activations * scale,
        saved=saved * scale,
        backward=backward * scale,
    )


def _bytes_of_state(shapes: Shapes, below: Callable[[Shapes], tuple[int, int]]) -> tuple[int, int]:
    """Return the bytes of a body's tensors, and of the parameters among them that train; each module counts once."""
    every = trained = 0
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        if node.body is not None:
            of_all, of_trained = below(shapes.inner[node.id])
        else:
            assert node.op is not None
            tensors = node.op.state(shapes.inputs_of(node))
            sizes = [(tensor.kind, _DTYPE_BYTES[tensor.dtype] * tensor.elements) for tensor in tensors]
            of_all = sum(size for _, size in sizes)
            of_trained = 0 if node.is_frozen else sum(size for kind, size in sizes if kind == "parameter")
        every += node.repeat * of_all
        trained += node.repeat * of_trained
    return every, trained


@dataclass(slots=True, eq=False)
class _Storage:
    """A block of memory that one or more values lie in, as long as readers of them are to come.

    `live` are the elements that count while it lives: in training those of the gradient, if it has one.
    """

    elements: int
    live: int
    has_gradient: bool = False
    is_own: bool = True
    """Whether the body at hand made it."""
    is_live: bool = True
    is_saved: bool = False
    pending: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """A storage that a body's inputs lie in, and whether it is needed outside after the call."""

    elements: int
    live: int
    has_gradient: bool
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _Call:
    """What a body's run depends on: its shapes, which entry each input lies in, and which outputs are read."""

    shapes: Shapes
    inputs: tuple[int, ...]
    entries: tuple[_Entry, ...]
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Made:
    """A storage that a body leaves to its caller."""

    elements: int
    has_gradient: bool
    is_saved: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """What a body's run comes to: elements live at once, entries included, and elements saved that it does not leave.

    `outputs` maps each output that is read to the index of an entry or, counted on, of a storage that is left.
    """

    peak: int
    saved: int
    saved_entries: frozenset[int]
    made: tuple[_Made, ...]
    outputs: Mapping[str, int]


class _Simulation:
    def __init__(self, *, in_training: bool, in_place: bool = False) -> None:
        self.in_training, self.in_place = in_training, in_place
        self.run = PerBody[_Call, _Run](lambda call, _: _Body(self, call).run())
        self.reading = PerBody[_Asked, _Reading](lambda asked, below: _reading(asked, below, in_training))

    def network(self, shapes: Shapes) -> tuple[int, int]:
        """Return the elements live at once, without images in training, and the elements saved."""
        images = [prod(shape.numbers()) for shape in shapes.inputs]
        entries = tuple(_Entry(size, 0 if self.in_training else size, False, is_kept=False) for size in images)
        outputs = frozenset(o.name for o in shapes.graph.outputs if self.in_training or not o.is_training_only)
        run = self.run(_Call(shapes, tuple(range(len(entries))), entries, outputs))
        saved = sum(images[index] for index in run.saved_entries)
        return run.peak, run.saved + saved + sum(made.elements for made in run.made if made.is_saved)


_STEPS_TO_SETTLE = 3
"""A repetition after the second finds what the one before it found, so that each adds what the third does."""


class _Body:
    """One body's run: the storages that are live in it, and what comes of them."""

    def __init__(self, simulation: _Simulation, call: _Call) -> None:
        self._simulation, self._shapes, self._call = simulation, call.shapes, call
        self._entries = [
            _Storage(e.elements, e.live, e.has_gradient, is_own=False, pending=int(e.is_kept)) for e in call.entries
        ]
        self._places: dict[Value, _Storage] = {}
        self._live = sum(entry.live for entry in call.entries)
        self._peak = self._live
        self._saved = 0
        reading = simulation.reading(_Asked(self._shapes.graph, call.read))
        self._nodes, self._used = reading.nodes, reading.used
        self._readers = Counter(node.inputs[index] for node in self._nodes for index in self._used[node.id])
        self._readers.update(_value_of(self._shapes.graph, name) for name in call.read)

    def run(self) -> _Run:
        for node, index in zip(self._shapes.graph.inputs, self._call.inputs, strict=True):
            self._place(Value(node.id), self._entries[index])
        for node in self._nodes:
            if not node.is_input:
                self._execute(node)
        results = {name: self._places[_value_of(self._shapes.graph, name)] for name in self._call.read}
        left = [storage for storage in dict.fromkeys(results.values()) if storage.is_own]
        index = {storage: position for position, storage in enumerate([*self._entries, *left])}
        return _Run(
            peak=self._peak,
            saved=self._saved - sum(storage.elements for storage in left if storage.is_saved),
            saved_entries=frozenset(i for i, storage in enumerate(self._entries) if storage.is_saved),
            made=tuple(_Made(storage.elements, storage.has_gradient, storage.is_saved) for storage in left),
            outputs={name: index[storage] for name, storage in results.items()},
        )

    def _execute(self, node: Node) -> None:
        used = self._used[node.id]
        # What a body is handed and does not read is nothing to it, and may be gone.
        storages = [self._places[v] if i in used else _Storage(0, 0, pending=1) for i, v in enumerate(node.inputs)]
        if not storages:
            self._place(Value(node.id), self._make(0, self._trains(node)))  # a source, which lies in the weights
            return
        flowing, *others = storages
        flowing.pending -= 1
        results: Mapping[str, _Storage] = {}
        saved = self._saved
        steps = min(node.repeat, _STEPS_TO_SETTLE)
        for step in range(steps):
            if step:
                handed_on = set(results.values()) if 0 in used else set[_Storage]()
                self._free({*storages, *results.values()} - handed_on)
                storages, saved = [results[""] if 0 in used else flowing, *others], self._saved
            if step == steps - 1:  # until then the others are needed again
                for storage in others:
                    storage.pending -= 1
            results = self._step(node, storages)
        self._saved += (self._saved - saved) * max(0, node.repeat - _STEPS_TO_SETTLE)
        for name, storage in results.items():
            self._place(Value(node.id, name), storage)
        self._free({*storages, *results.values()})

    def _step(self, node: Node, storages: Sequence[_Storage]) -> Mapping[str, _Storage]:
        if node.id in self._shapes.inner:
            return self._run_body(node, storages)
        assert node.op is not None
        result = self._result(node, node.op, storages)
        self._peak = max(self._peak, self._live)
        if node.op.saves != "none" and self._simulation.in_training and result.has_gradient:
            for storage in storages if node.op.saves == "input" else (result,):
                self._save(storage)
            if node.op.saves_places:
                self._saved += _FLOATS_PER_INDEX * result.elements
        return {"": result}

    def _result(self, node: Node, op: Op, storages: Sequence[_Storage]) -> _Storage:
        elements = prod(self._shapes.results[node.id][""].numbers())
        first = storages[0]
        if op.is_view(in_training=self._simulation.in_training):
            return first
        if self._simulation.in_place and op.can_run_in_place and not first.pending and first.elements == elements:
            return first
        return self._make(elements, self._trains(node) or any(storage.has_gradient for storage in storages))

    def _trains(self, node: Node) -> bool:
        """Return whether an operator has parameters that train."""
        if node.op is None or node.is_frozen:
            return False
        return any(tensor.kind == "parameter" for tensor in node.op.state(self._shapes.inputs_of(node)))

    def _run_body(self, node: Node, storages: Sequence[_Storage]) -> Mapping[str, _Storage]:
        inner = self._shapes.inner[node.id]
        distinct = list(dict.fromkeys(storages))
        entries = tuple(_Entry(one.elements, one.live, one.has_gradient, one.pending > 0) for one in distinct)
        names = ("", *(output.name for output in inner.graph.outputs))
        read = {name for name in names if self._readers[Value(node.id, name)]} or {""}
        positions = tuple(distinct.index(storage) for storage in storages)
        run = self._simulation.run(_Call(inner, positions, entries, frozenset(read)))
        self._peak = max(self._peak, self._live - sum(storage.live for storage in distinct) + run.peak)
        self._saved += run.saved
        made = [self._make(storage.elements, storage.has_gradient) for storage in run.made]
        for index in run.saved_entries:
            self._save(distinct[index])
        for storage, kind in zip(made, run.made, strict=True):
            if kind.is_saved:
                self._save(storage)
        return {name: [*distinct, *made][index] for name, index in run.outputs.items()}

    def _place(self, value: Value, storage: _Storage) -> None:
        self._places[value] = storage
        storage.pending += self._readers[value]

    def _make(self, elements: int, has_gradient: bool) -> _Storage:
        live = elements if has_gradient or not self._simulation.in_training else 0
        self._live += live
        return _Storage(elements, live, has_gradient)

    def _save(self, storage: _Storage) -> None:
        if not storage.is_saved and storage.is_own:
            self._saved += storage.elements
        storage.is_saved = True

    def _free(self, storages: set[_Storage]) -> None:
        for storage in storages:
            if storage.is_live and not storage.pending:
                storage.is_live = False
                self._live -= storage.live


@dataclass(frozen=True, slots=True)
class _Asked:
    """A body, and which of its outputs are read."""

    graph: Graph
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The nodes of a body that run, the positions of their inputs that they read, and those that the body does."""

    nodes: Sequence[Node]
    used: Mapping[NodeId, Sequence[int]]
    entries: Sequence[int]


def _reading(asked: _Asked, below: Callable[[_Asked], _Reading], in_training: bool) -> _Reading:
    graph = asked.graph
    nodes = _executed(graph, asked.read, in_training)
    wanted = {_value_of(graph, name) for name in asked.read}
    used: dict[NodeId, Sequence[int]] = {}
    for node in reversed(nodes):
        used[node.id] = range(len(node.inputs))
        if node.body is not None:
            names = ("", *(output.name for output in node.body.outputs))
            read = {name for name in names if Value(node.id, name) in wanted} or {""}
            used[node.id] = below(_Asked(node.body, frozenset(read))).entries
        wanted.update(node.inputs[index] for index in used[node.id])
    return _Reading(nodes, used, [i for i, node in enumerate(graph.inputs) if Value(node.id) in wanted])


def _value_of(graph: Graph, name: str) -> Value:
    return next((output.value for output in graph.outputs if output.name == name), graph.main)


def _executed(graph: Graph, read: frozenset[str], in_training: bool) -> list[Node]:
    """List the nodes that run: in evaluation without what only training-only outputs need."""
    nodes = list(graph.topological())
    if in_training or not any(output.is_training_only for output in graph.outputs):
        return nodes
    evaluated = [output for output in graph.outputs if not output.is_training_only or output.name in read]
    kept = _needed(graph, evaluated)
    dropped = _needed(graph, graph.outputs) - kept
    for node in nodes:  # what nobody needs runs, but where it reads what does not
        if any(value.node in dropped for value in node.inputs):
            dropped.add(node.id)
    return [node for node in nodes if node.is_input or node.id not in dropped]


def _needed(graph: Graph, outputs: Iterable[Output]) -> set[NodeId]:
    found = {output.value.node for output in outputs}
    for node in reversed(list(graph.topological())):
        if node.id in found:
            found.update(value.node for value in node.inputs)
    return found
