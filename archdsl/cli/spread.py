"""What several runs of one recipe with different seeds come to, and what a trial run tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, TextIO

from archdsl.cli.clock import duration
from archdsl.cli.console import say
from archdsl.cli.files import write_output
from archdsl.text.render.display import visible
from archdsl.training.observer import Result
from archdsl.training.tasks.figures import FIGURES

if TYPE_CHECKING:
    from archdsl.training.dry import Estimate

SPREAD = "seeds.csv"


def show_spread(results: Sequence[Result], out: Path, stream: TextIO) -> None:
    """Write mean and spread of the figures, and a table of all runs to the folder above them."""
    tested = [result.test for result in results if result.test is not None]
    validated = [result.best.validation for result in results if result.best is not None and result.best.validation]
    part, figures = ("test", tested) if len(tested) == len(results) else ("validation", validated)
    names = list(figures[0]) if figures else []
    rows = [",".join(["run", *(f"{part}_{name}" for name in names)])]
    rows += [
        ",".join([result.out.name, *(f"{found[name]:.6g}" for name in names)])
        for result, found in zip(results, figures, strict=False)
    ]
    write_output(out / SPREAD, "\n".join(rows) + "\n", "csv", (), overwrite=True)
    for name in names:
        values = [found[name] for found in figures]
        spread = stdev(values) if len(values) > 1 else 0.0
        shown = FIGURES[name].text
        stream.write(f"{part} {FIGURES[name].title}: mean {shown(mean(values))}, deviation {shown(spread)}")
        stream.write(f", from {shown(min(values))} to {shown(max(values))}, {len(values)} seeds\n")
    say(visible(f"wrote {out / SPREAD}"))


def show_estimate(found: Estimate, stream: TextIO) -> None:
    """Write what a trial run tells."""
    gib = 2**30
    lines = [
        f"one step: loss {found.loss:.3f}, {duration(found.seconds_per_step)}",
        f"{found.epochs:,} epochs of {found.steps_per_epoch:,} steps: about {duration(found.seconds)}, "
        "without validation",
        f"memory of a step: about {found.estimated_memory / gib:.2f} GiB in float32, by the compiler"
        + (f"; {found.used_memory / gib:.2f} GiB used" if found.used_memory is not None else ""),
        "nothing was written",
    ]
    stream.write("\n".join(lines) + "\n")
