"""Freezing: which nodes and keys the patterns reach, and that nothing else of the graph changes."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archdsl import Network, SpecError, from_networkx, load
from archdsl.ir.flatten import flatten
from archdsl.ir.freezing import Freezing
from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Trouble
from archdsl.ir.verify import verify
from archdsl.passes.freeze import covered_keys
from archdsl.text.source import Source
from tests.strategies import Spec, specs

BLOCKS = """
block b { conv 8; batch; relu; dropout 0.1 }
model m { input [3, 16, 16]; stem: conv 8; body: { b x 5 }; gap; flatten; fc: fc 5 }
"""


def network_of(text: str) -> Network:
    return load(Source(text))


def frozen(text: str, what: str) -> set[str]:
    """Return the modules that have frozen tensors."""
    return {key.rpartition(".")[0] for key in network_of(text).frozen(what).frozen_keys}


def test_a_path_covers_all_below_it() -> None:
    assert frozen(BLOCKS, "body.4 stem") == {"stem", "body.4.0", "body.4.1"}


def test_a_segment_of_a_pattern_stands_for_one_of_a_path() -> None:
    assert frozen(BLOCKS, "body.*.1") == {f"body.{name}.1" for name in ("0", "1", "2", "3", "4")}


def test_exceptions_stay_trainable() -> None:
    assert frozen(BLOCKS, "* except body head") == {"stem"}


def test_exceptions_hold_for_their_own_statement() -> None:
    network = network_of(BLOCKS).frozen("* except head").frozen("fc")
    assert network.frozen_keys == {key for key, _ in network.state}
    assert [str(each) for each in network.freezings] == ['"*" except head', '"fc"']


def test_repeats_are_cut_only_where_they_differ() -> None:
    network = network_of(BLOCKS).frozen("body.0 body.1 body.4")
    body = network.graph.nodes["body"].body
    assert body is not None
    assert [node.names for node in body.nodes.values()][1:] == [("0", "1"), ("2", "3"), ("4",)]
    assert body.nodes["0"].body is body.nodes["4"].body
    verify(network.graph)


def test_equal_bodies_with_equal_frozen_parts_are_shared() -> None:
    network = network_of(BLOCKS).frozen("body.0.0 body.4.0 body.1.*")
    body = network.graph.nodes["body"].body
    assert body is not None
    assert body.nodes["0"].body is body.nodes["4"].body
    assert body.nodes["1"].body is not body.nodes["0"].body


def test_what_is_reused_is_frozen_with_its_owner() -> None:
    network = network_of("model m { input [3]; a: { fc 3; batch }; relu; reuse a; fc: fc 2 }").frozen("a")
    verify(network.graph)
    assert {key.rpartition(".")[0] for key in network.frozen_keys} == {"a.0", "a.1"}


@pytest.mark.parametrize("what", ["a_2", "a_2.0", "a_*.0"])
def test_a_step_that_applies_anothers_weights_has_none_to_freeze(what: str) -> None:
    network = network_of("model m { input [3]; a: { fc 3; batch }; relu; reuse a; fc: fc 2 }")
    with pytest.raises(SpecError) as caught:
        network.frozen(what)
    assert "it applies the weights of `a" in caught.value.diagnostics[0].help


def test_tensors_that_a_level_owns_itself_are_frozen() -> None:
    network = network_of("model m { input [3, 8, 8]; stem: { conv: conv 4; gamma: scale }; gap }")
    assert network.frozen("stem").frozen_keys == {"stem.conv.weight", "stem.gamma"}


def test_only_what_has_tensors_or_differs_in_training_is_marked() -> None:
    graph = flatten(network_of(BLOCKS).frozen("*").graph)
    marked = {graph.nodes[node]["op"].keyword for node in graph.nodes if graph.nodes[node].get("frozen")}
    assert marked == {"conv", "batch", "dropout", "fc"}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("stm", "no step has the path `stm`"),
        ("* except boddy", "no step has the path `boddy`"),
        ("fc.weight", "no step has the path `fc.weight`"),
        ("", "this freezes nothing"),
        ("stem except", "nothing stands behind `except`"),
        ("stem except fc except body", "`except` stands here twice"),
        ('"stem', "this pattern has no closing quote"),
    ],
)
def test_a_pattern_that_reaches_no_step_is_a_mistake(what: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        network_of(BLOCKS).frozen(what)
    assert [(found.code, found.message) for found in caught.value.diagnostics] == [("E132", message)]


def test_all_patterns_that_reach_no_step_are_told_with_the_nearest_path() -> None:
    with pytest.raises(SpecError) as caught:
        network_of(BLOCKS).frozen("stm bod.0")
    assert [found.help for found in caught.value.diagnostics] == [
        "the nearest path is `stem`",
        "the nearest path is `body.0`",
    ]


def test_a_network_without_weights_has_no_head_to_leave_out() -> None:
    with pytest.raises(SpecError, match="no step with weights that `head` could mean"):
        network_of("model m { input [3, 8, 8]; gap; flatten }").frozen("* except head")


def test_a_quoted_head_is_a_path() -> None:
    text = "model m { input [3]; head: { fc 3 }; tail: fc 2 }"
    assert frozen(text, '"head"') == {"head.0"}
    assert frozen(text, "head") == {"tail"}


def test_patterns_without_end_are_refused() -> None:
    network = load("densenet201")
    with pytest.raises(SpecError) as caught:
        network.frozen(" ".join(f"features.*.*{i}*.*" for i in range(3000)))
    assert caught.value.diagnostics[0].code == "E109"


def _names(graph: Graph) -> list[tuple[str, object]]:
    flat = flatten(graph)
    return [(node, flat.nodes[node]["op"]) for node in flat.nodes]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_patterns_cover_the_keys_that_they_would_freeze(data: st.DataObject) -> None:
    spec: Spec = data.draw(specs())
    network = load(Source(spec.text), spec.model)
    paths = [str(path) for path in network.flatten().nodes if path not in network.inputs]
    words = [segment for path in paths for segment in path.split(".")]
    patterns = st.one_of(
        st.sampled_from(paths), st.lists(st.sampled_from(["*", *words]), min_size=1, max_size=3).map(".".join)
    )
    reached = data.draw(st.lists(patterns, min_size=1, max_size=2))
    excepts = data.draw(st.lists(patterns, max_size=1))
    covering = Freezing(tuple(reached), tuple(excepts))
    try:
        frozen = network.frozen(covering).frozen_keys
    except SpecError:
        assume(False)
        raise
    try:
        assert covered_keys(network.shapes, covering) == frozen
        # What is frozen already says nothing of it.
        assert covered_keys(network.frozen('"*"').shapes, covering) == frozen
    except Trouble:
        assert not frozen


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_nothing_but_the_marks_changes(data: st.DataObject) -> None:
    spec: Spec = data.draw(specs())
    network = load(Source(spec.text), spec.model)
    flat = network.flatten()
    paths = [str(node) for node in flat.nodes if not (node in network.inputs or "reuses" in flat.nodes[node])]
    chosen = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=4))
    changed = network.frozen(" ".join(f'"{path}"' for path in chosen))
    verify(changed.graph)
    assert _names(changed.graph) == _names(network.graph)
    assert changed.state == network.state
    assert replace(changed.costs.total, frozen=0) == network.costs.total
    mine = {key for key, _ in network.state if any(key == p or key.startswith(f"{p}.") for p in chosen)}
    assert changed.frozen_keys == mine


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_networkx_there_and_back_keeps_what_is_frozen(data: st.DataObject) -> None:
    spec: Spec = data.draw(specs())
    network = load(Source(spec.text), spec.model)
    flat = network.flatten()
    paths = [str(node) for node in flat.nodes if not (node in network.inputs or "reuses" in flat.nodes[node])]
    chosen = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=4))
    changed = network.frozen(" ".join(f'"{path}"' for path in chosen))  # in quotes `head` is a path, too
    assert from_networkx(changed.graph.networkx).frozen_keys == changed.frozen_keys
    assert from_networkx(changed.flatten()).frozen_keys == changed.frozen_keys
