"""The head: what is found before the outputs of the classes' shape."""

import pytest

from archdsl import check, load
from archdsl.passes.heads import find_head, is_of
from archdsl.text.source import Source


def head(text: str) -> set[str]:
    return set(find_head(load(Source(text)).shapes))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", {"fc"}),
        ("googlenet", {"aux1.fc2", "aux2.fc2", "fc"}),
        ("squeezenet1_0", {"classifier.1"}),
        ("inception_v3", {"AuxLogits.fc", "fc"}),
    ],
)
def test_the_head_of_a_bundled_network_is_its_last_layer_and_those_of_its_training_outputs(
    name: str, expected: set[str]
) -> None:
    assert find_head(load(name).shapes) == expected


def test_norms_activations_and_dropout_behind_the_last_layer_are_looked_through() -> None:
    assert head("model m { input [3, 8, 8]; conv 4; gap; flatten; last: fc 3; batch; relu; dropout 0.1 }") == {"last"}


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("fc: fc 5; sc: scale 1.0", {"fc", "sc"}),
        ("fc: fc 5; off: offset", {"fc", "off"}),
        ('x: pass; w: param [5, 4]; einsum "n c, c -> n" { pass; @x }', {"w"}),
        ("first: fc 5; relu; fc: fc 5; sc: scale 1.0; off: offset", {"fc", "sc", "off"}),
    ],
)
def test_what_is_learned_behind_the_last_map_or_is_the_map_itself_belongs_to_it(tail: str, expected: set[str]) -> None:
    network = load(Source(f"model m {{ input [3, 8, 8]; conv 4; gap; flatten; {tail} }}"))
    assert find_head(network.shapes) == expected
    keys = {key for key, _ in network.state if is_of(key, find_head(network.shapes))}
    assert keys == {key for key, _ in network.state} - network.frozen("* except head").frozen_keys


def test_ways_that_join_before_an_output_each_have_a_head() -> None:
    text = "model m { input [3, 8, 8]; a: gap; flatten; x: pass; left: { fc 3 }; l: pass; @x; right: fc 3; add @l }"
    assert head(text) == {"left.0", "right"}


def test_a_step_that_comes_before_another_head_is_none() -> None:
    text = "model m { input [3, 8, 8]; gap; flatten; first: fc 4; residual { last: fc 4 } }"
    assert head(text) == {"last"}


def test_the_head_of_repeated_blocks_is_in_the_last_of_them() -> None:
    text = "block b { fc 3 }\nmodel m { input [3]; s: { b x 4 } }"
    assert head(text) == {"s.3.0"}


def test_a_network_without_weights_has_no_head() -> None:
    assert head("model m { input [3, 8, 8]; gap; flatten }") == set()


def test_the_head_that_is_used_twice_goes_by_the_first_name() -> None:
    text = "model m { input [3]; a: fc 3; relu; reuse a }"
    assert head(text) == {"a"}


def test_several_heads_are_pruned_together() -> None:
    branches = "; ".join(f"h{i}: fc 2" for i in range(40))
    assert head(f"model m {{ input [3]; first: fc 3; relu; add {{ {branches} }} }}") == {f"h{i}" for i in range(40)}


def test_a_head_behind_too_many_steps_is_told() -> None:
    text = "block b { { { relu } x 90 } x 90 }\nmodel m { input [3]; fc 3; b x 60; add { pass; relu }; freeze head }"
    found = check(Source(text))
    assert [(one.code, one.span.text) for one in found if one.code.startswith("E")] == [("E109", "head")]
