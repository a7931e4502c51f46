"""Numbers that are none, or that a network's types cannot hold, are told before they are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl.weights.load import MisfitError
from archdsl.weights.report import describe
from archdsl.weights.shape import adapt_weight
from tests.weights.small_net import network, same, trained

pytestmark = pytest.mark.torch

COUNT = "bn1.num_batches_tracked"
NAN, INFINITE = float("nan"), float("inf")
BAD: dict[str, tuple[str, torch.Tensor, str]] = {
    "nan": ("fc.bias", torch.tensor([1, 2, NAN, 4, INFINITE]), "NaN"),
    "infinite": ("fc.bias", torch.tensor([1, 2, -INFINITE, 4, 5]), "infinite"),
    "too large": ("fc.bias", torch.tensor([1, 2, 1e300, 4, 5], dtype=torch.float64), "too large for float32"),
    "meta": ("fc.bias", torch.zeros(5, device="meta"), "on `meta`, without numbers"),
    "count": (COUNT, torch.tensor(1.5), "1.5, which is no whole number"),
    "huge count": (COUNT, torch.tensor(1e30), "too large for int64"),
    "unsigned count": (COUNT, torch.tensor(2**63 + 5, dtype=torch.uint64), "too large for int64"),
    "no count": (COUNT, torch.tensor(NAN), "NaN"),
}


@pytest.mark.parametrize("kind", BAD)
def test_numbers_that_cannot_be_loaded_are_told_and_left(kind: str) -> None:
    key, tensor, reason = BAD[kind]
    state = {**trained().state_dict(), key: tensor}
    assert network().compare_weights(state).fits
    (entry,) = network().compare_weights(state, values=True).of("unusable")
    assert (entry.key, entry.reason) == (key, reason)
    with pytest.raises(MisfitError, match="1 unusable") as caught:
        network().module(state)
    assert reason in str(caught.value)
    torch.manual_seed(0)
    fresh = network().module().state_dict()
    torch.manual_seed(0)
    assert same(network().module(state, strict=False), {**trained().state_dict(), key: fresh[key]})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_count_that_was_saved_as_a_float_is_converted_and_told(dtype: torch.dtype) -> None:
    state = trained().state_dict()
    transfer = network().compare_weights({**state, COUNT: state[COUNT].to(dtype)}, values=True)
    assert transfer.fits
    assert f"numbers are converted: {str(dtype).removeprefix('torch.')} to int64" in describe(transfer)
    assert same(network().module({**state, COUNT: state[COUNT].to(dtype)}), state)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_the_shortest_floats_are_converted(dtype: torch.dtype) -> None:
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in trained().state_dict().items()}
    module = network().module(state)
    assert same(module, {k: v.float() if v.dtype == dtype else v for k, v in state.items()})


def test_parameters_of_another_module_leave_no_trace_of_it() -> None:
    module = network().module(trained().state_dict(keep_vars=True))
    assert all(tensor.grad_fn is None for tensor in (*module.parameters(), *module.buffers()))
    assert not any(buffer.requires_grad for buffer in module.buffers())


def test_what_is_not_loaded_may_have_any_numbers() -> None:
    state = {**trained().state_dict(), "other": torch.tensor(NAN)}
    assert not network().compare_weights(state, values=True).of("unusable")


def test_the_numbers_of_files_are_read_too(tmp_path: Path) -> None:
    state = {**trained().state_dict(), "fc.bias": torch.full((5,), NAN)}
    torch.save(state, tmp_path / "w.pth")
    assert [e.key for e in network().compare_weights(tmp_path / "w.pth", values=True).of("unusable")] == ["fc.bias"]


@given(st.integers(1, 4), st.integers(1, 7))
def test_a_weight_adapted_keeps_the_response_to_equal_channels(theirs: int, ours: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(5, theirs, 3, 3, dtype=torch.float64)
    adapted = adapt_weight(weight, ours)
    assert adapted.shape == (5, ours, 3, 3)
    image = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    expected = torch.nn.functional.conv2d(image.expand(1, theirs, 8, 8), weight)
    found = torch.nn.functional.conv2d(image.expand(1, ours, 8, 8), adapted)
    assert torch.allclose(found, expected) == (ours == 1 or ours % theirs == 0)


def test_without_the_word_other_input_channels_are_a_misfit_that_names_it() -> None:
    spec = "model m { input [1, 8, 8]; conv1: conv 4; bn1: norm; act; gap; flatten; fc: fc 5 }"
    transfer = archdsl.load_text(spec).compare_weights(trained().state_dict())
    assert [entry.key for entry in transfer.of("different")] == ["conv1.weight"]
    assert transfer.notes == (
        "`conv1.weight` has 1 input channels here, 3 in the file: say `--adapt-input mean`, `copy` or `new`, or write "
        '`keys NAME { adapt "conv1" }`',
    )


def test_what_adaptation_makes_too_large_is_told() -> None:
    steps = "conv1: conv 4; bn1: norm; act; gap; flatten; fc: fc 5"
    spec = f'keys mine {{ adapt "conv1" }}\nmodel m {{ input [1, 8, 8]; {steps} }}'
    state = {**trained().state_dict(), "conv1.weight": torch.full((4, 3, 3, 3), 3e38)}
    (entry,) = archdsl.load_text(spec).compare_weights(state, values=True).of("unusable")
    assert entry.reason == "too large for float32"
