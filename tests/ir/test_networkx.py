"""Networks as networkx graphs and back: one with bodies gives the same bytes, a flat one the same keys in one class."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

import networkx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.ir.content import content_of
from archdsl.ir.schema import FACTS, GRAPH, NODE
from archdsl.ir.value import Output, Value
from archdsl.network import Network
from archdsl.ops import OPS
from archdsl.ops.conv import Conv2d
from archdsl.ops.rearrange import Input
from archdsl.specs import bundled_models
from archdsl.text.source import Source, Span
from tests.bundled import ENDS, tiered
from tests.strategies import Spec, specs

if TYPE_CHECKING:
    from networkx import MultiDiGraph

QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
TEXT = """
block unit(c) { conv1: conv c k=1; act; output early; conv2: conv c }
model m {
  input [4, 8, 8]
  first: unit 4
  act x 2
  concat { pass; @first.early }
  shared: conv 8
  reuse shared
  output aux training { gap; flatten; head: fc 3 }
  last: conv 2
}
"""


def network_of(name: str) -> Network:
    path = next(path for model, path in bundled_models() if model == name)
    return archdsl.load(f"{path}:{name}")


def check_same(network: Network) -> None:
    again = archdsl.from_networkx(network.graph.networkx)
    assert again.source() == network.source()
    assert (again.name, again.digest, again.key_maps) == (network.name, network.digest, network.key_maps)
    assert content_of(again.graph) == content_of(network.graph)


def check_flat(network: Network) -> Network:
    flat = archdsl.from_networkx(network.flatten())
    assert dict(flat.state) == dict(network.state)
    assert dict(flat.outputs) == dict(network.outputs)
    assert flat.tables.costs.total == network.tables.costs.total
    assert {node.path for node in flat.costs.nodes} == {node.path for node in network.costs.nodes}
    return flat


def check_runs_alike(network: Network, other: Network) -> None:
    import torch

    one, two = network.module(), other.module()
    assert list(two.state_dict()) == [key for key, _ in other.state]
    two.load_state_dict(one.state_dict())
    images = [torch.randn(2, *shape.numbers()) for shape in network.inputs.values()]
    with torch.no_grad():
        first, second = (module.eval()(*images) for module in (one, two))
    pairs = [(first, second)] if isinstance(first, torch.Tensor) else zip(first, second, strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", [name for name, _ in bundled_models()][::16])
def test_a_bundled_network_comes_back_with_the_same_bytes_and_keys(name: str) -> None:
    network = network_of(name)
    check_same(network)
    check_flat(network)


@pytest.mark.parametrize(
    "steps",
    [
        "b: { conv 3; act }; maxpool k=2; reuse b",
        "b: twice; maxpool k=2; reuse b; reuse b",
        "a: pass; h: { b: twice; @a; maxpool k=2; reuse b; output o; @b }; upsample like=@a",
    ],
)
def test_weights_applied_to_images_of_other_sizes_come_back(steps: str) -> None:
    network = archdsl.load_text(f"block twice {{ conv in; act }}\nmodel m {{ input [3, 16, 16]; {steps} }}")
    check_same(network)
    check_flat(network)


@pytest.mark.parametrize("name", tiered(ENDS))
def test_the_ends_of_every_file_come_back_with_the_same_bytes_and_keys(name: str) -> None:
    network = network_of(name)
    check_same(network)
    check_flat(network)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["googlenet", "resnet20_cifar", "siamese", "fpn_resnet18"])
def test_a_flat_network_is_one_class_that_computes_the_same(name: str) -> None:
    network = network_of(name)
    flat = archdsl.from_networkx(network.flatten())
    classes = [line for line in flat.source().splitlines() if line.startswith("class ") and "NamedTuple" not in line]
    assert len(classes) == 1
    check_runs_alike(network, flat)


@QUICK
@given(specs())
def test_a_random_network_comes_back(spec: Spec) -> None:
    network = archdsl.load_text(spec.text, spec.model)
    check_same(network)
    check_flat(network)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@QUICK
@given(specs())
def test_a_random_network_computes_the_same_when_it_is_flat(spec: Spec) -> None:
    network = archdsl.load_text(spec.text, spec.model)
    check_runs_alike(network, archdsl.from_networkx(network.flatten()))


def test_nodes_and_edges_bear_what_is_known_of_them() -> None:
    network = archdsl.load_text(TEXT)
    graph = network.graph.networkx
    first = graph.nodes["first"]
    assert first["body"].graph["name"] == "unit"
    assert (first["labelled"], first["path"], first["span"].text) == (True, "first", "unit 4")
    assert {name: str(shape) for name, shape in first["shapes"].items()} == {"": "[4, 8, 8]", "early": "[4, 8, 8]"}
    inner = first["body"].nodes["conv1"]
    assert (inner["path"], inner["op"].channels) == ("first.conv1", 4)
    assert [tensor.name for tensor in inner["tensors"]] == ["weight"]
    assert inner["costs"].macs == 4 * 4 * 8 * 8
    assert inner["arguments"]["channels"].text == "c"
    assert graph.nodes["act"]["repeats"] == ("act_2",)
    assert graph.nodes["shared_2"]["reuses"] == "shared"
    edges = {data["port"]: (source, data["output"]) for source, _, data in graph.in_edges("concat", data=True)}
    assert edges == {0: ("act", ""), 1: ("first", "early")}
    flat = network.flatten()
    assert flat.nodes["first.conv1"]["path"] == "first.conv1"
    assert flat.graph["outputs"][1] == Output("aux", Value("head"), True)


def test_equal_calls_share_a_body_and_each_graph_is_new() -> None:
    network = archdsl.load("resnet18")
    graph = network.graph.networkx
    stage = graph.nodes["layer1"]["body"]
    assert graph is not network.graph.networkx
    graph.remove_node("fc")
    stage.remove_node("0")
    assert "fc" in network.graph.networkx
    check_same(network)
    deep = deepcopy(network.graph.networkx)
    assert archdsl.from_networkx(deep).source() == network.source()


def test_what_is_made_for_inference_comes_back_also_where_nothing_was_left_out_or_folded() -> None:
    check_same(archdsl.load("alexnet").for_inference())
    check_same(archdsl.load_text("model m { input [3, 8, 8]; conv 4 }").for_inference())


def test_a_changed_network_has_a_digest_and_a_source_of_its_own() -> None:
    network = archdsl.load("resnet18")
    graph = network.graph.networkx
    graph.nodes["fc"]["op"] = graph.nodes["fc"]["op"].model_copy(update={"features": 10})
    changed = archdsl.from_networkx(graph)
    assert changed.digest != network.digest
    assert changed.digest == archdsl.from_networkx(graph).digest
    assert (changed.name, changed.outputs["output"].channels) == ("resnet18", 10)
    assert changed.key_maps == network.key_maps


def test_a_new_node_stands_directly_before_who_reads_it() -> None:
    graph = archdsl.load_text(TEXT).graph.networkx
    graph.add_node("norm", op=OPS["batch"]())
    graph.remove_edge("shared", "shared_2")
    graph.add_edge("shared", "norm")
    graph.add_edge("norm", "shared_2")
    order = list(archdsl.from_networkx(graph).graph.nodes)
    assert order.index("norm") == order.index("shared_2") - 1


class Rude:
    """What raises whatever is asked of it."""

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")


STRANGE = [
    *(None, Rude(), 10**5000, float("nan"), "\0", "\ud800", "x" * 10_000, "two\nlines", b"first", {}, ((),), Rude),
    *(Span(0, 9), Span(cast("int", "a"), 0, cast("Source", None)), Span(0, 0, Source("", cast("str", None)))),
    *(
        (Output("", cast("Value", None)),),
        (Output("", Value("x" * 10_000)),),
        OPS["conv"].model_construct(channels=Rude()),
    ),
]


@QUICK
@given(st.sampled_from([*GRAPH, *FACTS]), st.sampled_from([*NODE, "port", "output"]), st.data())
def test_whatever_an_attribute_is_it_is_read_or_told_in_few_words(about: str, key: str, data: st.DataObject) -> None:
    graph = bare()
    body = data.draw(st.sampled_from([graph, body_of(graph)]))
    values = st.sampled_from(STRANGE)
    match data.draw(st.sampled_from(["graph", "node", "edge", "name"])):
        case "graph":
            body.graph[about] = data.draw(values)
        case "node":
            body.nodes[data.draw(st.sampled_from(list(body)))][key] = data.draw(values)
        case "edge":
            body.edges[data.draw(st.sampled_from(list(body.edges)))][key] = data.draw(values)
        case _:
            body.add_node(
                cast("str", data.draw(st.sampled_from([Rude(), 10**5000, "x" * 10_000, "\ud800", 3, (1, 2)])))
            )
    try:
        compile(archdsl.from_networkx(graph).source(), "network.py", "exec")
    except archdsl.SpecError as error:
        told = [str(error), *(found.message for found in error.diagnostics)]
    else:
        told = []
    assert all(map(str.strip, told))
    assert all(len(message) < 1000 for message in told[1:])


THIRDS = Conv2d(channels=3, groups=2)
Edit = Callable[["MultiDiGraph[str]"], object]


def bare() -> MultiDiGraph[str]:
    return archdsl.load_text(TEXT).graph.networkx


def edited(**changes: object) -> Edit:
    return lambda graph: graph.nodes["first"].update(changes)


def outputs(*items: object) -> Edit:
    return lambda graph: graph.graph.update(outputs=items)


def body_of(graph: MultiDiGraph[str]) -> MultiDiGraph[str]:
    return cast("MultiDiGraph[str]", graph.nodes["first"]["body"])


def renamed(old: str, new: str) -> Edit:
    return lambda graph: networkx.relabel_nodes(graph, {old: new}, copy=False)


BROKEN: dict[str, tuple[Edit, str, str]] = {
    "wrong op": (lambda g: g.nodes["last"].update(op="conv 2"), "E310", "last"),
    "an op with wrong fields": (lambda g: g.nodes["last"].update(op=OPS["conv"].model_construct()), "E310", "last"),
    "op and body": (edited(op=OPS["relu"]()), "E310", "first"),
    "wrong repeats": (edited(repeats="first2"), "E310", "first"),
    "wrong label": (edited(labelled="yes"), "E310", "first"),
    "wrong span": (edited(span=(0, 1)), "E310", "first"),
    "wrong body": (edited(body="unit"), "E310", "first"),
    "an attribute of nearly that name": (edited(repeat=("first2",)), "E310", "first"),
    "wrong kind": (lambda g: body_of(g).graph.update(kind="model"), "E310", "first"),
    "wrong kind of the model": (lambda g: g.graph.update(kind="block"), "E310", "the model"),
    "wrong outputs": (outputs(("", "last")), "E310", "the model"),
    "wrong port": (lambda g: g.add_edge("input", "last", port="left"), "E310", "last"),
    "a cycle": (lambda g: g.add_edge("last", "first", port=1), "E311", "first"),
    "a node without anything": (lambda g: g.add_node("alone"), "E311", "alone"),
    "a dangling input": (lambda g: g.remove_node("first"), "E311", "act"),
    "a port twice": (lambda g: g.add_edge("input", "concat", port=1), "E311", "concat"),
    "a missing port": (lambda g: g.add_edge("input", "concat", port=5), "E311", "concat"),
    "too many inputs": (lambda g: g.add_edge("input", "last", port=1), "E311", "last"),
    "an unknown output": (lambda g: g.add_edge("first", "concat", port=2, output="late"), "E311", "concat"),
    "an empty join": (lambda g: g.add_node("sum", op=OPS["add"]()), "E311", "sum"),
    "no output": (outputs(), "E311", "the model"),
    "an output of no node": (outputs(Output("", Value("fc"))), "E311", "fc"),
    "two outputs of a name": (outputs(Output("a", Value("last")), Output("a", Value("act"))), "E311", "a"),
    "a main output of training": (outputs(Output("a", Value("last"), True)), "E311", "the model"),
    "no input": (lambda g: g.remove_nodes_from(list(g)) or g.add_node("x", body=body_of(bare())), "E311", "x"),
    "no input of a body": (lambda g: body_of(g).remove_node("input"), "E311", "first.conv1"),
    "an input inside": (
        lambda g: body_of(g).add_node("again", op=Input(shape=(3, 8, 8))), "E311", "first.again"),
    "reuse of nothing": (edited(reuses="fc"), "E311", "first"),
    "reuse of another": (edited(reuses="shared"), "E311", "first"),
    "evaluation that needs training": (lambda g: body_of(g).graph.update(outputs=(
        Output("", Value("conv2")), Output("early", Value("act"), True))), "E311", "first"),
    "a name with a space": (renamed("act", "my act"), "E312", "my act"),
    "a name of torch's": (renamed("act", "forward"), "E312", "forward"),
    "a number for a name": (lambda g: g.add_node(cast("str", 3)), "E312", "3"),
    "an empty segment within a body": (
        lambda g: networkx.relabel_nodes(body_of(g), {"act": "a..b"}, copy=False), "E312", "first.a..b"),
    "two nodes of a path": (edited(repeats=("last",)), "E312", "last"),
    "a node below another": (lambda g: g.add_node("last.x", op=OPS["relu"]()), "E312", "last.x"),
    "a model without a legal name": (lambda g: g.graph.update(name="my net"), "E312", "my net"),
    "a body in itself": (lambda g: body_of(g).add_node("again", body=body_of(g)), "E313", "first.again"),
    "the model in itself": (lambda g: g.add_node("again", body=g), "E313", "again"),
    "channels that do not fit": (lambda g: g.nodes["last"].update(op=THIRDS), "E210", "last"),
    "shapes that do not fit inside": (
        lambda g: body_of(g).nodes["conv2"].update(op=THIRDS), "E210", "first.conv2"),
    "a repeat that changes the shape": (
        edited(repeats=("second",), body=None, op=THIRDS), "E311", "concat"),
    "a repeat of another shape": (lambda g: g.nodes["last"].update(repeats=("later",)), "E213", "last"),
    "reuse for another shape": (
        lambda g: g.add_node("more", op=g.nodes["shared"]["op"], reuses="shared") or g.add_edge("input", "more"),
        "E213", "more"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_graph_is_reported_at_its_path(case: str) -> None:
    edit, code, path = BROKEN[case]
    graph = bare()
    edit(graph)
    with pytest.raises(archdsl.SpecError) as caught:
        archdsl.from_networkx(graph)
    found = next(diagnostic for diagnostic in caught.value.diagnostics if diagnostic.code == code)
    assert path in found.message or found.span.text.startswith(f"{path}:")


@pytest.mark.parametrize("graph", [None, "resnet18", networkx.Graph(), networkx.DiGraph()])
def test_what_is_no_network_is_reported(graph: Any) -> None:
    with pytest.raises(archdsl.SpecError) as caught:
        archdsl.from_networkx(graph)
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} <= {"E310", "E311"}


def test_bodies_may_be_deep_but_not_endlessly() -> None:
    def nested(depth: int) -> MultiDiGraph[str]:
        body: MultiDiGraph[str] = networkx.MultiDiGraph(outputs=(Output("", Value("y")),))
        body.add_node("x")
        body.add_node("y", op=OPS["relu"]())
        body.add_edge("x", "y")
        for _ in range(depth):
            outer: MultiDiGraph[str] = networkx.MultiDiGraph(outputs=(Output("", Value("y")),))
            outer.add_node("x")
            outer.add_node("y", body=body)
            outer.add_edge("x", "y")
            body = outer
        body.nodes["x"]["op"] = Input(shape=(3, 4, 4))
        return body

    assert archdsl.from_networkx(nested(40)).costs.parameters == 0
    with pytest.raises(archdsl.SpecError, match="E313"):
        archdsl.from_networkx(nested(2000))


@QUICK
@given(st.data())
def test_a_graph_changed_at_random_is_a_network_or_reported(data: st.DataObject) -> None:
    network = network_of(data.draw(st.sampled_from(["resnet20_cifar", "googlenet", "siamese"])))
    graph = network.flatten() if data.draw(st.booleans()) else network.graph.networkx
    for _ in range(data.draw(st.integers(1, 4))):
        one, other = (data.draw(st.sampled_from(list(graph) or [""])) for _ in range(2))
        match data.draw(st.integers(0, 5)):
            case 0:
                graph.remove_nodes_from([one])
            case 1:
                graph.add_edge(one, other, port=data.draw(st.sampled_from([0, 1, -1, None, True])))
            case 2:
                graph.remove_edges_from(list(graph.out_edges(one))[:1])
            case 3 if one in graph:
                key = data.draw(st.sampled_from(["op", "body", "repeats", "reuses", "labelled", "span", "arguments"]))
                values = [
                    None,
                    3,
                    other,
                    ("a", "b"),
                    (other,),
                    Conv2d(channels=4),
                    graph,
                    *graph.nodes[one].values(),
                ]
                graph.nodes[one][key] = data.draw(st.sampled_from(values))
            case 4:
                networkx.relabel_nodes(graph, {one: data.draw(st.sampled_from([other, "", "a.b", "x"]))}, copy=False)
            case _:
                key = data.draw(st.sampled_from(["name", "kind", "outputs", "bindings", "doc"]))
                graph.graph[key] = data.draw(st.sampled_from([None, 3, other, (), (Output("", Value(other)),)]))
    with suppress(archdsl.SpecError):
        compile(archdsl.from_networkx(graph).source(), "network.py", "exec")


def test_networkx_is_loaded_only_when_it_is_asked_for() -> None:
    code = (
        "import sys, archdsl\n"
        "archdsl.check_text('model m { input [3, 8, 8]; conv 8 }')\n"
        "network = archdsl.load('resnet18'); network.summary(); network.source()\n"
        "assert 'networkx' not in sys.modules\n"
        "network.flatten()\n"
        "assert 'networkx' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
