"""What a network's source and its module cost, against torchvision's constructor.

    python bench/source.py [--out FILE] [--rounds N]

All make the same networks, and take turns: the source of a network that was just loaded; a module with initial values,
and one for weights to come, of a network whose source is known; and torchvision's constructor, which draws initial
values. Then the source of deep networks, whose text says the same at any depth. Times are those of the process, one
thread.
"""

from __future__ import annotations

import argparse
import gc
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import torch

import archdsl
from archdsl.training.vision import torchvision

NETWORKS = ("resnet50", "mobilenet_v2", "efficientnet_b0", "densenet121")
DEPTHS = (10, 1000, 10_000)
ROUNDS = 9
STEPS = (
    "conv 8 k=3; batch; relu",
    "conv 8 k=1; batch; silu",
    "conv 8 k=5; batch; gelu",
    "dw k=3; batch; conv 8 k=1; elu",
    "conv 16 k=1; conv 8 k=1; mish",
    "conv 8 k=3 bias=true; celu",
    "conv 8 k=3; batch; conv 8 k=3; selu",
    "group 2; conv 8 k=3; relu6",
    "conv 4 k=1; conv 8 k=3; tanh",
    "conv 8 k=7; sigmoid",
)


def milliseconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = process_time()
    made = work()
    seconds = process_time() - start
    del made
    return 1e3 * seconds


def compared(name: str, rounds: int) -> str:
    """Return a row: what a network's source and modules cost beside torchvision's constructor."""
    times: dict[str, list[float]] = {"source": [], "drawn": [], "undrawn": [], "theirs": []}
    for turn in range(rounds + 1):
        network = archdsl.load(name)
        works: dict[str, Callable[[], object]] = {
            "source": network.source,
            "drawn": network.module,
            "undrawn": lambda network=network: network.module(init=False),
            "theirs": lambda: torchvision.models.get_model(name, weights=None),
        }
        for key, work in works.items():
            spent = milliseconds(work)
            if turn:
                times[key].append(spent)
    source, drawn, undrawn, theirs = (median(found) for found in times.values())
    ratio, without = (
        median(a / b for a, b in zip(times[key], times["theirs"], strict=True)) for key in list(times)[1:3]
    )
    return f"| {name} | {source:.0f} | {drawn:.1f} | {undrawn:.1f} | {theirs:.1f} | {ratio:.2f} | {without:.2f} |"


def deep(repeats: int) -> str:
    """Return a spec of ten different blocks, each as often."""
    blocks = [f"block b{i} {{ residual {{ {body} }} }}" for i, body in enumerate(STEPS)]
    calls = "; ".join(f"b{i} x {repeats}" for i in range(len(STEPS)))
    return "\n".join([*blocks, f"model deep {{ input [3, 32, 32]; conv 8 k=3; {calls}; gap; flatten; fc 10 }}"])


def of_depth(repeats: int, rounds: int) -> str:
    times: list[float] = []
    for turn in range(rounds + 1):
        network = archdsl.load_text(deep(repeats))
        spent = milliseconds(network.source)
        if turn:
            times.append(spent)
    return f"| {repeats} | {median(times):.1f} | {min(times):.1f} to {max(times):.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    archdsl.load("resnet18").source()
    text = "\n".join(
        [
            "# Source and module",
            "",
            f"`python bench/source.py`; Python {platform.python_version()}, torch {torch.__version__}, torchvision "
            f"{torchvision.__version__}, CPU, one thread, process time in ms; medians of {options.rounds} rounds that "
            "take turns, ratios of each round.",
            "",
            "| network | `source()` | `module()` | `module(init=False)` | torchvision | ratio | ratio without values |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
            *(compared(name, options.rounds) for name in NETWORKS),
            "",
            "`source()` is of a network just loaded; it is worked out once, so that the modules have it.",
            "",
            "| repeats of each of ten blocks | `source()` | range |",
            "| ---: | ---: | ---: |",
            *(of_depth(repeats, options.rounds) for repeats in DEPTHS),
            "",
        ]
    )
    print(text, end="")
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
