"""Experiments: a text to the grid of its points, each mistake at its word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from archdsl.ir.experiment import Axis, Experiment, GridPoint, ModelChoice, Rule, Tuning
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.experiment_axes import OF_ALL_POINTS, find_axes
from archdsl.lower.experiment_choices import ModelHomes, read_model
from archdsl.lower.experiment_measures import MOST_SEEDS, read_tuning
from archdsl.lower.experiment_points import (
    NEEDED,
    SEEDS,
    STATEMENTS,
    PointDraft,
    PointReader,
    calls_of,
    once,
    only_whole,
)
from archdsl.lower.experiment_rules import MeasuredPoint, RuleReader
from archdsl.lower.experiment_trials import ChoiceTrials, ModelCompiler
from archdsl.semantics.choices import ChosenRun, Replay, all_runs
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import find_value
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.source import Span

T = TypeVar("T")

MAX_POINTS = 10_000
MAX_EVALUATED = 1_000_000
"""Points times what is evaluated at each: the nodes of the tree, and names that are handed from `let` to `let`."""
_NAMES_PER_NODE = 10
"""Names that are handed on in the time that a node takes."""
_MOST_WRONG = 20
"""Points with mistakes after which no others are looked for."""


class _Mistakes:
    """The mistakes of all points, each once, with the options that it depends on."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span, str], tuple[Trouble, int, str]] = {}
        self.points = self.wrong = 0

    def take(self, parts: Parts, choices: Mapping[str, str]) -> None:
        self.points += 1
        self.wrong += not parts.are_known
        at = ", ".join(f"{axis}={option}" for axis, option in choices.items())
        for trouble in parts.troubles:
            first, count, where = self._found.get((trouble.code, trouble.span, trouble.message), (trouble, 0, at))
            self._found[trouble.code, trouble.span, trouble.message] = first, count + 1, where

    def tell(self, report: Reporter) -> None:
        for trouble, count, where in self._found.values():
            if count < self.points and not trouble.turns:
                trouble.turns = where
            trouble.tell(report)


def check_experiments(module: Module, report: Reporter, compile: ModelCompiler) -> None:
    """Report what is wrong with a file's own experiments."""
    for declaration in module.experiments.values():
        build_experiment(declaration, module, report, compile)


def build_experiment(
    declaration: tree.ExperimentText, module: Module, report: Reporter, compile: ModelCompiler
) -> Experiment | None:
    """Make an experiment of its text, or report what is wrong with it and return None."""
    try:
        return _Building(declaration, module, compile, report.diagnostics).build(report)
    except RecursionError:
        help = "name parts of its expressions with `let`"
        report.error("E003", "expressions nest too deep", declaration.name.span, help=help)
    return None


class _Building:
    """One experiment on its way from its text."""

    def __init__(
        self, declaration: tree.ExperimentText, module: Module, compile: ModelCompiler, told: Sequence[Diagnostic]
    ) -> None:
        self.declaration, self.module = declaration, module
        self.trials = ChoiceTrials(ModelHomes(module), compile, told)
        self.mistakes = _Mistakes()
        self.whole = Parts()
        """What is wrong with what is said once."""
        self.axes_by_node: Mapping[int, Axis] = {}
        self.axes: dict[str, Axis] = {}

    def build(self, report: Reporter) -> Experiment | None:
        experiment = None
        try:
            experiment = self._build()
        except Trouble as trouble:
            self.whole.troubles += trouble.all()
        except Reported:
            pass
        self.mistakes.tell(report)
        for trouble in self.whole.troubles:
            report.add(trouble.diagnostic())
        is_known = self.whole.are_known and not self.mistakes.wrong
        return experiment if is_known and not self.whole.troubles else None

    def _build(self) -> Experiment | None:
        body, name = self.declaration.body, self.declaration.name
        self.axes_by_node = find_axes(body, self.whole)
        self.axes = {axis.name: axis for axis in self.axes_by_node.values()}
        self.reader = PointReader(self.axes, self.trials.homes)
        calls = {word: list[tree.Call]() for word in OF_ALL_POINTS}
        for call in calls_of(body.statements):
            if call.name.text in calls:
                calls[call.name.text].append(call)
        if not self.whole.are_known:
            return None
        runs = self._run_all(body)
        if self.mistakes.wrong:
            return None
        drafts = [run.result for run in runs]
        points = [self._point(run) for run in runs]
        present = {axis for point in points for axis, _ in point.choices}
        self.axes = {axis: found for axis, found in self.axes.items() if axis in present}
        seeds = self._same(calls["seeds"], drafts, lambda call, env: only_whole(call, env, MOST_SEEDS)) or SEEDS
        tuning = self._tuning(calls["tune"], drafts, seeds)
        if tuning is not None:
            self._check_tuned(tuning, points, calls["tune"][0])
        measured = [
            MeasuredPoint(dict(point.choices), point.training, point.measures, draft.env)
            for point, draft in zip(points, drafts, strict=True)
        ]
        reader = RuleReader(self.axes, measured, tuning.axis if tuning is not None else _meant_axis(calls["tune"]))
        rules: list[Rule] = []
        for call in calls["rule"]:
            with self.whole:
                rules.append(reader.read(call))
        shown = self._shown(calls["show"], drafts)
        return Experiment(
            name.text,
            self.module.doc(self.declaration),
            seeds,
            tuple(self.axes.values()),
            tuple(points),
            tuning,
            tuple(rules),
            shown,
            self.declaration.span.text,
        )

    def _run_all(self, body: tree.Body) -> list[ChosenRun[PointDraft]]:
        """Run the body for each way through its choices."""
        budget, base = Budget(), Parts()
        context = file_context(self.module, Context(), budget, base)
        env = Env(self.module, context, budget)
        env = env.bind(**{word: word for word in _free_words(body, env)})
        nodes = list(nodes_of(body))
        size = len(nodes) + sum(isinstance(node, tree.Let) for node in nodes) ** 2 // _NAMES_PER_NODE
        most = max(1, min(MAX_POINTS, MAX_EVALUATED // size))

        def program(replay: Replay) -> PointDraft:
            draft, parts = PointDraft(), Parts()
            draft.behind = self.reader.run(body, replace(env, chooser=replay), draft, parts)
            self._settle(draft, parts, self._choices(replay))
            return draft

        runs: list[ChosenRun[PointDraft]] = []
        for run in all_runs(program):
            runs.append(run)
            if self.mistakes.wrong >= _MOST_WRONG:
                break
            if len(runs) > most:
                message = f"this experiment has more than {most:,} points"
                help = "leave options out, or make two experiments of it"
                raise Trouble("E109", message, self.declaration.name.span, help=help)
        return runs

    def _settle(self, draft: PointDraft, parts: Parts, choices: Mapping[str, str]) -> None:
        """Check that a point has all that it needs, and that it can be made."""
        name = self.declaration.name
        missing = [word for word in NEEDED if word not in draft.spans]
        if missing and not draft.is_broken:
            with parts:
                message = f"`{name.text}` has no {' and no '.join(f'`{word}`' for word in missing)}"
                help = f"add {' and '.join(f'`{STATEMENTS[word]}`' for word in missing)}"
                raise Trouble("E134", message, name.span, help=help)
        for choice, spans in draft.models:
            with parts:
                self.trials.model(choice, spans)
        for choice, spans in draft.recipes:
            with parts:
                self.trials.recipe(choice, spans)
        for measure in draft.measures:
            with parts:
                self.trials.measure(measure, draft.model)
        self.mistakes.take(parts, choices)

    def _choices(self, replay: Replay) -> dict[str, str]:
        axes = ((self.axes_by_node[id(node)], number) for node, number in replay.taken)
        return {axis.name: axis.options[number] for axis, number in axes}

    def _point(self, run: ChosenRun[PointDraft]) -> GridPoint:
        return GridPoint(tuple(self._choices(run.replay).items()), run.result.training(), tuple(run.result.measures))

    def _same(
        self, calls: Sequence[tree.Call], drafts: Sequence[PointDraft], read: Callable[[tree.Call, Env], T]
    ) -> T | None:
        """Return what a statement that is said once gives, the same at all points; None where it is not said."""
        with self.whole:
            spans: dict[str, Span] = {}
            for call in calls:
                once(call.name.text, call, spans)
            for call in calls:
                found = read(call, drafts[0].env)
                if any(read(call, draft.env) != found for draft in drafts[1:]):
                    message = f"`{call.name.text}` is said once for all points, and here depends on a choice"
                    raise Trouble("E134", message, call.span, help=f"write `{STATEMENTS[call.name.text]}`")
                return found
        return None

    def _tuning(self, calls: Sequence[tree.Call], drafts: Sequence[PointDraft], seeds: int) -> Tuning | None:
        tuning = self._same(calls, drafts, lambda call, env: read_tuning(call, env, self.axes))
        if tuning is not None and tuning.seeds > seeds:
            with self.whole:
                message = f"`tune` takes {tuning.seeds} seeds, and there are {seeds}"
                raise Trouble("E104", message, calls[0].span, help=f"write at most `seeds={seeds}`")
        return tuning

    def _check_tuned(self, tuning: Tuning, points: Sequence[GridPoint], call: tree.Call) -> None:
        """Check that there is more than one option to take wherever the tuned axis is."""
        groups: dict[frozenset[tuple[str, str]], int] = {}
        for point in points:
            if point.option(tuning.axis) is not None:
                others = frozenset(choice for choice in point.choices if choice[0] != tuning.axis)
                groups[others] = groups.get(others, 0) + 1
        with self.whole:
            if min(groups.values(), default=2) < 2:
                message = f"what else is chosen depends on `{tuning.axis}`, so that none of its options is the best"
                help = "choose the rest outside of what it decides"
                raise Trouble("E137", message, call.span, help=help)

    def _shown(self, calls: Sequence[tree.Call], drafts: Sequence[PointDraft]) -> tuple[ModelChoice, ...]:
        """Return the models to show, at all points where that depends on a choice."""
        found: dict[ModelChoice, None] = {}
        for draft in drafts:
            for argument in (argument for call in calls for argument in call.arguments):
                with self.whole:
                    if argument.key is not None:
                        message = "`show` takes models, and no settings"
                        raise Trouble("E102", message, argument.span, help=f"write `{STATEMENTS['show']}`")
                    choice, spans = read_model(argument.value, draft.env, self.trials.homes)
                    self.trials.model(choice, spans)
                    found[choice] = None
        for call in calls:
            with self.whole:
                if not call.arguments:
                    raise Trouble("E103", "`show` needs models", call.name.span, help=f"write `{STATEMENTS['show']}`")
        return tuple(found)


def _meant_axis(calls: Sequence[tree.Call]) -> str | None:
    """Return the axis that a `tune` with a mistake is most likely about, so that rules are not told of it again."""
    values = [argument.value for call in calls for argument in call.arguments if argument.key is None]
    return next((value.name for value in values if isinstance(value, tree.Variable)), None)


def _free_words(body: tree.Body, env: Env) -> set[str]:
    """Return the options that are words and mean nothing else, such as `scratch`."""
    words: set[str] = set()
    for node in nodes_of(body):
        for option in node.options if isinstance(node, tree.Choose) else ():
            if isinstance(option, tree.Variable) and option.name not in words:
                with Parts():
                    words |= {option.name} if find_value(option, env) is None else set()
    return words
