"""Any network as the text of a spec: it compiles to the same network."""

from __future__ import annotations

import networkx
import pytest
from hypothesis import HealthCheck, given, settings

import archdsl
from archdsl.ir.value import Output, Value
from archdsl.network import Network
from archdsl.ops import OPS
from archdsl.specs import bundled_models
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


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in bundled_models()])
def test_every_bundled_network_is_written_and_compiles_to_the_same(name: str) -> None:
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


def test_what_the_language_cannot_say_is_reported() -> None:
    graph = archdsl.load_text(TEXT).graph.networkx
    body: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(outputs=(Output("", Value("sum")),))
    body.add_node("sum", op=OPS["add"]())
    body.add_edge("left", "sum", port=0)
    body.add_edge("right", "sum", port=1)
    graph.add_node("both", body=body)
    graph.add_edge("input", "both", port=0)
    graph.add_edge("input", "both", port=1)
    with pytest.raises(archdsl.SpecError, match="2 inputs"):
        archdsl.from_networkx(graph).text()
