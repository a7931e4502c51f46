"""Taps give what flows at any place of any network, bit for bit what a hook there sees."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor, nn

from archdsl import Failure, Network, load, load_text
from archdsl.ir.graph import Node
from archdsl.ir.verify import verify
from archdsl.passes.shapes import Shapes
from archdsl.passes.taps import list_places
from archdsl.text.source import Source
from tests.backends.torch.interpreter import Interpreter, agree
from tests.backends.torch.test_forward import BLOCKS, BODIES, INPUTS
from tests.strategies import Spec, specs

REPEATS = """
block b { a: conv 4; batch; relu }
model m { input [3, 16, 16]; stem: conv 4; body: { b x 5 }; "l.a": conv 4; "l.b": conv 4 k=1; gap; flatten; fc: fc 5 }
"""


def tapped(text: str, *paths: str) -> Network:
    network = load(Source(text)).tap(*paths)
    verify(network.graph)
    return network


def names_in(network: Network, level: str) -> list[tuple[str, ...]]:
    body = network.graph.nodes[level].body
    assert body is not None
    return [node.names for node in body.nodes.values()][1:]


def test_what_no_tap_needs_is_left_out() -> None:
    network = tapped(REPEATS, "body.1")
    assert [*network.graph.nodes] == ["input", "stem", "body"]
    assert names_in(network, "body") == [("0", "1")]
    assert {key.partition(".")[0] for key, _ in network.state} == {"stem", "body"}
    assert str(network.outputs["body.1"]) == "[4, 16, 16]"


def test_equal_steps_are_cut_only_where_it_is_needed() -> None:
    assert names_in(tapped(REPEATS, "body"), "body") == [("0", "1", "2", "3", "4")]
    assert names_in(tapped(REPEATS, "body.1", "fc"), "body") == [("0", "1"), ("2", "3", "4")]
    network = tapped(REPEATS, "body.2.a", "fc")
    assert names_in(network, "body") == [("0", "1"), ("2",), ("3", "4")]
    body = network.graph.nodes["body"].body
    assert body is not None
    assert body.nodes["0"].body is body.nodes["3"].body is not body.nodes["2"].body


def test_a_level_whose_steps_follow_each_other_gives_the_last_one_s() -> None:
    network = tapped(REPEATS, "l", "l.b")
    assert network.graph.outputs[0].value == network.graph.outputs[1].value


def test_names_stay_in_order() -> None:
    whole = load(Source(REPEATS))
    kept = dict(whole.tap("body.3.a", "l.a").state)
    assert [*kept] == [key for key, _ in whole.state if key in kept]


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("body.5", "body."),
        ("bdy", "body"),
        ("body.2.b", "body.2."),
        ("", "summary"),
        ("a..b", ""),
        ("fc.x", "`archdsl summary`"),
    ],
)
def test_a_path_of_no_step_is_told_with_the_nearest(path: str, near: str) -> None:
    with pytest.raises(Failure, match="no step of m has the path") as caught:
        load(Source(REPEATS)).tap("fc", path)
    assert caught.value.code == "E374"
    assert near in caught.value.help


def test_a_level_of_branches_is_no_place() -> None:
    text = 'model m { input [3, 8, 8]; add { "l.a": conv 4; "l.b": conv 4 }; act }'
    assert "l" not in list_places(load(Source(text)).graph)
    assert {"l.a", "l.b"} <= {*list_places(load(Source(text)).graph)}


class Recorder(Interpreter):
    """Runs a graph, and keeps what each path gave the first time."""

    def __init__(self, net: Network, state: dict[str, Tensor]) -> None:
        super().__init__(net, state)
        self.seen: dict[str, Tensor] = {}

    def _step(self, node: Node, shapes: Shapes, path: str, sources: Sequence[Tensor]) -> dict[str, Tensor]:
        found = super()._step(node, shapes, path, sources)
        self.seen.setdefault(path, found[""])
        return found


def hooked(module: nn.Module, paths: Sequence[str], images: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return what each path's module gives the first time, as far as there is one that is called."""
    seen: dict[str, Tensor] = {}

    def hook(path: str) -> object:
        def keep(_module: object, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
            # What follows may write over it.
            seen.setdefault(path, (output[0] if isinstance(output, tuple) else output).clone())

        return keep

    for path in paths:
        try:
            inner = module.get_submodule(path)
        except AttributeError:
            continue
        inner.register_forward_hook(hook(path))  # pyright: ignore[reportArgumentType] -- as above
    module(*images)
    return seen


def has_sources(net: Network) -> bool:
    """Return whether there are tensors that come from no image, which the interpreter does not stretch to a batch."""
    nodes = [node for body in net.graph.bodies() for node in body.topological()]
    return any(node.op is not None and node.op.is_source for node in nodes)


def compare(net: Network) -> int:
    """Compare all places of a network with hooks, bit for bit, and with the interpreter; count the hooks."""
    places = [*list_places(net.graph)]
    torch.manual_seed(0)
    module = net.module().eval()
    state = module.state_dict()
    ours = net.module(state, taps=places).eval()
    verify(net.tap(*places).graph)
    generator = torch.Generator().manual_seed(0)
    images = [torch.randn((2, *shape.numbers()), generator=generator) for shape in net.inputs.values()]
    with torch.no_grad():
        wanted = hooked(module, places, images)
        found: dict[str, Tensor] = ours(*images)
        recorder = Recorder(net, state).eval()
        if not has_sources(net):
            recorder(*images)
    assert [*found] == places
    for path, value in wanted.items():
        # What is the same for all images is there once inside, and for each of them where it leaves.
        assert torch.equal(found[path], value.expand_as(found[path])), path
    for path in set(places) & recorder.seen.keys():
        value = recorder.seen[path].expand_as(found[path])
        assert torch.allclose(found[path], value, rtol=1e-4, atol=1e-5, equal_nan=True), path
    return len(wanted)


@pytest.mark.torch
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_every_place_gives_what_a_hook_sees(body: str) -> None:
    compare(load_text(f"{BLOCKS}\nmodel m {{ input [3, 8, 8]; {body} }}"))


@pytest.mark.torch
@pytest.mark.parametrize("body", INPUTS.values(), ids=INPUTS)
def test_every_place_of_a_network_of_several_inputs_does(body: str) -> None:
    compare(load_text(f"model m {{ {body} }}"))


@pytest.mark.torch
@settings(max_examples=25, deadline=None)
@given(spec=specs())
def test_every_place_of_any_network_does(spec: Spec) -> None:
    compare(load(Source(spec.text), spec.model))


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=15, deadline=None)
@given(spec=specs())
def test_code_with_taps_computes_what_its_graph_says(spec: Spec) -> None:
    """In training too, with gradients and statistics."""
    net = load(Source(spec.text), spec.model)
    assume(not has_sources(net))
    places = [*list_places(net.graph)]
    agree(net.tap(*places[:: max(1, len(places) // 4)]))


@pytest.mark.torch
def test_a_bundled_network_does() -> None:
    net = load("resnet18", input=(3, 32, 32))
    assert compare(net) > 60


@pytest.mark.torch
def test_taps_compile_as_one_graph_and_are_typed() -> None:
    net = load(Source(REPEATS))
    module = net.module(taps=["body.2.a", "l"]).eval()
    image = torch.randn(1, 3, 16, 16)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert {path: value.shape for path, value in compiled(image).items()} == {
        "body.2.a": (1, 4, 16, 16),
        "l": (1, 4, 16, 16),
    }
    assert torch.equal(compiled(image)["l"], module(image)["l"])
    source = net.tap("body.2.a").source()
    ast.parse(source)
    assert "-> dict[str, Tensor]:" in source
    assert '"body.2.a": ' in source


@pytest.mark.torch
def test_weights_are_those_of_the_whole_network() -> None:
    """What the taps do not need may be missing or another, and what they need may not."""
    from archdsl.weights.load import MisfitError

    net = load(Source(REPEATS))
    state = net.module().state_dict()
    module = net.module(state, taps=["stem"])
    assert {*module.state_dict()} == {"stem.weight"}
    assert torch.equal(module.state_dict()["stem.weight"], state["stem.weight"])
    state.pop("fc.weight")
    state["fc.bias"] = torch.zeros(1000)
    assert {*net.module(state, taps=["stem"]).state_dict()} == {"stem.weight"}
    with pytest.raises(MisfitError, match="2 new"):
        net.module(state, taps=["stem", "fc"])
    state.pop("stem.weight")
    with pytest.raises(MisfitError, match="1 new"):
        net.module(state, taps=["stem"])
    assert {*net.module(state, taps=["stem"], strict=False).state_dict()} == {"stem.weight"}
