"""Which tensors can stand for others: by shape and type alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from archdsl.ops.base import Tensor
from archdsl.weights.stored import Stored

if TYPE_CHECKING:
    import torch


def fits(tensor: Tensor, stored: Stored) -> bool:
    """Return whether what is stored has a tensor's elements in their order, and numbers that can be converted."""
    if stored.shape is None or not can_reshape(stored.shape, tensor.shape):
        return False
    kinds = _kind(tensor.dtype), _kind(stored.dtype)
    # A count is the one integer of a state_dict; some tools convert all that they save to floats.
    is_count = kinds == ("integer", "float") and tensor.shape == ()
    return kinds[0] == kinds[1] or is_count


def fits_adapted(weight: Tensor, stored: Stored) -> bool:
    """Return whether a convolution's weight differs from what is stored only in the number of its input channels."""
    ours, theirs = weight.shape, stored.shape
    if theirs is None or len(theirs) != len(ours) or 0 in theirs or _kind(weight.dtype) != _kind(stored.dtype):
        return False
    return (*ours[:1], *ours[2:]) == (*theirs[:1], *theirs[2:])


def adapt_weight(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Fit a convolution's weight to another number of input channels.

    One channel gets the sum over those of the weight. Any other number gets them in order, again and again, times what
    keeps the response to equal channels.
    Source: timm's adapt_input_conv, for any number that the weight has
    """
    if channels == 1:
        return weight.double().sum(1, keepdim=True)
    count = weight.shape[1]
    order = [place % count for place in range(channels)]
    return weight.double()[:, order] * (count / channels)


def _kind(dtype: str) -> str:
    """Return the kind of numbers; between kinds nothing else is converted."""
    if dtype.startswith(("float", "bfloat")):
        return "float"
    return "integer" if dtype.startswith(("int", "uint")) else dtype


def can_reshape(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether two shapes differ only by axes of size 1, or by neighbouring axes that one of them merges.

    >>> can_reshape([4096, 25088], [4096, 512, 7, 7]), can_reshape([3, 4], [4, 3])
    (True, False)
    """
    if prod(shape) != prod(other):
        return False
    left, right = [n for n in shape if n != 1], [n for n in other if n != 1]
    return left == right or _merges(left, right) or _merges(right, left)


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
