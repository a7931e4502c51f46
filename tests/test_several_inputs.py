"""Bodies that take several values say and compute what the same steps do without them, in every pass and output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import networkx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.difference import diff
from archdsl.ir.content import content_of
from archdsl.ir.verify import verify
from archdsl.network import Network
from archdsl.passes.lint.wiring import wire
from archdsl.passes.receptive import receptive_fields
from archdsl.passes.tables import walk
from tests.outlining import Outliner, network_of, outlined, stripped
from tests.passes.test_memory import agrees
from tests.strategies import Spec, specs

if TYPE_CHECKING:
    from networkx import MultiDiGraph

QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def flat(network: Network) -> MultiDiGraph[str]:
    """Return the plain graph without the bodies that were made, whose names others have then."""
    graph = network.flatten()
    renamed: MultiDiGraph[str] = networkx.relabel_nodes(graph, {path: stripped(path) for path in graph})
    for _, data in renamed.nodes(data=True):
        if "reuses" in data:
            data["reuses"] = stripped(data["reuses"])
    outputs = [o._replace(value=o.value._replace(node=stripped(o.value.node))) for o in graph.graph["outputs"]]
    renamed.graph.update(graph.graph, outputs=tuple(outputs))
    return renamed


def flat_content(network: Network) -> str:
    return content_of(archdsl.from_networkx(flat(network)).graph, is_bare=True)


def fields(network: Network) -> dict[str, object]:
    found = receptive_fields(network.shapes)
    return {name: dict(field) for name, field in found.outputs.items()}


def check_alike(one: Network, other: Network) -> None:
    """Check that two networks that differ in bodies only are the same to every pass."""
    assert flat_content(one) == flat_content(other)
    assert {stripped(key): tensor for key, tensor in other.state} == {stripped(key): t for key, t in one.state}
    assert one.costs.total == other.costs.total
    assert [stripped(n.path) for n in one.costs.nodes] == [stripped(n.path) for n in other.costs.nodes]
    assert dict(one.outputs) == dict(other.outputs)
    assert one.intensity().total == other.intensity().total
    assert one.smallest_input == other.smallest_input
    for in_place in (True, False):
        assert one.memory(in_place=in_place) == other.memory(in_place=in_place)
    assert {n: str(s) for n, s in one.symbolic_shapes.outputs.items()} == {
        n: str(s) for n, s in other.symbolic_shapes.outputs.items()
    }
    assert fields(one) == fields(other)
    assert flat_content(one.for_inference(fold=False)) == flat_content(other.for_inference(fold=False))
    for network in (one, other):
        verify(network.for_inference().graph)


def check_drawn(network: Network) -> None:
    """Check that the picture of all operators has the lines of the plain graph, and no others."""
    picture = network.diagram("layers").picture
    boxes = {path: box.id for box in picture.boxes for path in box.paths}
    own = set(boxes.values())
    plain = {(boxes[one], boxes[other]) for one, other in network.flatten().edges()}
    drawn = {(edge.source, edge.target) for edge in picture.edges if edge.target in own}
    assert drawn == {(one, other) for one, other in plain if one != other}
    for level in ("stages", "blocks"):
        assert network.diagram(level).svg
    assert network.page()
    assert network.summary()


def check_wired(network: Network) -> None:
    """Check that every operator's sources are found through the bodies around it."""
    wiring = wire(network.shapes)
    known = {(step.table, step.node.id): step for step in wiring.steps}
    steps = {path: known.get((tables.shapes, node.id)) for path, node, tables in walk(network.tables)}
    for one, other, port in network.flatten().edges(data="port"):
        source, reader = steps[one], steps[other]
        assert source is not None
        assert reader is not None
        assert source in wiring.sources[reader][port]
        assert reader in wiring.readers[source]


def check_comes_back(network: Network) -> None:
    again = archdsl.from_networkx(network.graph.networkx)
    assert content_of(again.graph) == content_of(network.graph)
    assert archdsl.from_networkx(network.flatten()).costs.total == network.costs.total


@QUICK
@given(specs(), st.data())
def test_steps_in_a_body_with_several_inputs_are_the_same_steps(spec: Spec, data: st.DataObject) -> None:
    network = archdsl.load_text(spec.text, spec.model)
    made = network_of(outlined(network.graph, data))
    check_comes_back(made)
    check_alike(network_of(network.graph), made)
    check_drawn(made)
    check_wired(made)
    agrees(made)
    assert not diff(made, made).changes


@QUICK
@given(specs(), st.data())
def test_a_repeated_body_with_several_inputs_hands_on_its_first(spec: Spec, data: st.DataObject) -> None:
    graph = outlined(archdsl.load_text(spec.text, spec.model).graph, data)
    pair = Outliner(data).repeat(graph)
    if pair is None:
        return
    repeated, written = map(network_of, pair)
    check_comes_back(repeated)
    check_alike(repeated, written)
    check_drawn(repeated)
    check_wired(repeated)
    agrees(repeated)
    assert not diff(repeated, written).changes


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@QUICK
@given(specs(), st.data())
def test_emitted_bodies_with_several_inputs_compute_what_the_graph_says(spec: Spec, data: st.DataObject) -> None:
    from tests.backends.torch.interpreter import agree

    graph = outlined(archdsl.load_text(spec.text, spec.model).graph, data)
    agree(network_of(graph))
    pair = Outliner(data).repeat(graph)
    if pair is not None:
        agree(network_of(pair[0]))


@QUICK
@given(specs(), st.data())
def test_bodies_with_several_inputs_are_written_as_text(spec: Spec, data: st.DataObject) -> None:
    graph = outlined(archdsl.load_text(spec.text, spec.model).graph, data)
    pair = Outliner(data).repeat(graph)
    network = network_of(pair[0] if pair is not None else graph)
    again = archdsl.load_text(network.text(), network.name)
    assert again.state == network.state
    assert again.costs.total == network.costs.total
    assert content_of(again.graph, is_bare=True) == content_of(network.graph, is_bare=True)
    assert archdsl.format(archdsl.Source(network.text())) == network.text()


VALUES = """
block cell(value before, int c) { concat { pass; { @before; cna c k=1 } }; conv c k=1 }
block many(list xs) { concat @xs; conv cin k=1; add @xs[0] }
model m {
  input [3, 16, 16]
  x0: conv 8
  conv 8
  cell @x0 8 x 3
  x1: conv 8 s=2
  many [@x1, @x1]
  stage: { conv 8; add @x1; inner: { conv 8; mul @x1; act } }
  add @stage
  upsample like=@x0
  output aux training { add @x0; gap; flatten; fc 3 }
  concat @x0; gap; flatten; fc 10
}
"""


@pytest.mark.torch
def test_a_network_of_values_is_exported_and_compiled() -> None:
    import torch

    network = archdsl.load_text(VALUES)
    module = network.module().eval()
    image = torch.randn(2, 3, 16, 16)
    expected = module(image)
    exported = torch.export.export(module, (image,)).module()
    torch.testing.assert_close(exported(image), expected)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert torch.equal(compiled(image), expected)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_a_network_of_values_goes_through_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from tests.fuzz.soak import check_onnx

    assert check_onnx(Spec(VALUES, "m"), tmp_path / "m")


def test_evaluation_computes_no_value_that_only_training_reads() -> None:
    text = """
block cell(value a, value b) { output aux training { add @a; gap }; conv in; add @b }
model m {
  input [4, 8, 8]; start: pass; a: conv 4; @start; b: conv 4; c: cell @a @b
  output late training { @c.aux; flatten }
}
"""
    network = archdsl.load_text(text).for_inference()
    verify(network.graph)
    call = network.graph.nodes["c"]
    assert call.body is not None
    assert [node.id for node in call.body.inputs] == ["input", "b"]
    assert "a" not in network.graph.nodes
