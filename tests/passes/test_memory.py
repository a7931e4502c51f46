"""Memory against a simulation of the written-out network, and against what torch keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import pytest
import torch

from archdsl import from_networkx
from archdsl.api import load, load_text
from archdsl.ir.graph import Node
from archdsl.network import Network
from archdsl.ops import OPS
from archdsl.passes.costs import BYTES
from archdsl.passes.memory import measure_memory
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import walk

BLOCKS = """
block unit(c) { conv c; batch; relu }
block outer() { unit 4 x 5; residual { unit 4 x 3 }; relu }
block view() { none; permute [0, 2, 1]; dropout 0.5 }
block joins(list xs) { concat @xs; conv 4 }
block scaled(value k) { mul @k; conv 12; relu; conv 4 }
block gated() { mul { pass; { gap; conv cin k=1; sigmoid } }; relu }
"""
TEXTS = {
    "chain": "conv 4; relu; conv 8; relu; gap; flatten; fc 10",
    "repeated": "conv 4; body: { conv 4; relu; conv 4 } x 5; relu x 4",
    "nested repeats": "conv 4; outer: { inner: { conv 4; batch; relu } x 4; conv 4 } x 7; gap",
    "repeated block": "unit 4 x 5; gap",
    "repeated in repeated": "conv 4; outer x 6; flatten; fc 3",
    "repeated views": "a: conv 4; view x 6; add { pass; @a }; relu",
    "repeated after a slice": "conv 8; split 2 concat { pass; unit 4 x 4 }; gated x 7",
    "repeated operators": "conv 4; body: { relu x 5 }; maxpool k=3 s=1 x 6",
    "kept input": "conv 4; residual { body: { conv 4; relu } x 4 }; conv 4",
    "pools": "conv 4; body: { conv 4; maxpool k=3 s=1 } x 5; gmp; flatten; fc 10",
    "gate": "conv 4; body: { mul { pass; { gap; conv 4 k=1; sigmoid } } } x 3; conv 2",
    "split": "conv 8; relu; split 2 concat { pass; body: { conv 4; relu } }; shuffle 2; conv 4",
    "views": "conv 4; body: { none; permute [0, 2, 1]; dropout 0.5 } x 4; reshape [4, -1]; flatten; fc 3",
    "views of an input that stays": "a: conv 4; body: { none; dropout 0.5 }; add { pass; @a }; relu; conv 2",
    "two outputs": "a: { output side { conv 9 }; conv 4 }; add { { @a.side; conv 4 k=1 }; pass }",
    "a flow that nothing reads": "a: conv 4; relu; joins [@a, @a]; gap",
    "values in repeats": "a: conv 4; b: conv 4; relu; scaled @b x 5; conv 2; conv 4; add @a; gap",
    "values from around": "a: conv 4; relu; body: { conv 4; add @a; relu } x 4; { conv 4; inner: { relu; mul @a } }",
    "reused": "a: conv 3; relu; reuse a; relu; reuse a; gap",
    "training only": "a: { output aux training { conv 9; gap }; conv 4 }; output b training { @a.aux; conv 9 }; gap",
}  # fmt: skip
NAMES = (
    "resnet34",
    "preresnet50",
    "googlenet",
    "shufflenet_v2_x0_5",
    "densenet121",
    "mobilenet_v3_small",
    "convnext_tiny",
)


def trains(node: Node, shapes: Shapes) -> bool:
    """Return whether an operator has parameters that train."""
    if node.op is None or node.is_frozen or node.is_input:
        return False
    return any(tensor.kind == "parameter" for tensor in node.op.state(shapes.inputs_of(node)))


@dataclass
class Simulated:
    """The written-out network, run operator by operator: which values share memory, and what is live when."""

    net: Network
    in_training: bool
    in_place: bool = False
    peak: int = 0
    storage: dict[str, str] = field(default_factory=dict)
    saved: set[str] = field(default_factory=set)
    learning: set[str] = field(default_factory=set)
    """What depends on parameters that train, and so has a gradient."""
    indices: int = 0

    def __post_init__(self) -> None:
        flat = self.net.flatten()
        self.elements = {
            path: prod(tables.shapes.results[node.id][""].numbers()) for path, node, tables in walk(self.net.tables)
        }
        self.trained = {path for path, node, tables in walk(self.net.tables) if trains(node, tables.shapes)}
        ends = {output.name: output.value.node for output in flat.graph["outputs"]}
        chosen = [o for o in self.net.graph.outputs if self.in_training or not o.is_training_only]
        self.ends = {ends[output.name] for output in chosen}
        runs = self._ancestors(flat, self.ends)
        training = self._ancestors(flat, {ends[o.name] for o in self.net.graph.outputs if o.is_training_only})
        self.order = [name for name in flat.nodes if name in runs or name not in training or self.in_training]
        self.reads = {
            name: [position for position, reader in enumerate(self.order) if flat.has_edge(name, reader)]
            for name in self.order
        }
        nodes = {path: node for path, node, _ in walk(self.net.tables)}
        for position, name in enumerate(self.order):
            edges = sorted(flat.in_edges(name, data="port"), key=lambda edge: edge[2])
            self._run(position, name, nodes[name], [source for source, _, _ in edges])

    @staticmethod
    def _ancestors(flat: Any, ends: set[str]) -> set[str]:
        found, stack = set(ends), list(ends)
        while stack:
            new = set(flat.predecessors(stack.pop())) - found
            found |= new
            stack.extend(new)
        return found

    def _run(self, position: int, name: str, node: Node, sources: list[str]) -> None:
        self.storage[name] = name
        if not node.is_input:
            assert node.op is not None
            if node.op.is_source:  # it lies in the weights
                self.elements[name] = 0
            if node.op.is_view(in_training=self.in_training) or self._overwrites(position, name, node, sources):
                self.storage[name] = self.storage[sources[0]]
            if name in self.trained or any(self.storage[source] in self.learning for source in sources):
                self.learning.add(self.storage[name])
            if self.in_training and node.op.saves != "none" and self.storage[name] in self.learning:
                self.saved |= {self.storage[v] for v in (sources if node.op.saves == "input" else [name])}
                self.indices += 2 * self.elements[name] if node.op.saves_places else 0
        live = {where for value, where in self.storage.items() if value == name or self._is_wanted(value, position)}
        counted = live & self.learning if self.in_training else live
        self.peak = max(self.peak, sum(self.elements[where] for where in counted))

    def _is_wanted(self, value: str, position: int) -> bool:
        return value in self.ends or any(read >= position for read in self.reads[value])

    def _overwrites(self, position: int, name: str, node: Node, sources: list[str]) -> bool:
        assert node.op is not None
        if not sources:
            return False
        where = self.storage[sources[0]]
        others = [value for value, place in self.storage.items() if place == where and value != name]
        is_free = not any(self._is_wanted(value, position + 1) for value in others)
        fits = self.elements[where] == self.elements[name]
        return self.in_place and node.op.can_run_in_place and is_free and fits

    @property
    def saved_bytes(self) -> int:
        return BYTES * (self.indices + sum(self.elements[where] for where in self.saved))


def agrees(net: Network) -> None:
    memory = measure_memory(net.shapes)
    assert memory.activations == BYTES * Simulated(net, in_training=False).peak
    assert measure_memory(net.shapes, in_place=True).activations == BYTES * Simulated(net, False, in_place=True).peak
    training = Simulated(net, in_training=True)
    assert (memory.backward, memory.saved) == (BYTES * training.peak, training.saved_bytes)


@pytest.mark.parametrize("name", NAMES)
def test_networks_need_what_their_written_out_form_needs(name: str) -> None:
    agrees(load(name))


@pytest.mark.parametrize("body", TEXTS.values(), ids=TEXTS.keys())
def test_small_networks_need_what_their_written_out_form_needs(body: str) -> None:
    agrees(load_text(f"{BLOCKS} model small {{ input [3, 16, 16]; {body} }}"))


def test_a_written_example() -> None:
    net = load_text("model small { input [1, 4, 4]; conv 2; relu; gap; flatten; fc 3 }")
    memory = measure_memory(net.shapes, batch_size=5)
    weights = 2 * 9 + 2 * 3 + 3
    assert memory.weights == memory.gradients == memory.momentum == 4 * weights
    assert memory.activations == 4 * 5 * (32 + 32)  # the activation's input and output
    assert measure_memory(net.shapes, 5, in_place=True).activations == 4 * 5 * (16 + 32)
    assert memory.saved == 4 * 5 * (16 + 32 + 2)  # the image, the activation's output, the dense layer's input
    assert memory.inference == memory.weights + memory.activations
    assert memory.training == 3 * 4 * weights + memory.saved + memory.backward


def test_depth_adds_saved_tensors_and_no_live_ones() -> None:
    a, b, c = (
        measure_memory(load_text(f"{BLOCKS} model deep {{ input [4, 8, 8]; unit 4 x {depth} }}").shapes)
        for depth in (10, 11, 5000)
    )
    assert a.activations == b.activations == c.activations
    assert c.saved - a.saved == (b.saved - a.saved) * 4990 > 0


def kept_by_torch(module: torch.nn.Module, images: torch.Tensor) -> dict[int, torch.Tensor]:
    """Run a forward pass and give what autograd keeps but state, one tensor for each storage."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        where = tensor.untyped_storage().data_ptr()
        if where not in own:
            kept[where] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(images).sum()
    return kept


@pytest.mark.torch
@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2"])
def test_saved_tensors_are_those_that_torch_keeps(name: str) -> None:
    from tests.peers import torchvision

    module = torchvision.models.get_model(name, weights=None).train()
    kept = kept_by_torch(module, torch.zeros(2, 3, 96, 96)).values()
    ours = measure_memory(load(name, input=[3, 96, 96]).shapes, 2).saved
    everything = sum(tensor.untyped_storage().nbytes() for tensor in kept)
    counted = [tensor for tensor in kept if tensor.dtype == torch.int64 or tensor.dim() > 1]
    masks = 10_240 if name == "mobilenet_v2" else 0  # of the dropout before the last layer, 2 x 1280 floats on a CPU
    assert ours == sum(tensor.untyped_storage().nbytes() for tensor in counted) - masks
    assert everything * 0.99 < ours < everything


def test_what_reads_a_training_output_and_is_not_needed_does_not_run_in_evaluation() -> None:
    graph = load_text(
        "model m { input [3, 8, 8]; conv 8; output aux training { g: gap; flatten; fc 3 }; conv 4 }"
    ).flatten()
    (pooled,) = (name for name in graph if name.endswith("g"))
    graph.add_node("dead", op=OPS["relu"]())
    graph.add_edge(pooled, "dead", **next(iter(graph.in_edges(pooled, data=True)))[2])
    before = load_text("model m { input [3, 8, 8]; conv 8; conv 4 }").memory()
    assert from_networkx(graph).memory().activations == before.activations


def test_a_learned_tensor_that_starts_a_flow_lies_in_the_weights() -> None:
    net = load_text("model m { input [3, 16, 16]; conv 8; add { pass; bias: param [8, 1, 1] } }")
    maps = BYTES * 8 * 16 * 16
    assert measure_memory(net.shapes).activations == 2 * maps
    assert measure_memory(net.shapes).saved == BYTES * 3 * 16 * 16


def test_what_is_frozen_needs_no_gradients_and_saves_nothing_before_what_trains() -> None:
    network = load("resnet18")
    free, probe, lower = (
        network.memory(),
        network.frozen("* except head").memory(),
        network.frozen("layer4 fc").memory(),
    )
    assert probe.weights == free.weights
    assert probe.activations == free.activations
    assert probe.gradients == probe.momentum == 4 * 513_000
    assert probe.saved == 4 * 512
    assert probe.backward == 4 * 1000
    # What trains comes first here, so that gradients flow through all that is frozen.
    assert (lower.saved, lower.backward) == (free.saved, free.backward)
    assert network.frozen("*").memory().training == free.weights + free.activations


@pytest.mark.torch
@pytest.mark.parametrize(
    ("what", "spare"),
    [
        ("* except head", 0),
        ("conv1 bn1 layer1", 0),
        ("layer3 layer1.0", 0),
        # A dense layer keeps its input for its weight alone, 2 x 512 floats.
        ("layer4 fc", 4096),
    ],
)
def test_saved_tensors_of_a_frozen_network_are_those_that_torch_keeps(what: str, spare: int) -> None:
    network = load("resnet18", input=[3, 96, 96]).frozen(what)
    kept = kept_by_torch(network.module().train(), torch.zeros(2, 3, 96, 96)).values()
    counted = [tensor for tensor in kept if tensor.dtype == torch.int64 or tensor.dim() > 1]
    assert network.memory(2).saved == sum(tensor.untyped_storage().nbytes() for tensor in counted) + spare
