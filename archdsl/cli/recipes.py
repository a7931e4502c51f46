"""`archdsl recipes`: the recipes that can be named, and one as it is written."""

from __future__ import annotations

import sys
from enum import StrEnum
from textwrap import fill
from typing import Annotated

import typer

from archdsl.cli.console import has_color, width_of, write
from archdsl.cli.specs import find
from archdsl.recipe_specs import ListedRecipe, bundled_recipes, declaration_text, find_recipe, recipes_of
from archdsl.recipes.writing import write_recipe
from archdsl.text.render.display import visible

_WIDEST = 100


class RecipesFormat(StrEnum):
    """How `recipes` writes what there is."""

    TEXT = "text"
    JSON = "json"


def list_recipes(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE", help="Show this one: a name, FILE:NAME or 'NAME(epochs=10)'.", show_default=False
        ),
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", metavar="SPEC", help="Also those that this file declares or uses.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Write every setting of the recipe, defaults too.")] = False,
    format: Annotated[RecipesFormat, typer.Option("--format", help="How to list them.")] = RecipesFormat.TEXT,
) -> None:
    """List the training recipes, or show one.

    A recipe is text: `archdsl recipes cifar_paper` shows what to copy, and `recipe mine of cifar_paper { epochs 20 }`
    in a file replaces what it says.
    """
    source, folder = (None, None) if spec is None else find(spec)[:2]
    if name is not None:
        recipe = find_recipe(name, source, folder)  # also finds what is wrong with it
        is_plain = name == recipe.name and not whole
        write(f"{declaration_text(name, source, folder)}\n" if is_plain else write_recipe(recipe))
        return
    listed = [*(recipes_of(source, folder) if source is not None else ()), *bundled_recipes()]
    if format is RecipesFormat.JSON:
        from archdsl.backends.summary import write_json

        write(write_json([{"name": one.name, "file": one.file, "doc": " ".join(one.doc.split())} for one in listed]))
        return
    width, bold = min(width_of(sys.stdout), _WIDEST), has_color(sys.stdout)
    write("".join(_entry(one, width, color=bold) for one in listed))


def _entry(recipe: ListedRecipe, width: int, *, color: bool) -> str:
    start, end = ("\x1b[1m", "\x1b[0m") if color else ("", "")
    about = fill(visible(" ".join(recipe.doc.split())), width, initial_indent="  ", subsequent_indent="  ")
    return f"{start}{visible(recipe.name)}{end}  {visible(recipe.file)}\n" + (f"{about}\n" if about else "")
