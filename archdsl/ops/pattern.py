"""Axes with names: splitting, ordering and merging them by a pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from keyword import iskeyword
from typing import ClassVar, TypeAlias, final

from pydantic import PositiveInt

from archdsl.ops.base import Category, Op, OpError, TorchCall, ValueAt
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape, Size, differ, product

# The names that make up one axis, the outermost first; none for an axis of size 1.
NameGroup: TypeAlias = tuple[str, ...]

_WORDS = re.compile(r"\.\.\.|\w+|\S")
_REST = "..."
_FORM = 'write it as `rearrange "c h w -> (h w) c"`'


@final
class Rearrange(Op):
    """Split, order and merge axes by their names.

    The pattern names one image's axes before `->` and after it; the batch has no name. Parentheses hold names that make
    up one axis, the outermost first, `1` is an axis of size 1, and `...` stands for all axes without a name. Of the
    names in parentheses before the arrow all sizes but one are given by name, `p=7`, or read from another value,
    `like=@x`, whose axes are those after the arrow. The channels are where the axis that holds them goes.
    `within PATTERN { … }` rearranges, runs its body, and rearranges back.

    Shape:  the axes after `->`
    Cost:   none
    Errors: E216 the axes are no such ones, or of other sizes; E226 no such pattern, or a size is not known
    Source: einops.rearrange, of each image by itself; Rogozhnikov 2022

    >>> Rearrange(pattern="c (h p) (w q) -> (h w) (p q) c", sizes=(("p", 7), ("q", 7))).infer_shape([Shape(96, 56, 28)])
    Shape(32, 49, 96, axis=2, is_named=True)
    """

    keyword: ClassVar[str] = "rearrange"
    category: ClassVar[Category] = "shape"
    edition: ClassVar[int] = 2
    open_attribute: ClassVar[str] = "sizes"

    pattern: str
    """The axes by name, `->`, and the result's."""
    sizes: tuple[tuple[str, PositiveInt], ...] = ()
    """The sizes of axes by their names: `p=7 q=7`."""
    like: ValueAt | None = None
    """A value that has the axes after the arrow, whose sizes are taken where none is given."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        x = inputs[0]
        before, after = self._sides(len(x))
        said: Mapping[str, Size] = dict(self.sizes)
        like = inputs[self.like.input] if self.like is not None else None
        found = _read(after, like, said, {}, is_partial=True) if like is not None else {}
        sizes = _read(before, x, said, found)
        result = [product(sizes[name] for name in group) for group in after]
        if like is not None:
            # What was divided and is multiplied again is what it was: 7*(H//7) is H, or the way there was refused.
            is_same = [all(found.get(name) == sizes[name] for name in group) for group in after]
            result = [there if same else size for there, same, size in zip(like, is_same, result, strict=True)]
        if len(result) == 1:
            return Shape(*result)
        kept = before[x.axis] if x.axis is not None else ()
        axis = after.index(kept) if len(kept) == 1 and kept in after else None
        if like is not None:
            # What came in has these axes: the way back gives what it was, so that equal calls behind it are equal.
            axis = like.axis if axis is None else axis
            if axis == like.axis:
                return like.with_sizes(result)
        return Shape(*result, axis=axis, is_named=True)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def changes_nothing(self) -> bool:
        # A pattern whose sides are equal names the channels, which steps behind it follow: it is not to be left out.
        return False

    def axis_order(self) -> tuple[int, ...] | None:
        before, after = read_pattern(self.pattern)
        is_plain = all(len(group) == 1 and group != (_REST,) for group in (*before, *after))
        return tuple(before.index(group) for group in after) if is_plain and self.like is None else None

    def is_view(self, *, in_training: bool) -> bool:
        before, after = read_pattern(self.pattern)
        names = sum(before, ())
        # Names that were neighbours in memory are one axis without a copy.
        at = [[names.index(name) for name in group] for group in after]
        return all(places == [*range(places[0], places[0] + len(places))] for places in at if places)

    def keeps_constants(self) -> bool:
        before, after = read_pattern(self.pattern)
        return len(before[0]) == 1 and before[0] == after[0]

    def describe(self) -> tuple[Term, ...]:
        return (Term("rearrange"), Term(f" to {self.pattern.partition('->')[2].strip()}"))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("Rearrange", (" -> ".join(map(_text, read_pattern(self.pattern))),), dict(self.sizes))

    def back(self) -> Rearrange:
        """Return what undoes this, for a value whose sizes are those of a further input that this one read."""
        before, after = map(_text, read_pattern(self.pattern))
        return Rearrange(pattern=f"{after} -> {before}", sizes=self.sizes, like=ValueAt(input=1))

    @classmethod
    def open_names(cls, given: Mapping[str, object]) -> tuple[str, ...]:
        pattern = given.get("pattern")
        if not isinstance(pattern, str):
            return ()
        return tuple(dict.fromkeys(word for word in _WORDS.findall(pattern) if word.isidentifier()))

    def _sides(self, rank: int) -> tuple[tuple[NameGroup, ...], tuple[NameGroup, ...]]:
        """Return both sides' axes, with names of their own for those that `...` stands for."""
        before, after = read_pattern(self.pattern)
        if (_REST,) not in before:
            return before, after
        rest = tuple((f"{_REST}{i}",) for i in range(rank - len(before) + 1))
        return _spread(before, rest), _spread(after, rest)


@cache
def read_pattern(pattern: str) -> tuple[tuple[NameGroup, ...], tuple[NameGroup, ...]]:
    """Return the axes before and after the arrow.

    Errors: E226 no pattern
    """
    sides = pattern.split("->")
    if len(sides) != 2:
        raise OpError("E226", "the pattern has no `->`, or several", "pattern", _FORM)
    before, after = map(_side, sides)
    names = [set(sum(side, ())) for side in (before, after)]
    lonely = sorted(names[0] ^ names[1])
    if lonely:
        side = "before" if lonely[0] in names[0] else "behind"
        message = f"`{lonely[0]}` stands {side} the arrow alone"
        raise OpError("E226", message, "pattern", "name every axis on both sides, once", word=lonely[0])
    return before, after


def _text(side: tuple[NameGroup, ...]) -> str:
    """Write one side of a pattern with one space between its words, as the module in `runtime` reads it."""
    return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" if group else "1" for group in side)


def _side(text: str) -> tuple[NameGroup, ...]:
    groups: list[NameGroup] = []
    inside: list[str] | None = None
    seen: set[str] = set()
    for word in _WORDS.findall(text):
        if word == "(" and inside is None:
            inside = []
        elif word == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif word == "1":
            if inside is None:
                groups.append(())
        elif word == _REST and inside is None and word not in seen:
            seen.add(word)
            groups.append((word,))
        elif word.isidentifier() and not iskeyword(word) and word not in seen:
            seen.add(word)
            if inside is None:
                groups.append((word,))
            else:
                inside.append(word)
        else:
            raise _misplaced(word, is_twice=word in seen)
    if inside is not None:
        raise OpError("E226", "a parenthesis of the pattern is not closed", "pattern", _FORM, word="(")
    if not groups:
        raise OpError("E226", "one side of the pattern names no axis", "pattern", _FORM)
    return tuple(groups)


def _misplaced(word: str, *, is_twice: bool) -> OpError:
    if is_twice:
        help = "give each axis a name of its own"
        return OpError("E226", f"`{word}` stands twice on one side", "pattern", help, word=word)
    if word.isdecimal():
        help = f"name it, and give its size behind the pattern: `p={word}`"
        return OpError("E226", f"the pattern has the number {word} for an axis", "pattern", help, word=word)
    return OpError("E226", f"`{word}` cannot stand there in a pattern", "pattern", _FORM, word=word)


def _spread(side: tuple[NameGroup, ...], rest: tuple[NameGroup, ...]) -> tuple[NameGroup, ...]:
    at = side.index((_REST,))
    return (*side[:at], *rest, *side[at + 1 :])


def _read(
    side: tuple[NameGroup, ...],
    x: Shape,
    said: Mapping[str, Size],
    found: Mapping[str, Size],
    *,
    is_partial: bool = False,
) -> dict[str, Size]:
    """Return the sizes of a side's names where it is the axes of a value.

    An axis of one name has the value's size; `found` are sizes of those in parentheses that are not said.
    """
    if len(side) != len(x):
        message = f"the pattern has {len(side)} axes for {x}, which has {len(x)}"
        raise OpError("E216", message, "pattern", "name each axis, without that of the batch")
    names = set(sum(side, ()))
    stray = next((name for name in said if name not in names), None)
    if stray is not None:
        raise OpError("E226", f"no axis of the pattern is called `{stray}`", stray, "remove it, or name an axis so")
    sizes: dict[str, Size] = {}
    for group, size in zip(side, x, strict=True):
        known = {name: said.get(name, found.get(name)) for name in group} if len(group) > 1 else {}
        if len(group) == 1:
            known = {group[0]: said.get(group[0])}
        inner = {name: value for name, value in known.items() if value is not None}
        sizes.update(inner)
        left = [name for name in group if name not in inner]
        whole = product(inner.values())
        if not left:
            if differ(whole, size):
                raise _unlike(group, inner, size, x)
        elif len(left) == 1 and isinstance(whole, int):
            if size % whole:
                raise _unlike(group, inner, size, x)
            sizes[left[0]] = size // whole
        elif not is_partial:
            shown = " and ".join(f"`{name}`" for name in left)
            help = f"give one of them, `{left[-1]}=7`, or a value that has them: `like=@x`"
            raise OpError("E226", f"the sizes of {shown} are not known", "pattern", help, word=left[0])
    return sizes


def _unlike(group: NameGroup, inner: Mapping[str, Size], size: Size, x: Shape) -> OpError:
    if not group:
        return OpError("E216", f"the pattern has 1 for an axis of {x} whose size is {size}", "pattern", word="1")
    shown = " times ".join(f"{name}={value}" for name, value in inner.items())
    relation = "is not" if len(inner) == len(group) else "does not divide"
    help = "give other sizes, or take an image that they divide"
    return OpError(
        "E216", f"`{shown}` {relation} {size}, the size of that axis of {x}", "pattern", help, word=group[-1]
    )
