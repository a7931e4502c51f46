"""The axes of an experiment: what its choices are called, before any of them is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.ir.experiment import Axis
from archdsl.ir.trouble import Parts, Trouble
from archdsl.syntax import tree
from archdsl.syntax.walk import children_of, nodes_of
from archdsl.text.diagnostic import Label
from archdsl.text.source import Span

OF_ALL_POINTS = frozenset({"seeds", "tune", "rule", "show"})
"""Statements that are said once for all points."""
_NAME_IT = "name it before: `let rate = choose {…}`"


RESERVED = frozenset({"chosen", "seed"})
"""Columns of the results that are no axes."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A choice with the name that it has where it stands, if it has any."""

    node: tree.Choose
    name: str
    problem: str


def find_axes(body: tree.Body, parts: Parts) -> dict[int, Axis]:
    """Map each choice of a body, by the identity of its node, to its axis; mistakes are left in `parts`."""
    found: dict[int, Axis] = {}
    named: dict[str, Span] = {}
    places = sorted(_places(body.statements), key=lambda place: place.node.span.begin)
    for place in places:
        with parts:
            span = place.node.span
            if place.problem:
                raise Trouble("E135", place.problem, span, help=_NAME_IT)
            if place.name in RESERVED:
                message = f"an axis is called `{place.name}`, as a column of every table of results is"
                raise Trouble("E135", message, span, help=_NAME_IT)
            if place.name in named:
                label = Label(named[place.name], "the other one")
                message = f"two choices are called `{place.name}`"
                raise Trouble("E135", message, span, help=_NAME_IT, labels=(label,))
            named[place.name] = span
            found[id(place.node)] = Axis(place.name, _options(place.node), span, _numbers(place.node))
    return found


def as_written(span: Span) -> str:
    """Return a text in one line."""
    return " ".join(span.text.split())


def _options(node: tree.Choose) -> tuple[str, ...]:
    if len(node.options) == 1:
        raise Trouble("E135", "a choice needs two options, and this has one", node.span, help="write the value alone")
    seen: dict[object, Span] = {}
    for option in node.options:
        number = _number(option)
        key = as_written(option.span) if number is None else number
        if key in seen:
            label = Label(seen[key], "here first")
            message = f"`{as_written(option.span)}` is an option twice"
            raise Trouble("E135", message, option.span, help="remove one of the two", labels=(label,))
        seen[key] = option.span
    return tuple(as_written(option.span) for option in node.options)


def _numbers(node: tree.Choose) -> tuple[float, ...]:
    numbers = [number for number in map(_number, node.options) if number is not None]
    return tuple(numbers) if len(numbers) == len(node.options) else ()


def _number(option: tree.Expression) -> float | None:
    """Return the number that an option is written as."""
    is_negative = isinstance(option, tree.Unary) and option.operator == "-"
    literal = option.operand if isinstance(option, tree.Unary) and is_negative else option
    if not isinstance(literal, tree.Literal) or isinstance(literal.value, bool | str):
        return None
    return -float(literal.value) if is_negative else float(literal.value)


def _places(statements: Sequence[tree.Statement]) -> Iterator[_Place]:
    """Yield the choices of statements, in no certain order."""
    for statement in statements:
        match statement:
            case tree.Let(name, value):
                yield from _inside(value, name.text)
            case tree.If(condition, then, otherwise):
                yield from _inside(condition, "", "a choice in a condition has no name")
                yield from _places([*then.statements, *(otherwise.statements if otherwise is not None else ())])
            case tree.Step(action=tree.Call(name, arguments, body)):
                problem = f"`{name.text}` is said once for all points" if name.text in OF_ALL_POINTS else ""
                for argument in arguments:
                    yield from _inside(argument.value, argument.key.text if argument.key else name.text, problem)
                if body is not None:
                    yield from _places(body.statements)
            case _:
                problem = "a choice has no place in such a statement"
                yield from (_Place(node, "", problem) for node in nodes_of(statement) if isinstance(node, tree.Choose))


def _inside(expression: tree.Expression, name: str, problem: str = "") -> Iterator[_Place]:
    """Yield the choices of an expression; an argument's key is a nearer name than that of what it stands in."""
    left: list[tuple[object, str, str]] = [(expression, name, problem)]
    while left:
        node, name, problem = left.pop()
        if isinstance(node, tree.Argument) and node.key is not None:
            name = node.key.text
        elif isinstance(node, tree.Comprehension):
            problem = problem or "a choice in a comprehension would be as many as there are items"
        elif isinstance(node, tree.Choose):
            yield _Place(node, name, problem)
        left += [(child, name, problem) for child in children_of(node)]
