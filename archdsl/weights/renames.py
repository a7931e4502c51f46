"""Few rules for many renames: what a `keys` declaration says of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple, TypeVar

from archdsl.weights.error import WeightsError

_NAMES = "ijklmn"
# A number of a key as rules see it: without zeros in front.
_PIECES = re.compile(r"(?<!\d)(0|[1-9]\d{0,8})(?!\d)")
# What of a number here theirs may be, before something is added: the factor, and what it is divided by.
_FUNCTIONS = ((1, 1), (2, 1), (3, 1), (4, 1), (1, 2), (1, 3))
_MOST_CANDIDATES, _LONGEST_TABLE = 3_000, 32
_UNSAYABLE = re.compile(r'["{}\x00-\x1f\x7f]|\A\.|\.\.|\.\Z')


_Piece = TypeVar("_Piece")


class Table(NamedTuple):
    """A number of theirs that a list has for each number of ours at a place, from the first on."""

    place: int
    first: int
    values: tuple[int, ...]

    def of(self, numbers: Sequence[int]) -> int:
        at = numbers[self.place] - self.first
        return self.values[at] if 0 <= at < len(self.values) else -1

    def text(self, names: Mapping[int, str]) -> str:
        return f"{{{list(self.values)}[{names[self.place]}{f'-{self.first}' if self.first else ''}]}}"


class Scaled(NamedTuple):
    """A number of theirs: `factor * n // divisor + added` of the number of ours at a place."""

    place: int
    factor: int
    divisor: int
    added: int

    def of(self, numbers: Sequence[int]) -> int:
        return numbers[self.place] * self.factor // self.divisor + self.added

    def text(self, names: Mapping[int, str]) -> str:
        name = names[self.place]
        scaled = f"{self.factor}*{name}" if self.factor > 1 else f"{name}//{self.divisor}" if self.divisor > 1 else name
        return f"{{{scaled}{self.added:+d}}}" if self.added else f"{{{scaled}}}"


@dataclass(frozen=True)
class RenameRule:
    """`"ours" = "theirs"`: of ours an int is the place of a number that may be any."""

    ours: tuple[str | int, ...]
    theirs: tuple[str | Scaled | Table, ...]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        written = "".join(re.escape(p) if isinstance(p, str) else "(0|[1-9][0-9]*)" for p in self.ours)
        return re.compile(rf"{written}(?=\.|\Z)" if written else "")

    def rename(self, key: str) -> str | None:
        """Return their key for one of ours; None where the rule does not hold for it. ValueError below 0."""
        match = self._pattern.match(key)
        if match is None:
            return None
        numbers = list(map(int, match.groups()))
        parts = [p if isinstance(p, str) else p.of(numbers) for p in self.theirs]
        if any(isinstance(part, int) and part < 0 for part in parts):
            raise ValueError(key)
        return ".".join(part for part in ("".join(map(str, parts)), key[match.end() :].removeprefix(".")) if part)

    def __str__(self) -> str:
        # A place counts the numbers that vary, so that names go in the order of the text.
        used = {piece.place for piece in self.theirs if isinstance(piece, Scaled | Table)}
        places = [piece for piece in self.ours if isinstance(piece, int)]
        names = {place: _NAMES[number] for number, place in enumerate(places)}
        ours = "".join(piece if isinstance(piece, str) else f"{{{names[piece]}}}" for piece in self.ours)
        theirs = "".join(piece if isinstance(piece, str) else piece.text(names) for piece in self.theirs)
        assert used <= names.keys()
        return f'"{ours}" = "{theirs}"'


def find_rules(renames: Mapping[str, str], apart: Collection[str], theirs: Collection[str]) -> tuple[RenameRule, ...]:
    """Return rules by which each name of ours becomes theirs, the first that holds for a name being the one.

    Names are those of modules or of tensors, and a rule holds for all below. `apart` are names of ours that have no
    counterpart: they do not become any of `theirs`.
    Errors: WeightsError where a name cannot stand in a rule
    """
    if any(_UNSAYABLE.search(name) for pair in renames.items() for name in pair):
        raise WeightsError("a key has a sign in it that no rule of `keys` can say")
    choice = _Choice(renames, apart, theirs)
    while not choice.is_done:
        choice.take_best()
    return tuple(choice.rules)


class _Choice:
    """Rules taken one after another, of those that set most names right."""

    def __init__(self, renames: Mapping[str, str], apart: Collection[str], theirs: Collection[str]) -> None:
        self._effects = list(_effects(renames, apart, theirs))
        self._is_right = [ours == renames.get(ours, ours) for ours in (*renames, *apart)]
        self._is_met = [False for _ in self._is_right]
        self.rules: list[RenameRule] = []

    @property
    def is_done(self) -> bool:
        return all(self._is_right)

    def take_best(self) -> None:
        """Take the rule that does most good, behind the others where it does, else as an exception before them.

        Errors: WeightsError where none does any
        """
        choices = (
            (self._gain(effect, is_last=is_last), -len(str(rule)), is_last, place)
            for place, (rule, effect) in enumerate(self._effects)
            for is_last in (True, False)
        )
        gain, _, is_last, place = max(choices)
        if gain <= 0:
            raise WeightsError("no rules of `keys` say these renames")
        rule, effect = self._effects[place]
        for place, right in effect.items():
            if not (is_last and self._is_met[place]):
                self._is_right[place] = right
                self._is_met[place] = True
        self.rules.insert(len(self.rules) if is_last else 0, rule)

    def _gain(self, effect: Mapping[int, bool], *, is_last: bool) -> int:
        met, right = self._is_met, self._is_right
        return sum(is_right - right[place] for place, is_right in effect.items() if not (is_last and met[place]))


def _effects(
    renames: Mapping[str, str], apart: Collection[str], theirs: Collection[str]
) -> Iterator[tuple[RenameRule, dict[int, bool]]]:
    """Yield rules that may be of use, with the places of the names for which they hold, and whether they do right."""
    known = set(theirs)
    # What has no counterpart may need a rule that keeps its name, where a general one would change it.
    kept = (RenameRule((name,), (name,)) for name in apart if name)
    for rule in dict.fromkeys((*_candidates(renames), *kept)):
        effect: dict[int, bool] = {}
        try:
            for place, ours in enumerate((*renames, *apart)):
                made = rule.rename(ours)
                if made is not None:
                    effect[place] = made == renames[ours] if ours in renames else made == ours or made not in known
        except ValueError:
            continue
        yield rule, effect


def _candidates(renames: Mapping[str, str]) -> Iterator[RenameRule]:
    groups: dict[object, list[tuple[str, str]]] = {}
    for pair in renames.items():
        for ours, theirs in _beginnings(*pair):
            if ours or theirs:
                yield RenameRule((ours,) if ours else (), (theirs,) if theirs else ())
            shape = _PIECES.sub("#", ours), len(ours.split("#")), _PIECES.sub("#", theirs)
            groups.setdefault(shape, []).append((ours, theirs))
    count = 0
    for pairs in groups.values():
        for rule in _general(list(dict.fromkeys(pairs))):
            count += 1
            if count > _MOST_CANDIDATES:
                return
            yield rule


def _beginnings(ours: str, theirs: str) -> Iterator[tuple[str, str]]:
    """Yield two names without more and more of the segments that both end with."""
    mine, other = [part for part in ours.split(".") if part], [part for part in theirs.split(".") if part]
    while True:
        yield ".".join(mine), ".".join(other)
        if not (mine and other and mine[-1] == other[-1]):
            return
        mine, other = mine[:-1], other[:-1]


def _general(pairs: Sequence[tuple[str, str]]) -> Iterator[RenameRule]:
    """Yield rules for names that only numbers tell apart, with more and fewer of the numbers left open."""
    if len(pairs) < 2:
        return
    split = [(_PIECES.split(ours), _PIECES.split(theirs)) for ours, theirs in pairs]
    count = len(split[0][0]) // 2
    if count > len(_NAMES):
        return
    for size in range(count + 1):
        for fixed in combinations(range(count), size):
            members: dict[tuple[str, ...], list[tuple[list[str], list[str]]]] = {}
            for ours, theirs in split:
                members.setdefault(tuple(ours[2 * place + 1] for place in fixed), []).append((ours, theirs))
            for group in members.values():
                rule = _fitted(group) if len(group) > 1 else None
                if rule is not None:
                    yield rule


def _fitted(group: Sequence[tuple[list[str], list[str]]]) -> RenameRule | None:
    """Return the rule of names in pieces, texts and numbers in turns; numbers that are all the same are texts."""
    first_ours, first_theirs = group[0]
    columns = [[int(ours[place]) for ours, _ in group] for place in range(1, len(first_ours), 2)]
    varied = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    ours: list[str | int] = [
        varied.index(place // 2) if place % 2 and place // 2 in varied else piece
        for place, piece in enumerate(first_ours)
    ]
    theirs: list[str | Scaled | Table] = []
    for place, piece in enumerate(first_theirs):
        values = [int(names[place]) for _, names in group] if place % 2 else []
        if len(set(values)) < 2:
            theirs.append(piece)
            continue
        number = _function([columns[column] for column in varied], values)
        if number is None:
            return None
        theirs.append(number)
    return RenameRule(tuple(_joined(ours)), tuple(_joined(theirs)))


def _function(columns: Sequence[Sequence[int]], values: Sequence[int]) -> Scaled | Table | None:
    for factor, divisor in _FUNCTIONS:
        for place, column in enumerate(columns):
            added = {value - number * factor // divisor for number, value in zip(column, values, strict=True)}
            if len(added) == 1:
                return Scaled(place, factor, divisor, added.pop())
    for place, column in enumerate(columns):
        table = dict(zip(column, values, strict=True))
        first, last = min(table), max(table)
        is_function = all(table[number] == value for number, value in zip(column, values, strict=True))
        if is_function and len(table) > 2 and last - first < _LONGEST_TABLE:
            # What lies between numbers that occur is never asked for.
            return Table(place, first, tuple(table.get(number, 0) for number in range(first, last + 1)))
    return None


def _joined(pieces: Sequence[_Piece | str]) -> list[_Piece | str]:
    """Join neighbouring texts, and leave out empty ones."""
    found: list[_Piece | str] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, str) and isinstance(last, str):
            found[-1] = last + piece
        elif piece != "":
            found.append(piece)
    return found
