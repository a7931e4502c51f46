"""Any network as the text of a spec: it compiles to the same network."""

from __future__ import annotations

import networkx
import pytest
from hypothesis import HealthCheck, given, settings

import archdsl
from archdsl.ir.value import Output, Value
from archdsl.network import Network
from archdsl.ops import OPS
from archdsl.ops.conv import Conv2d
from archdsl.specs import bundled_models
from archdsl.syntax.parser import language_words
from tests.bundled import ENDS, tiered
from tests.ir.test_networkx import TEXT, network_of
from tests.strategies import Spec, specs

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def check(network: Network) -> str:
    text = network.text()
    again = archdsl.load_text(text, network.name)
    assert again.state == network.state
    assert list(again.outputs.items()) == list(network.outputs.items())
    assert list(again.inputs.values()) == list(network.inputs.values())
    assert again.tables.costs.total == network.tables.costs.total
    assert archdsl.format(archdsl.Source(text)) == text
    return text


@pytest.mark.parametrize("name", [name for name, _ in bundled_models()][3::16])
def test_a_bundled_network_is_written_and_compiles_to_the_same(name: str) -> None:
    check(network_of(name))


@pytest.mark.parametrize("name", tiered(ENDS))
def test_the_ends_of_every_file_are_written_and_compile_to_the_same(name: str) -> None:
    check(network_of(name))
    check(network_of(name).for_inference())


@QUICK
@given(specs())
def test_a_random_network_is_written_and_compiles_to_the_same(spec: Spec) -> None:
    check(archdsl.load_text(spec.text, spec.model))


def test_initial_values_and_outputs_of_training_are_written() -> None:
    text = check(network_of("googlenet"))
    assert "init=trunc_normal(" in text
    assert "output aux1 training" in text


def test_what_evaluation_runs_is_written() -> None:
    network = archdsl.load("resnet18").for_inference()
    assert "batch" not in check(network)
    check(network_of("fpn_resnet18").for_inference())  # nothing reads the main result of a level
    check(network_of("retinanet_resnet50_fpn").for_inference())  # nor that of the level in it


def test_joins_repeats_and_reuse_are_written_as_people_write_them() -> None:
    text = check(archdsl.load_text(TEXT))
    assert all(part in text for part in ("concat { pass; @first.early }", "reuse shared", "first: unit"))
    assert "residual {" in check(archdsl.load("resnet18"))


def test_a_rewritten_network_is_written() -> None:
    graph = archdsl.load("resnet18").graph.networkx
    graph.nodes["bn1"]["op"] = OPS["layer"]()
    graph.graph.update(name="mine")
    assert "bn1: layer" in check(archdsl.from_networkx(graph))


@pytest.mark.torch
@pytest.mark.parametrize("name", ["googlenet", "shufflenet_v2_x0_5", "fpn_resnet18"])
def test_the_written_network_computes_the_same(name: str) -> None:
    from tests.ir.test_networkx import check_runs_alike

    network = network_of(name)
    check_runs_alike(network, archdsl.load_text(network.text(), network.name))


@pytest.mark.parametrize("word", sorted({*language_words(), "act", "freeze", "norm", "recipe", "weights"}))
def test_a_model_may_bear_a_word_of_the_language(word: str) -> None:
    network = archdsl.load_text(f"model {word}(c=3) {{ input [c, 8, 8]; conv 4 }}")
    assert archdsl.load_text(network.text()).name == word


def test_a_level_that_reads_several_values_names_them() -> None:
    graph = archdsl.load_text(TEXT).graph.networkx
    body: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(outputs=(Output("", Value("sum")),))
    body.add_node("sum", op=OPS["add"]())
    body.add_edge("left", "sum", port=0)
    body.add_edge("right", "sum", port=1)
    graph.add_node("both", body=body, labelled=True)
    graph.add_edge("last", "both", port=0)
    graph.add_edge("input", "both", port=1)
    graph.nodes["last"]["op"] = Conv2d(channels=4, kernel=(3, 3))
    graph.graph["outputs"] = (Output("", Value("both")), *graph.graph["outputs"][1:])
    assert "both: { add { pass; @after_input } }" in check(archdsl.from_networkx(graph))
    body.graph["kind"] = "block"
    text = check(archdsl.from_networkx(graph))
    assert "block both(value right) {\n  add { pass; @right }\n}" in text
    assert "both: both @after_input" in text


def test_a_value_of_a_level_around_is_read_past_steps_of_its_name() -> None:
    text = "model m { input [4, 8, 8]; one: conv 4; act; two: { one: conv 4; three: { one: conv 4; add @in } } }"
    network = archdsl.load_text(
        text.replace("add @in", "add { pass; @kept }").replace("one: conv 4; act", "kept: conv 4; act")
    )
    graph = network.graph.networkx
    graph = networkx.relabel_nodes(graph, {"kept": "one"})
    found = check(archdsl.from_networkx(graph))
    assert "one: conv 4\n  after_one: pass" in found
    assert "add { pass; @after_one }" in found


def test_operators_and_repeats_that_take_values_are_written() -> None:
    declared = "block cell(value a, value b) { add { pass; @b }; { conv in; mul @a } }"
    steps = "a: conv 4; b: conv 4 k=1; cell @a @b x 3; add @a x 2; conv 4 s=2; upsample like=@a; each: cell @b @a x 2"
    text = check(archdsl.load_text(f"{declared}\nmodel m {{ input [3, 8, 8]; {steps} }}"))
    assert all(part in text for part in ("cell @b @a x 3", "upsample like=@a", "add { pass; @a } x 2"))


def test_what_the_language_cannot_say_is_reported() -> None:
    declared = "block cell(value a) { conv in; add @a }"
    network = archdsl.load_text(f"{declared}\nmodel m {{ input [4, 8, 8]; a: conv 4; b: cell @a; conv 4; reuse b }}")
    check(network)
    graph = network.graph.networkx
    again = next(node for node, data in graph.nodes(data=True) if "reuses" in data)
    graph.remove_edge("a", again)
    graph.add_edge("input", again, port=1)
    with pytest.raises(archdsl.SpecError, match="reuses `b` with other values"):
        archdsl.from_networkx(graph).text()
