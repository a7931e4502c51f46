"""Choose a recipe for the digits by their validation images, and measure the chosen one on the test images.

    python bench/digits.py [--seeds N] [--out FILE]

Each candidate is trained with the same seeds; that with the best mean validation accuracy is chosen, and only its test
accuracies are looked at.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import mean, stdev

import torch

import archdsl
from archdsl.recipe_specs import find_recipe, with_seed
from archdsl.recipes.recipe import Recipe
from archdsl.text.source import Source
from archdsl.training import Means, Result, load_data, train

BASE = """
recipe base {
  optimizer sgd lr=0.1 momentum=0.9 nesterov=true
  schedule cosine
  warmup 1
  batch_size 64
  epochs 30
  weight_decay 5e-4 norms=false
  loss cross_entropy smoothing=0.1
  images train { shift 0.125 }
}
"""
CANDIDATES = {
    "lr=0.1": "",
    "lr=0.1, ema 0.98": "ema 0.98",
    "lr=0.05": "optimizer sgd lr=0.05 momentum=0.9 nesterov=true",
    "lr=0.02": "optimizer sgd lr=0.02 momentum=0.9 nesterov=true",
    "adamw, lr=0.003": "optimizer adamw lr=3e-3; weight_decay 0.01 norms=false",
    "lr=0.1, no smoothing": "loss cross_entropy",
}


def recipe_of(statements: str) -> Recipe:
    return find_recipe("small", Source(f"{BASE}\nrecipe small of base {{ {statements} }}"))


def runs(recipe: Recipe, seeds: int, folder: Path) -> list[Result]:
    network, data = archdsl.load("digits"), load_data("digits")
    return [
        train(network, with_seed(recipe, seed), data, folder / str(seed), means=Means("cpu")) for seed in range(seeds)
    ]


def validation(results: list[Result]) -> list[float]:
    return [result.best.validation["accuracy"] for result in results if result.best is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = ["| recipe | validation accuracy, mean | deviation | seconds a run |", "| --- | ---: | ---: | ---: |"]
    found: dict[str, list[Result]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, statements) in enumerate(CANDIDATES.items()):
            results = found[name] = runs(recipe_of(statements), options.seeds, Path(folder) / str(number))
            scores = validation(results)
            seconds = mean(result.seconds for result in results)
            lines.append(f"| {name} | {mean(scores):.2%} | {stdev(scores):.2%} | {seconds:.1f} |")
    chosen = max(found, key=lambda name: mean(validation(found[name])))
    tested = [result.test["accuracy"] for result in found[chosen] if result.test is not None]
    text = (
        "# Digits\n\n"
        f"`python bench/digits.py --seeds {options.seeds}`; torch {torch.__version__}, CPU, one thread. The spec is "
        "`digits`, 308,074 parameters; 1,293 images for training, 144 for validation, 360 for test.\n\n"
        + "\n".join(lines)
        + f"\n\nChosen by validation: {chosen}"
        + (", which is the bundled recipe `small`" if recipe_of(CANDIDATES[chosen]) == find_recipe("small") else "")
        + f". Its test accuracy over {options.seeds} seeds: mean {mean(tested):.2%}, "
        f"deviation {stdev(tested):.2%}, from {min(tested):.2%} to {max(tested):.2%}.\n"
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
