"""A network's own face: its figures agree with each other, and what is made of it is one too."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import archdsl
from archdsl import Network, Source, SpecError
from archdsl.compiler import compile
from archdsl.passes.tables import walk


@pytest.fixture(scope="module", params=["resnet18", "googlenet", "mobilenet_v2", "siamese"])
def network(request: pytest.FixtureRequest) -> Network:
    return archdsl.load(request.param)


@pytest.mark.parametrize("figure", ["macs", "parameters", "buffers", "elementwise", "activation_bytes", "flops"])
def test_costs_of_the_operators_add_up_to_the_network_s(network: Network, figure: str) -> None:
    assert sum(getattr(node, figure) for node in network.costs.nodes) == getattr(network.costs, figure)
    assert getattr(network.costs, figure) == getattr(network.tables.costs.total, figure)


def test_the_tables_hold_every_operator_of_the_costs(network: Network) -> None:
    written = [path for path, node, _ in walk(network.tables) if node.op is not None and not node.is_input]
    assert written == [node.path for node in network.costs.nodes]
    assert network.tables.shapes is network.shapes
    assert network.tables.graph is network.graph


def test_a_notebook_shows_a_picture_or_a_summary(network: Network) -> None:
    shown = network._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage]
    assert shown["image/svg+xml"] == network.diagram().svg
    assert shown["text/plain"] == network.summary()


def test_the_network_for_inference_has_its_own_digest_and_the_same_outputs_but_those_of_training() -> None:
    network = archdsl.load("googlenet")
    evaluated = network.for_inference()
    assert evaluated.digest != network.digest
    assert evaluated.outputs == {"output": network.outputs["output"]}


def test_a_compilation_with_mistakes_makes_no_network() -> None:
    with pytest.raises(SpecError) as caught:
        Network(compile(Source("model m { input [3, 8, 8]; conv 8 groups=3 }")))
    assert [found.code for found in caught.value.diagnostics] == ["E210"]


SAID = """model m { input [3]; fc: fc 2; weights "w.pth" }
keys theirs { "fc" = "head" }
variant elsewhere of m { weights "theirs.pth" from theirs }
"""


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """Write a spec beside the files of weights that it names."""
    torch = pytest.importorskip("torch")
    path = tmp_path / "m.arch"
    path.write_text(SAID)
    torch.save({"fc.weight": torch.ones(2, 3), "fc.bias": torch.zeros(2)}, tmp_path / "w.pth")
    torch.save({"head.weight": 3 * torch.ones(2, 3), "head.bias": torch.zeros(2)}, tmp_path / "theirs.pth")
    return path


@pytest.mark.torch
def test_a_module_starts_from_the_file_that_the_spec_names(said: Path) -> None:
    assert archdsl.load(f"{said}:m").module().get_parameter("fc.weight").detach().unique().tolist() == [1]
    assert archdsl.load(f"{said}:elsewhere").module().get_parameter("fc.weight").detach().unique().tolist() == [3]


@pytest.mark.torch
def test_weights_given_explicitly_go_before_the_spec_s(said: Path) -> None:
    network = archdsl.load(f"{said}:m")
    module = network.module(said.with_name("theirs.pth"), origin="theirs")
    assert module.get_parameter("fc.weight").detach().unique().tolist() == [3]
    said.with_name("w.pth").unlink()
    assert len(network.module(is_initial=True).get_parameter("fc.weight").detach().unique()) == 6
    with pytest.raises(archdsl.SpecError, match="no file `w"):
        network.module()


@pytest.mark.torch
def test_a_frozen_network_keeps_the_file(said: Path) -> None:
    network = archdsl.load(f"{said}:m").frozen("fc")
    module = network.module()
    assert module.get_parameter("fc.weight").detach().unique().tolist() == [1]
    assert not module.get_parameter("fc.weight").requires_grad


def test_costs_are_equal_where_all_rows_are_and_go_without_the_network() -> None:
    first, other = (
        archdsl.load_text(f"model m {{ input [3, 8, 8]; {steps} }}").costs
        for steps in ("relu; conv 4", "conv 4; hardswish")
    )
    moved = archdsl.load_text("model m { input [4, 8, 8]; conv 4; relu }").costs
    turned = archdsl.load_text("model m { input [4, 8, 8]; relu; conv 4 }").costs
    assert moved.total == turned.total
    assert moved != turned
    assert first != other
    assert first == archdsl.load_text("model m { input [3, 8, 8]; relu; conv 4 }").costs
    again = pickle.loads(pickle.dumps(first))
    assert again == first
    assert again.nodes == first.nodes
