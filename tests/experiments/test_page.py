"""The files of a report: what stands in them, and that they are pictures."""

from __future__ import annotations

import csv
from math import inf
from pathlib import Path

import pytest

from archdsl.experiments.charts import charts
from archdsl.experiments.findings import Findings
from archdsl.experiments.page import REPORT, RESULTS, TEXT, report
from archdsl.experiments.schedule import Seeded
from archdsl.experiments.setup import Setup
from archdsl.experiments.trace import Trace
from archdsl.ir.experiment import Comparison, Experiment, ModelChoice, Rule, RuleTerm, Tuning
from tests.experiments.small import HOME, SPAN, experiment, measure

pytestmark = pytest.mark.torch

STEPS_TO, FINAL = measure("steps_to", "loss", 1.0), measure("final", "loss", 2)
AXES = {"norm": ("batch", "none"), "lr": ("0.1", "1.0")}


def findings(one: Experiment, *, seeds: int = 2) -> Findings:
    """Return findings of runs that come down the sooner the higher the rate, but without a norm at most of them not."""
    found = Findings(one, seeds)
    for point in one.points:
        lr, norm = float(point.option("lr") or 0), point.option("norm")
        for seed in range(seeds):
            is_wild = norm == "none" and lr >= 1
            losses = tuple(
                3 / (1 + lr * step * (0.2 if norm == "none" else 1)) + seed / 10 for step in range(7 if is_wild else 30)
            )
            at = 8 if is_wild else None
            found.traces[Seeded(point.training, seed)] = Trace(key="key", about={}, losses=losses, diverged_at=at)
    found.choose()
    return found


def made(**more: object) -> dict[str, bytes]:
    terms = [RuleTerm(STEPS_TO, (("norm", norm),)) for norm in AXES["norm"]]
    rules = [
        Rule("faster", (Comparison(terms[0], "<", terms[1]),), SPAN),
        Rule("slower", (Comparison(terms[0], ">", terms[1]),), SPAN),
    ]
    one = experiment(AXES, [STEPS_TO, FINAL], rules=rules, tuning=Tuning("lr", STEPS_TO, 1), **more)  # pyright: ignore[reportArgumentType]
    setup = Setup(HOME)
    return dict(report(findings(one), "archdsl experiment small", lambda model: setup.compiled(model)[0]))


def test_a_report_says_what_was_tried_how_and_what_was_not_shown() -> None:
    files = made()
    page = files[REPORT].decode()
    for text in (
        "# small", "What is tried.", "archdsl experiment small", files[TEXT].decode().strip(), "**shown** faster",
        "**not shown** slower", "(the other way round)", "1 of 2 rules were shown. Not shown: slower.",
        "| batch | 1.0 |", "seeds 0 to 1", "`lr` was chosen by `steps_to(loss, 1.0)`",
    ):  # fmt: skip
        assert text in page
    for name, content in files.items():
        if name.endswith(".svg"):
            assert f"({name})" in page
            assert content.startswith(b"<?xml")
    assert {"loss.svg", "1_steps_to_loss_1_0.svg", "2_final_loss_2.svg"} < files.keys()


def test_the_table_of_runs_has_a_row_for_each_point_and_seed() -> None:
    rows = list(csv.DictReader(made()[RESULTS].decode().splitlines()))
    assert len(rows) == 4 * 2
    assert {(row["norm"], row["lr"]) for row in rows if row["chosen"] == "yes"} == {("batch", "1.0"), ("none", "0.1")}
    wild = [float(row[FINAL.text]) for row in rows if row["norm"] == "none" and row["lr"] == "1.0"]
    assert wild == [inf, inf]


def test_the_same_findings_give_the_same_bytes() -> None:
    assert made() == made()


def test_networks_stand_beside_each_other_with_their_difference() -> None:
    shown = (ModelChoice("tiny"), ModelChoice("tiny", (("width", "8"),)))
    files = made(shown=shown)
    page = files[REPORT].decode()
    assert "<code>tiny(width=8)</code>" in page
    assert b"conv 8" in files["shown_2.arch"]
    assert all(files[name].lstrip().startswith(b"<svg") for name in ("shown_1.svg", "shown_2.svg", "difference_1.svg"))
    assert all(f'src="{name}"' in page or f"({name})" in page for name in ("shown_1.svg", "difference_1.svg"))


@pytest.mark.parametrize("axes", [AXES, {"norm": ("batch",)}, {**AXES, "lr": ("0.1", "0.3", "1.0", "3.0")}])
def test_charts_are_drawn_for_any_axes(axes: dict[str, tuple[str, ...]], tmp_path: Path) -> None:
    found = [*charts(findings(experiment(axes, [STEPS_TO, FINAL])), "png")]
    assert [name for name, _, _ in found] == ["loss", "1_steps_to_loss_1_0", "2_final_loss_2"]
    assert all(content.startswith(b"\x89PNG") for _, _, content in found)
