"""The files of a report: a page, a table of all runs, and charts. Importing this imports no torch."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from io import StringIO
from itertools import pairwise
from math import isnan

from archdsl.experiments.charts import charts
from archdsl.experiments.findings import Findings, Verdict
from archdsl.experiments.measures import GAUGES
from archdsl.experiments.schedule import is_chosen
from archdsl.experiments.words import ResultTable, columns_of, measure_at, result_table, summary_of, verdict_text
from archdsl.ir.experiment import ModelChoice
from archdsl.network import Network

REPORT, RESULTS, TEXT = "report.md", "results.csv", "experiment.arch"


def report(findings: Findings, command: str, networks: Callable[[ModelChoice], Network]) -> Mapping[str, bytes]:
    """Return the files of a report by their names. `command` is what made it; `networks` compiles what is shown.

    Errors: Failure where matplotlib is missing
    """
    experiment = findings.experiment
    pictures = {f"{name}.svg": (title, content) for name, title, content in charts(findings)}
    shown = dict(_shown(experiment.shown, networks))
    verdicts = [findings.verdict(rule) for rule in experiment.rules]
    lines = [
        f"# {experiment.name}\n",
        f"{_safe(experiment.doc)}\n" if experiment.doc else "",
        f"{_safe(summary_of(verdicts))}\n",
        'One seed shows nothing about chance: whatever is greater is "shown".\n' if findings.seeds == 1 else "",
        f"```sh\n{command}\n```\n",
        "## The experiment\n",
        f"```arch\n{experiment.text.strip()}\n```\n",
        "## Rules\n" if verdicts else "",
        *map(_rule, verdicts),
        "" if not verdicts else "\nA rule is shown where the ranges over the seeds do not overlap.\n",
        "## Results\n",
        f"{_what_is_shown(findings)}\n",
        _table(result_table(findings)),
        *_tuned(findings),
        *(f"## {title}\n\n![{title}]({name})\n" for name, (title, _) in pictures.items()),
        *_beside(experiment.shown, shown),
        "## How it was made\n",
        *_made(findings),
    ]
    page = "\n".join(line for line in lines if line) + "\n"
    return {
        TEXT: f"{experiment.text.strip()}\n".encode(),
        RESULTS: results(findings).encode(),
        REPORT: page.encode(),
        **{name: content for name, (_, content) in pictures.items()},
        **shown,
    }


def _what_is_shown(findings: Findings) -> str:
    word = "seed" if findings.traces else "turn"
    if findings.seeds == 1:
        return f"The values of one {word}."
    return f"The median over {findings.seeds} {word}s, and the range in brackets."


def _rule(verdict: Verdict) -> str:
    return f"- **{'shown' if verdict.is_shown else 'not shown'}** {_safe(verdict_text(verdict))}"


def _safe(text: str) -> str:
    """Return a text that Markdown takes for no markup of its own."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|" else sign for sign in text)


def _table(table: ResultTable) -> str:
    marks = ["---"] * table.axes + ["---:"] * (len(table.header) - table.axes)
    rows = [table.header, tuple(marks), *table.rows]
    return (
        "\n".join(f"| {' | '.join(cell if row is rows[1] else _safe(cell) for cell in row)} |" for row in rows) + "\n"
    )


def _tuned(findings: Findings) -> Iterator[str]:
    tuning = findings.experiment.tuning
    if tuning is not None:
        seeds = min(tuning.seeds, findings.seeds)
        yield (
            f"`{tuning.axis}` was chosen by `{tuning.by.text}`, for each row by itself, over the first "
            f"{f'{seeds} seeds' if seeds > 1 else 'seed'}; all runs stand in [{RESULTS}]({RESULTS}).\n"
        )


def results(findings: Findings) -> str:
    """Return results.csv: a row for each point and seed, those that tuning did not choose too.

    Infinite values are `inf`: of a run that diverged, or never came to a loss. What is not known is empty.
    """
    experiment, columns = findings.experiment, columns_of(findings.experiment)
    written = StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow((*(axis.name for axis in experiment.axes), "chosen", "seed", *columns))
    for point in experiment.points:
        options = [point.option(axis.name) or "" for axis in experiment.axes]
        chosen = is_chosen(point, experiment, findings.chosen)
        for seed in findings.seeds_of(point.training):
            cells: list[str] = []
            for text in columns:
                measure = measure_at(point, text)
                is_read = measure is not None and (chosen or GAUGES[measure.name].origin != "clock")
                value = findings.value(point, measure, seed) if measure is not None and is_read else float("nan")
                cells.append("" if isnan(value) else f"{value:.6g}")
            rows.writerow((*options, "yes" if chosen else "no", seed, *cells))
    return written.getvalue()


# Networks beside each other.


def _shown(models: Sequence[ModelChoice], networks: Callable[[ModelChoice], Network]) -> Iterator[tuple[str, bytes]]:
    from archdsl.difference import draw_diff

    found = [networks(model) for model in models]
    for number, network in enumerate(found, 1):
        yield f"shown_{number}.arch", network.text().encode()
        yield f"shown_{number}.svg", network.diagram("blocks").draw("svg")
    for number, (one, other) in enumerate(pairwise(found), 1):
        yield f"difference_{number}.svg", draw_diff(one, other)


def _beside(models: Sequence[ModelChoice], files: Mapping[str, bytes]) -> Iterator[str]:
    if not models:
        return
    yield "## The networks beside each other\n"
    cells = ["<table>", "<tr>", *(f"<th><code>{escape(str(model))}</code></th>" for model in models), "</tr>"]
    texts = [files[f"shown_{number}.arch"].decode() for number in range(1, len(models) + 1)]
    cells += ["<tr>", *(f'<td valign="top"><pre>{escape(text)}</pre></td>' for text in texts), "</tr>"]
    pictures = [f'<td valign="top"><img src="shown_{number}.svg"></td>' for number in range(1, len(models) + 1)]
    yield "\n".join([*cells, "<tr>", *pictures, "</tr>", "</table>"]) + "\n"
    for number in range(1, len(models)):
        yield f"![what differs](difference_{number}.svg)\n"


# How it was made.


def _made(findings: Findings) -> Iterator[str]:
    traces, timings = findings.traces, findings.timings
    seconds = sum(one.cpu_seconds for one in (*traces.values(), *timings.values()))
    steps = sum(len(trace.losses) for trace in traces.values())
    diverged = sum(trace.diverged_at is not None for trace in traces.values())
    if traces:
        yield f"- {len(traces)} runs of {steps:,} steps in all, {seconds:,.0f} CPU seconds, one thread each"
    else:
        yield f"- nothing was trained; {seconds:,.0f} CPU seconds, one thread"
    if traces:
        yield f"- seeds 0 to {findings.seeds - 1}" if findings.seeds > 1 else "- seed 0"
    if timings:
        yield f"- {findings.seeds} turns of timing, one network after the other in each"
    if diverged:
        yield f"- {diverged} {'run' if diverged == 1 else 'runs'} diverged: the loss was not finite"
    kinds: dict[str, None] = {}
    for known in (*(trace.environment for trace in traces.values()), *(timing.about for timing in timings.values())):
        names = ("archdsl", "torch", "python")
        kinds[", ".join([f"{name} {known[name]}" for name in names if name in known] + _machine(known))] = None
    yield from (f"- {kind}" for kind in kinds)


def _machine(known: Mapping[str, str | int]) -> list[str]:
    return [f"{known.get('platform', '')}", f"on {known.get('device', 'cpu')}, {known.get('cores', '?')} cores"]
