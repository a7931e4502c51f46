"""Which runs an experiment takes: shared ones once, tuning's first, what is started from before what starts."""

from __future__ import annotations

import pytest

from archdsl.experiments.schedule import Seeded, count_runs, final_runs, readings_by_training, tuning_runs
from archdsl.experiments.trace import Readings
from archdsl.ir.experiment import Comparison, DataChoice, Experiment, GridPoint, Rule, RuleTerm, Tuning
from tests.experiments.small import SPAN, experiment, measure, training

pytestmark = pytest.mark.torch

AXES = {"norm": ("batch", "none"), "lr": ("0.1", "1.0")}
STEPS_TO = measure("steps_to", "loss", 2.0)
TUNING = Tuning("lr", STEPS_TO, 1)


def test_points_of_one_training_share_its_runs_and_what_is_read_of_them() -> None:
    axes = {"norm": ("batch",), "mode": ("training", "evaluation"), "batch": ("2", "4")}
    one = experiment(axes, ())
    points = [
        GridPoint(p.choices, p.training, (measure("loss", p.option("mode") or "", int(p.option("batch") or 0)),))
        for p in one.points
    ]
    one = Experiment("x", "", 2, one.axes, tuple(points), None, (), (), "")
    assert len(final_runs(one, 3, {})) == count_runs(one, 3) == 3
    (readings,) = readings_by_training(one).values()
    assert readings.modes == {(mode, batch) for mode in axes["mode"] for batch in (2, 4)}


def test_tuning_takes_its_seeds_of_all_options_and_the_rest_only_what_was_chosen() -> None:
    one = experiment(AXES, [STEPS_TO], tuning=TUNING)
    assert {run.seed for run in tuning_runs(one, 3)} == {0}
    assert len(tuning_runs(one, 3)) == 4
    chosen = {(("norm", "batch"),): "1.0", (("norm", "none"),): "0.1"}
    final = final_runs(one, 3, chosen)
    wanted = [training(norm="batch", lr="1.0"), training(norm="none", lr="0.1")]
    assert {*final} == {Seeded(one_of, seed) for one_of in wanted for seed in range(3)}
    assert count_runs(one, 3) == 4 + 2 * 2


def test_tuning_takes_no_more_seeds_than_there_are() -> None:
    one = experiment(AXES, [STEPS_TO], tuning=Tuning("lr", STEPS_TO, 5))
    assert {run.seed for run in tuning_runs(one, 2)} == {0, 1}


def test_the_highest_along_the_tuned_axis_takes_all_seeds_of_all_its_options() -> None:
    one = experiment(AXES, [measure("highest", "lr")], tuning=TUNING)
    assert len(final_runs(one, 3, {})) == count_runs(one, 3) == 12


def test_a_rule_that_names_an_option_of_the_tuned_axis_takes_all_its_seeds() -> None:
    term = RuleTerm(STEPS_TO, (("norm", "none"), ("lr", "0.1")))
    rule = Rule("at one", (Comparison(term, "<", 9.0),), SPAN)
    one = experiment(AXES, [STEPS_TO], tuning=TUNING, rules=[rule])
    chosen = {(("norm", "batch"),): "1.0", (("norm", "none"),): "1.0"}
    assert Seeded(training(norm="none", lr="0.1"), 2) in final_runs(one, 3, chosen)


def test_what_is_started_from_comes_first_and_keeps_its_weights() -> None:
    first = training(3, data=DataChoice("digits", (0, 1)))
    then = training(3, data=DataChoice("digits", (2, 3)), before=first)
    one = Experiment("x", "", 2, (), (GridPoint((), then, (STEPS_TO,)),), None, (), (), "")
    runs = final_runs(one, 2, {})
    assert [run.training for run in runs] == [first, first, then, then]
    assert readings_by_training(one)[first] == Readings(weights=True)
    assert count_runs(one, 2) == 4


def test_a_rule_may_measure_what_the_table_does_not_show() -> None:
    rule = Rule("well", (Comparison(RuleTerm(measure("accuracy", "test"), (("norm", "batch"),)), ">", 0.5),), SPAN)
    found = readings_by_training(experiment({"norm": ("batch", "none")}, [STEPS_TO], rules=[rule]))
    assert [bool(readings.accuracies) for readings in found.values()] == [True, False]
