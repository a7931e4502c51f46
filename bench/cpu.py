"""What a CPU measures: how fast specs are analysed, and how fast emitted networks run.

All times are processor time on one thread, and what is compared takes turns, so that a busy machine hits both alike.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional

import archdsl
from bench.gpu import torchvision_model

CLASSES = 1000


@dataclass(frozen=True)
class Goal:
    """What was aimed at, and whether it was reached."""

    text: str
    is_met: bool

    def __str__(self) -> str:
        return f"Goal: {self.text}: **{'met' if self.is_met else 'not met'}**."


@dataclass(frozen=True)
class Section:
    """One comparison: a table, its header first, and the goals it decides."""

    title: str
    note: str
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal]

    def __str__(self) -> str:
        header, *rows = self.rows
        lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([f"## {self.title}", self.note, table, "\n".join(map(str, self.goals))])


def take_turns(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the processor seconds of each piece of work in each round; every round runs all of them once."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for name in work:
        work[name]()
    gc.collect()
    gc.disable()  # a collection would hit whoever happens to run
    try:
        for turn in range(rounds):
            # Every second round goes backwards: whatever comes first in a round has no lasting advantage.
            for name in list(work)[:: -1 if turn % 2 else 1]:
                start = time.process_time()
                work[name]()
                seconds[name].append(time.process_time() - start)
    finally:
        gc.enable()
    return seconds


def evaluate(module: nn.Module, images: Tensor) -> Tensor:
    """Run one evaluation."""
    module.eval()
    with torch.inference_mode():
        return module(images)


def training_step(module: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Run one training step, without the optimiser's."""
    module.train()
    module.zero_grad()
    loss = functional.cross_entropy(module(images), labels)
    loss.backward()
    return loss.item()


def _copies(name: str) -> list[tuple[str, nn.Module]]:
    """Build two of each: where a network's weights lie in memory can cost more than what is compared."""
    copies: list[tuple[str, nn.Module]] = []
    state = torchvision_model(name).state_dict()
    for who in ("torchvision", "archdsl", "archdsl", "torchvision"):
        module = torchvision_model(name) if who == "torchvision" else archdsl.load(name).module()
        module.load_state_dict(state)
        copies.append((who, module))
    return copies


def emitted(rounds: int = 15) -> Section:
    """Compare emitted networks with torchvision's."""
    rows: list[Sequence[str]] = [("network", "images", "work", "archdsl", "torchvision", "speed ratio")]
    goals: list[Goal] = []
    for name, batch, size in (("resnet18", 2, 224), ("resnet50", 2, 128)):
        copies = _copies(name)
        images, labels = torch.randn(batch, 3, size, size), torch.arange(batch)
        results = [evaluate(module, images) for _, module in copies]
        if not all(torch.equal(result, results[0]) for result in results):
            raise AssertionError(f"{name}: the results differ, so the times mean nothing")
        runs: dict[str, Callable[[nn.Module], object]] = {
            "evaluation": lambda module, images=images: evaluate(module, images),
            "training step": lambda module, images=images, labels=labels: training_step(module, images, labels),
        }
        for work, run in runs.items():
            seconds = take_turns(
                {f"{i} {who}": lambda run=run, module=module: run(module) for i, (who, module) in enumerate(copies)},
                rounds,
            )
            ours, theirs = (
                [sum(pair) / 2 for pair in zip(*(v for k, v in seconds.items() if k.endswith(who)), strict=True)]
                for who in ("archdsl", "torchvision")
            )
            ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
            times = [f"{1e3 * median(values):.1f} ms" for values in (ours, theirs)]
            rows.append((name, f"{batch} x 3 x {size} x {size}", work, *times, f"{ratio:.3f}"))
            goals.append(Goal(f"{name}, {work}, at no less than 0.98 of torchvision's speed", ratio >= 0.98))
    note = (
        "All hold the same weights and give the same results to the bit. There are two copies of each, since where "
        "weights lie in memory matters too; the ratio is the median of the rounds'."
    )
    return Section("Emitted networks", note, rows, goals)


@dataclass(frozen=True)
class Run:
    """What one process took: processor seconds, and the most memory it held, in bytes."""

    seconds: float
    peak_bytes: int


# A process counts its parent's memory until it starts its own program, so a small one stands between.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def run_cold(code: str, *arguments: str) -> Run:
    """Run Python code in a process of its own.

    Errors: subprocess.CalledProcessError if it fails
    """
    command = [sys.executable, "-c", MEASURE, sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    seconds, peak = printed.split()
    # Linux counts ru_maxrss in kibibytes, macOS in bytes.
    return Run(float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1024))


CHECK = "from archdsl.cli import main; main()"


def cold(rounds: int = 7) -> Section:
    """Compare a whole `archdsl check` with the mere import of torch."""
    runs: dict[str, list[Run]] = {"archdsl check resnet50": [], "import torch": []}
    for _ in range(rounds):
        runs["archdsl check resnet50"].append(run_cold(CHECK, "check", "resnet50"))
        runs["import torch"].append(run_cold("import torch"))
    rows = [("process", "processor time", "peak memory")]
    for name, found in runs.items():
        seconds, peak = median(run.seconds for run in found), median(run.peak_bytes for run in found)
        rows.append((name, f"{1e3 * seconds:.0f} ms", f"{peak / 2**20:.0f} MiB"))
    ours, theirs = (median(run.seconds for run in found) for found in runs.values())
    rows.append(("ratio", f"{ours / theirs:.2f}", ""))
    note = "Whole processes, with Python's own start, which is part of both."
    return Section("Cold start", note, rows, [Goal("a check in under a third of torch's import", ours < theirs / 3)])
