"""Edits change what they name and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archdsl.text.diagnostic import Edit, Fix
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source, Span

TEXT = "0123456789" * 3
SOURCE = Source(TEXT)
ENDS = st.lists(st.integers(-2, 32), min_size=2, max_size=6).map(lambda ends: ends[: len(ends) // 2 * 2])


def fix_of(ends: list[int], letter: str) -> Fix:
    spans = [Span(a, b, SOURCE) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return Fix(tuple(Edit(span, letter) for span in spans))


FIXES = st.lists(st.builds(fix_of, ENDS, st.sampled_from("ab"))) | st.lists(
    st.builds(fix_of, ENDS.map(sorted), st.sampled_from("ab"))
)


@given(FIXES)
def test_what_no_applied_edit_names_stays_and_each_applied_one_is_there_once(fixes: list[Fix]) -> None:
    mended = apply_fixes(TEXT, fixes)
    edits = [edit for fix in mended.applied for edit in fix.edits]
    removed = sum(edit.span.end - edit.span.start for edit in edits)
    added = sum(len(edit.replacement) for edit in edits)
    assert len(mended.text) == len(TEXT) - removed + added
    assert [c for c in mended.text if c.isalpha()].count("a") == sum(edit.replacement.count("a") for edit in edits)
    touched = {i for edit in edits for i in range(edit.span.start, edit.span.end)}
    assert [c for c in mended.text if c.isdigit()] == [c for i, c in enumerate(TEXT) if i not in touched]


@given(FIXES)
def test_what_is_left_out_touches_what_is_applied_or_is_no_edit_of_the_text(fixes: list[Fix]) -> None:
    applied = apply_fixes(TEXT, fixes).applied
    taken = [edit.span for fix in applied for edit in fix.edits]
    for fix in fixes:
        ends = [end for edit in sorted(fix.edits) for end in edit.span[:2]]
        is_sound = ends == sorted(ends) and ends[0] >= 0 and ends[-1] <= len(TEXT)
        is_met = any(a.start <= e.span.end and e.span.start <= a.end for a in taken for e in fix.edits)
        assert (fix in applied) or not is_sound or is_met


def test_the_first_of_two_that_meet_wins_as_a_whole() -> None:
    first, second = fix_of([0, 2], "a"), fix_of([2, 4, 10, 12], "b")
    mended = apply_fixes(TEXT, [second, first])
    assert mended.applied == (first,)
    assert mended.text == "a" + TEXT[2:]
    assert apply_fixes(TEXT, [first, first]).text == mended.text
    assert apply_fixes(TEXT, []).text == TEXT
