"""What tells the classes of one block apart in their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from archdsl.backends.torch.code import Infix, PyName
from archdsl.backends.torch.statements import Assign, Members, PyStatement, Return
from archdsl.passes.shapes import Shapes


class BlockUse(NamedTuple):
    """One use of a block, and the code that it would have as a class."""

    table: Shapes
    code: Members


BlockUses: TypeAlias = Sequence[BlockUse]


def suffixes(groups: Sequence[BlockUses]) -> list[str]:
    """Name what sets the classes of a block apart: first whether they are residual, then parameters' values."""
    if len(groups) == 1:
        return [""]
    bindings = groups[0][0].table.graph.bindings
    features = [[_residual(group) for group in groups]]
    features += [[_setting(name, group) for group in groups] for name in bindings]
    for feature in features:
        if None in feature or len(set(feature)) == 1:
            continue
        found = [""] * len(groups)
        for value in dict.fromkeys(feature):
            places = [i for i, other in enumerate(feature) if other == value]
            for i, rest in zip(places, suffixes([groups[i] for i in places]), strict=True):
                found[i] = f"{value}{rest}"
        return found
    return ["", *(str(number) for number in range(2, len(groups) + 1))]


def _residual(group: BlockUses) -> str:
    """Return "_residual" where the code adds something to what it is given."""
    return "_residual" if any(map(_adds_input, group[0].code.forward)) else ""


def _adds_input(statement: PyStatement) -> bool:
    match statement:
        case Assign(_, Infix("+", operands)) | Return(Infix("+", operands)):
            return PyName("x") in operands
        case _:
            return False


def _setting(name: str, group: BlockUses) -> str | None:
    """Return a word for the one value that a parameter has in all instances of a class; None if there is none."""
    values = {_word(name, table.graph.bindings.get(name)) for table, _ in group}
    return values.pop() if len(values) == 1 else None


def _word(name: str, value: object) -> str | None:
    if isinstance(value, bool):
        return f"_{name}" if value else ""
    text = str(value)
    return f"_{name}{text}" if isinstance(value, int | str) and text.isalnum() else None
