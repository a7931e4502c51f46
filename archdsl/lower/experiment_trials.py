"""Whether what the points of an experiment are made of can be made: models compile, recipes build."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from archdsl.ir.experiment import Measure, ModelChoice, RecipeChoice
from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.experiment_choices import ModelHomes, SettingSpans
from archdsl.lower.recipe_changes import change_recipe
from archdsl.lower.recipes import build_recipe, find_recipe_text
from archdsl.lower.settings import SETTINGS
from archdsl.recipes.recipe import Recipe
from archdsl.semantics.module import Module
from archdsl.text.diagnostic import Diagnostic, Label, Reporter, Severity
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

MAX_STEPS_OF_EXPERIMENT = 100_000
"""Distinct steps of all its models together."""
_STEPS_OF_MODEL = 50
_MOST_SEGMENTS = 100


class CompiledModel(Protocol):
    """What came of a model: its graph, as far as its mistakes leave one."""

    @property
    def graph(self) -> Graph | None:
        """The graph; its sound part where there are mistakes."""
        ...

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with it."""
        ...


class ModelCompiler(Protocol):
    """What compiles a model of a source with settings."""

    def __call__(
        self,
        source: Source,
        model: str | None,
        settings: Mapping[str, str],
        image: Sequence[int] | None,
        folder: Path | None,
    ) -> CompiledModel:
        """Compile it; mistakes are in `diagnostics`."""
        ...


@dataclass(slots=True)
class ChoiceTrials:
    """Tries each model and each recipe with its settings once, at the first point that has it."""

    homes: ModelHomes
    compile: ModelCompiler
    told: Collection[Diagnostic] = ()
    """What is reported already, of the file's own models too."""
    steps: int = 0
    graphs: dict[ModelChoice, Graph] = field(default_factory=dict[ModelChoice, Graph])
    _tried: dict[ModelChoice | RecipeChoice, Trouble | Reported | None] = field(
        default_factory=dict["ModelChoice | RecipeChoice", "Trouble | Reported | None"]
    )

    def model(self, choice: ModelChoice, spans: SettingSpans) -> None:
        """Compile a model.

        Errors: Trouble with what is wrong with it first, or with E109 where the models are too large together
        """
        self._once(choice, lambda: self._compile(choice, spans))

    def recipe(self, choice: RecipeChoice, spans: SettingSpans) -> None:
        """Build a recipe.

        Errors: Trouble at the first change with which it is none
        """
        self._once(choice, lambda: build_choice(choice, self.homes.module, spans))

    def _once(self, choice: ModelChoice | RecipeChoice, attempt: Callable[[], object]) -> None:
        """Make something, or raise again what is wrong with it."""
        if choice not in self._tried:
            self._tried[choice] = None
            try:
                attempt()
            except (Trouble, Reported) as error:
                self._tried[choice] = error
        wrong = self._tried[choice]
        if wrong is not None:
            raise wrong.beside(wrong.others) if isinstance(wrong, Trouble) and not wrong.is_fatal else wrong

    def _compile(self, choice: ModelChoice, spans: SettingSpans) -> None:
        home = self.homes.find(choice.name, spans.span).module
        compiled = self.compile(home.file.source, choice.name, dict(choice.settings), choice.image, home.folder)
        wrong = next((found for found in compiled.diagnostics if found.severity is Severity.ERROR), None)
        if wrong is not None:
            if any(_is_same(wrong, found) for found in self.told):
                raise Reported
            raise _does_not_compile(choice, wrong, spans)
        if compiled.graph is None:
            raise Reported
        self.steps += _STEPS_OF_MODEL + sum(len(body.nodes) for body in compiled.graph.bodies())
        if self.steps > MAX_STEPS_OF_EXPERIMENT:
            message = (
                f"the models of this experiment have more than {MAX_STEPS_OF_EXPERIMENT:,} distinct steps together"
            )
            raise Trouble("E109", message, spans.span, help="make two experiments of it", is_fatal=True)
        self.graphs[choice] = compiled.graph

    def measure(self, measure: Measure, model: ModelChoice | None) -> None:
        """Check that a network has the path that is measured."""
        graph = self.graphs.get(model) if model is not None else None
        if measure.name != "gradient_norm" or model is None or graph is None:
            return
        path = str(measure.values[0])
        known = _missing(graph, path.split(".")[:_MOST_SEGMENTS])
        if known is None:
            return
        near = nearest(path, known)
        listed = ", ".join(f"`{name}`" for name in known[:_MOST_SEGMENTS])
        help = f"the nearest is `{near}`" if near else f"there is {listed}"
        whole, written = measure.span, f'"{path}"'
        place = whole.text.find(written)  # an axis may have it, whose options stand elsewhere
        start = whole.start + place
        span = Span(start, start + len(written), whole.source) if place >= 0 else whole
        raise Trouble("E137", f"`{model.name}` has no path `{path}`", span, help=help)


def build_choice(choice: RecipeChoice, module: Module, spans: SettingSpans) -> Recipe:
    """Build a recipe with its changes.

    Errors: Trouble; SpecError where the recipe itself has mistakes, in a file of its own
    """
    found = find_recipe_text(choice.name, module)
    if found is None:
        raise Reported
    report = Reporter()
    recipe = build_recipe(*found, report)
    if recipe is None:
        if found[1] is module:  # told where it stands
            raise Reported
        raise _is_wrong(choice, report.diagnostics[0], spans)
    for key, value in choice.changes:
        span = spans.keys.get(key, spans.span)
        try:
            recipe = change_recipe(recipe, {key: value})
        except Failure as failure:
            raise Trouble(failure.code or "E104", failure.message, span, help=failure.help) from None
        except SpecError as error:
            first = error.diagnostics[0]
            raise Trouble(first.code, first.message, span, help=first.help) from None
    return recipe


def _is_same(one: Diagnostic, other: Diagnostic) -> bool:
    """Return whether two diagnostics say the same of equal texts, which may have been parsed apart."""
    places = [(d.span.start, d.span.end, d.span.source.name, d.span.source.text) for d in (one, other)]
    return (one.code, one.message) == (other.code, other.message) and places[0] == places[1]


def _is_wrong(choice: RecipeChoice, wrong: Diagnostic, spans: SettingSpans) -> Trouble:
    labels = (Label(wrong.span, "here"),)
    return Trouble("E136", f"`{choice.name}` is wrong: {wrong.message}", spans.span, help=wrong.help, labels=labels)


def _does_not_compile(choice: ModelChoice, wrong: Diagnostic, spans: SettingSpans) -> Trouble:
    """Say at the experiment's own words what is wrong with a model."""
    source = wrong.span.source
    if source.name == SETTINGS:
        span = spans.keys.get(source.text.partition("=")[0], spans.span)
        return Trouble(wrong.code, wrong.message, span, help=wrong.help)
    labels = (Label(wrong.span, "here"),)
    message = f"`{choice}` does not compile: {wrong.message}"
    return Trouble("E136", message, spans.span, help=wrong.help, labels=labels)


def _missing(graph: Graph, segments: Sequence[str]) -> list[str] | None:
    """Return the paths that are known where a path leaves the network; None where it is in it."""
    path = ".".join(segments)
    known: list[str] = []
    for node in graph.nodes.values():
        for name in node.names:
            if name == path or name.startswith(f"{path}."):
                return None
            if path.startswith(f"{name}.") and node.body is not None:
                inner = _missing(node.body, path[len(name) + 1 :].split("."))
                return [f"{name}.{other}" for other in inner] if inner is not None else None
            known.append(name)
    return known
