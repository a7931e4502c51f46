"""The setting that makes a network wider, and the values of it that a page offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TypeAlias, TypeGuard, cast

from archdsl.passes.shapes import Shapes

Vary: TypeAlias = Callable[[str, str], Shapes | None]
"""Compile the network again with a setting given as text; None where that is a mistake."""

FACTORS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1), Fraction(5, 4), Fraction(3, 2), Fraction(2))
_MOST_VALUES = 8
"""A list of more values than that is a table rather than the widths of stages."""


def width_setting(shapes: Shapes, vary: Vary) -> str | None:
    """Name the parameter of the model that makes it wider: doubled or halved it changes the most operators' channels.

    It changes no operator for another one, adds none, and changes more than half of all; None where no parameter does.
    """
    best: tuple[int, str] | None = None
    before = list(_channels(shapes))
    for name, value in shapes.graph.bindings.items():
        for factor in (Fraction(2), Fraction(1, 2)):
            text = scaled(value, factor)
            varied = vary(name, text) if text is not None else None
            if varied is None:
                continue
            after = list(_channels(varied))
            if [keyword for keyword, _ in after] == [keyword for keyword, _ in before]:
                changed = sum(one != other for one, other in zip(before, after, strict=True))
                if 2 * changed > len(before) and (best is None or changed > best[0]):
                    best = changed, name
                break
    return best[1] if best else None


def scaled(value: object, factor: Fraction) -> str | None:
    """Write a number, or a list of numbers, times a factor, exactly and as a spec would; None for anything else.

    >>> [scaled(value, Fraction(3, 4)) for value in (64, 1, 1.1, (96, 192))]
    ['48', '0.75', '0.825', '[72, 144]']
    """
    if isinstance(value, tuple | list):
        texts = [scaled(item, factor) for item in cast("tuple[object, ...] | list[object]", value)]
        known = [text for text in texts if text is not None]
        return f"[{', '.join(known)}]" if 0 < len(known) == len(texts) <= _MOST_VALUES else None
    return _decimal(Fraction(str(value)) * factor) if _is_number(value) else None


def _is_number(value: object) -> TypeGuard[int | float | Fraction]:
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool) and value > 0


def _decimal(value: Fraction) -> str:
    """Write a fraction as a decimal where that is exact."""
    if value.denominator == 1:
        return str(value.numerator)
    places = next((n for n in range(1, 13) if 10**n % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    return f"{value.numerator * 10**places // value.denominator / 10**places:.{places}f}"


def _channels(shapes: Shapes) -> Iterator[tuple[str, object]]:
    """Yield each operator of the written-out network, and the channels that it gives; equal steps in a row once."""
    for node in shapes.graph.topological():
        if node.id in shapes.inner:
            yield from _channels(shapes.inner[node.id])
        elif node.op is not None:
            yield node.op.keyword, shapes.results[node.id][""][0]


def values_of(bindings: Mapping[str, object], name: str) -> Iterator[tuple[Fraction, str]]:
    """Yield the values to offer for a setting, with the factor that each is of its own."""
    for factor in FACTORS:
        text = scaled(bindings[name], factor)
        if text is not None:
            yield factor, text
