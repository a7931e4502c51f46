"""Shapes whose sizes are numbers or whole-number expressions of the image's H and W."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from operator import index
from typing import Literal, Self, TypeAlias, cast

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

    __slots__ = ("_hash", "_scale", "terms")

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms: tuple[tuple[Monomial, int], ...] = tuple(sorted(terms.items(), key=_term_order))
        self._hash = hash(self.terms)
        self._scale: Fraction | Literal[False] | None = False
        """The scale; False until it is asked for."""

    @staticmethod
    def variable(name: str) -> Dim:
        return Dim({(name,): 1})

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dim) and self.terms == other.terms)

    def __hash__(self) -> int:
        return self._hash

    # `index`: the memories hold plain numbers, and none that stand for those of many networks.

    def __add__(self, other: Size) -> Size:
        return _add(self, other if isinstance(other, Dim) else index(other))

    __radd__ = __add__

    def __neg__(self) -> Size:
        return _multiply(self, -1)

    def __sub__(self, other: Size) -> Size:
        return _add(self, -other if isinstance(other, Dim) else -index(other))

    def __rsub__(self, other: int) -> Size:
        return _add(_multiply(self, -1), index(other))

    def __mul__(self, other: Size) -> Size:
        return _multiply(self, other if isinstance(other, Dim) else index(other))

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Size:
        return _floor_divide(self, index(divisor))

    def __mod__(self, divisor: int) -> int:
        divisor = index(divisor)
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
        if self._scale is False:
            self._scale = self._worked_out_scale()
        return self._scale

    def _worked_out_scale(self) -> Fraction | None:
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

    @property
    def growth(self) -> Mapping[tuple[str, ...], Fraction]:
        """Return how the size grows with its variables: the factor of each product of them, of the highest degree.

        >>> height, width = Dim.variable("H"), Dim.variable("W")
        >>> str(((height // 2) * (width // 4) + 1).growth[("H", "W")])
        '1/8'
        """
        total: dict[tuple[str, ...], Fraction] = {}
        for monomial, coefficient in self.terms:
            grown = {(): Fraction(coefficient)}
            for atom in monomial:
                factor = {(atom,): Fraction(1)} if isinstance(atom, str) else _growth_of(atom)
                grown = {tuple(sorted(a + b)): m * n for a, m in grown.items() for b, n in factor.items()}
            for names, factor in grown.items():
                total[names] = total.get(names, Fraction(0)) + factor
        degree = max(map(len, total))
        return {names: factor for names, factor in total.items() if len(names) == degree}

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


def _growth_of(floor: Floor) -> dict[tuple[str, ...], Fraction]:
    return {names: factor / floor.divisor for names, factor in floor.base.growth.items()}


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
    """The sizes of a tensor without its batch axis, and which of its axes holds the channels.

    The channels come first, (C, H, W) for a feature map and (C,) for a vector, unless `axis` says where they are. It is
    None where no axis is the channels. `is_named` says that a pattern named the axes, so that operators follow the
    channels to where they are; those that `permute` alone moved are left where they are.

    >>> Shape(3, 224, 224)
    Shape(3, 224, 224)
    >>> Shape(64, Dim.variable("H") // 2, 7)
    Shape(64, H//2, 7)
    >>> Shape(56, 28, 96, axis=2).channels
    96
    >>> Shape(56, 28, 96, axis=2) == Shape(56, 28, 96)
    False
    """

    # Nearly every shape has its channels first, and shapes are part of many keys: such a one is a plain tuple, which is
    # compared and hashed as one. Any other is of a subclass that adds the axis to both.
    __slots__ = ()
    axis: int | None = 0
    is_named: bool = False

    def __new__(cls, *sizes: Size, axis: int | None = 0, is_named: bool = False) -> Shape:
        if axis == 0 and not is_named:
            return super().__new__(cls, sizes)
        made = super().__new__(cast("type[Self]", _WithAxis), sizes)
        made.axis, made.is_named = axis, is_named
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Size, ...], dict[str, object]]:
        """Say what a copy is made of: sizes one by one, where a tuple would hand over all in one."""
        return tuple(self), {"axis": self.axis, "is_named": self.is_named}

    @property
    def channels(self) -> Size:
        """Return the size of the channels' axis; requires that there is one."""
        assert self.axis is not None, f"{self} has no channels"
        return self[self.axis]

    @property
    def positions(self) -> tuple[Size, ...]:
        """Return the sizes of all axes but the channels'."""
        return tuple(size for axis, size in enumerate(self) if axis != self.axis)

    def with_sizes(self, sizes: Iterable[Size]) -> Shape:
        """Return a shape of other sizes whose axes mean the same."""
        return Shape(*sizes, axis=self.axis, is_named=self.is_named)

    def with_channels(self, channels: Size) -> Shape:
        """Return a shape with another number of channels, if it has any."""
        return self.with_sizes(channels if axis == self.axis else size for axis, size in enumerate(self))

    @property
    def elements(self) -> Size:
        return product(self)

    def numbers(self) -> tuple[int, ...]:
        """Return the sizes as numbers; requires that none depends on the image."""
        for size in self:
            assert type(size) is not Dim, f"{self} is symbolic"
        return tuple(self)  # pyright: ignore[reportReturnType] -- what is no number was refused

    def __str__(self) -> str:
        return "[" + ", ".join(size.short() if isinstance(size, Dim) else str(size) for size in self) + "]"

    def __repr__(self) -> str:
        axis = ("" if self.axis == 0 else f", axis={self.axis}") + (", is_named=True" if self.is_named else "")
        return f"Shape({', '.join(map(str, self))}{axis})"


class _WithAxis(Shape):
    """A shape that says where its channels are, made by `Shape` itself.

    Python asks a subclass first, so that it also decides whether a plain shape equals it. A tuple of sizes says nothing
    of axes, and equals any shape of these sizes.
    """

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Shape) and (self.axis != other.axis or self.is_named != other.is_named):
            return False
        return (*self,) == other if type(other) is tuple else isinstance(other, Shape) and (*self,) == (*other,)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((tuple(self), self.axis, self.is_named))


def reread(x: Shape, sizes: Sequence[Size]) -> Shape:
    """Return the shape of a tensor's elements, in order, under other sizes.

    The channels stay an axis where theirs is one of the new axes, merged with none but axes of size 1. Where they are
    split or merged none of the axes is the channels, but a vector's only axis always is. Channels that come first,
    where no pattern named them, are whatever axis comes first then.
    """
    if len(sizes) == 1 or (x.axis == 0 and not x.is_named):
        return Shape(*sizes)
    if x.axis is None:
        return Shape(*sizes, axis=None, is_named=x.is_named)
    before = product(x[: x.axis])
    same = (axis for axis, size in enumerate(sizes) if size == x.channels and product(sizes[:axis]) == before)
    return Shape(*sizes, axis=next(same, None), is_named=x.is_named)
