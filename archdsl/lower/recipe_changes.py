"""Recipes with other values: single settings, or statements whole, given as texts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from archdsl.lower.recipes import build_recipe
from archdsl.lower.settings import SETTINGS
from archdsl.recipes.recipe import IMAGES, PHASE_WORDS, STATEMENTS, Phase, Recipe
from archdsl.recipes.writing import in_phase, write_recipe, write_statement
from archdsl.semantics.library import Library
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source
from archdsl.text.suggest import nearest

SHORT = {"lr": "optimizer.lr"}
"""Settings that need no word of their statement before them."""
_UNSAFE = re.compile(r"[;{}#\r\n]")


def change_recipe(recipe: Recipe, changes: Mapping[str, str]) -> Recipe:
    """Return a recipe with other values: by `optimizer.lr` a setting, by `schedule` or `epochs` a statement whole.

    `phase.2.optimizer.lr` changes the second phase alone.
    Values are texts, as in a recipe.
    Errors: SpecError at the changed statement; Failure where a key names nothing

    >>> from archdsl.recipes.recipe import Recipe
    >>> change_recipe(Recipe(), {"epochs": "10", "optimizer.lr": "0.2"}).optimizer.lr
    0.2
    """
    if not changes:
        return recipe
    given: dict[int, dict[str, dict[str, str]]] = {}
    for key, value in changes.items():
        number, word, setting = _place(recipe, key)
        if _UNSAFE.search(value) or not value.strip():
            raise Failure(
                f"`{value}` is no value of `{key}`", f"write one as in `{STATEMENTS[word][0].example}`", "E104"
            )
        given.setdefault(number, {}).setdefault(word, {})[setting] = value.strip()
    lines = [_changed(recipe, word, settings) for word, settings in given.pop(0, {}).items()]
    if given:
        phases = enumerate(recipe.phases, 1)
        lines += [_changed_phase(recipe, phase, given.get(number, {})) for number, phase in phases]
    inner = "".join(f"  {line}\n" for line in lines)
    before = f"{recipe.name}_before"
    base = write_recipe(recipe.model_copy(update={"name": before}))
    report = Reporter()
    module = Library(report).load(Source(f"recipe {recipe.name} of {before} {{\n{inner}}}\n{base}", SETTINGS), None)
    found = None
    if module is not None and not report.has_errors:
        found = build_recipe(*module.recipes[recipe.name], report)
    if found is None:
        raise SpecError(report.diagnostics)
    return found


def _place(recipe: Recipe, key: str) -> tuple[int, str, str]:
    """Take `phase.2.optimizer.lr` apart: the phase, 0 for what stands beside them, the statement, and its setting.

    Errors: Failure
    """
    number, path = 0, SHORT.get(key, key)
    if (match := re.fullmatch(rf"{Phase.keyword}\.(\d{{1,9}})\.(.+)", path)) is not None:
        number, path = int(match[1]), SHORT.get(match[2], match[2])
        if not 1 <= number <= len(recipe.phases):
            count = len(recipe.phases)
            help = f"count from 1 to {count}" if count else "leave out `phase.N.`"
            raise Failure(f"`{key}` is of no phase: {recipe.name} has {count or 'none'}", help, "E126")
    word, _, setting = path.partition(".")
    if word == IMAGES:
        advice = f"recipe mine of {recipe.name} {{ {IMAGES} train {{ flip 0.5 }} }}"
        raise Failure(f"`{IMAGES}` is a list, and is replaced whole", f"write `{advice}` in a file", "E126")
    if word == Phase.keyword:
        raise Failure(f"`{key}` names no statement of a phase", "write `phase.1.epochs=5`", "E126")
    if word not in STATEMENTS:
        raise unknown(word, [*STATEMENTS, *SHORT], f"a recipe has no statement `{word}`")
    if number and word not in PHASE_WORDS:
        raise Failure(f"`{word}` is the whole run's, and no phase's", f"write `recipe.{path}`", "E126")
    return number, word, setting


def _changed_phase(recipe: Recipe, phase: Phase, given: Mapping[str, Mapping[str, str]]) -> str:
    """Return the text of a phase with changed statements; a setting of one that it does not say is the recipe's."""
    said = phase.said()
    whole = recipe.model_copy(update=dict(said))
    lines = [write_statement(statement) for word, statement in said.items() if word not in given]
    lines += [_changed(whole, word, settings) for word, settings in given.items()]
    return in_phase(lines)


def _changed(recipe: Recipe, word: str, settings: Mapping[str, str]) -> str:
    """Return the text of a statement with changed settings."""
    whole = settings.get("")
    named = {name: value for name, value in settings.items() if name}
    current = recipe.statement(word)
    text = word if whole is None else f"{word} {whole}"
    if whole is None and current is not None:
        kept = {name for name in current.settings() if name not in named}
        text = write_statement(current, only=kept)
    return " ".join([text, *(f"{name}={value}" for name, value in named.items())])


def unknown(name: str, known: Mapping[str, object] | list[str], fact: str) -> Failure:
    """Return what to say of a name that is none of those known; `fact` says it, the nearest is offered."""
    near = nearest(name, list(known))
    help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{other}`' for other in known) or 'none'}"
    return Failure(fact, help, "E126")
