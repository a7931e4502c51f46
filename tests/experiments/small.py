"""Experiments that take a second, built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from archdsl.experiments.runner import Runner
from archdsl.experiments.schedule import Seeded
from archdsl.experiments.setup import Home
from archdsl.experiments.trace import Timing, Trace
from archdsl.ir.experiment import (
    Axis,
    DataChoice,
    Experiment,
    GridPoint,
    Measure,
    ModelChoice,
    RecipeChoice,
    Rule,
    Training,
    Tuning,
)
from archdsl.text.source import Source, Span

TEXT = """
model tiny(classes=10, width=4) {
  input [1, 8, 8]
  stem: { conv width s=2; norm; relu; dropout 0.1 }
  flatten; fc: fc classes
}

recipe short {
  optimizer sgd lr=0.1 momentum=0.9
  schedule constant
  batch_size 64
  epochs 2
  images train { }
}
"""
HOME = Home(TEXT, "tiny.arch", None, "cpu")
SPAN = Span(0, 0, Source("", "tiny.arch"))


def measure(name: str, *values: str | int | float) -> Measure:
    return Measure(name, values, f"{name}({', '.join(map(str, values))})" if values else name, SPAN)


def training(steps: int | None = 6, lr: str = "0.1", norm: str = "batch", **more: object) -> Training:
    recipe = RecipeChoice("short", (("optimizer.lr", lr),))
    fields = {"data": DataChoice("digits"), "before": None, **more}
    return Training(ModelChoice("tiny", (("norm", norm),)), recipe, steps=steps, **fields)  # pyright: ignore[reportArgumentType]


def experiment(
    axes: dict[str, tuple[str, ...]],
    measures: Sequence[Measure],
    *,
    rules: Sequence[Rule] = (),
    tuning: Tuning | None = None,
    steps: int = 6,
    shown: Sequence[ModelChoice] = (),
) -> Experiment:
    """Return the grid of axes, of which `lr` and `norm` change the training, and the others do not."""
    points = [
        GridPoint(choices, training(steps, **{k: v for k, v in choices if k in ("lr", "norm")}), tuple(measures))
        for choices in (tuple(zip(axes, options, strict=True)) for options in product(*axes.values()))
    ]
    found = tuple(Axis(name, options, SPAN, numbers(options)) for name, options in axes.items())
    text = "experiment small { … }"
    return Experiment("small", "What is tried.", 2, found, tuple(points), tuning, tuple(rules), tuple(shown), text)


def numbers(options: Sequence[str]) -> tuple[float, ...]:
    """Return options as numbers, none where one is no number."""
    try:
        return tuple(map(float, options))
    except ValueError:
        return ()


class Heard:
    """A watcher that takes note."""

    def __init__(self) -> None:
        self.new: list[Seeded] = []
        self.kept: list[Seeded] = []
        self.deaths: list[str] = []

    def on_run(self, run: Seeded, trace: Trace, *, is_new: bool) -> None:
        (self.new if is_new else self.kept).append(run)

    def on_death(self, run: Seeded, why: str) -> None:
        self.deaths.append(why)

    def on_timing(self, timing: Timing) -> None:
        pass


def run(one: Experiment, out: Path, seeds: int = 2, workers: int = 1) -> tuple[Runner, Heard]:
    """Carry an experiment out."""
    runner, heard = Runner(one, HOME, out, seeds, workers), Heard()
    assert runner.run(heard)
    return runner, heard
