from __future__ import annotations

from collections import Counter
from dataclasses import replace
from time import perf_counter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl import Network, load, load_text
from archdsl.difference import diff
from archdsl.passes.difference import Change, Difference
from archdsl.specs import bundled_models
from tests.bundled import ENDS, tiered
from tests.strategies import Spec, specs

NAMES = [name for name, _ in bundled_models()]
FEW = ("resnet50", "mobilenet_v3_small", "densenet121", "googlenet", "unet_padded", "siamese", "shufflenet_v2_x1_0")
PAIRS = (
    ("resnet18", "resnet50"),
    ("resnet50", "preresnet50"),
    ("resnet50", "seresnext50_32x4d"),
    ("mobilenet_v2", "mobilenet_v3_large"),
    ("densenet121", "densenet169"),
    ("efficientnet_b0", "mnasnet1_0"),
    ("vgg16", "vgg11_bn"),
    ("googlenet", "inception_v3"),
    ("unet", "fpn_resnet18"),
)


def changes(before: str, after: str) -> list[tuple[str, str]]:
    """Return the kind and the folded settings of each change between two texts of one model."""
    return [(c.kind, c.places[0].path) for c in diff(net(before), net(after)).changes]


def net(steps: str) -> Network:
    return load_text(f"model net {{\n  input [8, 32, 32]\n{steps}\n}}\n")


def outline(difference: Difference) -> Counter[tuple[object, ...]]:
    return Counter(
        (change.kind, place.before and place.before.path, place.after and place.after.path, s.name if s else "")
        for change in difference.changes
        for place in change.places
        for s in change.settings or (None,)
    )


def exchanged(found: Counter[tuple[object, ...]]) -> Counter[tuple[object, ...]]:
    other = {"added": "removed", "removed": "added"}
    return Counter({(other.get(str(kind), kind), b, a, name): n for (kind, a, b, name), n in found.items()})


def check(difference: Difference, one: Network, other: Network) -> None:
    """Hold a difference against the two networks it is of."""
    costs = {name: (getattr(one.costs, name), getattr(other.costs, name)) for name in ("parameters", "macs", "buffers")}
    for name, (before, after) in costs.items():
        figure = difference.total(name)
        assert (figure.before, figure.after, figure.change) == (before, after, after - before)
    for name in ("parameters", "macs"):
        told = sum(getattr(change, name) for change in difference.changes) + getattr(difference.follows, name)
        assert told == difference.total(name).change, name
    kept = difference.weights
    assert kept.tensors_before == len(one.state)
    assert kept.tensors_after == len(other.state)
    assert kept.elements <= min(kept.elements_before, kept.elements_after)
    paths = {node.path for node in one.costs.nodes}, {node.path for node in other.costs.nodes}
    for change in difference.changes:
        for place in change.places:
            for step, known in zip((place.before, place.after), paths, strict=True):
                assert (
                    step is None
                    or step.path in known
                    or any(p.startswith(f"{step.path}.") for p in known)
                    or (step.op == "input")
                )


@pytest.mark.parametrize("name", FEW)
def test_a_network_does_not_differ_from_itself(name: str) -> None:
    found = diff(name, name)
    assert not found
    assert not found.follows.places
    assert found.weights.same_key == found.weights.tensors_before == found.weights.tensors_after
    assert all(figure.before == figure.after for figure in found.totals)


@pytest.mark.parametrize("name", tiered(ENDS))
def test_no_end_of_a_file_differs_from_itself(name: str) -> None:
    found = diff(name, name)
    assert not found
    assert found.weights.same_key == found.weights.tensors_after


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_changes_add_up_and_are_mirrored(before: str, after: str) -> None:
    one, other = load(before), load(after)
    found, back = diff(one, other), diff(other, one)
    check(found, one, other)
    check(back, other, one)
    assert outline(back) == exchanged(outline(found))
    assert back.weights.elements == found.weights.elements
    assert found


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), specs())
def test_any_two_networks_are_compared_and_add_up(first: Spec, second: Spec) -> None:
    one, other = (load_text(spec.text, spec.model) for spec in (first, second))
    found, back = diff(one, other), diff(other, one)
    check(found, one, other)
    assert outline(back) == exchanged(outline(found))
    assert not diff(one, one)


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "densenet121", "googlenet", "vgg16_bn"])
def test_a_kernel_changed_in_one_step_of_a_bundled_network_is_this_one_change(name: str) -> None:
    network = load(name)
    family = network.spec.name.removesuffix(".arch")
    convs = [n.path for n in network.costs.nodes if n.op == "conv"]
    for path in (convs[0], convs[len(convs) // 2], convs[-1]):
        text = f'use "{family}"\nvariant other of {name} {{ set "{path}" dilation=2 padding=same }}\n'
        try:
            other = load_text(text)
        except archdsl.SpecError:
            continue  # `same` asks for a stride of 1
        (change,) = diff(network, other).changes
        assert (change.kind, len(change.places), change.places[0].path) == ("changed", 1, path)
        assert {setting.name for setting in change.settings} <= {"dilation", "padding"}


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "densenet121", "googlenet", "vgg16_bn"])
def test_an_activation_left_out_of_a_bundled_network_is_this_one_change(name: str) -> None:
    network = load(name)
    family = network.spec.name.removesuffix(".arch")
    steps = [n.path for n in network.costs.nodes if n.op in ("relu", "relu6")]
    path = steps[len(steps) // 2]
    other = load_text(f'use "{family}"\nvariant other of {name} {{ remove "{path}" }}\n')
    (change,) = diff(network, other).changes
    assert change.kind == "removed"
    assert [place.path for place in change.places] == [path]


STEPS = ("conv 8", "conv 16 k=1", "conv 8 k=5 bias=true", "norm", "act", "dw", "maxpool k=3 s=1", "dropout 0.1", "gelu")


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """Draw a network and the same with one edit; give both, what the edit is, and the path where it is."""
    body = [(f"s{i}", draw(st.sampled_from(STEPS))) for i in range(draw(st.integers(2, 7)))]
    at = draw(st.integers(0, len(body) - 1))
    kind = draw(st.sampled_from(("added", "removed", "renamed", "changed")))
    label, step = body[at]
    edited = list(body)
    path = label
    if kind == "added":
        path = "new"
        edited.insert(at, (path, draw(st.sampled_from(STEPS))))
    elif kind == "removed":
        del edited[at]
    elif kind == "renamed":
        path = "other"
        edited[at] = (path, step)
    else:
        assume(step.startswith("conv"))
        edited[at] = (label, f"{step} groups=2")
    form = draw(st.sampled_from(("{}", "one: {{ {} }}", "{{ {} }} x 3", "residual {{ {}; conv 8 k=1 }}; act")))
    before, after = (form.format("; ".join(f"{name}: {text}" for name, text in steps)) for steps in (body, edited))
    return before, after, kind, path


@settings(max_examples=300)
@given(planted())
def test_one_edit_is_one_change(case: tuple[str, str, str, str]) -> None:
    before, after, kind, path = case
    (change,) = diff(net(before), net(after)).changes
    assert change.kind == kind
    assert {place.path.rpartition(".")[2] for place in change.places} == {path}
    assert len(change.places) == (3 if before.endswith("x 3") else 1)


def test_a_change_in_a_block_is_told_once_with_its_places() -> None:
    (change,) = [c for c in diff("resnet50", "resnext50_32x4d").changes if any(s.name == "groups" for s in c.settings)]
    assert len(change.places) == 16
    assert change.block == "bottleneck"
    channels, groups = change.settings
    assert channels.values == ((64, 128), (128, 256), (256, 512), (512, 1024))
    assert groups.values == ((1, 32),)


def test_another_width_upstream_changes_nothing_else() -> None:
    found = diff(net("a: conv 16; b: norm; act; c: conv 8"), net("a: conv 24; b: norm; act; c: conv 8"))
    (change,) = found.changes
    assert [place.path for place in found.follows.places] == ["b", "act", "c"]
    assert change.parameters == 8 * 9 * 8
    assert found.follows.parameters == 8 * 2 + 8 * 9 * 8


def test_a_block_one_longer_has_its_last_step_added() -> None:
    assert changes("a: { conv 8; act } x 3", "a: { conv 8; act } x 4") == [("added", "a.3")]
    assert changes("a: { { conv 8; act } x 2 }", "a: { { conv 8; act } x 4 }")[0][0] == "added"


def test_steps_put_into_a_level_move_and_keep_their_weights() -> None:
    found = diff(net("c: conv 16; n: norm; act; d: conv 4"), net("stem: { c: conv 16; n: norm; act }; d: conv 4"))
    assert Counter(change.kind for change in found.changes) == {"added": 1, "moved": 3}
    assert found.weights.other_key == 6  # a convolution's tensor, and a norm's five
    assert found.weights.same_key == 1


def test_two_steps_exchanged_are_one_move() -> None:
    (change,) = diff(net("a: conv 8; b: conv 8 k=5; act"), net("b: conv 8 k=5; a: conv 8; act")).changes
    assert change.kind == "moved"


def test_a_shortcut_that_begins_elsewhere_is_rewired() -> None:
    before = "a: conv 8; b: conv 8; c: conv 8; add { @a; @c }"
    after = "a: conv 8; b: conv 8; c: conv 8; add { @b; @c }"
    assert changes(before, after) == [("rewired", "add")]


def test_weights_that_are_applied_again_are_a_change() -> None:
    before = "a: conv 8; act; b: conv 8; act"
    after = "a: conv 8; act; reuse a; act"
    assert "added" in {kind for kind, _ in changes(before, after)} or changes(before, after)


def test_another_initial_value_is_no_other_network_once_trained() -> None:
    (change,) = diff(net("a: conv 8"), net("a: conv 8 init=zeros")).changes
    assert change.is_initial
    assert change.parameters == 0


def test_a_name_that_now_means_another_step_does_not_count_as_kept() -> None:
    found = diff(net("f: { conv 8; act; conv 8; act }"), net("f: { conv 8; norm; act; conv 8; norm; act }"))
    assert found.weights.same_key == 1
    assert found.weights.other_key == 1


def test_another_input_size_changes_the_input_alone() -> None:
    found = diff(load("resnet18"), load("resnet18", input=(3, 160, 160)))
    (change,) = found.changes
    assert (change.kind, change.places[0].path) == ("changed", "input")
    assert found.total("parameters").change == 0
    assert found.weights.same_key == found.weights.tensors_before


def test_a_difference_is_plain_data() -> None:
    found = diff("resnet18", "resnet34")
    assert isinstance(found.changes[0], Change)
    assert replace(found, changes=()).changes == ()
    with pytest.raises(KeyError, match="parameters"):
        found.total("params")


def test_networks_of_a_thousand_layers_are_compared_quickly() -> None:
    one, other = load("resnet1202_cifar"), load("preresnet1001_cifar")
    flat = "\n".join(f"c{i}: conv {8 + i % 5} k={1 + 2 * (i % 3)}" for i in range(1200))
    wide = "\n".join(f"c{i}: conv {9 + i % 4} k={1 + 2 * (i % 2)}" for i in range(1000))
    pairs = [(one, other), (net(flat), net(wide)), (net(flat), net(flat.replace("c", "d").replace("donv", "conv")))]
    for before, after in pairs:
        start = perf_counter()
        found = diff(before, after)
        assert perf_counter() - start < 8, "far above what it takes, for a busy machine"
        assert found
