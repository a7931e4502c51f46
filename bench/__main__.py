"""Measure speed on the CPU: `python -m bench` prints Markdown, and writes it to bench/results/analysis.md and cpu.md.

`python -m bench formatting` runs the named comparisons alone and writes no file.
`bench/gpu.py` measures training on a GPU.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import torch

from bench.analysis import analysis, classifiers, deep, pages, sweeps
from bench.cpu import Section, cold, emitted
from bench.pictures import pictures
from bench.text import formatting

RESULTS = Path(__file__).with_name("results")
SECTIONS: Mapping[str, tuple[str, Sequence[Callable[[], Section]]]] = {
    "analysis.md": ("Speed of analysis", (analysis, classifiers, sweeps, deep, pages)),
    "cpu.md": ("Speed on the CPU", (emitted, cold, pictures, formatting)),
}
"""What is measured, by the file that it is written to."""


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
    names = sys.argv[1:]
    for file, (title, measures) in SECTIONS.items():
        sections: list[Section] = []
        for measure in [section for section in measures if not names or section.__name__ in names]:
            print(f"{measure.__name__} …", file=sys.stderr, flush=True)
            sections.append(measure())
        if not sections:
            continue
        again = " ".join(["python -m bench", *names])
        note = (
            f"{processor()}, one thread; {versions}. Median processor times of rounds in which the compared take "
            f"turns. `{again}` measures again."
        )
        text = "\n\n".join([f"# {title}", note, *map(str, sections)]) + "\n"
        print(text)
        if len(sections) == len(measures):
            RESULTS.mkdir(parents=True, exist_ok=True)
            (RESULTS / file).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
