"""Guessed renames are right or not made: random renamings of networks, and files in which nothing tells two layers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.passes.state import list_adaptable
from archdsl.weights.guess import guess_renames, keys_block
from archdsl.weights.plan import plan_transfer
from archdsl.weights.report import describe
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import Needs, Transfer

WORDS = ("alpha", "beta", "conv", "norm", "head", "stem", "proj", "body", "q", "k", "gamma", "delta", "mix", "lift")
NETWORKS: dict[str, str] = {
    "straight": "conv1: conv 8 bias=true; bn1: norm; act; conv2: conv 16; bn2: norm; gap; flatten; fc: fc classes",
    "alike": "a: conv 8; b: conv 8; c: conv 8; gap; flatten; fc: fc classes",
    "levels": "body: { one: { conv 8; norm; act }; two: { conv 8; norm; act } }; gap; flatten; out: fc classes",
    "branches": "mix: concat { left: { conv 8; norm }; right: { conv 8; norm }; wide: conv 8 k=5 }; gap; flatten; "
    "fc: fc classes",
    "stages": "stem: conv 8; layer{stage}: stages [2, 3] double c=8 stride=1 { residual { conv1: conv c; bn1: norm; "
    "act; conv2: conv c; bn2: norm } shortcut down { conv c k=1; norm }; act }; gap; flatten; fc: fc classes",
    "parameters": "conv1: conv 8; scale: offset; norm; gap; flatten; fc: fc classes",
}


def text_of(name: str) -> str:
    return f"model m(classes=10) {{ input [3, 16, 16]; {NETWORKS[name]} }}\n"


@cache
def network(name: str, classes: int = 10) -> archdsl.Network:
    if name in NETWORKS:
        return archdsl.load_text(text_of(name), classes=classes)
    return archdsl.load(name, classes=classes)


def needs(net: archdsl.Network) -> Needs:
    return Needs(net.state, list_adaptable(net.shapes))


def guess(net: archdsl.Network, file: Mapping[str, Stored], *, is_in_order: bool = True) -> Transfer | None:
    known = plan_transfer(needs(net), file, net.key_maps, is_in_order=is_in_order)
    return guess_renames(needs(net), file, known, is_in_order=is_in_order)


def stored(net: archdsl.Network) -> dict[str, Stored]:
    return {key: Stored(tensor.shape, tensor.dtype) for key, tensor in net.state}


def renamed(key: str, chance: random.Random, names: dict[str, str], is_whole: bool) -> str:
    """Rename a key level by level; names that a number tells apart keep their order, and siblings stay apart."""
    *path, part = key.split(".")
    new: list[str] = []
    for place, old in enumerate(path):
        level = ".".join(path[:place])
        head = old.rstrip("0123456789")
        number = old.removeprefix(head)
        word = names.get(f"{level}/{head}")
        if word is None:
            used = {names[other] for other in names if other.startswith(f"{level}/")}
            free = [word for word in WORDS if word not in used]
            word = names[f"{level}/{head}"] = head if not (is_whole or chance.random() < 0.5) else chance.choice(free)
        shift = names.setdefault(f"{level}/#{head}", str(chance.randrange(3)))
        new.append(f"{word}{int(number) + int(shift)}" if number else word)
    return ".".join((*new, part))


@given(
    st.sampled_from([*NETWORKS, "resnet20_cifar", "digits", "squeezenet1_1"]),
    st.randoms(use_true_random=False),
    st.sampled_from(["registered", "sorted", "sorted as if registered", "shuffled as if registered"]),
    st.sampled_from([10, 7]),
    st.sampled_from(["", "module.", "model.net."]),
    st.booleans(),
)
@settings(max_examples=60)
def test_a_random_renaming_is_found_or_not_guessed_but_never_wrong(
    name: str, chance: random.Random, order: str, classes: int, prefix: str, is_whole: bool
) -> None:
    net = network(name)
    names: dict[str, str] = {}
    there = stored(network(name, classes))
    truth = {key: f"{prefix}{renamed(key, chance, names, is_whole)}" for key in there}
    if len(set(truth.values())) < len(truth):
        return
    file = {truth[key]: value for key, value in there.items()}
    if order.startswith("sorted"):
        file = dict(sorted(file.items()))
    if order.startswith("shuffled"):
        mixed = list(file.items())
        chance.shuffle(mixed)
        file = dict(mixed)
    transfer = guess(net, file, is_in_order="registered" in order)
    known = plan_transfer(needs(net), file, net.key_maps)
    if order == "registered" and is_whole and name != "alike" and not known.of("matched"):
        # Of a head of other classes it is known too which it is.
        assert known.fits or (transfer is not None and placed(transfer) == truth)
    if transfer is None:
        return
    wrong = {e.key: e.source for e in transfer.of("guessed") if truth.get(e.key or "") != e.source}
    by_name = {e.key: e.source for e in known.entries if e.is_loaded and truth.get(e.key or "") != e.source}
    assert by_name or not wrong, (order, describe(transfer))
    if name in NETWORKS:
        by_rules = archdsl.load_text(text_of(name) + keys_block("found", transfer.rules)).key_maps[0]
        found = plan_transfer(needs(net), file, [by_rules], is_in_order="registered" in order)
        assert loaded(found) == loaded(transfer)


def placed(transfer: Transfer) -> dict[str | None, str | None]:
    return {e.key: e.source for e in transfer.entries if e.key is not None and e.source is not None}


def loaded(transfer: Transfer) -> dict[str | None, str | None]:
    return {e.key: e.source for e in transfer.entries if e.is_loaded or e.cause == "guessed"}


def with_names(net: archdsl.Network, names: Mapping[str, str]) -> dict[str, Stored]:
    """Describe a file of the network in which some modules are called otherwise."""
    found: dict[str, Stored] = {}
    for key, tensor in net.state:
        module, _, part = key.rpartition(".")
        found[f"{names.get(module, module)}.{part}"] = Stored(tensor.shape, tensor.dtype)
    return found


def guessed(transfer: Transfer | None) -> dict[str, str]:
    """Return which module is guessed to be which."""
    entries = transfer.of("guessed") if transfer is not None else ()
    return {(e.key or "").rpartition(".")[0]: (e.source or "").rpartition(".")[0] for e in entries}


SIDES = {"mix.left.0": "x.p.c", "mix.left.1": "x.p.n", "mix.right.0": "x.q.c", "mix.right.1": "x.q.n"}


def test_layers_alike_are_told_by_the_order_of_the_file() -> None:
    transfer = guess(network("branches"), with_names(network("branches"), SIDES))
    assert guessed(transfer) == SIDES
    assert transfer is not None
    assert {e.reason for e in transfer.of("guessed")} == {"by the file's order"}


def test_an_order_that_chance_may_have_made_tells_nothing() -> None:
    net = network("alike")
    assert guess(net, with_names(net, {"a": "first", "b": "second", "c": "third"})) is None


@pytest.mark.parametrize("order", ["safetensors", "sorted"])
def test_where_no_order_tells_layers_alike_nothing_is_guessed(order: str) -> None:
    net = network("branches")
    file = dict(sorted(with_names(net, SIDES).items()))
    transfer = guess(net, file, is_in_order=order == "sorted")
    assert transfer is None


def test_numbers_in_names_tell_layers_alike() -> None:
    names = {"a": "net.2", "b": "net.5", "c": "net.10"}
    assert guessed(guess(network("alike"), with_names(network("alike"), names), is_in_order=False)) == names


def test_numbers_that_go_the_other_way_tell_nothing() -> None:
    net = archdsl.load_text("model m { input [8, 8, 8]; up3: conv 8; up2: conv 8; up1: conv 8 }")
    file = with_names(net, {"up1": "dec1", "up2": "dec2", "up3": "dec3"})
    assert guess(net, dict(sorted(file.items())), is_in_order=False) is None


def test_what_names_say_tells_the_rest() -> None:
    net = network("alike")
    file = with_names(net, {"c": "third"})
    assert guessed(guess(net, file, is_in_order=False)) == {"c": "third"}


@pytest.mark.parametrize("classes", [10, 3])
def test_a_head_of_other_classes_keeps_its_cause(classes: int) -> None:
    net = network("straight", classes)
    there = {"conv1": "f.0", "bn1": "f.1", "conv2": "f.3", "bn2": "f.4", "fc": "head"}
    transfer = guess(net, with_names(network("straight"), there))
    assert transfer is not None
    assert guessed(transfer) == {ours: theirs for ours, theirs in there.items() if ours != "fc" or classes == 10}
    assert {e.source for e in transfer.of("different")} == (set() if classes == 10 else {"head.weight", "head.bias"})


def test_another_network_is_none_of_another_name() -> None:
    for theirs in ("resnet34", "resnet50", "densenet121", "vgg11_bn"):
        file = {f"x.{key}": value for key, value in stored(archdsl.load(theirs)).items()}
        assert guess(archdsl.load("resnet18"), file) is None


@pytest.mark.parametrize("layer", ["conv 8 k=5", "conv 9", "conv 8 bias=true"])
def test_a_network_with_another_layer_in_it_is_another_one(layer: str) -> None:
    other = archdsl.load_text(text_of("straight").replace("conv 16", layer))
    assert guess(network("straight"), {f"x{key}": value for key, value in stored(other).items()}) is None


def test_of_two_of_a_kind_none_is_guessed() -> None:
    file = {f"{side}.x{key}": value for side in ("one", "other") for key, value in stored(network("straight")).items()}
    assert guess(network("straight"), file) is None


def test_heads_that_the_network_lacks_are_left_over() -> None:
    file = {f"net.x{key}": value for key, value in stored(network("straight")).items()}
    file |= {"aux1.weight": Stored((9, 9), "float32"), "aux2.weight": Stored((9, 9), "float32")}
    transfer = guess(network("straight"), file)
    assert transfer is not None
    assert [e.source for e in transfer.of("unused")] == ["aux1.weight", "aux2.weight"]
    assert not transfer.of("new")


@pytest.mark.parametrize(
    "more",
    [{"aux.weight": Stored((99, 99), "float32")}, {f"aux{i}.weight": Stored((1,), "float32") for i in range(6)}],
)
def test_what_is_the_lesser_part_of_a_file_is_not_guessed(more: dict[str, Stored]) -> None:
    file = {f"net.x{key}": value for key, value in stored(network("straight")).items()}
    assert guess(network("straight"), file | more) is None


def test_a_head_that_the_file_lacks_is_new() -> None:
    file = {f"net.x{key}": value for key, value in stored(network("straight")).items() if not key.startswith("fc")}
    transfer = guess(network("straight"), file)
    assert transfer is not None
    assert {e.key for e in transfer.of("new")} == {"fc.weight", "fc.bias"}
    assert len(transfer.of("guessed")) == len(network("straight").state) - 2


@pytest.mark.parametrize("depth", [60, 9_000])
def test_names_of_more_than_any_usual_depth_are_not_looked_through(depth: int) -> None:
    file = {f"{'a.' * depth}{key}x": value for key, value in stored(network("straight")).items()}
    assert guess(network("straight"), file) is None


def test_many_modules_alike_are_no_work_without_end() -> None:
    net = archdsl.load_text(f"model m {{ input [8, 8, 8]; {'conv 8; ' * 30} }}")
    words = [f"{a}{b}" for a in "abcdef" for b in "ghijk"]
    file = {f"{word}.weight": tensor for word, tensor in zip(words, stored(net).values(), strict=True)}
    assert guess(net, dict(sorted(file.items())), is_in_order=False) is None


def test_a_key_that_no_rule_can_say_is_not_guessed() -> None:
    file = {f'a"{{b}}.{key}': value for key, value in stored(network("straight")).items()}
    assert guess(network("straight"), {key.replace("conv1", "c"): value for key, value in file.items()}) is None


def test_maps_of_timm_are_found_without_being_known() -> None:
    for name in ("efficientnet_b0", "convnext_tiny", "mnasnet1_0", "vgg11", "mobilenet_v2"):
        net = archdsl.load(name)
        (timm,) = [key_map for key_map in net.key_maps if key_map.origin == "timm"]
        truth = {key: timm.rename(key) or key for key, _ in net.state}
        file = {truth[key]: value for key, value in stored(net).items()}
        for in_order in (True, False):
            ordered = file if in_order else dict(sorted(file.items()))
            known = plan_transfer(needs(net), ordered, is_in_order=in_order)
            transfer = guess_renames(needs(net), ordered, known, is_in_order=in_order)
            assert transfer is not None
            assert loaded(transfer) == truth
            assert len(transfer.rules) <= len(net.state) / 4
