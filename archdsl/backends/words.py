"""Operators, shapes and amounts in the field's shorthand, as a paper's figure has them."""

from __future__ import annotations

from archdsl.ops.base import Op
from archdsl.ops.description import Term
from archdsl.ops.shape import Dim, Shape


def join_symbol(op: Op) -> str:
    """Return what a join is drawn as: a sign, or its keyword where it has none."""
    return op.sign or op.keyword


def spell(terms: tuple[Term, ...]) -> str:
    """Write an operator's description out.

    >>> spell((Term("{0}×{0} conv", 7), Term(", {0}", 64), Term(", /{0}", 1, silent=1)))
    '7×7 conv, 64'
    """
    return "".join(t.form if t.value is None else t.form.format(number(t.value)) for t in terms if not is_silent(t))


def is_silent(term: Term) -> bool:
    """Whether a piece has the value that goes without saying."""
    return term.value is not None and term.value == term.silent


def number(value: float) -> str:
    """Write a number, a fraction to three figures."""
    return str(value) if isinstance(value, int) else f"{value:.3g}"


def shape_text(shape: Shape) -> str:
    """Write a shape as figures do: `64×56×56`."""
    return "×".join(size.short() if isinstance(size, Dim) else str(size) for size in shape)


def amount(count: int) -> str:
    """Write a count to three figures: `25.6M`.

    >>> amount(25_557_032), amount(999_999), amount(512)
    ('25.6M', '1M', '512')
    """
    rounded = float(f"{count:.3g}")  # before the unit is chosen, so that 999,999 becomes 1M and not 1000k
    for unit, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if rounded >= unit:
            return f"{rounded / unit:.3g}{suffix}"
    return str(count)
