"""Which tensors can stand for others: by shape and type alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from archdsl.ir.start import InputAdaption
from archdsl.ops.base import Tensor
from archdsl.weights.stored import Stored

if TYPE_CHECKING:
    import torch


def fits(tensor: Tensor, stored: Stored, flattened: Sequence[int] | None = None) -> bool:
    """Return whether what is stored has a tensor's elements in their order and meaning, and numbers to convert.

    `flattened` is the shape of the feature map that reaches a linear map as a row of numbers, where one does.
    """
    if stored.shape is None or not can_reshape(stored.shape, tensor.shape):
        return False
    if not _is_same_order(tensor.shape, stored.shape, flattened):
        return False
    return can_convert(tensor, stored)


def can_convert(tensor: Tensor, stored: Stored) -> bool:
    """Return whether numbers of one type can become those of the other."""
    kinds = _kind(tensor.dtype), _kind(stored.dtype)
    # A count is the one integer of a state_dict; some tools convert all that they save to floats.
    is_count = kinds == ("integer", "float") and tensor.shape == ()
    return kinds[0] == kinds[1] or is_count


def _is_same_order(ours: Sequence[int], theirs: Sequence[int], flattened: Sequence[int] | None) -> bool:
    """Return whether a matrix that stands for a window's weights, or is stood for by them, has them in their order.

    A window over a whole map, [O, C, H, W], is the linear map behind that map made flat, and no other window is one.
    """
    if len(ours) != 2 or len(theirs) < 3 or sum(size > 1 for size in theirs[1:]) < 2:
        return True
    return flattened is not None and [*theirs[1:]] == [*flattened]


def differs_in_outputs(tensor: Tensor, stored: Stored) -> bool:
    """Return whether two weights or biases are alike but for the number of their outputs."""
    if stored.shape is None or not tensor.shape or not stored.shape or not can_convert(tensor, stored):
        return False
    return tensor.shape[0] != stored.shape[0] and _plain(tensor.shape[1:]) == _plain(stored.shape[1:])


def _plain(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def fits_adapted(weight: Tensor, stored: Stored) -> bool:
    """Return whether a convolution's weight differs from what is stored only in the number of its input channels."""
    ours, theirs = weight.shape, stored.shape
    if theirs is None or len(theirs) != len(ours) or 0 in theirs or _kind(weight.dtype) != _kind(stored.dtype):
        return False
    return (*ours[:1], *ours[2:]) == (*theirs[:1], *theirs[2:])


def adapt_weight(weight: torch.Tensor, channels: int, way: InputAdaption = "copy") -> torch.Tensor:
    """Fit a convolution's weight to another number of input channels.

    By `mean` each channel gets the mean over those of the weight, times theirs / ours: the response to an image whose
    channels are all alike stays what it was, for any two numbers. By `copy` one channel gets the same, their sum; any
    other number gets them in order, again and again, times theirs / ours, which keeps that response where ours is one
    or a multiple of theirs.
    Source of `copy`: timm's adapt_input_conv, for any number that the weight has
    """
    count = weight.shape[1]
    if channels == 1:
        return weight.double().sum(1, keepdim=True)
    if way == "mean":
        return (weight.double().sum(1, keepdim=True) / channels).expand(-1, channels, *weight.shape[2:])
    order = [place % count for place in range(channels)]
    return weight.double()[:, order] * (count / channels)


def _kind(dtype: str) -> str:
    """Return the kind of numbers; between kinds nothing else is converted."""
    if dtype.startswith(("float", "bfloat")):
        return "float"
    return "integer" if dtype.startswith(("int", "uint")) else dtype


def can_reshape(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether two shapes differ only by axes of size 1, or by neighbours behind the first that one merges.

    As many axes in another order are no reshape, nor is one that mixes the first, which counts outputs, with another:
    these would fit by their number alone.

    >>> can_reshape([4096, 25088], [4096, 512, 7, 7]), can_reshape([64], [1, 64, 1, 1])
    (True, True)
    >>> can_reshape([3, 4], [4, 3]), can_reshape([8, 8], [64]), can_reshape([64, 1, 3, 3], [1, 64, 3, 3])
    (False, False, False)
    """
    if prod(shape) != prod(other) or (len(shape) == len(other) and [*shape] != [*other]):
        return False
    left, right = _plain(shape), _plain(other)
    return left == right or (left[0] == right[0] and (_merges(left[1:], right[1:]) or _merges(right[1:], left[1:])))


def _merges(fine: Sequence[int], coarse: Sequence[int]) -> bool:
    """Return whether each size of `coarse` is a product of neighbours in `fine`."""
    position = 0
    for size in coarse:
        made = 1
        while made < size and position < len(fine):
            made *= fine[position]
            position += 1
        if made != size:
            return False
    return position == len(fine)
