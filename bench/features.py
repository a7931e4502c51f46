"""What keeping a frozen trunk's features gains: a step of the whole network over one of its head alone.

    python bench/features.py [--out FILE]

The steps are those of a run, on the same batches: all of them learn what the recipe `linear_probe` does, the head, but
for the first row, where everything learns. Rounds take turns; times are those of the process, one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time

import torch

import archdsl
from archdsl.recipe_specs import find_recipe
from archdsl.text.source import Source
from archdsl.training import Means, Silent, load_data
from archdsl.training.beginning import new_module
from archdsl.training.plan import plan_run
from archdsl.training.session import Session

ROUNDS, STEPS = 5, 4
NETWORKS = {"resnet18": 64, "mobilenet_v2": 64}
WAYS = {
    "all weights": ("", False),
    "the head": ('freeze "*" except head', False),
    "the head, features kept": ('freeze "*" except head', True),
}


def steps(network: str, size: int, freeze: str, *, kept: bool) -> tuple[Callable[[], None], float]:
    """Return what takes some steps, and the seconds that working the features out once took."""
    recipe = find_recipe("r", Source(f"recipe r {{ batch_size 32; {freeze}; images train {{ normalize none }} }}"))
    data = load_data(f"synthetic:3x{size}x{size}/256")
    model = archdsl.load(network, input=(3, size, size), classes=len(data.classes))
    plan = plan_run(model, recipe, data, Means("cpu", cache_features=kept))
    session, watcher = Session(plan, new_module(plan).module), Silent()

    def some() -> None:
        for batch in islice(session.batches_left(), STEPS):
            session.update(batch, watcher)
        session.batches = 0

    began = process_time()
    some()
    return some, process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "| network | what learns | ms a step | ratio to all | ratio to the head | first, once, s |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for network, size in NETWORKS.items():
        ways = {name: steps(network, size, freeze, kept=kept) for name, (freeze, kept) in WAYS.items()}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, (work, _) in ways.items():
                began = process_time()
                work()
                times[name].append((process_time() - began) / STEPS * 1000)
        found = {name: median(measured) for name, measured in times.items()}
        whole, head, _ = found.values()
        for name, (_, first) in ways.items():
            once = f"{first:.1f}" if WAYS[name][1] else ""
            ratios = f"{whole / found[name]:.1f} | {head / found[name]:.1f}"
            lines.append(f"| {network} | {name} | {found[name]:.2f} | {ratios} | {once} |")
    text = (
        "# Features kept\n\n"
        f"`python bench/features.py`; torch {torch.__version__}, CPU, one thread, process time; medians of {ROUNDS} "
        "rounds that take turns. 32 images [3, 64, 64] a step. The last column is what is taken once, in the first "
        "epoch: the trunk for 256 images, and the steps that hold both ways against each other.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
