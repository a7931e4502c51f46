"""One point of an experiment: what its statements say there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.ir.experiment import Axis, DataChoice, Measure, ModelChoice, RecipeChoice, Training
from archdsl.ir.measures import MEASURES
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.experiment_axes import OF_ALL_POINTS
from archdsl.lower.experiment_choices import (
    MOST_STEPS,
    ModelHomes,
    SettingSpans,
    read_data,
    read_model,
    read_recipe_choice,
    whole,
)
from archdsl.lower.experiment_measures import TUNE, read_measure
from archdsl.lower.experiment_rules import RULE
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate, evaluate_bool
from archdsl.semantics.values import UNKNOWN
from archdsl.syntax import tree
from archdsl.text.diagnostic import Label
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

SEEDS = 5
"""Runs of each point where an experiment does not say how many."""
STATEMENTS: Mapping[str, str] = {
    "model": "model resnet_cifar(8, width=8)",
    "recipe": "recipe small(lr=0.1)",
    "data": "data digits",
    "steps": "steps 70",
    "seeds": f"seeds {SEEDS}",
    "tune": TUNE,
    "measure": "measure steps_to(loss, 0.5)",
    "rule": RULE,
    "before": "before { recipe small; data digits }",
    "show": "show plain20_cifar resnet20_cifar",
}
"""What an experiment may say, by the word that it begins with, and an example of each."""
NEEDED = ("model", "recipe", "data", "measure")
_SEVERAL = frozenset({"measure", "rule", "show"})
_OF_BEFORE = frozenset({"model", "recipe", "data", "steps"})


@dataclass(slots=True)
class PointDraft:
    """What the statements of one point have said so far."""

    model: ModelChoice | None = None
    recipe: RecipeChoice | None = None
    data: DataChoice | None = None
    steps: int | None = None
    before: PointDraft | None = None
    spans: dict[str, Span] = field(default_factory=dict[str, Span])
    """Of statements by their words."""
    models: list[tuple[ModelChoice, SettingSpans]] = field(default_factory=list[tuple[ModelChoice, SettingSpans]])
    recipes: list[tuple[RecipeChoice, SettingSpans]] = field(default_factory=list[tuple[RecipeChoice, SettingSpans]])
    measures: list[Measure] = field(default_factory=list[Measure])
    behind: Env | None = None
    is_broken: bool = False
    """Whether a statement is of no known kind, and may be what else seems to be missing."""

    @property
    def env(self) -> Env:
        """What names mean behind the body's last statement, once it is run."""
        assert self.behind is not None
        return self.behind

    def training(self, outer: ModelChoice | None = None) -> Training:
        """Return the training of a sound point; `outer` is the model of what this comes before, if it says none."""
        model = self.model or outer
        assert model is not None
        assert self.recipe is not None
        assert self.data is not None
        before = self.before.training(model) if self.before is not None else None
        return Training(model, self.recipe, self.data, self.steps, before)


@dataclass(frozen=True, slots=True)
class PointReader:
    """Reads the statements of a body, of which `choose` picks the options of one point."""

    axes: Mapping[str, Axis]
    homes: ModelHomes

    def run(self, body: tree.Body, env: Env, draft: PointDraft, parts: Parts, where: str = "") -> Env:
        """Run the statements of a body; return what names mean behind them. `where` is what the body is of."""
        for statement in body.statements:
            with parts:
                match statement:
                    case tree.Let():
                        env = _with_let(statement, env, parts)
                    case tree.If(condition, then, otherwise):
                        chosen = then if evaluate_bool(condition, env) else otherwise
                        if chosen is not None:
                            self.run(chosen, env, draft, parts, where or "if")
                    case tree.Broken():
                        draft.is_broken = True
                        raise Reported
                    case _:
                        draft.is_broken |= not isinstance(statement, tree.Step) or statement.repeat is not None
                        self._take(as_call(statement), env, draft, parts, where)
        return env

    def _take(self, call: tree.Call, env: Env, draft: PointDraft, parts: Parts, where: str) -> None:
        """Read a statement into the draft."""
        word = call.name.text
        if word not in STATEMENTS:
            draft.is_broken = True
            raise _unknown_word(call.name)
        if where == "before" and word not in _OF_BEFORE:
            listed = ", ".join(f"`{other}`" for other in STATEMENTS if other in _OF_BEFORE)
            message = f"`{word}` has no place in `before`"
            raise Trouble("E134", message, call.name.span, help=f"put it behind the `}}`; `before` has {listed}")
        if word in OF_ALL_POINTS:
            if where:
                message = f"`{word}` is said once for all points"
                raise Trouble("E134", message, call.name.span, help=f"put it outside the `{where}`")
            return
        if (call.body is not None) != (word == "before"):
            span = call.body.span if call.body is not None else call.name.span
            message = (
                f"`{word}` takes no braces" if call.body is not None else f"`{word}` needs its statements in braces"
            )
            raise Trouble("E134", message, span, help=f"write `{STATEMENTS[word]}`")
        if word not in _SEVERAL:
            once(word, call, draft.spans)
        draft.spans[word] = call.span
        if call.body is not None:
            for argument in call.arguments:
                message = f"`{word}` takes nothing beside its braces"
                raise Trouble("E107", message, argument.span, help=f"write `{STATEMENTS[word]}`")
            inner = draft.before = PointDraft()
            self.run(call.body, env, inner, parts, word)
            for needed in ("recipe", "data"):
                with parts:
                    if needed not in inner.spans and not inner.is_broken:
                        message = f"`{word}` has no `{needed}`"
                        raise Trouble("E134", message, call.name.span, help=f"add `{STATEMENTS[needed]}`")
            draft.models += inner.models
            draft.recipes += inner.recipes
        elif word == "data":
            draft.data = read_data(call, env, STATEMENTS[word])
        elif word == "steps":
            draft.steps = only_whole(call, env, MOST_STEPS)
        elif word == "model":
            draft.models.append(read_model(only(call), env, self.homes))
            draft.model = draft.models[-1][0]
        elif word == "recipe":
            draft.recipes.append(read_recipe_choice(only(call), env))
            draft.recipe = draft.recipes[-1][0]
        else:
            self._take_measure(read_measure(only(call), env, self.axes), draft)

    def _take_measure(self, measure: Measure, draft: PointDraft) -> None:
        for other in draft.measures:
            if (other.name, other.values) == (measure.name, measure.values):
                labels = (Label(other.span, "measured here"),)
                message = f"`{measure.text}` is measured twice"
                raise Trouble("E106", message, measure.span, labels=labels, help="remove one of the two")
        draft.measures.append(measure)


def _with_let(let: tree.Let, env: Env, parts: Parts) -> Env:
    """Return what names mean behind a `let`; its mistake is left in `parts`."""
    try:
        return env.bind_written(let.name.text, evaluate(let.value, env), let.value)
    except (Trouble, Reported) as error:
        parts.take(error)
    return env.bind(**{let.name.text: UNKNOWN})


def calls_of(statements: Sequence[tree.Statement]) -> list[tree.Call]:
    """Return the calls of a body, without those further inside."""
    actions = [statement.action for statement in statements if isinstance(statement, tree.Step)]
    return [action for action in actions if isinstance(action, tree.Call)]


def as_call(statement: tree.Statement) -> tree.Call:
    """Return the call that a statement is.

    Errors: Trouble with E134 where it is another one
    """
    if isinstance(statement, tree.Step) and statement.label is None and statement.repeat is None:
        action = statement.action
        if isinstance(action, tree.Call):
            return action
    help = f"a statement is its word with what it takes, such as `{STATEMENTS['data']}`"
    raise Trouble("E134", "an experiment holds no such statement", statement.span, help=help)


def _unknown_word(name: tree.Name) -> Trouble:
    near = nearest(name.text, STATEMENTS)
    measure = MEASURES.get(name.text)
    help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{word}`' for word in STATEMENTS)}"
    if measure is not None:
        help = f"write `measure {measure.example}`"
    elif name.text == "choose":
        help = "name it: `let rate = choose {…}`"
    fix = renamed(name.span, name.text, near) if measure is None else None
    return Trouble("E134", f"an experiment has no statement `{name.text}`", name.span, help=help, fix=fix)


def once(word: str, call: tree.Call, spans: dict[str, Span]) -> None:
    """Take note of where a word is said; raise Trouble with E106 where it was before."""
    if word in spans:
        labels = (Label(spans[word], "given here first"),)
        raise Trouble("E106", f"`{word}` is given twice", call.span, labels=labels, help="remove one of the two")
    spans[word] = call.span


def only(call: tree.Call) -> tree.Expression:
    """Return the one value that a statement takes."""
    word, example = call.name.text, STATEMENTS[call.name.text]
    if not call.arguments:
        raise Trouble("E103", f"`{word}` stands alone", call.name.span, help=f"write `{example}`")
    keyed = next((argument for argument in call.arguments if argument.key is not None), None)
    if keyed is not None:
        help = f"settings stand in parentheses: `{example}`" if "(" in example else f"write `{example}`"
        raise Trouble("E102", f"`{word}` takes no named value", keyed.span, help=help)
    first, *others = call.arguments
    if others:
        raise Trouble("E107", f"`{word}` takes one value", others[0].span, help=f"write `{example}`")
    return first.value


def only_whole(call: tree.Call, env: Env, most: int) -> int:
    """Return the one value that a statement takes, a whole number from 1 on."""
    return whole(only(call), env, f"`{call.name.text}`", most)
