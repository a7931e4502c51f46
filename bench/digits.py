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
from archdsl.recipe_specs import change_recipe, find_recipe, with_seed
from archdsl.training import Means, Result, load_data, train

CANDIDATES: dict[str, dict[str, str]] = {
    "small": {},
    "small, lr=0.05": {"lr": "0.05"},
    "small, lr=0.02": {"lr": "0.02"},
    "small, adamw": {"optimizer": "adamw lr=3e-3", "weight_decay": "0.01 norms=false"},
    "small, ema 0.98": {"ema": "0.98"},
    "small, no smoothing": {"loss": "cross_entropy"},
}


def runs(changes: dict[str, str], seeds: int, folder: Path) -> list[Result]:
    network, data = archdsl.load("digits"), load_data("digits")
    recipe = change_recipe(find_recipe("small"), changes)
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
        for number, (name, changes) in enumerate(CANDIDATES.items()):
            results = found[name] = runs(changes, options.seeds, Path(folder) / str(number))
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
        + f"\n\nChosen by validation: {chosen}. Its test accuracy over {options.seeds} seeds: mean {mean(tested):.2%}, "
        f"deviation {stdev(tested):.2%}, from {min(tested):.2%} to {max(tested):.2%}.\n"
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
