"""A model's inputs: channels are numbers, heights and widths symbols."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ir.symbols import ImageSymbols
from archdsl.ir.trouble import Trouble
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.ops.sugar import image_input
from archdsl.text.source import Span


class Inputs:
    """The inputs of one model. `image` is a shape given from outside, for the only input."""

    def __init__(self, image: Sequence[int] | None) -> None:
        self._image = tuple(image) if image is not None else None
        self._count = 0
        self._symbols = ImageSymbols()

    def add(self, op: Op, span: Span) -> tuple[Op, Shape]:
        """Take one more input; give its operator and what it is to the steps behind it."""
        if self._image is not None:
            if self._count:
                message = "an input size can be set only where a model has one input"
                raise Trouble("E121", message, span, help="write the sizes in the spec")
            own = op.infer_shape([])
            if len(own) != len(self._image):
                given = f"the input size given has {len(self._image)} axes, {list(self._image)}"
                message = f"{given}, and the spec's has {len(own)}, {own}"
                help = f"give {len(own)} sizes, the channels first and without the batch"
                raise Trouble("E212", message, span, help=help)
            op = image_input(self._image)
        self._count += 1
        return op, self._symbols.open(op.infer_shape([]))
