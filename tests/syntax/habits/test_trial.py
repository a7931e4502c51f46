"""A fix is offered only if the text parses at its place afterwards."""

from __future__ import annotations

import pytest

from archdsl.syntax.habits import trial
from archdsl.syntax.habits.trial import Outcome, Trials
from archdsl.syntax.parser import _frontend
from archdsl.text.diagnostic import Fix
from archdsl.text.source import Source, Span


def outcome(text: str, wrong: str, right: str, until: int = 0) -> Outcome:
    source = Source(text)
    parse = lambda source: _frontend()._mistakes(source, "start")  # noqa: E731
    mistakes = parse(source)
    at = text.index(wrong)
    fix = Fix.at(Span(at, at + len(wrong), source), right)
    return Trials(source, mistakes, parse, lambda _, found: len(found)).outcome(fix, mistakes[0].span.start, until)


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        ("conv(3)", "conv 3", Outcome.CLEAN),
        ("conv(3)", "conv (3", Outcome.HARMFUL),
        ("conv(3)", "conv (:a)", Outcome.HARMFUL),
        ("conv(3)", "conv 3 )", Outcome.HARMFUL),
        ("conv(3)", "{ conv 3", Outcome.HARMFUL),
        ("conv(3); relu", "relu", Outcome.CLEAN),
    ],
)
def test_a_fix_ends_its_mistake_and_makes_no_other(wrong: str, right: str, expected: Outcome) -> None:
    assert outcome("model m { input [3, 8, 8]; conv(3); relu }\n", wrong, right) is expected


def test_a_mistake_elsewhere_is_not_held_against_a_fix() -> None:
    assert outcome("model m { input [3, 8, 8]; conv(3); relu = }\n", "conv(3)", "conv 3") is Outcome.CLEAN


def test_what_a_mistake_silenced_in_statements_behind_it_may_show() -> None:
    text = "model m { input [3, 8, 8]\nif in == 3:\n  relu )\n}\n"
    assert outcome(text, ":\n  relu )\n", " {\n  relu )\n}\n", text.index("}")) is Outcome.PARTIAL


def test_beyond_a_bound_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_MOST", 10)
    trials = Trials(Source("x" * 11), (), lambda source: (), lambda source, found: 0, 10)
    assert trials.outcome(Fix.at(Span(0, 1, trials.source), "y"), 0) is Outcome.UNKNOWN
