"""An experiment as a whole: runs that are shared, kept, gone on with, and the same with any number of workers."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from archdsl.experiments.pool import Crew, Died
from archdsl.experiments.runner import RUNS, Runner
from archdsl.experiments.setup import Setup
from archdsl.experiments.single import Job, carry_out
from archdsl.experiments.trace import Readings, Trace
from archdsl.ir.experiment import DataChoice, Experiment, GridPoint, ModelChoice, RecipeChoice, Training, Tuning
from archdsl.text.failure import Failure
from tests.experiments.small import HOME, Heard, experiment, measure, run, training

pytestmark = pytest.mark.torch

AXES = {"norm": ("batch", "none"), "lr": ("0.1", "1.0")}
STEPS_TO, FINAL = measure("steps_to", "loss", 2.2), measure("final", "loss", 2)
TUNING = Tuning("lr", FINAL, 1)


def plain(trace: Trace) -> dict[str, object]:
    """Return all of a trace but the time that it took."""
    return trace.model_dump(exclude={"cpu_seconds"})


def test_tuning_runs_first_and_only_what_it_chose_goes_on(tmp_path: Path) -> None:
    runner, heard = run(experiment(AXES, [STEPS_TO], tuning=TUNING), tmp_path)
    assert [one.seed for one in heard.new] == [0, 0, 0, 0, 1, 1]
    assert len(heard.new) == runner.extent.runs
    by_seed = {(one.training, one.seed) for one in heard.new}
    for point in runner.findings.points:
        assert (point.training, 1) in by_seed
        assert len(runner.findings.values(point, STEPS_TO)) == 2


def test_texts_of_one_meaning_share_a_run(tmp_path: Path) -> None:
    one = experiment({"lr": ("0.1", "0.10")}, [FINAL], steps=2)
    runner, _ = run(one, tmp_path, seeds=1)
    first, second = (runner.findings.values(point, FINAL) for point in one.points)
    assert first == second
    assert len(list((tmp_path / RUNS).iterdir())) == 1


def test_a_second_call_does_what_is_left_and_finds_the_same(tmp_path: Path) -> None:
    one = experiment(AXES, [FINAL, measure("latency", 1), measure("macs")], tuning=TUNING)
    whole, _ = run(one, tmp_path / "whole")
    runner, heard = Runner(one, HOME, tmp_path / "cut", 2), Heard()
    assert not runner.run(heard, lambda: len(heard.new) >= 3)
    assert len(heard.new) == 3
    again, more = run(one, tmp_path / "cut")
    assert len(more.kept) == 3
    assert len(more.new) == 3
    assert {k: plain(v) for k, v in again.findings.traces.items()} == {
        k: plain(v) for k, v in whole.findings.traces.items()
    }
    assert again.findings.chosen == whole.findings.chosen
    timed = {place: one.seconds for place, one in again.findings.timings.items()}
    third, none = run(one, tmp_path / "cut")
    assert not none.new
    assert {place: one.seconds for place, one in third.findings.timings.items()} == timed, "times are kept too"
    assert len(timed) == 4


def test_a_damaged_file_and_another_question_make_a_run_anew(tmp_path: Path) -> None:
    one = experiment({"norm": ("batch",)}, [FINAL], steps=2)
    run(one, tmp_path, seeds=1)
    (path,) = (tmp_path / RUNS).iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    _, heard = run(one, tmp_path, seeds=1)
    assert len(heard.new) == 1
    for old, new in ((b'"key": "', b'"key": "0'), (b'"losses": [', b'"losses": [ 9.0,'), (b'"seed": 0', b'"seed": 1')):
        assert old in whole
        path.write_bytes(whole.replace(old, new))
        assert len(run(one, tmp_path, seeds=1)[1].new) == 1, old
    assert not run(one, tmp_path, seeds=1)[1].new
    asked = experiment({"norm": ("batch",)}, [measure("accuracy", "test")], steps=2)
    assert len(run(asked, tmp_path, seeds=1)[1].new) == 1


def test_what_was_trained_before_runs_once_for_all_that_start_from_it(tmp_path: Path) -> None:
    first = training(3, data=DataChoice("digits", (0, 1)))
    points = tuple(
        GridPoint((("lr", lr),), training(3, lr, data=DataChoice("digits", (2, 3), 5), before=first), (FINAL,))
        for lr in ("0.1", "0.2")
    )
    one = Experiment("x", "", 1, (), points, None, (), (), "")
    runner, heard = run(one, tmp_path, seeds=1)
    assert [one.training for one in heard.new] == [first, *(point.training for point in points)]
    assert len(list((tmp_path / RUNS).glob("*.safetensors"))) == 1
    (weights,) = (tmp_path / RUNS).glob("*.safetensors")
    content = weights.read_bytes()
    for damaged in (None, b"", content[:-9], content[:-2000] + bytes(2000)):
        weights.unlink() if damaged is None else weights.write_bytes(damaged)
        _, again = run(one, tmp_path, seeds=1)
        assert [one.training for one in again.new] == [first], "its weights are gone, and what came of them is there"
        assert weights.read_bytes() == content
    assert len(runner.findings.traces) == 3


@pytest.mark.slow
def test_a_run_in_a_process_is_that_in_this_one_and_a_process_that_dies_is_told() -> None:
    setup = Setup(HOME)
    jobs = [Job(training(6), seed, Readings(accuracies=frozenset({"test"})), f"run {seed}") for seed in range(5)]
    crew = Crew(setup, 2)
    try:
        found = dict[str, Trace]()
        for job, outcome in crew.carry_out(jobs[:3], lambda: False):
            assert isinstance(outcome, Trace)
            found[job.key] = outcome
        assert found.keys() == {job.key for job in jobs[:3]}
        alone = carry_out(jobs[0], setup)
        assert plain(found[jobs[0].key]) == plain(alone)
        # One of the two that wait is killed: its run is told of, and the others are done.
        assert len(crew.pids) == 2
        os.kill(crew.pids[-1], signal.SIGKILL)
        outcomes = {job.key: outcome for job, outcome in crew.carry_out(jobs, lambda: False)}
    finally:
        crew.close()
    died = [one for one in outcomes.values() if isinstance(one, Died)]
    assert len(outcomes) == len(jobs)
    assert [one.why for one in died] == ["its process was ended by SIGKILL"]


def test_mistakes_of_any_point_are_told_before_the_first_run(tmp_path: Path) -> None:
    wrong = experiment({"norm": ("batch",)}, [measure("gradient_norm", "stam")])
    with pytest.raises(Failure, match="no parameters are at `stam`"):
        Runner(wrong, HOME, tmp_path, 1)
    few = GridPoint((), training(2, data=DataChoice("digits", (0, 1), 500)), (FINAL,))
    with pytest.raises(Failure, match="500 are asked for"):
        Runner(Experiment("x", "", 1, (), (few,), None, (), (), ""), HOME, tmp_path, 1)
    assert not list(tmp_path.iterdir())


def test_a_cost_may_tune_what_is_not_trained(tmp_path: Path) -> None:
    one = experiment({"norm": ("batch", "none")}, [measure("macs"), measure("latency", 1)])
    one = replace(one, tuning=Tuning("norm", measure("parameters"), 1))
    runner, heard = run(one, tmp_path)
    assert not heard.new
    assert runner.findings.chosen == {(): "none"}


def test_steps_go_on_beyond_a_recipe_that_is_all_warming_up(tmp_path: Path) -> None:
    recipe = RecipeChoice("small", (("epochs", "1"), ("warmup", "1")))
    point = GridPoint((), Training(ModelChoice("tiny"), recipe, DataChoice("digits", shots=7), steps=4), (FINAL,))
    runner, _ = run(Experiment("x", "", 1, (), (point,), None, (), (), ""), tmp_path, seeds=1)
    (trace,) = runner.findings.traces.values()
    assert len(trace.losses) == 4
