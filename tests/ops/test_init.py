"""Initialisation functions against torch.nn.init, and what their misuse says."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch.nn import init

from archdsl.ops.base import Init, OpError
from archdsl.ops.init import INITS, InitFunction, make_init

CALLS: Sequence[tuple[str, Sequence[object], Mapping[str, object]]] = [
    ("kaiming_normal", ["fan_out", "relu"], {}),
    ("kaiming_uniform", [], {"a": 5**0.5}),
    ("xavier_normal", [2.0], {}),
    ("xavier_uniform", [], {}),
    ("trunc_normal", [0.02], {"a": -0.04, "b": 0.04}),
    ("normal", [0.01, 1], {}),
    ("uniform", [], {"low": -0.1, "high": 0.1}),
    ("constant", [3], {}),
    ("zeros", [], {}),
    ("ones", [], {}),
    ("orthogonal", [], {"gain": 0.5}),
    ("dirac", [2], {}),
]


def test_every_function_has_a_call() -> None:
    assert {name for name, _, _ in CALLS} == set(INITS)


@pytest.mark.torch
@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=[name for name, _, _ in CALLS])
def test_torch_takes_the_call(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    call = make_init(name, args, kwargs)
    weight = torch.full((8, 4, 3, 3), torch.nan)
    getattr(init, call.function)(weight, **dict(call.arguments))
    assert weight.isfinite().all()


@pytest.mark.torch
@pytest.mark.parametrize("function", INITS.values(), ids=INITS)
def test_defaults_are_those_of_torch(function: type[InitFunction]) -> None:
    theirs = inspect.signature(getattr(init, f"{function.keyword}_")).parameters
    for name, field in function.model_fields.items():
        default = theirs[function.torch_names.get(name, name)].default
        assert field.is_required() if default is inspect.Parameter.empty else field.default == default


@pytest.mark.torch
@pytest.mark.parametrize("function", INITS.values(), ids=INITS)
def test_the_axes_a_function_needs_are_those_torch_needs(function: type[InitFunction]) -> None:
    call = make_init(function.keyword, [0.5] if function.keyword == "constant" else [], {})
    for axes in (1, 2, 3):
        tensor = torch.empty([4] * axes)
        if axes >= function.least_axes:
            getattr(init, call.function)(tensor, **dict(call.arguments))
        else:
            with pytest.raises(ValueError, match="dimension"):
                getattr(init, call.function)(tensor, **dict(call.arguments))


def test_arguments_that_equal_torchs_defaults_are_left_out() -> None:
    assert make_init("normal", [1.0, 0], {}) == Init(function="normal_")
    assert make_init("dirac", [4], {}).arguments == (("groups", 4),)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "attribute", "message"),
    [
        ("kaiming", [], {}, "", "kaiming is no initialisation function"),
        ("zeros", [1], {}, "", "zeros takes 0 arguments, not 1"),
        ("xavier_normal", [1, 2], {}, "", "xavier_normal takes 1 argument, not 2"),
        ("normal", [], {"sigma": 1}, "sigma", "normal has no argument sigma"),
        ("normal", [0.1], {"std": 1}, "std", "normal gets std twice"),
        ("constant", [], {}, "value", "value of constant is missing: field required"),
        ("normal", [-1], {}, "std", "std of normal is -1: input should be greater than or equal to 0"),
        ("normal", [True], {}, "std", "std of normal is True: input should be a valid number"),
        (
            "kaiming_normal",
            ["fan_up"],
            {},
            "mode",
            "mode of kaiming_normal is 'fan_up': input should be 'fan_in' or 'fan_out'",
        ),
    ],
)
def test_misuse_names_the_argument(
    name: str, args: Sequence[object], kwargs: Mapping[str, object], attribute: str, message: str
) -> None:
    with pytest.raises(OpError) as caught:
        make_init(name, args, kwargs)
    assert (caught.value.code, caught.value.attribute, caught.value.message) == ("E219", attribute, message)
    assert caught.value.help
