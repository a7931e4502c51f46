"""Rules on numbers made by hand, and what tuning chooses."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan

import pytest

from archdsl.experiments.findings import Findings, holds
from archdsl.experiments.measures import GAUGES, highest, running_means, steps_to
from archdsl.experiments.schedule import Seeded
from archdsl.experiments.trace import Trace
from archdsl.experiments.words import ranged, result_table, spread, summary_of, table_lines, verdict_text
from archdsl.ir.experiment import Comparison, Experiment, GridPoint, Rule, RuleTerm, Tuning
from archdsl.text.failure import Failure
from tests.experiments.small import SPAN, experiment, measure, training

pytestmark = pytest.mark.torch

STEPS_TO = measure("steps_to", "loss", 1.0)
FINAL = measure("final", "loss", 2)


def trace(*losses: float, diverged_at: int | None = None) -> Trace:
    return Trace(key="key", about={}, losses=losses, diverged_at=diverged_at)


def reaches(step: int, last: float = 0.5) -> Trace:
    """Return a run whose running loss comes to 1 at a step."""
    return trace(*[3.0] * (step - 5), *[1.0] * 5, last, last)


def findings(one: Experiment, traces: dict[tuple[str, ...], list[Trace]]) -> Findings:
    found = Findings(one, 2)
    for point in one.points:
        for seed, own in enumerate(traces[tuple(option for _, option in point.choices)]):
            found.traces[Seeded(point.training, seed)] = own
    found.choose()
    return found


@pytest.mark.parametrize(
    ("left", "relation", "right", "is_shown"),
    [
        ((1, 2), "<", (3, 4), True),
        ((1, 3), "<", (3, 4), False),
        ((1, 3.5), "<", (3, 4), False),
        ((5, 6), ">", (3, 4), True),
        ((3, 4), ">", (5, 6), False),
        ((1, 2), "<", (inf, inf), True),
        ((1, inf), "<", (inf, inf), False),
        ((inf, inf), "<", (inf, inf), False),
        ((1, nan), "<", (3, 4), False),
        ((), "<", (3,), False),
        ((0.7, 0.8), ">", (0.5,), True),
    ],
)
def test_a_comparison_holds_where_ranges_do_not_overlap(
    left: tuple[float, ...], relation: str, right: tuple[float, ...], is_shown: bool
) -> None:
    comparison = Comparison(0.0, relation, 0.0)  # pyright: ignore[reportArgumentType]
    assert holds(comparison, left, right) is is_shown


def test_the_first_step_is_that_at_which_five_losses_have_the_mean() -> None:
    assert running_means([4, 4, 4, 4, 4, 9])[3:] == [inf, 4, 5]
    assert steps_to([1, 1, 1, 1, 1], 1) == 5
    assert steps_to([0, 0, 0, 0], 1) == inf
    assert steps_to([10, 0, 0, 0, 0, 0], 1) == 6


def test_the_highest_option_is_the_largest_that_comes_down() -> None:
    assert highest({3.0: [9.0] * 9, 0.3: [0.1] * 9, 0.1: [0.1] * 9}, 0.5) == 0.3
    assert highest({3.0: [9.0] * 9}, 0.5) == -inf


def test_the_mean_of_the_last_steps_is_infinite_where_a_run_diverged() -> None:
    assert GAUGES["final"].value(trace(4, 2, 1), ("loss", 2)) == 1.5
    assert GAUGES["final"].value(trace(4, 2, 1, diverged_at=4), ("loss", 2)) == inf


def test_tuning_takes_the_best_by_its_measure_then_the_lower_loss_then_the_first() -> None:
    axes = {"norm": ("batch", "none"), "lr": ("0.1", "1.0")}
    one = experiment(axes, [STEPS_TO], tuning=Tuning("lr", STEPS_TO, 1))
    never, lower = trace(*[3.0] * 9), trace(*[2.0] * 9)
    runs = {
        ("batch", "0.1"): [reaches(9)] * 2,
        ("batch", "1.0"): [reaches(7), reaches(20)],  # the second seed has no say
        ("none", "0.1"): [never] * 2,
        ("none", "1.0"): [lower] * 2,
    }
    assert findings(one, runs).chosen == {(("norm", "batch"),): "1.0", (("norm", "none"),): "1.0"}
    equal = {**runs, ("batch", "1.0"): [reaches(9)] * 2, ("none", "1.0"): [never] * 2}
    assert findings(one, equal).chosen == {(("norm", "batch"),): "0.1", (("norm", "none"),): "0.1"}


def test_what_is_better_when_it_is_larger_is_tuned_so() -> None:
    accuracy = measure("accuracy", "validation")
    one = experiment({"lr": ("0.1", "1.0")}, [accuracy], tuning=Tuning("lr", accuracy, 2))
    runs = {
        (option,): [trace(1.0).model_copy(update={"accuracies": {"validation": share}})] * 2
        for option, share in (("0.1", 0.8), ("1.0", 0.9))
    }
    assert findings(one, runs).chosen == {(): "1.0"}


def verdict(left: list[Trace], relation: str, right: list[Trace]) -> str:
    sides = [RuleTerm(STEPS_TO, (("norm", norm),)) for norm in ("batch", "none")]
    rule = Rule("faster", (Comparison(sides[0], relation, sides[1]),), SPAN)  # pyright: ignore[reportArgumentType]
    one = experiment({"norm": ("batch", "none")}, [STEPS_TO], rules=[rule])
    found = findings(one, {("batch",): left, ("none",): right}).verdict(rule)
    return f"{'shown' if found.is_shown else 'not shown'} {verdict_text(found)}"


def test_a_verdict_says_the_ranges_and_why_it_was_not_shown() -> None:
    batch, none = [reaches(13), reaches(15)], [reaches(50), reaches(54)]
    said = "faster: steps_to(loss, 1) at norm=batch is 13 to 15, at norm=none 50 to 54"
    assert verdict(batch, "<", none) == f"shown {said}"
    assert verdict(batch, ">", none) == f"not shown {said} (the other way round)"
    overlap = verdict([reaches(13), reaches(51)], "<", none)
    assert overlap.startswith("not shown")
    assert overlap.endswith("(the ranges overlap)")
    never = trace(*[3.0] * 9)
    assert verdict(batch, "<", [never] * 2) == f"shown {said.replace('50 to 54', 'never')}"


def test_a_rule_may_multiply_a_measure() -> None:
    fast = RuleTerm(STEPS_TO, (("norm", "batch"),), factor=3.0)
    slow = RuleTerm(STEPS_TO, (("norm", "none"),))
    for relation, is_shown in (("<", True), (">", False)):
        rule = Rule("thrice", (Comparison(fast, relation, slow),), SPAN)  # pyright: ignore[reportArgumentType]
        one = experiment({"norm": ("batch", "none")}, [STEPS_TO], rules=[rule])
        runs = {("batch",): [reaches(13), reaches(15)], ("none",): [reaches(50), reaches(54)]}
        found = findings(one, runs).verdict(rule)
        assert found.is_shown == is_shown
        assert found.sides == (((39.0, 45.0), (50.0, 54.0)),)
        said = "3 × steps_to(loss, 1) at norm=batch is 39 to 45, steps_to(loss, 1) at norm=none is 50 to 54"
        assert verdict_text(found).startswith(f"thrice: {said}")


def test_nothing_is_read_from_runs_of_what_only_costs() -> None:
    one = experiment({"norm": ("batch", "none")}, [measure("macs")])
    found = Findings(one, 2)
    assert not any(found.is_read(point.training) for point in one.points)
    assert found.seeds_of(one.points[0].training) == [0, 1]


def test_a_rule_may_ask_for_a_number() -> None:
    term = RuleTerm(FINAL, (("norm", "batch"),))
    for comparison, said in (
        (Comparison(term, "<", 1.0), "final(loss, 2) at norm=batch is 0.500, and the rule asks for less than 1.000"),
        (Comparison(1.0, ">", term), "final(loss, 2) at norm=batch is 0.500, and the rule asks for less than 1.000"),
    ):
        rule = Rule("low", (comparison,), SPAN)
        one = experiment({"norm": ("batch",)}, [FINAL], rules=[rule])
        found = findings(one, {("batch",): [reaches(9)] * 2}).verdict(rule)
        assert found.is_shown
        assert verdict_text(found) == f"low: {said}"


def test_a_term_of_several_points_is_told() -> None:
    rule = Rule("any", (Comparison(RuleTerm(FINAL, ()), "<", 1.0),), SPAN)
    one = experiment({"norm": ("batch", "none")}, [FINAL], rules=[rule])
    found = findings(one, {("batch",): [reaches(9)] * 2, ("none",): [reaches(9)] * 2})
    with pytest.raises(Failure, match="is of 2 points"):
        found.verdict(rule)


def test_a_spread_is_the_median_and_the_range() -> None:
    steps, accuracy, highest_of = GAUGES["steps_to"], GAUGES["accuracy"], GAUGES["highest"]
    assert spread([13, 15, 14], steps) == "14 (13 to 15)"
    assert spread([14, 14], steps) == "14"
    assert spread([14, inf, 15], steps) == "15 (14 to never)"
    assert spread([0.5, 0.75], accuracy) == "62.5% (50.0% to 75.0%)"
    assert spread([-inf, 0.1], highest_of) == "none (none to 0.1)"
    assert spread([nan, 0.1], GAUGES["gap_at"]) == "0.100, unknown in 1"
    assert ranged([nan, 0.1], GAUGES["gap_at"]) == "unknown"


def test_a_table_has_a_row_for_each_point_that_was_chosen_and_fits_any_terminal() -> None:
    axes = {"norm": ("batch", "none"), "lr": ("0.1", "1.0")}
    one = experiment(axes, [STEPS_TO, FINAL], tuning=Tuning("lr", STEPS_TO, 2))
    runs = {(norm, lr): [reaches(9 if lr == "0.1" else 7)] * 2 for norm in axes["norm"] for lr in axes["lr"]}
    table = result_table(findings(one, runs))
    assert table.header == ("norm", "lr", STEPS_TO.text, FINAL.text)
    assert table.rows == (("batch", "1.0", "7", "0.500"), ("none", "1.0", "7", "0.500"))
    assert len(list(table_lines(table, 100))) == 3
    narrow = list(table_lines(table, 36))
    assert len(narrow) == 7, "the second measure stands below"
    assert max(map(len, narrow)) <= 36
    assert all(any(text in line for line in narrow) for text in table.header)


def test_a_summary_says_plainly_what_was_not_shown() -> None:
    rules = [
        Rule(title, (Comparison(RuleTerm(STEPS_TO, ()), "<", limit),), SPAN) for title, limit in (("a", 9), ("b", 1))
    ]
    one = experiment({"norm": ("batch",)}, [STEPS_TO], rules=rules)
    verdicts = [findings(one, {("batch",): [reaches(7)] * 2}).verdict(rule) for rule in rules]
    assert summary_of(verdicts) == "1 of 2 rules were shown. Not shown: b."
    assert summary_of(verdicts[1:]) == "What the rule says was not shown."
    assert summary_of(verdicts[:1]) == "What the rule says was shown."


HIGHEST = measure("highest", "lr", 1.0)


def test_the_highest_of_no_axis_is_unknown_and_shows_nothing() -> None:
    one = experiment({"lr": ("0.1", "1.0"), "norm": ("batch",)}, [HIGHEST])
    bare = GridPoint((("norm", "none"),), training(norm="none"), (HIGHEST,))
    found = Findings(replace(one, points=(*one.points, bare)), 1)
    for point in found.experiment.points:
        found.traces[Seeded(point.training, 0)] = reaches(5)
    assert found.value(found.experiment.points[0], HIGHEST, 0) == 1.0
    assert isnan(found.value(bare, HIGHEST, 0))
    sides = [RuleTerm(HIGHEST, (("norm", norm),)) for norm in ("batch", "none")]
    rule = Rule("higher", (Comparison(sides[0], ">", sides[1]),), SPAN)
    assert not found.verdict(rule).is_shown


def test_a_term_is_of_the_points_at_which_it_is_measured() -> None:
    one = experiment({"norm": ("batch", "none")}, [FINAL])
    points = (one.points[0], replace(one.points[1], measures=(measure("macs"),)))
    found = Findings(replace(one, points=points), 1)
    found.traces[Seeded(points[0].training, 0)] = reaches(5)
    rule = Rule("low", (Comparison(RuleTerm(FINAL, ()), "<", 9.0),), SPAN)
    assert found.verdict(rule).is_shown


def test_each_side_of_a_comparison_has_its_unit() -> None:
    left, right = RuleTerm(STEPS_TO, (("norm", "batch"),)), RuleTerm(measure("accuracy", "test"), (("norm", "batch"),))
    rule = Rule("odd", (Comparison(left, "<", right),), SPAN)
    one = experiment({"norm": ("batch",)}, [STEPS_TO], rules=[rule])
    run = reaches(13).model_copy(update={"accuracies": {"test": 0.5}})
    said = verdict_text(findings(one, {("batch",): [run] * 2}).verdict(rule))
    assert "steps_to(loss, 1) at norm=batch is 13, accuracy(test) at norm=batch is 50.0%" in said
