"""Products of branches whose axes have names: contractions, outer products, and what lies between."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from string import ascii_letters
from typing import ClassVar, Literal, TypeAlias, final

from archdsl.ops.axes import multiplied
from archdsl.ops.base import Category, Op, OpError, TorchCall
from archdsl.ops.shape import Shape, Size, differ

Names: TypeAlias = tuple[str, ...]

_FORM = 'write it as `einsum "n d, m d -> n m"`'
_BATCH = "b"


@final
class Einsum(Op):
    """Multiply two branches along axes with names, and sum over the names that the result lacks.

    The names are those of one image's axes, apart by spaces; the batch has none. `"n d, m d -> n m"` is the product of
    one matrix with the other's transpose.

    Shape:  the axes that stand behind `->`
    Cost:   no parameters; macs = the product of all sizes where a name that both branches have is summed over; else one
            product per output element
    Errors: E213 a name has two sizes; E222 not two branches; E227 no pattern of two branches, or another number of
            names than of axes
    Source: torch.einsum

    >>> Einsum(pattern="h n d, h m d -> h n m").infer_shape([Shape(8, 49, 64), Shape(8, 49, 64)])
    Shape(8, 49, 49)
    """

    keyword: ClassVar[str] = "einsum"
    category: ClassVar[Category] = "join"
    edition: ClassVar[int] = 2
    is_join: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    pattern: str
    """Each branch's axes by name, `->`, and the result's."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        operands, result = self._names()
        if len(inputs) != 2:
            raise OpError("E222", f"einsum joins 2 branches, not {len(inputs)}", help="give it two branches")
        sizes: dict[str, Size] = {}
        for index, (names, x) in enumerate(zip(operands, inputs, strict=True), 1):
            if len(names) != len(x):
                message = f"`{' '.join(names)}` names {len(names)} axes, and branch {index} is {x}"
                raise OpError("E227", message, "pattern", "name each axis, without that of the batch")
            for name, size in zip(names, x, strict=True):
                known = sizes.setdefault(name, size)
                if differ(known, size):
                    message = f"`{name}` is {known} in one branch and {size} in the other"
                    raise OpError("E213", message, "pattern", "give axes of two sizes two names")
                sizes[name] = size if isinstance(size, int) else known
        places = {name: place for place, name in enumerate(result)}
        return multiplied([sizes[name] for name in result], inputs, [[*map(places.get, names)] for names in operands])

    def macs(self, inputs: Sequence[Shape]) -> int:
        sizes = self._sizes(inputs)
        if not self._summed_together():
            return 0
        # What one branch alone has and the result lacks is summed before they are multiplied.
        operands, result = self._names()
        return prod(sizes[name] for name in sizes if name in result or all(name in names for names in operands))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        operands, result = self._names()
        summed = [
            prod(x.numbers())
            for names, x in zip(operands, inputs, strict=True)
            if any(name not in result and Counter(n for o in operands for n in o)[name] == 1 for name in names)
        ]
        is_product = not self._summed_together()
        return sum(summed) + (super().elementwise(inputs) if is_product else 0)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        operands, result = self._names()
        return TorchCall("torch.einsum", (_letters(operands, result),), kind="function", is_led=True, stretches=True)

    def _names(self) -> tuple[tuple[Names, ...], Names]:
        """Return the names of each branch's axes and of the result's, or raise E227."""
        left, arrow, right = self.pattern.partition("->")
        operands = tuple(tuple(part.split()) for part in left.split(","))
        result = tuple(right.split())
        every = [name for names in operands for name in names]
        if not arrow or not result or not all(operands):
            raise OpError("E227", f"`{self.pattern}` is no pattern of axes", "pattern", _FORM)
        if len(operands) != 2:
            help = "name the axes of two, with `,` between them; a third takes an einsum of its own"
            raise OpError("E227", f"`{self.pattern}` is a pattern of {len(operands)} branches, not 2", "pattern", help)
        for name in (*every, *result):
            if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                raise OpError("E227", f"`{name}` cannot name an axis", "pattern", _FORM)
        for names in (*operands, result):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                message = f"`{' '.join(names)}` has `{twice}` twice"
                raise OpError("E227", message, "pattern", "name each axis of a branch once")
        missing = next((name for name in result if name not in every), None)
        if missing is not None:
            words = [*operands, result]
            is_packed = all(len(names) == 1 for names in words) and set(missing) <= set("".join(every))
            spaced = ", ".join(" ".join(names[0]) for names in operands) + " -> " + " ".join(missing)
            help = f'put spaces between the names: `einsum "{spaced}"`' if is_packed else _FORM
            raise OpError("E227", f"no branch has the axis `{missing}` of the result", "pattern", help)
        if len(set(every)) > _MOST_NAMES:
            raise OpError("E227", f"a pattern of {len(set(every))} names", "pattern", f"use at most {_MOST_NAMES}")
        return operands, result

    def _sizes(self, inputs: Sequence[Shape]) -> Mapping[str, int]:
        operands, _ = self._names()
        return {
            name: size
            for names, x in zip(operands, inputs, strict=True)
            for name, size in zip(names, x.numbers(), strict=True)
        }

    def _summed_together(self) -> frozenset[str]:
        """Return the names that both branches have and the result lacks."""
        operands, result = self._names()
        return frozenset(operands[0]).intersection(operands[1]).difference(result)


_LETTERS = ascii_letters.replace(_BATCH, "")
_MOST_NAMES = len(_LETTERS)


def _letters(operands: Sequence[Names], result: Names) -> str:
    """Return torch's pattern, with a letter for each name and one for the batch in front; own letters are kept."""
    names = list(dict.fromkeys(name for names in operands for name in names))
    own = {name: name for name in names if len(name) == 1 and name in _LETTERS}
    free = iter(letter for letter in _LETTERS if letter not in own)
    known = {name: own.get(name) or next(free) for name in names}
    left, right = ([_BATCH + "".join(known[name] for name in part) for part in parts] for parts in (operands, [result]))
    return f"{','.join(left)}->{right[0]}"
