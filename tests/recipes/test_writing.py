"""A recipe is written as a text that reads back as the same recipe, whatever it holds."""

from __future__ import annotations

from types import NoneType
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

import archdsl
from archdsl.ir.freezing import HEAD
from archdsl.lower.recipes import build_recipe
from archdsl.recipe_specs import bundled_recipes, find_recipe
from archdsl.recipes.base import RecipeStatement
from archdsl.recipes.contradictions import contradictions
from archdsl.recipes.recipe import CHANGES_BY_WORD, PHASE_WORDS, STATEMENTS, Phase, Recipe
from archdsl.recipes.writing import write_recipe
from archdsl.semantics.library import Library
from archdsl.syntax.formatter import format_source
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source


def read(text: str, name: str) -> Recipe | None:
    report = Reporter()
    module = Library(report).load(Source(text), None)
    assert module is not None
    assert report.diagnostics == ()
    recipe = build_recipe(*module.recipes[name], report)
    assert report.diagnostics == ()
    return recipe


WORDS = st.sampled_from(PHASE_WORDS)
PATHS = st.sampled_from(["backbone", "head", "except", "layer1", "layer1.*", "a.b-c", "*", HEAD])


def values_of(cls: type[RecipeStatement], name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    if words := sorted(cls.words(name)):
        return st.sampled_from(words)
    if name == "outputs":
        return st.lists(st.sampled_from(["aux", "layer1", "layer1.*", "a.b-c"]), min_size=1, max_size=3).map(tuple)
    if name in ("patterns", "excepts"):
        return st.lists(PATHS, min_size=name == "patterns", max_size=3, unique=True).map(tuple)
    if name == "factors":
        return st.lists(st.tuples(PATHS, st.floats(1e-5, 100)), min_size=1, max_size=3).map(tuple)
    if name == "after":
        return st.sets(st.integers(1, 5), min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))
    if field.annotation is bool:
        return st.booleans()
    if field.annotation is int:
        return st.integers(1, 100)
    if NoneType in get_args(field.annotation):
        return st.none() | st.floats(0.1, 1)
    if get_args(field.annotation):  # an interval
        return st.tuples(st.floats(0.1, 0.5), st.floats(0.5, 2))
    return st.floats(0.001, 0.49) | st.sampled_from([0.1, 0.25, 1e-4])


def statements(cls: type[RecipeStatement]) -> st.SearchStrategy[RecipeStatement]:
    fields = {name: values_of(cls, name, field) for name, field in cls.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda given: cls(**given))


@st.composite
def phases(draw: st.DrawFn) -> Phase:
    said = {word: draw(st.sampled_from(STATEMENTS[word]).flatmap(statements)) for word in draw(st.sets(WORDS))}
    return Phase(**said)  # pyright: ignore[reportArgumentType] -- a statement for each word


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    fields: dict[str, Any] = {
        keyword: draw(st.sampled_from(kinds).flatmap(statements))
        for keyword, kinds in STATEMENTS.items()
        if draw(st.booleans())
    }
    for part in ("train", "eval"):
        fields[part] = tuple(draw(st.lists(st.sampled_from(list(CHANGES_BY_WORD.values())).flatmap(statements))))
    fields["phases"] = tuple(draw(st.lists(phases(), max_size=3)))
    recipe = Recipe(name="mine", **fields)
    return recipe if not list(contradictions(recipe)) else Recipe(name="mine")


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_a_recipe_reads_back_as_it_was(recipe: Recipe) -> None:
    text = write_recipe(recipe)
    assert read(text, "mine") == recipe
    report = Reporter()
    formatted = format_source(Source(text), report)
    assert formatted is not None
    assert read(formatted, "mine") == recipe


@pytest.mark.parametrize("name", [one.name for one in bundled_recipes()])
def test_bundled_recipes_read_back_and_say_what_they_are(name: str) -> None:
    recipe = find_recipe(name)
    assert read(write_recipe(recipe), name) == recipe
    assert next(one for one in bundled_recipes() if one.name == name).doc


@pytest.mark.parametrize(
    "cls", [*(kind for kinds in STATEMENTS.values() for kind in kinds), *CHANGES_BY_WORD.values(), Phase]
)
def test_the_example_of_each_statement_is_legal(cls: type[RecipeStatement]) -> None:
    inner = cls.example if cls.keyword in {*STATEMENTS, Phase.keyword} else f"images train {{ {cls.example} }}"
    assert archdsl.check(Source(f"recipe r {{ {inner} }}")) == ()
    assert cls.__doc__
    assert cls.head() == " ".join(cls.example.split()[: len(cls.head().split())])
