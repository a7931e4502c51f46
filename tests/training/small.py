"""Networks, recipes and runs that take milliseconds, and what has to be equal of two runs."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

import archdsl
from archdsl.network import Network
from archdsl.recipe_specs import find_recipe
from archdsl.recipes.recipe import Recipe
from archdsl.text.source import Source
from archdsl.training import DataSet, Means, Observer, Result, Silent, TrainingStep, load_data, train

TINY = """
model tiny(classes=10) {
  input [1, 8, 8]
  stem: { conv 4 s=2; norm; relu; dropout 0.1 }
  flatten; fc: fc classes
}
"""
RECIPE = """
recipe base {
  optimizer sgd lr=0.05 momentum=0.9
  schedule cosine
  batch_size 256
  epochs 3
  images train { shift 0.125 }
}
"""
RUN_FILES = ("best.safetensors", "last.safetensors", "test.json", "recipe.arch", "spec.arch", "model.py")


def tiny(text: str = TINY, name: str | None = None) -> Network:
    return archdsl.load(Source(text, "tiny.arch"), name)


def module() -> nn.Sequential:
    """Build a module that trains in milliseconds, with dropout and batch norm."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def recipe(statements: str = "") -> Recipe:
    """Return a short recipe with other statements in it."""
    return find_recipe("own", Source(f"{RECIPE}\nrecipe own of base {{\n{statements}\n}}", "recipes.arch"))


def digits() -> DataSet:
    return load_data("digits")


def trained(out: Path, statements: str = "", observer: Observer | None = None, **means: Any) -> Result:
    return train(tiny(), recipe(statements), digits(), out, observer, means=Means("cpu", **means))


class Crash(BaseException):
    """What ends a program at once, as far as one process can show it."""


class CrashAt(Silent):
    """Crash when a step has been taken."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_step(self, step: TrainingStep) -> None:
        if step.step == self._step:
            raise Crash


def rows(run: Path) -> list[Sequence[str]]:
    """Return the rows of metrics.csv without times."""
    with (run / "metrics.csv").open(newline="") as file:
        return [row[:-2] for row in csv.reader(file)]


def differences(one: Path, other: Path) -> list[str]:
    """List what is not equal of two runs, of all that is to be."""
    found = [name for name in RUN_FILES if (one / name).read_bytes() != (other / name).read_bytes()]
    return found + (["metrics.csv"] if rows(one) != rows(other) else [])
