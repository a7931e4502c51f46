"""Measure speed on the CPU: `python -m bench` prints Markdown, and writes it to bench/results/cpu.md.

`python -m bench formatting` runs the named comparisons alone and writes no file.
`bench/gpu.py` measures training on a GPU.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

from bench.analysis import analysis, classifiers, deep, pages, sweeps
from bench.cpu import Section, cold, emitted
from bench.pictures import pictures
from bench.text import formatting

RESULTS = Path(__file__).with_name("results") / "cpu.md"
SECTIONS: tuple[Callable[[], Section], ...] = (
    analysis, classifiers, sweeps, deep, pages, emitted, cold, pictures, formatting,
)  # fmt: skip


def processor() -> str:
    """Name the processor, as far as the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> int:
    """Run every comparison; a goal that is missed is for people to read, and no failure."""
    torch.set_num_threads(1)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {version('torchvision')}"
    parts = [
        "# Speed on the CPU",
        f"{processor()}, one thread; {versions}. Median processor times of rounds in which the compared take turns. "
        "`make bench` measures again.",
    ]
    names = sys.argv[1:]
    sections: list[Section] = []
    for measure in [section for section in SECTIONS if not names or section.__name__ in names]:
        print(f"{measure.__name__} …", file=sys.stderr, flush=True)
        sections.append(measure())
    text = "\n\n".join([*parts, *map(str, sections)]) + "\n"
    print(text)
    if names:
        return 0
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
