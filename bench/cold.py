"""What a program costs from its start to its end, against bare Python and the import of torch.

    python bench/cold.py [--out FILE] [--rounds N]

Each is a process of its own, and they take turns. Times are of the processor, user and system; byte code is compiled
before. The peak memory is as Linux counts it, which for a small process is that of this one, which starts it.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import archdsl

BARE, TORCH = "python -c pass", "python -c 'import torch'"
PROGRAMS: dict[str, Sequence[str]] = {
    BARE: ("-c", "pass"),
    "archdsl --version": ("-m", "archdsl", "--version"),
    "python -c 'import archdsl'": ("-c", "import archdsl"),
    "archdsl --help": ("-m", "archdsl", "--help"),
    "archdsl check resnet50": ("-m", "archdsl", "check", "resnet50"),
    "archdsl check resnet50 --format json": ("-m", "archdsl", "check", "resnet50", "--format", "json"),
    "archdsl summary resnet50": ("-m", "archdsl", "summary", "resnet50"),
    TORCH: ("-c", "import torch"),
}
ROUNDS = 15
MEBIBYTE = 1024  # what Linux counts memory in, of it


class Cost(NamedTuple):
    seconds: float
    kibibytes: int


def cost_of(arguments: Sequence[str]) -> Cost:
    """Run Python to its end."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def measured(rounds: int) -> dict[str, list[Cost]]:
    """Return what each program costs in each round, after one that counts for nothing."""
    compileall.compile_dir(str(Path(archdsl.__file__).parent), quiet=2)
    found: dict[str, list[Cost]] = {name: [] for name in PROGRAMS}
    for turn in range(rounds + 1):
        for name in list(PROGRAMS)[:: -1 if turn % 2 else 1]:
            cost = cost_of(PROGRAMS[name])
            if turn:
                found[name].append(cost)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    found = measured(options.rounds)
    times = {name: [1e3 * cost.seconds for cost in costs] for name, costs in found.items()}
    bare, torch = median(times[BARE]), median(times[TORCH])
    lines = [
        "# Cold start",
        "",
        f"`python bench/cold.py`; Python {platform.python_version()}, torch {version('torch')}, "
        f"typer {version('typer')}, pydantic {version('pydantic')}; medians of {options.rounds} rounds, and the range.",
        "",
        "| program | ms of the processor | range | of bare Python | of torch's import | peak memory, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, own in times.items():
        peak = median(cost.kibibytes for cost in found[name]) / MEBIBYTE
        middle, spread = median(own), f"{min(own):.0f} to {max(own):.0f}"
        lines.append(
            f"| `{name}` | {middle:.0f} | {spread} | {middle / bare:.1f} | {middle / torch:.3f} | {peak:.1f} |"
        )
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
