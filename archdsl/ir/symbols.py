"""ImageSymbols in the place of an image's sizes: what a network is for an image of any height H and width W."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.shape import Dim, Shape, Size

_LETTERS = "HW"


class ImageSymbols:
    """The symbols of one model's inputs: equal sizes of several images share one, a second height is H2.

    >>> symbols = ImageSymbols()
    >>> print(symbols.open(Shape(3, 224, 160)), symbols.open(Shape(1, 224, 80)), symbols.open(Shape(10)))
    [3, H, W] [1, H, W2] [10]
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, Size], Dim] = {}

    def open(self, shape: Shape) -> Shape:
        """Return a feature map's shape [C, H, W] with its height and width left open, any other shape as it is."""
        if len(shape) != 3:
            return shape
        channels, *sizes = shape
        return Shape(channels, *(self._symbol(letter, size) for letter, size in zip(_LETTERS, sizes, strict=True)))

    def _symbol(self, letter: str, size: Size) -> Dim:
        number = sum(known == letter for known, _ in self._known) + 1
        symbol = Dim.variable(letter if number == 1 else f"{letter}{number}")
        return self._known.setdefault((letter, size), symbol)


def open_sizes(inputs: Sequence[Shape]) -> tuple[Shape, ...]:
    """Return the shapes of a model's inputs with the heights and widths of feature maps left open."""
    symbols = ImageSymbols()
    return tuple(map(symbols.open, inputs))
