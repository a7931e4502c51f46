"""Folders of runs as training leaves them, made without training."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from archdsl import Network, Source, load
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.writing import write_recipe
from archdsl.training.run.record import RunRecord, network_digest, write_record

CLASSES = {"class": ("cat", "dog", "owl"), "classes": ("cat", "dog", "owl"), "mask": ("sky", "tree")}
ENDS = {
    "class": "gap; flatten; fc classes",
    "classes": "gap; flatten; fc classes",
    "number": "gap; flatten; fc 1",
    "mask": "conv classes k=1",
    "image": "conv 3 k=1",
}
ROWS = (
    {"epoch": 1, "step": 4, "lr": 0.1, "train_loss": 1.5, "train_accuracy": 0.4, "validation_loss": 1.2,
     "validation_accuracy": 0.5, "seconds": 2.0, "images_per_second": 100},
    {"epoch": 2, "step": 8, "lr": 0.1, "train_loss": 1.0, "train_accuracy": 0.6, "validation_loss": 1.0,
     "validation_accuracy": 0.75, "seconds": 2.5, "images_per_second": 100},
    {"epoch": 3, "step": 12, "lr": 0.0, "train_loss": 0.8, "train_accuracy": 0.7, "validation_loss": 1.1,
     "validation_accuracy": 0.75, "seconds": 2.5, "images_per_second": 100},
)  # fmt: skip


def network_for(kind: str, size: tuple[int, int, int] = (3, 8, 8)) -> Network:
    parameters = "(classes=2)" if kind in CLASSES else ""
    text = f"model net{parameters} {{ input {list(size)}; conv 4; act; {ENDS[kind]} }}\n"
    settings: dict[str, Any] = {"classes": len(CLASSES[kind])} if kind in CLASSES else {}
    return load(Source(text, "net.arch"), **settings)


def make_run(
    folder: Path,
    kind: Any = "class",
    *,
    recipe: Recipe | None = None,
    data: str = "imagefolder:pets",
    size: tuple[int, int, int] = (3, 8, 8),
    rows: tuple[Mapping[str, float], ...] = ROWS,
    test: Mapping[str, Any] | None = None,
    **changes: Any,
) -> RunRecord:
    """Write a run's folder, with random weights."""
    torch.manual_seed(0)
    network = network_for(kind, size)
    best = {"class": "accuracy", "classes": "mean_average_precision", "number": "r2", "mask": "miou", "image": "psnr"}
    facts: dict[str, Any] = {
        "model": "net",
        "data": data,
        "kind": kind,
        "classes": CLASSES.get(kind, ()),
        "size": size,
        "mean": (0.5,) * size[0],
        "deviation": (0.25,) * size[0],
        "settings": {"classes": str(len(CLASSES[kind]))} if kind in CLASSES else {},
        "network_digest": network_digest(network),
        "best_by": best[kind],
        "environment": {"torch": "2.13", "threads": 1},
    }
    record = RunRecord.model_validate({**facts, **changes})
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(write_record(record))
    (folder / "spec.arch").write_text(network.spec.text, encoding="utf-8")
    (folder / "recipe.arch").write_text(write_recipe(recipe or Recipe()), encoding="utf-8")
    for name, epoch in (("best", 2), ("last", 3)):
        state = network.module().state_dict()
        save_file(state, folder / f"{name}.safetensors", {"format": "pt", "epoch": str(epoch)})
    if rows:
        with (folder / "metrics.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    if test is not None:
        (folder / "test.json").write_text(json.dumps(test), encoding="utf-8")
    return record
