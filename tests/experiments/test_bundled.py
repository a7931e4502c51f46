"""The experiments that come with archdsl: each is carried out, and its results are of the text as it stands."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from archdsl.experiment_specs import FoundExperiment, bundled_experiments, find_experiment
from archdsl.experiments import timing
from archdsl.experiments.page import REPORT, RESULTS, TEXT, report
from archdsl.experiments.runner import Runner
from archdsl.experiments.schedule import is_trained, terms_of
from archdsl.experiments.setup import Home
from archdsl.ir.experiment import Experiment, Training
from tests.conftest import ROOT
from tests.experiments.small import Heard

pytestmark = pytest.mark.torch

NAMES = [listed.name for listed in bundled_experiments()]
KEPT = sorted(path for path in (ROOT / "experiments" / "results").iterdir() if path.is_dir())
SHOWN = {
    "depth": {
        "plain networks train worse with depth",
        "with shortcuts the deep one trains better",
        "the deep plain one begins with gradients ten times as large",
    },
    "modes": {
        "in pairs batch norm is worse in training",
        "its training mode is better in batches of 32 than in pairs",
    },
    "norms": {"faster", "higher rates"},
}
"""Rules that are shown with two seeds too."""
NOT_SHOWN = {"modes": {"the control: group norm is worse in training"}}
"""Rules that are not shown with any."""
_LARGEST = 350_000


DATA = "mnist_5k.csv.gz"


def shortened(experiment: Experiment, steps: int) -> Experiment:
    """Return an experiment whose runs end after so many updates, with one option of the tuned axis."""

    def short(training: Training) -> Training:
        before = short(training.before) if training.before is not None else None
        return replace(training, steps=steps, before=before)

    tuned = [axis for axis in experiment.axes if experiment.tuning is not None and axis.name == experiment.tuning.axis]
    kept = [point for point in experiment.points if all(point.option(a.name) == a.options[0] for a in tuned)]
    return replace(experiment, points=tuple(replace(point, training=short(point.training)) for point in kept))


def narrowed(experiment: Experiment, titles: Collection[str]) -> Experiment:
    """Return an experiment with some of its rules, and only those points that they are about."""
    rules = tuple(rule for rule in experiment.rules if rule.title in titles)
    smaller = replace(experiment, rules=rules)
    about = {point for term in terms_of(smaller) for point in experiment.points_of(term)}
    return replace(smaller, points=tuple(point for point in experiment.points if point in about))


def run(found: FoundExperiment, experiment: Experiment, out: Path, seeds: int) -> Runner:
    home = Home(found.source.text, found.source.name, found.folder, "cpu")
    runner = Runner(experiment, home, out, seeds)
    assert runner.run(Heard())
    return runner


def few_pixels(path: Path) -> None:
    """Write scikit-learn's digits in the form, and with the size, of a file that an experiment takes."""
    images, labels = load_digits(return_X_y=True)
    large = np.pad(np.kron(images.reshape(-1, 8, 8), np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))) * 255 // 16
    table = np.column_stack([large.reshape(len(labels), -1), labels]).astype(int)
    np.savetxt(path, table[:700], fmt="%d", delimiter=",")


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_experiment_runs_at_toy_length_from_its_text_to_its_report(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(timing, "_WARMING", 0)
    monkeypatch.setattr(timing, "_FEWEST", 1)
    monkeypatch.setattr(timing, "_LONGEST", 0.0)
    few_pixels(tmp_path / DATA)
    found = find_experiment(name)
    toy = shortened(narrowed(found.experiment, {rule.title for rule in found.experiment.rules}), 2)
    runner = run(found, toy, tmp_path / "out", 1)
    files = report(runner.findings, f"archdsl experiment {name}", lambda model: runner.setup.compiled(model)[0])
    trained = {training for point in toy.points if is_trained(point, toy) for training in chain(point.training)}
    assert files.keys() >= {TEXT, RESULTS, REPORT}
    assert ("loss.svg" in files) == bool(trained)
    assert {run.training for run in runner.findings.traces} == trained
    sides = [side for rule in toy.rules for both in runner.findings.verdict(rule).sides for side in both]
    assert sides
    assert all(sides), "each has a value for the seed"


def chain(training: Training) -> Iterator[Training]:
    """Yield a training, and those that come before it."""
    yield training
    if training.before is not None:
        yield from chain(training.before)


@pytest.mark.parametrize("kept", KEPT, ids=[path.name for path in KEPT])
def test_results_that_are_kept_are_of_the_text_as_it_stands(kept: Path) -> None:
    experiment = find_experiment(kept.name).experiment
    assert (kept / TEXT).read_text(encoding="utf-8").strip() == experiment.text.strip()
    page = (kept / REPORT).read_text(encoding="utf-8")
    assert all(f"shown** {rule.title}" in page for rule in experiment.rules)
    assert f"seeds 0 to {experiment.seeds - 1}" in page or f"{experiment.seeds} turns of timing" in page
    rows = [*csv.DictReader((kept / RESULTS).read_text(encoding="utf-8").splitlines())]
    assert {row["seed"] for row in rows} == {str(seed) for seed in range(experiment.seeds)}
    assert sum(path.stat().st_size for path in kept.iterdir()) < _LARGEST


@pytest.mark.parametrize("kept", KEPT, ids=[path.name for path in KEPT])
def test_the_page_shows_the_file_and_the_chart_of_what_is_kept(kept: Path) -> None:
    page = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert (ROOT / "experiments" / f"{kept.name}.arch").read_text(encoding="utf-8").strip() in page
    assert f"](../experiments/results/{kept.name}/" in page
    assert all(f"| {rule.title} |" in page for rule in find_experiment(kept.name).experiment.rules)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SHOWN])
def test_claims_hold_at_two_seeds(name: str, tmp_path: Path) -> None:
    found = find_experiment(name)
    wanted = SHOWN[name] | NOT_SHOWN.get(name, set())
    runner = run(found, narrowed(found.experiment, wanted), tmp_path, 2)
    verdicts = [runner.findings.verdict(rule) for rule in runner.experiment.rules]
    assert {verdict.rule.title for verdict in verdicts} == wanted
    assert {verdict.rule.title for verdict in verdicts if verdict.is_shown} == SHOWN[name]
