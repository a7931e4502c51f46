"""Numbers that note what is computed from them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, cast

# What a program is handed, and what it computes with: numbers, and lists of them.
Leaf: TypeAlias = "int | float | Fraction | tuple[Leaf, ...]"


class Untraceable(Exception):
    """What these numbers make cannot be noted, or is a mistake in the spec; who meets it compiles the spec instead."""


class Recorder:
    """The notes on one run: every value that was computed, as a line of Python, and every decision on one.

    Values have places; `v3` is the one at place 3. Equal lines are noted once, so that what several rules compute from
    the same numbers costs once. `values` are those of this run.
    """

    def __init__(self, values: Sequence[Leaf]) -> None:
        self.values: list[Any] = []
        self.lines: list[str | None] = []
        """How each value is computed; None for what the program is handed."""
        self.reads: list[tuple[int, ...]] = []
        """The places that each value is computed from."""
        self.guards: list[tuple[str, tuple[int, ...]]] = []
        """What has to hold, and the places that it reads."""
        self.constants: dict[str, object] = {}
        self._names: dict[object, str] = {}
        self._traced: dict[int, Traced] = {}
        self._places: dict[str, int] = {}
        self._decided: set[str] = set()
        self.is_unread = False
        """Whether texts that numbers are put into have no effect, as those of messages that nobody sees."""
        self.parameters: list[int] = []
        self.calls: list[int] = []
        """The places of what calls gave."""
        for value in values:
            self.parameter(value)

    def parameter(self, value: Leaf) -> Any:
        """Add a number that the program is handed."""
        self.parameters.append(len(self.values))
        return self._add(None, (), value)

    def at(self, place: int) -> Any:
        """Return the value at a place."""
        return self._traced[place]

    def compute(self, line: str, reads: Sequence[int], value: Any) -> Any:
        """Note a value that is computed; `value` is what it is in this run."""
        place = self._places.get(line)
        if place is not None:
            return self._traced[place]
        self._places[line] = len(self.values)
        return self._add(line, tuple(reads), value)

    def call(self, function: object, arguments: Sequence[object], value: Any) -> Any:
        """Note the call of a function, and its result."""
        written, reads = self.write_all(arguments)
        count = len(self.values)
        made = self.compute(f"{self.constant(function)}({', '.join(written)})", reads, value)
        if made.place == count:
            self.calls.append(count)
        return made

    def part(self, whole: Traced, what: str, value: Any) -> Any:
        """Note a part of a value: an attribute of it, or an item."""
        return self.compute(f"v{whole.place}{what}", (whole.place,), value)

    def hold(self, line: str, reads: Sequence[int]) -> None:
        """Note what has to hold, and does so in this run."""
        if line not in self._decided:
            self._decided.add(line)
            self.guards.append((line, tuple(reads)))

    def decide(self, line: str, reads: Sequence[int], result: bool) -> bool:
        """Note how a comparison comes out, and return it."""
        self.hold(line if result else f"not ({line})", reads)
        return result

    def constant(self, value: object) -> str:
        """Return the name of an object in the program."""
        kind = type(value)
        # Numbers go by names too, so that programs that differ in them alone are one text, which is compiled once.
        key = (kind, value) if kind is int or kind is float else (id, id(value))
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"k{len(self._names)}"
            self.constants[name] = value
        return name

    def write(self, value: object) -> str:
        """Return a value as the program writes it."""
        kind = type(value)
        if kind in TRACED:
            traced = cast("Traced", value)
            if traced.recorder is not self:
                raise Untraceable("a number of another program")
            return traced.name
        if kind is bool or value is None or (kind is int and value in (-1, 0, 1)):
            return repr(value)
        return self.constant(value)

    def write_all(self, values: Sequence[object]) -> tuple[list[str], list[int]]:
        """Return values as the program writes them, and the places that this reads."""
        return [self.write(value) for value in values], [
            cast("Traced", value).place for value in values if type(value) in TRACED
        ]

    def mark(self) -> tuple[int, int, int]:
        """Return how far the notes go, for `rewind`."""
        return len(self.values), len(self.guards), len(self.parameters)

    def rewind(self, mark: tuple[int, int, int], values: Sequence[Any]) -> None:
        """Forget what was noted since a mark, and take up other values for what came before."""
        count, guards, parameters = mark
        del self.lines[count:], self.reads[count:], self.guards[guards:], self.parameters[parameters:]
        self.calls = [place for place in self.calls if place < count]
        self.values = list(values)
        self._places = {line: place for line, place in self._places.items() if place < count}
        self._traced = {place: traced for place, traced in self._traced.items() if place < count}
        self._decided = {line for line, _ in self.guards}

    def _add(self, line: str | None, reads: tuple[int, ...], value: Any) -> Traced:
        place = len(self.values)
        self.values.append(value)
        self.lines.append(line)
        self.reads.append(reads)
        made = self._traced[place] = _KINDS.get(type(value), Traced)(self, place)
        return made


class Traced:
    """A value of a run, and its place in the notes on it. Equal to another where the run decides so, which is noted.

    The subclasses pass for the type that they stand for wherever Python asks by `isinstance`; what reads the number
    behind Python's back, such as `range`, has to ask for it, and then it is held to be this very one.
    """

    __slots__ = ("name", "place", "recorder")

    def __init__(self, recorder: Recorder, place: int) -> None:
        self.recorder, self.place, self.name = recorder, place, f"v{place}"

    @property
    def value(self) -> Any:
        """What it is in this run."""
        return self.recorder.values[self.place]

    def settle(self) -> Any:
        """Return what it is in this run, and hold it to that."""
        self.recorder.hold(f"v{self.place} == {self.recorder.write(self.value)}", (self.place,))
        return self.value

    def __hash__(self) -> int:
        return hash((id(self.recorder), self.place))

    def __eq__(self, other: object) -> bool:
        return _compare("==", operator.eq, self, other, otherwise=False)

    def __ne__(self, other: object) -> bool:
        return _compare("!=", operator.ne, self, other, otherwise=True)

    def __str__(self) -> str:
        return str(self._written())

    def __repr__(self) -> str:
        return repr(self._written())

    def __format__(self, spec: str) -> str:
        return format(self._written(), spec)

    def _written(self) -> Any:
        """Return what it is in this run for a text, which depends on it unless nobody reads that."""
        return self.value if self.recorder.is_unread else self.settle()

    def __reduce__(self) -> Any:
        raise TypeError("a traced value belongs to its run")


def _compare(sign: str, compare: Callable[[Any, Any], bool], left: Traced, right: object, *, otherwise: bool) -> bool:
    if left is right:
        return compare(0, 0)
    if not isinstance(right, int | float | Fraction | tuple):
        return otherwise
    (a, b), reads = left.recorder.write_all((left, right))
    return left.recorder.decide(f"{a} {sign} {b}", reads, compare(left.value, plain(right)))


def plain(value: Any) -> Any:
    """Return the value of this run."""
    return value.value if isinstance(value, Traced) else value


def exact(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return lists of numbers among values with the types of what they hold: 1 and 1.0 are equal, and are not alike."""
    return (values, tuple([_kinds_in(value) for value in values if type(value) is tuple]))


def _kinds_in(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([_kinds_in(item) if type(item) is tuple else type(item) for item in items])


def _binary(sign: str, compute: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    neutral = {"+": 0, "-": 0, "*": 1, "//": 1, "%": 1}.get(sign)

    def forth(self: Traced, other: object) -> Any:
        if not isinstance(other, int | float | Fraction):
            return NotImplemented
        if type(self) is TracedInt and type(other) is int and other == neutral:
            return 0 if sign == "%" else self
        (a, b), reads = self.recorder.write_all((self, other))
        return self.recorder.compute(f"{a} {sign} {b}", reads, compute(self.value, plain(other)))

    def back(self: Traced, other: object) -> Any:
        if not isinstance(other, int | float | Fraction):
            return NotImplemented
        if type(self) is TracedInt and type(other) is int and other == neutral and sign in "+*":
            return self
        (a, b), reads = self.recorder.write_all((other, self))
        return self.recorder.compute(f"{a} {sign} {b}", reads, compute(plain(other), self.value))

    return forth, back


def _ordered(sign: str, compare: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def ordered(self: Traced, other: object) -> Any:
        if not isinstance(other, int | float | Fraction):
            return NotImplemented
        (a, b), reads = self.recorder.write_all((self, other))
        return self.recorder.decide(f"{a} {sign} {b}", reads, compare(self.value, plain(other)))

    return ordered


def _called(text: str, compute: Callable[[Any], Any]) -> Callable[[Traced], Any]:
    def apply(self: Traced) -> Any:
        return self.recorder.compute(text.format(f"v{self.place}"), (self.place,), compute(self.value))

    return apply


class TracedNumber(Traced):
    """A number of a run: what is computed from it is noted, and how it compares is held."""

    __slots__ = ()
    __hash__ = Traced.__hash__
    __add__, __radd__ = _binary("+", operator.add)
    __sub__, __rsub__ = _binary("-", operator.sub)
    __mul__, __rmul__ = _binary("*", operator.mul)
    __floordiv__, __rfloordiv__ = _binary("//", operator.floordiv)
    __truediv__, __rtruediv__ = _binary("/", operator.truediv)
    __mod__, __rmod__ = _binary("%", operator.mod)
    __lt__, __le__ = _ordered("<", operator.lt), _ordered("<=", operator.le)
    __gt__, __ge__ = _ordered(">", operator.gt), _ordered(">=", operator.ge)
    __neg__ = _called("-{}", operator.neg)
    __pos__ = _called("+{}", operator.pos)
    __abs__ = _called("abs({})", abs)

    def __bool__(self) -> bool:
        return self.recorder.decide(f"v{self.place} != 0", (self.place,), bool(self.value))

    def __pow__(self, other: object) -> Any:
        return self.settle() ** plain_settled(other)

    def __rpow__(self, other: Any) -> Any:
        return other ** self.settle()

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __index__(self) -> int:
        return operator.index(self.settle())

    def __int__(self) -> int:
        return int(self.settle())

    def __float__(self) -> float:
        return float(self.settle())

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.settle(), digits)

    def __floor__(self) -> Any:
        return math.floor(self.settle())

    def __ceil__(self) -> Any:
        return math.ceil(self.settle())

    def __trunc__(self) -> Any:
        return math.trunc(self.settle())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.settle(), name)


def plain_settled(value: Any) -> Any:
    """Return the value of this run, held to be this very one."""
    return value.settle() if isinstance(value, Traced) else value


class TracedInt(TracedNumber):
    """A whole number."""

    __slots__ = ()
    __hash__ = Traced.__hash__
    __class__ = property(lambda self: int)  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    bit_length = _called("{}.bit_length()", int.bit_length)


class TracedFloat(TracedNumber):
    """A floating-point number."""

    __slots__ = ()
    __hash__ = Traced.__hash__
    __class__ = property(lambda self: float)  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]


class TracedFraction(TracedNumber):
    """A fraction."""

    __slots__ = ()
    __hash__ = Traced.__hash__
    __class__ = property(lambda self: Fraction)  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]


class TracedList(Traced):
    """A list of numbers, whose length is left open until somebody asks for what it holds."""

    __slots__ = ()
    __hash__ = Traced.__hash__
    __class__ = property(lambda self: tuple)  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def items(self) -> tuple[Any, ...]:
        """Return its items, each a value of the run; how many there are and of what types they are is held."""
        recorder, value = self.recorder, self.value
        kinds = tuple(map(type, value))
        line = f"tuple(map(type, v{self.place})) == {recorder.constant(kinds)}"
        recorder.hold(line, (self.place,))
        return tuple(recorder.part(self, f"[{index}]", item) for index, item in enumerate(value))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items())

    def __len__(self) -> int:
        recorder = self.recorder
        recorder.hold(f"len(v{self.place}) == {len(self.value)}", (self.place,))
        return len(self.value)

    def __bool__(self) -> bool:
        return self.recorder.decide(f"len(v{self.place}) != 0", (self.place,), bool(self.value))

    def __getitem__(self, index: Any) -> Any:
        return self.items()[index]

    def __contains__(self, item: object) -> bool:
        return item in self.items()

    def __add__(self, other: Any) -> Any:
        return (*self, *other) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return (*other, *self) if isinstance(other, tuple) else NotImplemented


TRACED = frozenset({Traced, TracedInt, TracedFloat, TracedFraction, TracedList})
_KINDS: dict[type, type[Traced]] = {int: TracedInt, float: TracedFloat, Fraction: TracedFraction, tuple: TracedList}
