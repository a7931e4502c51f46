"""What the loop costs over a bare one of torch, on images in memory.

    python bench/loop.py [--out FILE]

Both take the same steps on the same batches of the digits: the bare loop indexes tensors, normalises, and calls torch;
ours does all that a run does between two epochs. Rounds take turns; times are those of the process, one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import torch
from torch.nn import functional

import archdsl
from archdsl.lower.recipe_changes import change_recipe
from archdsl.recipe_specs import find_recipe
from archdsl.recipes.recipe import Recipe
from archdsl.text.source import Source
from archdsl.training import Means, Silent, load_data
from archdsl.training.beginning import new_module
from archdsl.training.plan import plan_run
from archdsl.training.session import Session

TINY = "model tiny { input [1, 8, 8]; conv 4; norm; relu; gap; flatten; fc 10 }"
ROUNDS, EPOCHS = 15, 4
RECIPES = {
    "no changes of images": "recipe r { batch_size 64; schedule constant }",
    "shift": "recipe r { batch_size 64; schedule constant; images train { shift 0.125 } }",
    "flip, random_crop": "recipe r { batch_size 64; schedule constant; images train { random_crop 0.125; flip } }",
    "shift, ema and clip": "recipe r { batch_size 64; ema 0.99; clip 1.0; images train { shift 0.125 } }",
}


def ours(recipe: Recipe) -> tuple[Callable[[], None], int]:
    plan = plan_run(archdsl.load(Source(TINY)), recipe, load_data("digits"), Means("cpu"))
    session, watcher = Session(plan, new_module(plan).module), Silent()

    def epochs() -> None:
        for _ in range(EPOCHS):
            for batch in plan.feed.train(session.epoch):
                session.update(batch, watcher)
            session.epoch, session.meter = session.epoch + 1, plan.task.meter()

    return epochs, EPOCHS * plan.feed.steps_per_epoch


def bare() -> Callable[[], None]:
    data = load_data("digits").parts["train"]
    images = torch.stack([data.image(index) for index in range(len(data))])
    labels = torch.stack([data.target(index) for index in range(len(data))])
    module = archdsl.load(Source(TINY)).module().train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)

    def epochs() -> None:
        for _ in range(EPOCHS):
            for chosen in torch.randperm(len(images)).tensor_split(-(-len(images) // 64)):
                batch = (images[chosen].float() / 255 - 0.3) / 0.4
                optimizer.zero_grad(set_to_none=True)
                loss = functional.cross_entropy(module(batch), labels[chosen])
                loss.backward()
                optimizer.step()
                loss.item()

    return epochs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "| recipe | bare loop, ms a step | archdsl, ms a step | more, ms | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, text in RECIPES.items():
        own, steps = ours(change_recipe(find_recipe("r", Source(text)), {}))
        theirs = bare()
        times: dict[str, list[float]] = {"own": [], "theirs": []}
        for turn in range(ROUNDS + 1):
            for who, work in (("own", own), ("theirs", theirs)):
                began = process_time()
                work()
                if turn:  # the first warms up
                    times[who].append((process_time() - began) / steps * 1000)
        more = median(one - other for one, other in zip(times["own"], times["theirs"], strict=True))
        a, b = median(times["theirs"]), median(times["own"])
        lines.append(f"| {name} | {a:.3f} | {b:.3f} | {more:.3f} | {b / a:.2f} |")
    text = (
        "# Loop\n\n"
        f"`python bench/loop.py`; torch {torch.__version__}, CPU, one thread, process time; medians of {ROUNDS} rounds "
        f"that take turns. 64 images [1, 8, 8] a step, a network of 94 parameters.\n\n" + "\n".join(lines) + "\n"
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
