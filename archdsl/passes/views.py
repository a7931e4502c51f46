"""Operators that move no data: what they give is their input under other axes, or as it is."""

from __future__ import annotations

from archdsl.ops.base import Op
from archdsl.ops.norm import Identity
from archdsl.ops.rearrange import (
    ChannelShuffle,
    Crop,
    Flatten,
    Pad,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    Reshape,
    Slice,
)
from archdsl.ops.regularise import Dropout, Dropout2d, DropPath, Times
from archdsl.ops.resize import Upsample

NOISE = (Dropout, Dropout2d, DropPath)
"""What acts in training only."""


def is_identity(op: Op, *, in_training: bool) -> bool:
    """Tell whether an operator hands its input on unchanged, whatever its shape."""
    match op:
        case Identity():
            return True
        case Dropout(p=p) | Dropout2d(p=p) | DropPath(p=p):
            return p == 0 or not in_training
        case Upsample(factor=(1, 1), size=None):
            return True
        case PixelShuffle(factor=1) | PixelUnshuffle(factor=1) | ChannelShuffle(groups=1):
            return True
        case Pad(size=sides, channels=channels):
            return not any((*sides, *channels))
        case Crop(size=sides):
            return not any(sides)
        case Times(factor=factor):
            return factor == 1
        case Permute(order=order):
            return order == tuple(range(len(order)))
        case _:
            return False


def is_view(op: Op, *, in_training: bool) -> bool:
    """Tell whether an operator's result shares its input's memory: identities, and new axes over the same elements.

    Torch copies in a `reshape` or `flatten` whose input is permuted or sliced; that is left aside.
    """
    return isinstance(op, Flatten | Reshape | Permute | Slice) or is_identity(op, in_training=in_training)
