"""The operator that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from archdsl.ops.base import Category, Init, Op, TorchCall
from archdsl.ops.shape import Shape


@final
class Identity(Op):
    """Pass the input on: the value for no norm and for no activation.

    It takes the arguments that norms have in common and ignores them by design, so that `norm=none` turns a
    network over without touching a block.

    Shape:  unchanged
    Cost:   none
    Errors: none
    Source: torch.nn.Identity

    >>> Identity(eps=1e-3).infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "none"
    category: ClassVar[Category] = "shape"
    short_name: ClassVar[str] = "identity"
    is_aside: ClassVar[bool] = True

    eps: float | None = None
    """Ignored."""
    momentum: float | None = None
    """Ignored."""
    affine: bool | None = None
    """Ignored."""
    init: Init | None = None
    """Ignored."""
    bias_init: Init | None = None
    """Ignored."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def changes_nothing(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Identity")
