"""Modules that have the weights of a file, as far as these fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from archdsl.weights.error import WeightsError
from archdsl.weights.load import MisfitError
from tests.weights.small_net import network, same, save_old, trained

pytestmark = pytest.mark.torch


Save = Callable[[dict[str, torch.Tensor], Path], None]
SAVES: dict[str, Save] = {
    "w.safetensors": save_file,
    "w.pth": torch.save,
    "old.pt": save_old,
    "without_a_suffix": save_file,
}


@pytest.mark.parametrize("name", SAVES)
def test_what_was_saved_is_loaded_to_the_bit(name: str, tmp_path: Path) -> None:
    state = trained().state_dict()
    SAVES[name](state, tmp_path / name)
    module = network().module(tmp_path / name)
    assert same(module, state)
    assert module.training
    assert all(p.requires_grad for p in module.parameters())
    assert network().compare_weights(str(tmp_path / name)).fits


def test_a_loaded_module_owns_its_weights() -> None:
    source = trained().state_dict()
    module = network().module(source)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert source["fc.weight"].abs().sum() > 0


def test_no_initial_values_are_drawn_where_the_file_has_all() -> None:
    state = trained().state_dict()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    network().module(state)
    assert torch.equal(torch.get_rng_state(), before)
    network().module({k: v for k, v in state.items() if k != "fc.bias"}, strict=False)
    assert not torch.equal(torch.get_rng_state(), before)


def test_what_fits_is_loaded_where_asked_for_and_the_rest_is_drawn() -> None:
    state = trained().state_dict()
    torch.manual_seed(0)
    fresh = network(7).module().state_dict()
    torch.manual_seed(0)
    module = network(7).module(state, strict=False)
    expected = {key: fresh[key] if key.startswith("fc") else state[key] for key in fresh}
    assert same(module, expected)


def test_what_does_not_fit_raises_one_error_with_the_report() -> None:
    state = trained().state_dict() | {"extra": torch.zeros(2)}
    del state["bn1.weight"]
    with pytest.raises(MisfitError) as caught:
        network(7).module(state)
    error = caught.value
    assert error.code == "E302"
    assert [e.key for e in error.transfer.of("new")] == ["bn1.weight", "fc.weight", "fc.bias"]
    assert "3 new, 1 unused" in error.message
    assert "fc: weight [7, 4] (7 classes here, 5 in the file)" in str(error)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_are_converted_to_the_networks_type(dtype: torch.dtype) -> None:
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in trained().state_dict().items()}
    module = network().module(state)
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    assert same(module, {k: v.float() if v.is_floating_point() else v for k, v in state.items()})


def test_renamed_reshaped_and_prefixed_weights_are_loaded() -> None:
    state = trained().state_dict()
    file = {f"module.{k.replace('conv1', 'stem')}": v for k, v in state.items()}
    file["module.fc.weight"] = file["module.fc.weight"][:, :, None, None]
    assert same(network().module(file, origin="other"), state)


def test_strides_in_memory_do_not_matter() -> None:
    state = trained().state_dict()
    state["conv1.weight"] = state["conv1.weight"].to(memory_format=torch.channels_last)
    state["fc.weight"] = state["fc.weight"].t().contiguous().t()
    module = network().module(state)
    assert same(module, state)
    assert all(p.is_contiguous() for p in module.parameters())


def test_counts_of_batches_that_a_file_lacks_are_0() -> None:
    state = trained().state_dict()
    count = state.pop("bn1.num_batches_tracked")
    assert count == 1
    assert network().module(state).state_dict()["bn1.num_batches_tracked"] == 0


def test_the_help_names_drop_where_all_that_is_needed_is_there() -> None:
    state = trained().state_dict() | {"extra": torch.zeros(2)}
    with pytest.raises(MisfitError) as caught:
        network().module(state)
    assert caught.value.help == "`strict=False` loads what fits, and `drop` in `keys` says what may be left over"
    with pytest.raises(MisfitError) as caught:
        network(7).module(state)
    assert caught.value.help == "`strict=False` loads what fits"


def test_an_origin_that_no_map_has_is_an_error() -> None:
    state = {key.replace("conv1", "first"): value for key, value in trained().state_dict().items()}
    with pytest.raises(WeightsError, match="no name map for `timm`, and by equal keys 1 new, 1 unused"):
        network().module(state, origin="timm")
    with pytest.raises(WeightsError, match="no name map for `othr`; there is `other`"):
        network().module(trained().state_dict(), origin="othr")


def test_an_origin_whose_keys_are_the_networks_own_needs_no_map() -> None:
    state = trained().state_dict()
    assert same(network().module(state, origin="timm"), state)
    # Of another number of classes, the keys still are the same.
    transfer = network(7).compare_weights(state, origin="timm")
    assert [entry.key for entry in transfer.of("new")] == ["fc.weight", "fc.bias"]


def test_things_that_are_no_tensors_are_left_over() -> None:
    state: dict[str, object] = {**trained().state_dict(), "_extra_state": {"a": 1}}
    (unused,) = network().compare_weights(state).of("unused")  # pyright: ignore[reportArgumentType] -- on purpose
    assert (unused.source, unused.source_shape, unused.source_dtype) == ("_extra_state", None, "dict")
