"""The networks, recipes and data that an experiment names, each made once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from archdsl import __version__
from archdsl.compiler import Compilation, compile
from archdsl.experiments.trace import FORMAT, Readings
from archdsl.ir.experiment import DataChoice, ModelChoice, RecipeChoice, Training
from archdsl.lower.experiment_choices import ModelHomes, SettingSpans
from archdsl.lower.experiment_trials import build_choice
from archdsl.network import Network
from archdsl.passes.state import is_at
from archdsl.recipe_specs import with_seed
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.writing import write_recipe
from archdsl.semantics.library import load_module
from archdsl.text.failure import Failure
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest
from archdsl.training.classes import with_classes
from archdsl.training.data.catalogue import load_data
from archdsl.training.data.dataset import DataSet
from archdsl.training.data.subset import subset
from archdsl.training.device import find_device
from archdsl.training.means import Means
from archdsl.training.plan import RunPlan, environment, plan_run, resolve
from archdsl.training.run.weights import StartingWeights


@dataclass(frozen=True, slots=True)
class Home:
    """The file of an experiment, and what runs are carried out on: all that a process has to know."""

    text: str
    name: str
    folder: Path | None
    device: str = "auto"

    @property
    def source(self) -> Source:
        """The file."""
        return Source(self.text, self.name)


class Setup:
    """Makes what an experiment names, and keeps it."""

    def __init__(self, home: Home) -> None:
        self.home, self._source = home, home.source
        self._module = load_module(self._source, home.folder)
        self._homes = ModelHomes(self._module)
        self.means, self.device = Means(home.device), find_device(home.device)
        self._networks: dict[tuple[ModelChoice, int], tuple[Network, Mapping[str, str]]] = {}
        self._recipes: dict[RecipeChoice, Recipe] = {}
        self._data: dict[tuple[DataChoice, int], DataSet] = {}
        self._texts: dict[tuple[ModelChoice, int], str] = {}

    def compiled(self, model: ModelChoice, data: DataSet | None = None) -> tuple[Network, Mapping[str, str]]:
        """Compile a model, with as many classes as the data has, and return it with its settings.

        A name is one of the experiment's own file, or of those that it uses, else a bundled one.
        Errors: SpecError
        """
        key = (model, len(data.classes) if data is not None else -1)
        if key not in self._networks:
            self._networks[key] = self._compile(model, data)
        return self._networks[key]

    def _compile(self, model: ModelChoice, data: DataSet | None) -> tuple[Network, Mapping[str, str]]:
        home = self._homes.find(model.name, Span(0, 0, self._source)).module
        settings = dict(model.settings)

        def compiled(more: Mapping[str, str]) -> Compilation:
            return compile(home.file.source, model.name, more, model.image, home.folder)

        network = Network(compiled(settings))
        return with_classes(network, settings, data, compiled) if data is not None else (network, settings)

    def recipe(self, choice: RecipeChoice, seed: int) -> Recipe:
        """Make a recipe with the values that are changed in it.

        Errors: SpecError; Failure
        """
        if choice not in self._recipes:
            spans = SettingSpans(Span(0, 0, self._source), {})
            self._recipes[choice] = build_choice(choice, self._module, spans)
        return with_seed(self._recipes[choice], seed)

    def data(self, choice: DataChoice, seed: int) -> DataSet:
        """Load data, as much of it as is chosen.

        Errors: TrainingError
        """
        key = (choice, seed if choice.shots is not None else 0)
        if key not in self._data:
            whole = DataChoice(choice.name)
            if choice == whole:
                self._data[key] = load_data(choice.name)
            else:
                self._data[key] = subset(self.data(whole, 0), choice.classes, choice.shots, seed)
        return self._data[key]

    def plan(self, training: Training, seed: int, start: StartingWeights | None = None) -> RunPlan:
        """Check that a run can begin.

        Errors: SpecError; TrainingError
        """
        data = self.data(training.data, seed)
        network, settings = self.compiled(training.model, data)
        return plan_run(network, self.recipe(training.recipe, seed), data, self.means, settings, start)

    def text(self, model: ModelChoice, data: DataSet) -> str:
        """Return all that says what network a model is, with the weights that its spec starts from."""
        key = (model, len(data.classes))
        if key not in self._texts:
            resolved = resolve(*self.compiled(model, data))
            start = self.compiled(model, data)[0].weights
            content = sha256(start.path().read_bytes()).hexdigest() if start is not None else ""
            self._texts[key] = repr((resolved.text, sorted(resolved.settings.items()), resolved.freeze, content))
        return self._texts[key]

    def key(self, training: Training, seed: int, readings: Readings) -> str:
        """Identify a run by all that it depends on."""
        data = self.data(training.data, seed)
        before = training.before
        told = {
            "format": FORMAT,
            "archdsl": __version__,
            "torch": torch.__version__,
            "device": self.device.type,
            "network": self.text(training.model, data),
            "recipe": write_recipe(self.recipe(training.recipe, seed)),
            "data": data.digest,
            "steps": training.steps,
            "seed": seed,
            "readings": readings.told(),
            "before": self.key(before, seed, Readings(weights=True)) if before is not None else None,
        }
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]

    def timing_key(self, model: ModelChoice, data: DataChoice, batch: int, turn: int) -> str:
        """Identify the time of a forward pass by all that it depends on, the machine too."""
        told = [FORMAT, self.text(model, self.data(data, 0)), batch, turn, sorted(environment(self.device, 0).items())]
        return sha256(json.dumps(told).encode()).hexdigest()[:24]


def check(training: Training, readings: Readings, plan: RunPlan) -> int:
    """Check that a run can be read as it is asked for; return its steps.

    Errors: Failure where a path has no parameters, or the data lacks a part or has no accuracy
    """
    keys = [key for key, tensor in plan.network.state if tensor.kind == "parameter"]
    for path in sorted(readings.gradients):
        if not any(is_at(key, path) for key in keys):
            near = nearest(path, {".".join(key.split(".")[:count]) for key in keys for count in range(1, 9)})
            help = f"the nearest is `{near}`" if near else f"`archdsl summary {training.model.name}` lists them"
            raise Failure(f"no parameters are at `{path}` in {plan.network.name}", help)
    for part in sorted(readings.accuracies):
        if {"training": "train"}.get(part, part) not in plan.data.parts:
            raise Failure(f"{plan.data.name} has no {part} part")
    if readings.accuracies and "accuracy" not in plan.task.figures:
        raise Failure(
            f"{plan.data.name} has no classes, and so no accuracy", f"there is {', '.join(plan.task.figures)}"
        )
    if readings.gaps and "validation" not in plan.data.parts:
        raise Failure(f"{plan.data.name} has no validation part to compare training with")
    count = len(plan.data.parts["validation" if "validation" in plan.data.parts else "train"])
    largest = max((batch for _, batch in readings.modes), default=0)
    if largest > count:
        raise Failure(f"batches of {largest} are asked for, and there are {count} images", "take smaller ones")
    return training.steps or plan.recipe.total_epochs * plan.feed.steps_per_epoch
