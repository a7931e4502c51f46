"""Finding recipes: beside a spec, in a file, or among those that come with archdsl; and changing single values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from archdsl.lower.recipe_changes import SHORT, change_recipe, unknown
from archdsl.lower.recipes import build_recipe, bundled_recipe_texts, find_recipe_text
from archdsl.lower.settings import SETTINGS
from archdsl.recipes.recipe import STATEMENTS, Recipe
from archdsl.semantics.files import SUFFIX
from archdsl.semantics.library import load_module
from archdsl.semantics.module import Module
from archdsl.specs import find_spec, read_spec
from archdsl.syntax import tree
from archdsl.syntax.parser import parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source, Span

USUAL = "small"
"""The recipe that is used where none is named."""


@dataclass(frozen=True, slots=True)
class ListedRecipe:
    """A recipe that can be named: its documentation, and the file it stands in."""

    name: str
    doc: str
    file: str
    is_bundled: bool


def find_recipe(text: str | None, spec: Source | None = None, folder: Path | None = None) -> Recipe:
    """Find a recipe by name, `FILE:NAME` or `NAME(epochs=10)`; the usual one for None.

    A name is looked for among the recipes of `spec`, in the files that it uses from `folder`, and among the bundled.
    Errors: SpecError where the text or the recipe has mistakes; Failure where no recipe is called that
    """
    name, changes = _split(text if text is not None else USUAL)
    module = load_module(spec, folder) if spec is not None else None
    if ":" in name:
        file, _, name = name.rpartition(":")
        module = load_module(*_read(file))
        if name not in module.recipes:
            raise unknown(name, module.recipes, f"`{file}` declares no recipe `{name}`")
    found = find_recipe_text(name, module)
    if found is None and name.endswith(SUFFIX) and Path(name).is_file():
        module = load_module(*_read(name))
        known = list(module.recipes)
        if len(known) == 1:
            found = module.recipes[known[0]]
        else:
            listed = ", ".join(f"`{name}:{other}`" for other in known) or "it declares none"
            raise Failure(f"`{name}` declares {len(known)} recipes", listed, "E126")
    if found is None:
        known = [*(module.recipes if module is not None else ()), *bundled_recipe_texts()]
        raise unknown(name, known, f"no recipe is called `{name}`")
    return change_recipe(_build(*found), changes)


def read_recipe(path: Path) -> Recipe:
    """Read the one recipe of a file.

    Errors: SpecError; Failure where it has none or several
    """
    source, folder, _ = read_spec(path)
    module = load_module(source, folder)
    own = [found for found in module.recipes.values() if found[1] is module]
    if len(own) != 1:
        raise Failure(f"`{path}` declares {len(own)} recipes, where it is to have one", code="E126")
    return _build(*own[0])


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """Return a recipe with another seed.

    Errors: SpecError where the seed has more than 63 bits
    """
    return change_recipe(recipe, {"seed": str(seed)})


def recipes_of(source: Source, folder: Path | None) -> Iterator[ListedRecipe]:
    """Yield the recipes that a file declares.

    Errors: SpecError
    """
    for name, (declaration, home) in load_module(source, folder).recipes.items():
        yield ListedRecipe(name, home.doc(declaration), declaration.span.source.name, False)


def bundled_recipes() -> Iterator[ListedRecipe]:
    """Yield the recipes that come with archdsl, by name."""
    for name, (declaration, home) in sorted(bundled_recipe_texts().items()):
        yield ListedRecipe(name, home.doc(declaration), f"recipes/{declaration.span.source.name}", True)


def declaration_text(name: str, source: Source | None = None, folder: Path | None = None) -> str:
    """Return a recipe as it is written.

    Errors: SpecError; Failure
    """
    found = find_recipe_text(name, load_module(source, folder) if source is not None else None)
    if found is None:
        raise unknown(name, list(bundled_recipe_texts()), f"no recipe is called `{name}`")
    return found[0].span.text


def _split(text: str) -> tuple[str, Mapping[str, str]]:
    """Take `NAME(epochs=10)` apart."""
    match = re.fullmatch(r"(.*?:)?([A-Za-z_]\w*)(\(.*\))", text.strip(), re.S)
    if match is None:
        sign = text.partition("=")
        if "(" in sign[0]:
            help = "write `NAME(epochs=10)`, in quotes, with a `)` at the end"
            raise Failure(f"`{text}` begins a list of values and does not end it", help, "E126")
        if sign[1] and ":" not in text:
            raise _old_form(sign[0].strip(), sign[2].strip())
        return text.strip(), {}
    written = Source(f"{match[2]}{match[3]}", SETTINGS)
    report = Reporter()
    parsed = parse_expression(written, report)
    if not isinstance(parsed, tree.Apply):
        if not report.has_errors:
            report.error(
                "E001", "this is no recipe", Span(0, len(written.text), written), help="write `NAME(epochs=10)`"
            )
        raise SpecError(report.diagnostics)
    changes: dict[str, str] = {}
    for argument in parsed.arguments:
        if argument.key is None or argument.key.text in changes:
            fact = "has no name" if argument.key is None else "is given twice"
            raise Failure(f"`{argument.span.text}` {fact}", f"write `{match[2]}(epochs=10, lr=0.1)`", "E126")
        changes[argument.key.text] = argument.value.span.text
    return f"{match[1] or ''}{match[2]}", changes


def _old_form(name: str, value: str) -> Failure:
    word = name.removesuffix("_epochs") if name.endswith("_epochs") else name
    known = {"aux_weight": "auxiliary", "label_smoothing": "loss.smoothing", "decay_norms": "weight_decay.norms"}
    key = known.get(name, SHORT.get(word, word))
    if key == word and word not in STATEMENTS:
        of = [k for k, kinds in STATEMENTS.items() if any(word in kind.settings() for kind in kinds)]
        key = f"{of[0]}.{word}" if of else word
    help = f"write `--set recipe.{key}={value or '…'}`"
    return Failure(
        f"`--recipe {name}={value}` names no recipe; it takes a name, such as `--recipe {USUAL}`", help, "E126"
    )


def _read(file: str) -> tuple[Source, Path]:
    try:
        source, folder, _ = find_spec(file)
    except SpecError as error:
        first = error.diagnostics[0]
        raise Failure(first.message, first.help, first.code) from None
    return source, folder


def _build(declaration: tree.RecipeText, home: Module) -> Recipe:
    report = Reporter()
    recipe = build_recipe(declaration, home, report)
    if recipe is None:
        raise SpecError(report.diagnostics)
    return recipe
