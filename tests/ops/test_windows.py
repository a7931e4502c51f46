"""Shape formulas of sliding operators against torch, over random settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from archdsl.ops.base import Op, OpError
from archdsl.ops.conv import Conv2d, ConvTranspose2d, DepthwiseConv2d
from archdsl.ops.pool import AvgPool2d, LPPool2d, MaxPool2d
from archdsl.ops.rearrange import Pad
from archdsl.ops.shape import Dim, Shape
from tests.ops.execute import build

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
]


def _number_or_pair(low: int, high: int) -> st.SearchStrategy[int | tuple[int, int]]:
    number = st.integers(low, high)
    return number | st.tuples(number, number)


MAPS = st.builds(Shape, st.sampled_from((1, 2, 4, 6)), st.integers(1, 12), st.integers(1, 12))
SLIDING = {
    "kernel": _number_or_pair(1, 5),
    "stride": _number_or_pair(1, 4),
    "dilation": _number_or_pair(1, 3),
    "padding": st.none() | _number_or_pair(0, 4) | st.sampled_from(("same", "valid")),
    "padding_mode": st.sampled_from(("zeros", "reflect", "replicate", "circular")),
}
POOLING = {
    "kernel": _number_or_pair(1, 5),
    "stride": st.none() | _number_or_pair(1, 5),
    "padding": st.none() | _number_or_pair(0, 3),
    "ceil": st.booleans(),
}


def _run(op: Op, x: Shape) -> torch.Tensor | None:
    """Return torch's output; None where it fails or is empty, as some of its kernels let a size of 0 pass."""
    try:
        output = build(op.to_torch([x])).eval()(torch.zeros(1, *x.numbers()))
    except (RuntimeError, ValueError):
        return None
    return output if output.numel() else None


def agrees_with_torch(op: Op, x: Shape) -> None:
    """Compare the shape with that of a run, and an error with torch's."""
    output = _run(op, x)
    if output is None:
        with pytest.raises(OpError):
            op.infer_shape([x])
        return
    inferred = op.infer_shape([x])
    assert tuple(output.shape) == (1, *inferred)
    symbolic = op.infer_shape([Shape(x[0], Dim.variable("H"), Dim.variable("W"))])
    values = dict(zip("HW", x.numbers()[1:], strict=True))
    assert inferred == Shape(*(size.evaluate(values) if isinstance(size, Dim) else size for size in symbolic))


@given(MAPS, st.fixed_dictionaries(SLIDING), st.integers(1, 6), st.integers(1, 6))
@example(Shape(1, 1, 1), {"kernel": 1, "padding": 1, "padding_mode": "circular"}, 1, 1)
@example(Shape(2, 3, 3), {"kernel": 3, "padding": "same", "padding_mode": "reflect", "dilation": 3}, 2, 1)
def test_convolutions_have_torchs_shape_or_both_fail(
    x: Shape, settings: dict[str, Any], channels: int, groups: int
) -> None:
    op = Conv2d(channels=channels, groups=groups, **settings)
    if op.padding == "same" and op.stride != (1, 1) and op.padding_mode in ("reflect", "circular"):
        with pytest.raises(OpError):
            op.infer_shape([x])
        return
    agrees_with_torch(op, x)


@given(MAPS, st.fixed_dictionaries(SLIDING), st.integers(1, 3))
def test_depthwise_convolutions_have_torchs_shape_or_both_fail(
    x: Shape, settings: dict[str, Any], multiplier: int
) -> None:
    op = DepthwiseConv2d(multiplier=multiplier, **settings)
    if op.padding != "same" or op.padding_mode in ("zeros", "replicate"):
        agrees_with_torch(op, x)


@given(
    MAPS,
    st.fixed_dictionaries(
        {
            "channels": st.integers(1, 6),
            "kernel": _number_or_pair(1, 5),
            "stride": _number_or_pair(1, 4),
            "padding": _number_or_pair(0, 4),
            "output_padding": _number_or_pair(0, 3),
            "dilation": _number_or_pair(1, 3),
            "groups": st.integers(1, 4),
        }
    ),
)
@example(
    Shape(2, 1, 1),
    {"channels": 2, "kernel": 3, "stride": 2, "padding": 2, "output_padding": 1, "groups": 2},
)
def test_transposed_convolutions_have_torchs_shape_or_both_fail(x: Shape, settings: dict[str, Any]) -> None:
    agrees_with_torch(ConvTranspose2d(**settings), x)


@given(MAPS, st.fixed_dictionaries({**POOLING, "dilation": _number_or_pair(1, 3)}))
@example(Shape(1, 4, 4), {"kernel": 2, "stride": 3, "padding": 1, "ceil": True})
@example(Shape(1, 1, 1), {"kernel": 2, "stride": 4, "padding": 0, "ceil": True})
def test_maximum_pools_have_torchs_shape_or_both_fail(x: Shape, settings: dict[str, Any]) -> None:
    agrees_with_torch(MaxPool2d(**settings), x)


@given(MAPS, st.fixed_dictionaries({**POOLING, "count_padding": st.booleans()}))
def test_average_pools_have_torchs_shape_or_both_fail(x: Shape, settings: dict[str, Any]) -> None:
    agrees_with_torch(AvgPool2d(**settings), x)


@given(MAPS, st.fixed_dictionaries({name: POOLING[name] for name in ("kernel", "stride", "ceil")}))
def test_power_pools_have_torchs_shape_or_both_fail(x: Shape, settings: dict[str, Any]) -> None:
    agrees_with_torch(LPPool2d(power=2, **settings), x)


@given(
    MAPS,
    st.integers(0, 4)
    | st.lists(st.integers(0, 4), min_size=2, max_size=2)
    | st.lists(st.integers(0, 4), min_size=4, max_size=4),
    st.sampled_from(("constant", "reflect", "replicate", "circular")),
)
def test_padding_has_torchs_shape_or_both_fail(x: Shape, size: Any, mode: Any) -> None:
    agrees_with_torch(Pad(size=size, mode=mode), x)


@given(MAPS, _number_or_pair(1, 5), _number_or_pair(1, 4), _number_or_pair(1, 3))
def test_padding_same_divides_by_the_stride_rounding_up(x: Shape, kernel: Any, stride: Any, dilation: Any) -> None:
    op = Conv2d(channels=2, kernel=kernel, stride=stride, dilation=dilation, padding="same")
    _, height, width = x.numbers()
    rows, columns = op.stride
    assert op.infer_shape([x]) == Shape(2, -(-height // rows), -(-width // columns))


@pytest.mark.parametrize("kernel", [0, -1, 1.5, True, "3", (3,), (3, 3, 3), [3, 0]])
def test_a_kernel_is_one_positive_number_or_two(kernel: Any) -> None:
    with pytest.raises(ValidationError):
        Conv2d(channels=8, kernel=kernel)
