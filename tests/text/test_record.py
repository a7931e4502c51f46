"""A record is what the standard library's frozen data class with slots is."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, ClassVar

import pytest

from archdsl.syntax import tree
from archdsl.text.record import record


def declare(decorator: Callable[[type], type]) -> Any:
    class Point:
        """A place."""

        dimensions: ClassVar[int] = 2

        x: int
        y: int = 7
        names: list[str] = field(default_factory=list[str])
        note: str = field(default="", compare=False, repr=False)

        @property
        def total(self) -> int:
            return self.x + self.y

    return decorator(Point)


STANDARD, RECORD = declare(dataclass(frozen=True, slots=True)), declare(record)


@record
class Lone:
    value: object


@record
class Empty:
    pass


@record
class Own:
    """Says itself what it is equal to, and how it is shown."""

    value: int
    other: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.value == other.value

    def __hash__(self) -> int:
        return self.value

    def __repr__(self) -> str:
        return "own"


def test_it_has_what_the_standard_one_has() -> None:
    asked = [
        lambda kind: repr(kind(1)),
        lambda kind: kind(1) == kind(1, 7, [], "other"),
        lambda kind: kind(1) == kind(2),
        lambda kind: kind(1) != kind(1, 8),
        lambda kind: kind(1).__eq__(1) is NotImplemented,
        lambda kind: kind(x=1, y=2).total,
        lambda kind: kind.__match_args__,
        lambda kind: kind.__slots__,
        lambda kind: kind.__qualname__,
        lambda kind: kind.__doc__,
        lambda kind: kind.dimensions,
        lambda kind: kind(1).names is kind(1).names,
        lambda kind: dataclasses.is_dataclass(kind),
        lambda kind: [(one.name, one.type, one.default, one.compare) for one in dataclasses.fields(kind)],
        lambda kind: repr(dataclasses.replace(kind(1), y=3)),
        lambda kind: dataclasses.asdict(kind(1, 2, ["a"])),
        lambda kind: dataclasses.astuple(kind(1, 2, ["a"])),
        lambda kind: copy.copy(kind(1)) == copy.deepcopy(kind(1)) == kind(1),
        lambda kind: hasattr(kind(1), "__dict__"),
    ]
    for ask in asked:
        assert ask(STANDARD) == ask(RECORD)


@pytest.mark.parametrize("change", ["x", "y", "other"])
def test_it_is_frozen(change: str) -> None:
    point = RECORD(1)
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{change}'"):
        setattr(point, change, 3)
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{change}'"):
        delattr(point, change)


@pytest.mark.parametrize("arguments", [(), (1, 2, [], "", 3)])
def test_arguments_that_do_not_fit_are_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__"):
        RECORD(*arguments)


def test_hashes_are_those_of_what_is_compared() -> None:
    assert hash(Lone(1)) == hash(Lone(1)) == hash((1,))
    assert hash(Empty()) == hash(())
    with pytest.raises(TypeError, match="unhashable"):
        hash(RECORD(1))
    assert (hash(Own(3)), Own(3) == Own(3, 4), repr(Own(3))) == (3, True, "own")


def test_patterns_match_it() -> None:
    match Lone(5):
        case Lone(value):
            assert value == 5


def test_it_is_pickled() -> None:
    name = tree.Name("a", tree.Span(0, 1))
    again = pickle.loads(pickle.dumps(Lone(name.text)))
    assert (again, pickle.loads(pickle.dumps(Empty()))) == (Lone("a"), Empty())


def test_what_holds_itself_is_shown() -> None:
    held: list[object] = []
    held.append(Lone(held))
    assert repr(held[0]) == "Lone(value=[...])"


def test_what_a_record_has_none_of_is_refused() -> None:
    class Hidden:
        value: int = field(default=0, init=False)

    class Late:
        value: int

        def __post_init__(self) -> None: ...

    class Behind(Lone):
        more: int

    for kind in (Hidden, Late, Behind):
        with pytest.raises(TypeError, match="more than a record"):
            record(kind)
