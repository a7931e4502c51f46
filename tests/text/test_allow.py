"""Warnings are collected, dropped and denied."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archdsl.text.allow import Allowance, Allowances, settle
from archdsl.text.diagnostic import Diagnostic, Reporter, Severity
from archdsl.text.source import NOWHERE, Source, Span

SOURCE = Source("x" * 100)
CODES = st.sampled_from(["W401", "W402"])
SPANS = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda ends: Span(min(ends), max(ends), SOURCE))


def warning(code: str, span: Span) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, "odd", span)


@given(st.lists(st.tuples(CODES, SPANS)), st.lists(st.tuples(CODES, SPANS)))
def test_a_warning_is_dropped_if_and_only_if_it_lies_in_an_allowances_scope(
    allowed: list[tuple[str, Span]], found: list[tuple[str, Span]]
) -> None:
    spots = [Span(i, i, SOURCE) for i in range(len(allowed))]
    allowances = Allowances(SOURCE, [Allowance(c, at, at, s) for (c, s), at in zip(allowed, spots, strict=True)])
    for code, span in found:
        is_covered = any(code == c and s.start <= span.start and span.end <= s.end for c, s in allowed)
        assert allowances.drops(warning(code, span)) == is_covered


def test_a_warning_counts_for_the_closest_allowance() -> None:
    whole, inner = Span(0, 100, SOURCE), Span(10, 20, SOURCE)
    allowances = Allowances(SOURCE, [Allowance("W401", scope, scope, scope) for scope in (whole, inner)])
    assert allowances.drops(warning("W401", Span(12, 13, SOURCE)))
    assert [allowance.span for allowance in allowances.unused()] == [whole]


def test_errors_are_never_dropped_and_warnings_about_other_files_always() -> None:
    whole = Span(0, 100, SOURCE)
    allowances = Allowances(SOURCE, [Allowance("W401", whole, whole, whole)])
    error = Diagnostic("W401", Severity.ERROR, "bad", Span(1, 2, SOURCE))
    assert not allowances.drops(error)
    assert allowances.drops(warning("W402", Span(0, 1, Source("another"))))
    assert not allowances.drops(warning("W402", Span(0, 0, NOWHERE)))


def test_a_reporter_leaves_out_what_is_unwanted_before_and_after_it_is_said() -> None:
    report = Reporter()
    report.warning("W401", "early", Span(0, 1))
    report.leave_out(lambda diagnostic: diagnostic.code == "W401")
    report.warning("W401", "late", Span(1, 2))
    report.warning("W402", "wanted", Span(1, 2))
    assert [diagnostic.code for diagnostic in report.diagnostics] == ["W402"]
    assert not report.has_errors


def test_warnings_do_not_crowd_out_errors() -> None:
    report = Reporter(limit=3)
    for offset in range(10):
        report.warning("W401", "odd", Span(offset, offset))
    assert not report.is_full
    for offset in range(10):
        report.error("E101", "bad", Span(offset, offset))
    assert report.is_full
    assert [d.code for d in report.diagnostics] == ["W401"] * 3 + ["E101"] * 3


def test_a_code_denied_or_allowed_goes_before_all_warnings() -> None:
    found = [warning(code, Span(0, 0)) for code in ("W401", "W402")]

    def settled(allowed: set[str], denied: set[str]) -> list[tuple[str, str]]:
        return [(d.code, d.severity.value) for d in settle(found, allowed, denied)]

    assert settled(set(), set()) == [("W401", "warning"), ("W402", "warning")]
    assert settled({"W401"}, set()) == [("W402", "warning")]
    assert settled({"W401"}, {"warnings"}) == [("W402", "error")]
    assert settled({"warnings"}, {"W401"}) == [("W401", "error")]
