"""Transforms: what they remove, what they keep, and that results stay the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archdsl.api import load_text
from archdsl.ir.graph import Graph
from archdsl.ir.verify import IllegalGraph, verify
from archdsl.network import Network
from archdsl.passes.dead import remove_dead
from archdsl.passes.fold import fold_norms
from archdsl.passes.identities import remove_identities
from archdsl.passes.inference import for_inference
from archdsl.passes.rewrite import with_nodes
from archdsl.passes.shapes import infer_shapes
from tests.passes.published import bundled, network

TRANSFORMS: dict[str, Callable[[Network], Graph]] = {
    "remove_identities": lambda net: remove_identities(net.graph),
    "remove_dead": lambda net: remove_dead(net.graph),
    "for_inference": lambda net: for_inference(net.graph),
    "fold_norms": lambda net: fold_norms(net.shapes).graph,
}


def small(body: str) -> Network:
    return load_text(f"model small {{ input [4, 16, 16]; {body} }}")


def paths(graph: Graph, below: str = "") -> set[str]:
    found: set[str] = set()
    for node in graph.topological():
        for name in node.names:
            found.add(f"{below}{name}")
            if node.body is not None:
                found |= paths(node.body, f"{below}{name}.")
    return found


def written(graph: Graph) -> list[tuple[object, ...]]:
    """List everything that a transform could have mutated."""
    return [
        (id(body), id(node), node.names, node.inputs, node.op, id(node.body), body.outputs)
        for body in graph.bodies()
        for node in body.topological()
    ]


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())
@pytest.mark.parametrize("name", bundled())
def test_bundled_networks_stay_legal_and_keep_names_outputs_and_sharing(
    name: str, transform: Callable[[Network], Graph]
) -> None:
    net = network(name)
    before = written(net.graph)
    graph = transform(net)
    verify(graph)
    assert written(net.graph) == before
    assert paths(graph) <= paths(net.graph)
    assert sum(1 for _ in graph.bodies()) <= sum(1 for _ in net.graph.bodies())
    shapes, misfits = infer_shapes(graph, net.shapes.inputs)
    assert not misfits
    assert shapes.outputs[""] == net.shapes.outputs[""]


@pytest.mark.parametrize(
    "step",
    [
        "none", "dropout 0.0", "dropout2d 0.0", "drop_path 0.0", "upsample factor=1", "pixel_shuffle 1",
        "pixel_unshuffle 1", "shuffle 1", "pad", "permute [0, 1, 2]",
    ],
)  # fmt: skip
def test_what_changes_nothing_goes(step: str) -> None:
    graph = remove_identities(small(f"conv 4; {step}; relu").graph)
    assert list(graph.nodes) == ["input", "0", "2"]
    assert graph.nodes["2"].inputs == ((("0", "")),)


@pytest.mark.parametrize(
    "step",
    [
        "dropout 0.1", "drop_path 0.1", "upsample factor=2", "upsample size=16", "pixel_shuffle 2", "shuffle 2",
        "pad 1", "pad channels=[0, 1]", "permute [0, 2, 1]", "relu",
        'rearrange "c h w -> c h w"',  # which names the channels, that steps behind it follow
    ],
)  # fmt: skip
def test_what_changes_something_stays(step: str) -> None:
    graph = small(f"conv 4; {step}; conv 4").graph
    assert remove_identities(graph) is graph


def test_what_names_the_channels_stays_so_that_steps_follow_them() -> None:
    net = small('conv 4; permute [1, 2, 0]; rearrange "h w c -> h w c"; concat { pass; relu }')
    assert net.for_inference().outputs["output"] == net.outputs["output"]


def test_noise_goes_in_evaluation_only() -> None:
    graph = small("conv 4; dropout 0.5; drop_path 0.1; dropout2d 0.1").graph
    assert remove_identities(graph) is graph
    assert list(for_inference(graph).nodes) == ["input", "0"]


def test_bodies_of_nothing_but_identities_go_with_their_calls() -> None:
    net = small("conv 4; a: { none; b: { none; dropout 0.0 } x 3 }; add { pass; a2: { none } }; relu")
    graph = remove_identities(net.graph)
    verify(graph)
    assert [node.op.keyword for node in graph.nodes.values() if node.op] == ["input", "conv", "add", "relu"]
    assert [value.node for value in graph.nodes["add"].inputs] == ["conv", "conv"]


def test_a_removed_last_step_leaves_its_input_as_the_output() -> None:
    graph = remove_identities(small("body: { conv 4; none }; none").graph)
    verify(graph)
    assert graph.main.node == "body"
    body = graph.nodes["body"].body
    assert body is not None
    assert body.main.node == "0"


def test_what_no_output_needs_goes() -> None:
    net = small("a: conv 4; b: conv 8; c: { conv 2; relu }; @a; relu")
    graph = remove_dead(net.graph)
    verify(graph)
    assert list(graph.nodes) == ["input", "a", "relu"]


def test_outputs_that_nobody_reads_go_with_what_they_need() -> None:
    text = "a: { output side { conv 9 }; conv 4 }; b: { output side { conv 9 }; conv 4 }; @b.side; relu"
    graph = remove_dead(small(text).graph)
    verify(graph)
    bodies = [graph.nodes[name].body for name in ("b",)]
    assert "a" in graph.nodes  # feeds b
    assert [[output.name for output in body.outputs] for body in bodies if body is not None] == [["side"]]
    first = graph.nodes["a"].body
    assert first is not None
    assert [output.name for output in first.outputs] == [""]
    assert len(first.nodes) == 2


def test_a_module_stays_for_the_step_that_applies_it_again() -> None:
    net = small("a: conv 4; b: relu; @b; reuse a; output last { relu }")
    dead = small("first: relu; a: { conv 4; relu }; @first; reuse a; relu")
    for one in (net, dead):
        graph = remove_dead(one.graph)
        verify(graph)
        assert [node.reuses for node in graph.nodes.values() if node.reuses] == ["a"]


def test_training_only_parts_go_in_evaluation() -> None:
    net = network("googlenet")
    graph = for_inference(net.graph)
    assert [output.is_training_only for output in graph.outputs] == [False]
    assert {path.partition(".")[0] for path in paths(net.graph) - paths(graph)} >= {"aux1", "aux2"}


def test_equal_calls_fold_to_one_body() -> None:
    net = network("resnet50")
    folded = fold_norms(net.shapes)
    layer = folded.graph.nodes["layer3"].body
    assert layer is not None
    assert [node.repeat for node in layer.nodes.values() if node.body] == [1, 5]
    assert len(folded.folds) == 53
    assert len({fold.target for fold in folded.folds}) == 53


@pytest.mark.parametrize(
    ("body", "folds"),
    [
        ("conv 4; batch; relu", 1),
        ("dw; frozen_batch; relu", 1),
        ("deconv 4; sync_batch; relu", 1),
        ("gap; flatten; fc 8; batch; relu", 1),
        ("conv 4; batch track=false; relu", 0),
        ("conv 4; relu; batch", 0),
        ("conv 4; group 2; relu", 0),
        ("fc 16; batch", 0),
        ("a: conv 4; b: batch; add { pass; @a }", 0),
        ("a: conv 4; output side { @a }; batch", 0),
        ("a: conv 4; batch; reuse a; relu", 0),
        ("a: conv 4; b: batch; conv 4; reuse b", 0),
        ("a: { conv 4 }; batch", 0),
        ("batch; conv 4", 0),
    ],
)
def test_only_a_norm_that_alone_follows_folds(body: str, folds: int) -> None:
    net = small(body)
    folded = fold_norms(net.shapes)
    verify(folded.graph)
    assert len(folded.folds) == folds
    assert (folded.graph is net.graph) == (folds == 0)


def test_a_network_for_inference_is_one_of_its_own() -> None:
    net = small("conv 4; batch; relu; dropout 0.5; gap; flatten; fc 3")
    plain, folded = net.for_inference(fold=False), net.for_inference()
    assert plain.folds == ()
    assert [key for key, _ in plain.state] == [key for key, _ in net.state]
    assert [fold.target for fold in folded.folds] == ["0"]
    assert [key for key, _ in folded.state] == ["0.weight", "0.bias", "6.weight", "6.bias"]
    assert len({net.digest, plain.digest, folded.digest}) == 3
    assert net.folds == ()


def test_a_transform_that_left_a_reader_behind_would_be_found() -> None:
    graph = small("a: { conv 4; none; relu }").graph
    body = graph.nodes["a"].body
    assert body is not None
    careless = with_nodes(body, {key: node for key, node in body.nodes.items() if key != "1"}, body.outputs)
    with pytest.raises(IllegalGraph, match="does not come before"):
        verify(careless)
    verify(remove_identities(graph))
