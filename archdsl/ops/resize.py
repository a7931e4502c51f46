"""Enlarging feature maps without learned weights."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import ClassVar, Literal, final

from archdsl.ops.base import MOST_PHASES, Category, Op, OpError, Pair, TorchCall, ValueAt, Window, feature_map
from archdsl.ops.conv import squared
from archdsl.ops.description import Term, by, once
from archdsl.ops.shape import Shape

_TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}


@final
class Upsample(Op):
    """Resize a map by a whole factor, or to a given size.

    Shape:  (C, H, W) -> (C, factor*H, factor*W), or (C, *size)
    Cost:   no parameters; one operation per tap and output element: 4 for bilinear, 16 for bicubic,
            none for nearest
    Errors: E212 not a feature map; E223 factor and size together, or align_corners with nearest
    Source: torch.nn.Upsample

    >>> Upsample(factor=2).infer_shape([Shape(256, 14, 14)])
    Shape(256, 28, 28)
    """

    keyword: ClassVar[str] = "upsample"
    category: ClassVar[Category] = "shape"

    factor: Pair | None = None
    """How many output rows and columns per input row and column; 2 where neither this nor `size` is given."""
    size: Pair | None = None
    """Height and width afterwards, instead of a factor."""
    mode: Literal["nearest", "bilinear", "bicubic"] = "nearest"
    """How values between the input's are found."""
    align_corners: bool = False
    """Whether the corners of both maps coincide by their centres; bilinear and bicubic only."""
    like: ValueAt | None = None
    """A value whose height and width the result gets, whatever they are, instead of a factor or size."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        if self.align_corners and self.mode == "nearest":
            raise OpError(
                "E223",
                "nearest has no corners to align",
                "align_corners",
                "use mode=bilinear, or leave it out",
            )
        if self.size and self.factor:
            raise OpError("E223", "upsample takes a factor or a size, not both", "factor", "drop one of them")
        if self.like and (self.size or self.factor):
            given = "size" if self.size else "factor"
            raise OpError("E223", f"upsample takes a {given} or `like`, not both", given, "drop one of them")
        if self.size:
            return Shape(channels, *self.size)
        if self.like:
            return Shape(channels, *feature_map(inputs[self.like.input], self.keyword)[1:])
        factor = self.factor or (2, 2)
        return Shape(channels, height * factor[0], width * factor[1])

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0 if self.mode == "nearest" else super().elementwise(inputs) * _TAPS[self.mode] ** 2

    def changes_nothing(self) -> bool:
        return self.factor == (1, 1) and self.size is None and self.like is None

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        if self.size or self.like:
            return None  # how many inputs an output sees depends on the image; it is at most all of it
        factor, taps = self.factor or (2, 2), _TAPS[self.mode]
        # The outputs of one input step lie on both sides of its centre: together they see one tap more.
        kernel = taps if self.mode == "nearest" else taps + 1
        is_even = self.mode == "nearest" or self.align_corners
        ends = ((), ()) if is_even else tuple(_ends(up, taps // 2) for up in factor)
        rows, columns = (
            Window(kernel, padding=taps // 2, up=up, ends=read) for up, read in zip(factor, ends, strict=True)
        )
        return rows, columns

    def keeps_constants(self) -> bool:
        return True

    def describe(self) -> tuple[Term, ...]:
        size = "like" if self.like else f"to {by(self.size)}" if self.size else f"×{once(self.factor or (2, 2))}"
        return (Term(f"upsample {size}"), Term(f", {self.mode}"))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        factor = squared(self.factor or (2, 2))
        if self.like:
            return self._like()
        target = {"size": squared(self.size)} if self.size else {"scale_factor": factor}
        mode = {} if self.mode == "nearest" else {"mode": self.mode}
        corners = {"align_corners": True} if self.align_corners else {}
        return TorchCall("nn.Upsample", kwargs={**target, **mode, **corners})

    def _like(self) -> TorchCall:
        mode = {} if self.mode == "nearest" else {"mode": self.mode}
        corners = {"align_corners": True} if self.align_corners else {}
        return TorchCall("F.interpolate", kwargs={**mode, **corners}, kind="function", size_names=("size",))


def _ends(factor: int, side: int) -> tuple[tuple[int, int], ...]:
    # Output i has its centre at (i + 1/2) / factor - 1/2 and mixes `side` inputs on either side of it.
    found: list[tuple[int, int]] = []
    if factor > MOST_PHASES:
        return ()
    for phase in range(factor):
        centre = Fraction(2 * phase + 1, 2 * factor) - Fraction(1, 2)
        below = floor(centre)
        found.append((below, below) if centre == below else (below - side + 1, below + side))
    return tuple(found)
