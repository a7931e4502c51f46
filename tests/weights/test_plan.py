"""What becomes of each key of a file of weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

import archdsl
from archdsl.network import Network
from archdsl.passes.arrivals import find_arrivals
from archdsl.passes.heads import find_head
from archdsl.passes.state import list_adaptable
from archdsl.weights.plan import plan_transfer, transfer_from
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import Needs, Transfer

STEPS = "conv1: conv 4 bias=true; bn1: norm; gap; flatten; fc: fc 5"
KEYS = """keys other { "conv1" = "stem.0"; "bn1" = "stem.1" }
keys plain in order
"""


def network(steps: str = STEPS) -> Network:
    return archdsl.load_text(f"{KEYS}model m {{ input [3, 8, 8]; {steps} }}")


def stored(net: Network, names: Mapping[str, str] | None = None) -> dict[str, Stored]:
    """Describe a file that has the network's weights, with some beginnings of keys renamed."""
    found: dict[str, Stored] = {}
    for key, tensor in net.state:
        beginning = next((old for old in names or () if key.startswith(old)), "")
        renamed = (names or {}).get(beginning, "") + key.removeprefix(beginning)
        found[renamed] = Stored(tensor.shape, tensor.dtype)
    return found


def needs(net: Network) -> Needs:
    arrivals, head = partial(find_arrivals, net.shapes), partial(find_head, net.shapes)
    return Needs(net.state, list_adaptable(net.shapes), arrivals, head)


def plan(net: Network, file: Mapping[str, Stored], *, is_in_order: bool = True) -> Transfer:
    return plan_transfer(needs(net), file, net.key_maps, is_in_order=is_in_order)


def causes(transfer: Transfer) -> dict[str, str]:
    return {entry.key or entry.source or "": entry.cause for entry in transfer.entries}


def test_the_networks_own_file_matches() -> None:
    transfer = plan(network(), stored(network()))
    assert transfer.fits
    assert transfer.origin is None
    assert set(causes(transfer).values()) == {"matched"}


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_seen_through(prefix: str) -> None:
    file = {f"{prefix}{key}": value for key, value in stored(network()).items()}
    transfer = plan(network(), file)
    assert transfer.fits
    assert len(transfer.of("renamed")) == len(network().state)
    assert all(entry.source == f"{prefix}{entry.key}" for entry in transfer.entries)


def test_a_prefix_that_the_network_has_itself_stays() -> None:
    net = network("module: { conv 4; norm }; fc: { gap; flatten; fc 5 }")
    assert set(causes(plan(net, stored(net))).values()) == {"matched"}


def test_a_key_beside_prefixed_ones_is_unused() -> None:
    file = {f"module.{key}": value for key, value in stored(network()).items()} | {"other": Stored((), "int64")}
    assert [e.source for e in plan(network(), file).of("unused")] == ["other"]


def test_two_keys_that_a_prefix_tells_apart_keep_it() -> None:
    file = stored(network()) | {"module.fc.bias": Stored((5,), "float32")}
    transfer = plan(network(), file)
    assert [e.source for e in transfer.of("unused")] == ["module.fc.bias"]
    assert len(transfer.of("matched")) == len(network().state)


def test_the_map_that_fits_is_found_and_named() -> None:
    transfer = plan(network(), stored(network(), {"conv1": "stem.0", "bn1": "stem.1"}), is_in_order=False)
    assert transfer.fits
    assert transfer.origin == "other"
    assert causes(transfer)["fc.bias"] == "matched"
    assert causes(transfer)["bn1.running_var"] == "renamed"


def test_a_map_asked_for_is_used_though_another_would_fit() -> None:
    net = network()
    transfer = transfer_from(net.key_maps[0], needs(net), stored(net))
    assert transfer.origin == "other"
    assert {e.key for e in transfer.of("matched")} == {"fc.weight", "fc.bias"}
    assert len(transfer.of("new")) == len(transfer.of("unused")) == len(net.state) - 2


def test_keys_in_order_correspond_whatever_they_are_called() -> None:
    file = stored(network(), {"conv1": "a", "bn1": "b", "fc": "c"})
    transfer = plan(network(), file)
    assert transfer.fits
    assert transfer.origin == "plain"


def test_an_order_without_counters_passes_them_by() -> None:
    file = stored(network(), {"conv1": "a", "bn1": "b", "fc": "c"})
    del file["b.num_batches_tracked"]
    transfer = plan(network(), file)
    assert transfer.fits
    assert [e.key for e in transfer.of("initial")] == ["bn1.num_batches_tracked"]


def test_where_an_order_breaks_nothing_behind_is_loaded_by_it() -> None:
    net = network()
    file = stored(net, {"conv1": "a", "bn1": "b", "fc": "c"})
    file = dict(list(file.items())[:1] + list(file.items())[2:])  # without conv1.bias, so that all behind it shifts
    transfer = transfer_from(net.key_maps[1], needs(net), file)
    assert [e.key for e in transfer.entries if e.is_loaded] == ["conv1.weight"]
    assert transfer.notes == ("in order, `b.weight` stands for `conv1.bias`, and they are no such pair",)


def test_an_order_names_both_keys_of_a_pair_of_other_shapes() -> None:
    net = network()
    file = stored(net, {"conv1": "a", "bn1": "b", "fc": "c"}) | {"a.bias": Stored((9,), "float32")}
    transfer = transfer_from(net.key_maps[1], needs(net), file)
    assert [e.key for e in transfer.entries if e.is_loaded] == ["conv1.weight"]
    assert [(e.key, e.source) for e in transfer.of("different")] == [("conv1.bias", "a.bias")]
    assert transfer.notes == ("in order, `a.bias` stands for `conv1.bias`, and their shapes differ",)


def test_safetensors_keep_no_order_to_go_by() -> None:
    net = network()
    transfer = transfer_from(net.key_maps[1], needs(net), stored(net), is_in_order=False)
    assert not any(e.is_loaded for e in transfer.entries)
    assert "keep none" in transfer.notes[0]


def test_a_file_without_counts_of_batches_fits() -> None:
    file = stored(network())
    del file["bn1.num_batches_tracked"]
    transfer = plan(network(), file)
    assert transfer.fits
    assert [e.key for e in transfer.of("initial")] == ["bn1.num_batches_tracked"]


def test_a_count_is_new_where_the_statistics_are_too() -> None:
    file = {key: value for key, value in stored(network()).items() if "running" not in key and "num" not in key}
    assert {e.key for e in plan(network(), file).of("new")} == {
        "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked"
    }  # fmt: skip


def test_another_class_count_leaves_the_head_new() -> None:
    file = stored(network()) | {"fc.weight": Stored((9, 4), "float32"), "fc.bias": Stored((9,), "float32")}
    transfer = plan(network(), file)
    assert [(e.key, e.shape, e.source_shape) for e in transfer.of("new")] == [
        ("fc.weight", (5, 4), (9, 4)), ("fc.bias", (5,), (9,))
    ]  # fmt: skip
    assert {e.reason for e in transfer.of("new")} == {"5 classes here, 9 in the file"}
    assert not transfer.of("unused")
    # Elsewhere it is no number of classes.
    file = stored(network()) | {"conv1.weight": Stored((9, 3, 3, 3), "float32")}
    assert [e.key for e in plan(network(), file).of("different")] == ["conv1.weight"]


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (Stored((5, 4, 1, 1), "float32"), "reshaped"),
        (Stored((20,), "float32"), "different"),
        (Stored((5, 2, 2), "float32"), "different"),
        (Stored((4, 5), "float32"), "different"),
        (Stored((5, 4), "float16"), "matched"),
        (Stored((5, 4), "float64"), "matched"),
        (Stored((5, 4), "int64"), "different"),
        (Stored((5, 4), "complex64"), "different"),
        (Stored(None, "dict"), "different"),
    ],
)
def test_shapes_and_types_decide(found: Stored, cause: str) -> None:
    transfer = plan(network(), stored(network()) | {"fc.weight": found})
    assert causes(transfer)["fc.weight"] == cause
    (entry,) = (e for e in transfer.entries if e.key == "fc.weight")
    assert entry.is_converted == (cause == "matched")
