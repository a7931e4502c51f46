"""Shapes whose sizes are numbers or whole-number expressions of the image's H and W."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

# A monomial is a sorted tuple of atoms; an atom is a variable's name or a floor division.
Monomial: TypeAlias = "tuple[str | Floor, ...]"
Size: TypeAlias = "int | Dim"

LARGEST_TENSOR = 2**63 - 1
"""Elements of the largest tensor that torch can count."""


class Dim:
    """A whole-number expression: a polynomial over variables and floor divisions, in normal form.

    Comparisons and remainders answer only what holds for every value of the variables: `<` is true
    where it certainly is, `%` is non-zero where it certainly is. Rules written for numbers thus
    stay silent where the image size decides.
    """

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms: tuple[tuple[Monomial, int], ...] = tuple(sorted(terms.items(), key=_term_order))
        self._hash = hash(self.terms)

    @staticmethod
    def variable(name: str) -> Dim:
        return Dim({(name,): 1})

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dim) and self.terms == other.terms)

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Size) -> Size:
        return _add(self, other)

    __radd__ = __add__

    def __neg__(self) -> Size:
        return _multiply(self, -1)

    def __sub__(self, other: Size) -> Size:
        return _add(self, -other)

    def __rsub__(self, other: int) -> Size:
        return _add(_multiply(self, -1), other)

    def __mul__(self, other: Size) -> Size:
        return _multiply(self, other)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Size:
        return _floor_divide(self, divisor)

    def __mod__(self, divisor: int) -> int:
        constant = 0
        for monomial, coefficient in self.terms:
            if monomial == ():
                constant = coefficient
            elif coefficient % divisor:
                return 0
        return constant % divisor

    def __lt__(self, other: Size) -> bool:
        difference = self - other
        return isinstance(difference, int) and difference < 0

    def __gt__(self, other: Size) -> bool:
        difference = self - other
        return isinstance(difference, int) and difference > 0

    def __le__(self, other: Size) -> bool:
        difference = self - other
        return isinstance(difference, int) and difference <= 0

    def __ge__(self, other: Size) -> bool:
        difference = self - other
        return isinstance(difference, int) and difference >= 0

    def __bool__(self) -> bool:
        return True

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the number that the expression is for these values of its variables."""
        total = 0
        for monomial, coefficient in self.terms:
            product = coefficient
            for atom in monomial:
                product *= values[atom] if isinstance(atom, str) else atom.base.evaluate(values) // atom.divisor
            total += product
        return total

    @property
    def scale(self) -> Fraction | None:
        """Return how the size grows with its one variable (1/8 for `H//8`); None for products."""
        total = Fraction(0)
        for monomial, coefficient in self.terms:
            if len(monomial) > 1:
                return None
            for atom in monomial:
                inner = Fraction(1) if isinstance(atom, str) else atom.base.scale
                if inner is None:
                    return None
                total += coefficient * (inner if isinstance(atom, str) else inner / atom.divisor)
        return total

    def short(self) -> str:
        """Write the expression as papers do: `H/8`, with its rounding left out where it has one variable."""
        scale, names = self.scale, _variables(self)
        if scale is None or len(names) != 1 or not scale:
            return str(self)
        (name,) = names
        factor = "" if scale.numerator == 1 else f"{scale.numerator}*"
        return f"{factor}{name}" + ("" if scale.denominator == 1 else f"/{scale.denominator}")

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms:
            sign = "-" if coefficient < 0 else "+" if text else ""
            factors = [str(abs(coefficient))] if abs(coefficient) != 1 or not monomial else []
            alone = len(factors) + len(monomial) == 1
            atoms = [str(atom) if alone or isinstance(atom, str) else f"({atom})" for atom in monomial]
            text += sign + "*".join([*factors, *atoms])
        return text or "0"

    def __repr__(self) -> str:
        return f"Dim({self})"


class Floor:
    """The whole part of an expression divided by a positive number."""

    __slots__ = ("_hash", "base", "divisor")

    def __init__(self, base: Dim, divisor: int) -> None:
        self.base, self.divisor = base, divisor
        self._hash = hash((base, divisor))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Floor) and self.divisor == other.divisor and self.base == other.base

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        base = str(self.base)
        return f"{base}//{self.divisor}" if base.isalnum() else f"({base})//{self.divisor}"


def _term_order(term: tuple[Monomial, int]) -> tuple[int, str]:
    monomial, _ = term
    return -len(monomial), "*".join(map(str, monomial))


def _variables(dim: Dim) -> set[str]:
    atoms = [atom for monomial, _ in dim.terms for atom in monomial]
    nested = (_variables(atom.base) for atom in atoms if isinstance(atom, Floor))
    return {atom for atom in atoms if isinstance(atom, str)}.union(*nested)


def _normal(terms: dict[Monomial, int]) -> Size:
    kept = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    if not kept:
        return 0
    if len(kept) == 1 and () in kept:
        return kept[()]
    return Dim(kept)


@lru_cache(maxsize=8192)
def _add(left: Dim, right: Size) -> Size:
    terms = dict(left.terms)
    for monomial, coefficient in right.terms if isinstance(right, Dim) else [((), right)]:
        terms[monomial] = terms.get(monomial, 0) + coefficient
    return _normal(terms)


@lru_cache(maxsize=8192)
def _multiply(left: Dim, right: Size) -> Size:
    terms: dict[Monomial, int] = {}
    for a, m in left.terms:
        for b, n in right.terms if isinstance(right, Dim) else [((), right)]:
            monomial = tuple(sorted(a + b, key=str))
            terms[monomial] = terms.get(monomial, 0) + m * n
    return _normal(terms)


@lru_cache(maxsize=8192)
def _floor_divide(dim: Dim, divisor: int) -> Size:
    if divisor <= 0:
        raise ZeroDivisionError("a size is divided by a positive number")
    if divisor == 1:
        return dim
    whole = {monomial: c // divisor for monomial, c in dim.terms if monomial and not c % divisor}
    rest = {monomial: c for monomial, c in dim.terms if monomial not in whole}
    constant = rest.pop((), 0)
    if not rest:
        return _normal({**whole, (): constant // divisor})
    if len(rest) == 1:
        ((monomial, coefficient),) = rest.items()
        inner = monomial[0]
        if coefficient == 1 and len(monomial) == 1 and isinstance(inner, Floor):
            # floor((floor(e / m) + c) / n) = floor((e + m*c) / (m*n)): one division, however deep the chain.
            merged = inner.base + inner.divisor * constant
            assert isinstance(merged, Dim)
            quotient = _floor_divide(merged, inner.divisor * divisor)
            return quotient + _normal(whole) if whole else quotient
    atom = Floor(Dim({**rest, (): constant} if constant else rest), divisor)
    return _normal({**whole, (atom,): whole.get((atom,), 0) + 1})


def differ(a: Size, b: Size) -> bool:
    """Return whether two sizes certainly differ, for every image."""
    if a == b:
        return False
    difference = a - b
    return isinstance(difference, int) and difference != 0


def product(sizes: Iterable[Size]) -> Size:
    """Multiply sizes."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def ceil_divide(size: Size, divisor: int) -> Size:
    """Divide, rounding up."""
    return (size + divisor - 1) // divisor


class Shape(tuple[Size, ...]):
    """The sizes of a tensor without its batch axis: (C, H, W) for a feature map, (C,) for a vector.

    >>> Shape(3, 224, 224)
    Shape(3, 224, 224)
    >>> Shape(64, Dim.variable("H") // 2, 7)
    Shape(64, H//2, 7)
    """

    __slots__ = ()

    def __new__(cls, *sizes: Size) -> Shape:
        return super().__new__(cls, sizes)

    @property
    def channels(self) -> Size:
        return self[0]

    @property
    def elements(self) -> Size:
        return product(self)

    def numbers(self) -> tuple[int, ...]:
        """Return the sizes as numbers; requires that none depends on the image."""
        assert all(isinstance(size, int) for size in self), f"{self} is symbolic"
        return tuple(size for size in self if isinstance(size, int))

    def __str__(self) -> str:
        return "[" + ", ".join(size.short() if isinstance(size, Dim) else str(size) for size in self) + "]"

    def __repr__(self) -> str:
        return f"Shape({', '.join(map(str, self))})"
