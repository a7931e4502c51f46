"""What an experiment measures, and what its rules say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archdsl.ir.experiment import Axis, Measure, Tuning
from archdsl.ir.measures import MEASURES, MeasureArgument, MeasureKind
from archdsl.ir.trouble import Parts, Trouble
from archdsl.lower.experiment_axes import as_written
from archdsl.lower.experiment_choices import smallest, whole
from archdsl.lower.recipe_paths import is_bound
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import as_word, evaluate
from archdsl.semantics.values import describe, kind_of
from archdsl.syntax import tree
from archdsl.text.diagnostic import Fix
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

TUNE = "tune lr by=steps_to(loss, 0.5) seeds=2"
TUNING_SEEDS = 2
"""Seeds by which an option is chosen where an experiment does not say how many."""
MOST_SEEDS = 1000


@dataclass(frozen=True, slots=True)
class AskedMeasure:
    """A measure as it is written, with the options of axes behind its values."""

    kind: MeasureKind
    values: tuple[tree.Argument, ...]
    options: tuple[tree.Argument, ...]
    span: Span


def read_measure(expression: tree.Expression, env: Env, axes: Mapping[str, Axis]) -> Measure:
    """Read a measure with its values, such as `steps_to(loss, 0.5)`."""
    asked = asked_for(expression)
    if asked.options:
        key = asked.options[0].key
        assert key is not None
        help = f"write `{asked.kind.example}`; options stand in rules"
        raise Trouble("E137", f"`{asked.kind.name}` takes its values without names", key.span, help=help)
    values = values_of(asked, env, axes)
    return Measure(asked.kind.name, values, as_written(expression.span), expression.span)


def asked_for(expression: tree.Expression) -> AskedMeasure:
    """Return the measure that is written somewhere; raise Trouble where it is none."""
    match expression:
        case tree.Variable(name, span):
            return AskedMeasure(_kind(tree.Name(name, span)), (), (), span)
        case tree.Apply(name, arguments, span):
            values = tuple(argument for argument in arguments if argument.key is None)
            options = tuple(argument for argument in arguments if argument.key is not None)
            return AskedMeasure(_kind(name), values, options, span)
        case _:
            message = f"`{as_written(expression.span)}` is no measure"
            raise Trouble("E137", message, expression.span, help="write one such as `accuracy(validation)`")


def _kind(name: tree.Name) -> MeasureKind:
    kind = MEASURES.get(name.text)
    if kind is None:
        near = nearest(name.text, MEASURES)
        help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{word}`' for word in MEASURES)}"
        fix = renamed(name.span, name.text, near)
        raise Trouble("E137", f"no measure is called `{name.text}`", name.span, help=help, fix=fix)
    return kind


def values_of(asked: AskedMeasure, env: Env, axes: Mapping[str, Axis]) -> tuple[str | int | float, ...]:
    """Return the values that a measure has where names mean this; raise Trouble where it takes others."""
    kind = asked.kind
    if len(asked.values) > len(kind.arguments):
        extra = asked.values[len(kind.arguments)]
        count = len(kind.arguments)
        most = f"at most {count} values" if count > 1 else "one value" if count else "no values"
        raise Trouble("E107", f"`{kind.name}` takes {most}", extra.span, help=f"write `{kind.example}`")
    parts = Parts()
    found: list[str | int | float] = []
    for place, argument in enumerate(kind.arguments):
        with parts:
            if place < len(asked.values):
                found.append(_value(argument, kind, asked.values[place].value, env, axes))
            elif argument.default is not None:
                found.append(argument.default)
            else:
                message = f"`{kind.name}` needs its {argument.name}"
                raise Trouble("E103", message, asked.span, help=f"write `{kind.example}`")
    parts.settle()
    return tuple(found)


def _value(
    argument: MeasureArgument, kind: MeasureKind, expression: tree.Expression, env: Env, axes: Mapping[str, Axis]
) -> str | int | float:
    what = f"the {argument.name} of `{kind.name}`"
    word = expression.name if isinstance(expression, tree.Variable) else None
    if argument.kind == "axis":
        return _axis_of_numbers(word, expression.span, what, axes)
    if argument.kind == "word" and word is not None and not is_bound(word, env):
        return _one_of(argument.words, word, expression.span, what)
    if argument.kind == "path" and word is not None and not is_bound(word, env):
        fix = Fix.at(expression.span, f'"{word}"', title="put it in quotes")
        raise Trouble("E137", f"{what} stands in quotes", expression.span, help=f"write `{kind.example}`", fix=fix)
    value = as_word(evaluate(expression, env))
    span = smallest(expression, env)
    if argument.kind == "word" and isinstance(value, str):
        return _one_of(argument.words, value, span, what)
    if argument.kind == "path" and isinstance(value, str) and value:
        return value
    if isinstance(value, int | float | Fraction) and not isinstance(value, bool) and value > 0:
        if argument.kind == "number":
            return float(value)
        if argument.kind == "count" and isinstance(value, int):
            return value
    wanted = {"word": " or ".join(argument.words), "path": 'a path such as `"conv1"`', "number": "a number above 0"}
    message = (
        f"{what} is {describe(value)}, {kind_of(value)}, but is {wanted.get(argument.kind, 'a whole number from 1')}"
    )
    raise Trouble("E104", message, span, help=f"write `{kind.example}`")


def _one_of(words: Sequence[str], word: str, span: Span, what: str) -> str:
    if word not in words:
        near = nearest(word, words)
        help = f"the nearest is `{near}`" if near else f"write {' or '.join(f'`{other}`' for other in words)}"
        raise Trouble("E137", f"{what} cannot be `{word}`", span, help=help, fix=renamed(span, word, near))
    return word


def _axis_of_numbers(word: str | None, span: Span, what: str, axes: Mapping[str, Axis]) -> str:
    axis = axes.get(word or "")
    if axis is None:
        raise no_axis(word or as_written(span), span, axes)
    if not axis.numbers:
        help = "it is one whose options are all numbers"
        raise Trouble("E137", f"{what} is `{axis.name}`, whose options are no numbers", span, help=help)
    return axis.name


def no_axis(name: str, span: Span, axes: Mapping[str, Axis]) -> Trouble:
    """Return what to say of a name that is no choice's."""
    near = nearest(name, axes)
    listed = ", ".join(f"`{axis}`" for axis in axes)
    help = f"the nearest is `{near}`" if near else f"there is {listed}" if axes else "nothing is chosen here"
    return Trouble("E137", f"no choice is called `{name}`", span, help=help, fix=renamed(span, name, near, own=[*axes]))


def read_tuning(call: tree.Call, env: Env, axes: Mapping[str, Axis]) -> Tuning:
    """Read `tune AXIS by=MEASURE seeds=N`."""
    given: dict[str, tree.Argument] = {}
    for argument in call.arguments:
        key = argument.key.text if argument.key is not None else "axis"
        if key not in ("axis", "by", "seeds"):
            near = nearest(key, ("by", "seeds"))
            help = f"the nearest is `{near}`" if near else "it takes `by` and `seeds`"
            raise Trouble("E102", f"`tune` has no setting `{key}`", argument.span, help=help)
        if key in given:
            code, what = ("E107", "`tune` takes one choice") if key == "axis" else ("E106", f"`{key}` is given twice")
            raise Trouble(code, what, argument.span, help=f"write `{TUNE}`")
        given[key] = argument
    for key, what in (("axis", "the name of a choice"), ("by", "`by`, a measure")):
        if key not in given:
            raise Trouble("E103", f"`tune` needs {what}", call.name.span, help=f"write `{TUNE}`")
    value = given["axis"].value
    if not isinstance(value, tree.Variable):
        message = f"`{as_written(value.span)}` is no name of a choice"
        raise Trouble("E137", message, value.span, help=f"write `{TUNE}`")
    axis = axes.get(value.name)
    if axis is None:
        raise no_axis(value.name, value.span, axes)
    by = read_measure(given["by"].value, env, axes)
    if not MEASURES[by.name].can_tune or "test" in by.values:
        message = f"nothing is chosen by `{by.text}`"
        raise Trouble("E137", message, by.span, help="choose by training loss or by validation images")
    seeds = whole(given["seeds"].value, env, "`seeds`", MOST_SEEDS) if "seeds" in given else TUNING_SEEDS
    return Tuning(axis.name, by, seeds)
