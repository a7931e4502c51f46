"""A recipe as text: every statement with every setting, so that it means the same for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from archdsl.ir.freezing import Freezing
from archdsl.recipes.base import RecipeStatement
from archdsl.recipes.recipe import IMAGES, STATEMENTS, Phase, Recipe
from archdsl.recipes.updates import Freeze, Rates


def write_recipe(recipe: Recipe) -> str:
    """Return the text of a recipe, which reads back as the same recipe."""
    lines = [write_statement(statement) for statement in _statements(recipe)]
    for part, changes in (("train", recipe.train), ("eval", recipe.eval)):
        if changes:
            lines.append(f"{IMAGES} {part} {{ {'; '.join(map(write_statement, changes))} }}")
    lines += map(write_phase, recipe.phases)
    return f"recipe {recipe.name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _statements(recipe: Recipe) -> Iterator[RecipeStatement]:
    for keyword in STATEMENTS:
        statement = recipe.statement(keyword)
        if statement is not None:
            yield statement


def write_statement(statement: RecipeStatement, only: Collection[str] | None = None) -> str:
    """Return the text of a statement with all its settings, or only some."""
    words = [statement.head()]
    if isinstance(statement, Freeze):
        return f"{statement.head()} {statement.freezing}"
    if isinstance(statement, Rates):
        return " ".join([*words, *_rates(statement)])
    given = [(name, getattr(statement, name)) for name in statement.settings() if only is None or name in only]
    settings = [(name, value) for name, value in given if value is not None]
    is_single = len(type(statement).model_fields) == 1 and not statement.kind
    for name, value in settings:
        words.append(_value(value) if is_single else f"{name}={_value(value)}")
    return " ".join(words)


def write_phase(phase: Phase) -> str:
    """Return the text of a phase, with all settings of its statements."""
    return in_phase(map(write_statement, phase.said().values()))


def in_phase(statements: Iterable[str]) -> str:
    """Return the text of a phase from those of its statements."""
    return f"{Phase.keyword} {{ {'; '.join(statements)} }}"


def _rates(rates: Rates) -> Iterator[str]:
    for pattern, factor in rates.factors:
        yield f"{Freezing((pattern,))} {factor!r}"
    yield f"decay={rates.decay!r}"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value if value.isidentifier() else f'"{value}"'
        case tuple():
            return f"[{', '.join(map(_value, value))}]"  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] -- whatever a setting holds
        case _:
            return repr(value)
