"""What a file has beside what a network needs: counts, copies, and what a name map drops."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn
from torch.optim.swa_utils import AveragedModel

import archdsl
from archdsl.weights.report import describe, record
from tests.weights.small_net import SPEC, network, same, trained

pytestmark = pytest.mark.torch


class Tied(nn.Module):
    """One convolution under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.again = self.first
        self.fc = nn.Linear(3, 5)


def tied_network(label: str) -> archdsl.Network:
    return archdsl.load_text(
        f"model m {{ input [3, 8, 8]; {label}: conv 3; act; reuse {label}; gap; flatten; fc: fc 5 }}"
    )


def test_counts_are_dropped_where_the_norms_keep_none() -> None:
    frozen = archdsl.load_text(f"defaults {{ norm=frozen_batch }}\n{SPEC}")
    state = trained().state_dict()
    transfer = frozen.compare_weights(state)
    assert transfer.fits
    assert [entry.source for entry in transfer.of("dropped")] == ["bn1.num_batches_tracked"]
    assert "dropped        1  in the file, and needed for nothing\n  counts of batches" in describe(transfer)
    del state["bn1.num_batches_tracked"]
    assert same(frozen.module(trained().state_dict()), state)


def test_a_count_without_its_norm_is_left_over() -> None:
    state = {**trained().state_dict(), "other.num_batches_tracked": torch.tensor(3)}
    assert [e.source for e in network().compare_weights(state).of("unused")] == ["other.num_batches_tracked"]


def test_averaged_models_fit(tmp_path: Path) -> None:
    torch.save(AveragedModel(trained()).state_dict(), tmp_path / "w.pth")
    assert same(network().module(tmp_path / "w.pth"), trained().state_dict())


@pytest.mark.parametrize("label", ["first", "again"])
@pytest.mark.parametrize("form", ["pth", "old", "model.safetensors", "memory"])
def test_tied_weights_are_read_into_reuse_under_either_name(form: str, label: str, tmp_path: Path) -> None:
    tied, path = Tied(), tmp_path / f"w.{form}"
    if form == "model.safetensors":
        save_model(tied, str(path))
    else:
        torch.save(tied.state_dict(), path, _use_new_zipfile_serialization=form != "old")
    weights = tied.state_dict() if form == "memory" else path
    transfer = tied_network(label).compare_weights(weights)
    assert transfer.fits
    other = "again" if label == "first" else "first"
    (dropped,) = transfer.of("dropped")
    assert (dropped.source, dropped.reason) == (f"{other}.weight", f"the same tensor as `{label}.weight`")
    module = tied_network(label).module(weights)
    assert torch.equal(module.state_dict()[f"{label}.weight"], tied.first.weight)


@pytest.mark.parametrize("label", ["first", "again"])
def test_both_copies_of_what_is_applied_again_are_read_where_they_share_nothing(label: str, tmp_path: Path) -> None:
    state = {key: value.clone() for key, value in Tied().state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    other = "again" if label == "first" else "first"
    (dropped,) = tied_network(label).compare_weights(tmp_path / "w.safetensors").of("dropped")
    assert (dropped.source, dropped.reason) == (f"{other}.weight", f"a copy of `{label}.weight`")
    assert same(tied_network(label).module(state), {k: v for k, v in state.items() if not k.startswith(other)})
    state[f"{other}.weight"] = state[f"{other}.weight"] + 1e-6
    assert [e.source for e in tied_network(label).compare_weights(state).of("unused")] == [f"{other}.weight"]


def test_equal_numbers_are_no_copy_of_what_is_applied_once() -> None:
    state = {**trained().state_dict(), "again.weight": trained().state_dict()["conv1.weight"].clone()}
    assert [e.source for e in network().compare_weights(state).of("unused")] == ["again.weight"]


def test_constants_alone_are_no_copy_but_go_with_one() -> None:
    net = archdsl.load_text(
        "model m { input [3, 8, 8]; a: { c: conv 3; n: norm }; act; reuse a; gap; flatten; fc: fc 5 }"
    )
    state = net.module().state_dict()
    copy = {key.replace("a.", "b.", 1): value.clone() for key, value in state.items() if key.startswith("a.")}
    assert net.compare_weights(state | copy).fits
    norm = {key: value for key, value in copy.items() if ".n." in key}
    assert len(net.compare_weights(state | norm).of("unused")) == len(norm)


def test_metadata_that_names_no_tensor_is_no_alias(tmp_path: Path) -> None:
    state = trained().state_dict()
    save_file(state, tmp_path / "w.safetensors", {"format": "pt", "a": "absent", "fc.weight": "fc.bias"})
    assert same(network().module(tmp_path / "w.safetensors"), state)


def test_what_a_rule_drops_may_be_left_over_and_nothing_that_is_needed_is() -> None:
    mapped = archdsl.load_text(SPEC.replace('"conv1" = "stem"', 'drop "fc"; drop "index"; drop "never"'))
    state = {**trained().state_dict(), "a.0.index": torch.zeros(2), "a.fc.x": torch.zeros(1), "b": torch.zeros(1)}
    transfer = mapped.compare_weights(state, "other")
    assert [(e.source, e.reason) for e in transfer.of("dropped")] == [
        ("a.0.index", 'by `drop "index"`'), ("a.fc.x", 'by `drop "fc"`')
    ]  # fmt: skip
    assert [e.source for e in transfer.of("unused")] == ["b"]
    assert not transfer.of("new")
    assert transfer.notes == ('`drop "never"` finds no key of the file that is left over',)
    assert record(transfer)["dropped"] == [
        {"source": "a.0.index", "source_shape": [2], "source_dtype": "float32", "reason": 'by `drop "index"`'},
        {"source": "a.fc.x", "source_shape": [1], "source_dtype": "float32", "reason": 'by `drop "fc"`'},
    ]


def test_what_is_dropped_takes_no_place_in_an_order() -> None:
    ordered = archdsl.load_text(SPEC.replace('{ "conv1" = "stem" }', 'in order { drop "index" }'))
    state = {
        f"x{place}.{key.rpartition('.')[2]}": value for place, (key, value) in enumerate(trained().state_dict().items())
    }
    first, *others = state.items()
    state = dict([first, ("index", torch.zeros(3)), *others])
    assert ordered.compare_weights(state).fits
