"""What is frozen, as short lists of paths that say just that."""

from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl import load
from archdsl.passes.freeze import freeze
from archdsl.passes.frozen import are_frozen, describe_frozen, frozen_keys, outermost
from archdsl.text.source import Source
from tests.strategies import Spec, specs


def test_the_outermost_paths_are_told() -> None:
    found = outermost(load("resnet18").frozen("conv1 bn1 layer1.0 layer1.1 layer2.0.conv1").shapes)
    assert found.frozen == ("conv1", "bn1", "layer1", "layer2.0.conv1")
    assert found.trainable[:3] == ("layer2.0.bn1", "layer2.0.conv2", "layer2.0.bn2")


def test_the_shorter_way_is_taken() -> None:
    network = load("resnet18")
    assert describe_frozen(network.shapes) == ()
    assert [str(one) for one in describe_frozen(network.frozen("*").shapes)] == ['"*"']
    assert [str(one) for one in describe_frozen(network.frozen("* except head").shapes)] == ['"*" except "fc"']
    assert [str(one) for one in describe_frozen(network.frozen("layer1.*").shapes)] == ['"layer1"']


def test_a_level_of_steps_without_parameters_is_frozen_if_one_of_them_is() -> None:
    network = load(Source("model m { input [3]; fc 3; drop: dropout 0.5; relu; fc 2 }")).frozen("drop")
    nodes = list(network.graph.nodes.values())
    assert [are_frozen(network.tables, [node]) for node in nodes[1:]] == [False, True, False, False]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_the_statements_freeze_what_they_describe(data: st.DataObject) -> None:
    spec: Spec = data.draw(specs())
    network = load(Source(spec.text), spec.model)
    flat = network.flatten()
    paths = [str(node) for node in flat.nodes if not (node in network.inputs or "reuses" in flat.nodes[node])]
    chosen = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=5))
    frozen = network.frozen(" ".join(f'"{path}"' for path in chosen)).shapes
    statements = describe_frozen(frozen)
    again = freeze(network.shapes, statements) if statements else network.shapes
    assert frozen_keys(again) == frozen_keys(frozen)
    assert describe_frozen(again) == statements
