"""Numbers that note what is computed from them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archdsl.tracing.recorder import Recorder, Untraceable, exact, plain


def test_equal_lines_are_noted_once() -> None:
    recorder = Recorder([3, 4])
    a, b = recorder.at(0), recorder.at(1)
    assert (a + b).place == (a + b).place
    assert plain(a + b) == 7
    assert [line for line in recorder.lines if line] == ["v0 + v1"]


def test_comparisons_are_held_as_they_come_out() -> None:
    recorder = Recorder([3])
    number = recorder.at(0)
    assert not number > 5
    assert number == 3
    assert [line for line, _ in recorder.guards] == ["not (v0 > k0)", "v0 == k1"]


def test_what_reads_a_number_itself_holds_it() -> None:
    recorder = Recorder([3])
    assert [*range(recorder.at(0))] == [0, 1, 2]
    assert [line for line, _ in recorder.guards] == ["v0 == k0"]


def test_numbers_pass_for_their_types() -> None:
    recorder = Recorder([3, 0.5, Fraction(1, 3), (1, 2)])
    kinds = [int, float, Fraction, tuple]
    assert [kind for place, kind in enumerate(kinds) if isinstance(recorder.at(place), kind)] == kinds


def test_a_number_of_another_recorder_cannot_be_noted() -> None:
    with pytest.raises(Untraceable, match="another program"):
        _ = Recorder([1]).at(0) + Recorder([2]).at(0)


def test_rewound_notes_are_forgotten() -> None:
    recorder = Recorder([3])
    mark = recorder.mark()
    assert recorder.at(0) + 2 > 4
    recorder.rewind(mark, [5])
    assert (recorder.guards, len(recorder.values), recorder.at(0).value) == ([], 1, 5)


def test_lists_of_equal_numbers_of_other_types_are_other_keys() -> None:
    keys = [((1, 2),), ((1.0, 2),), ((1, 2.0),), ((True, 2),)]
    assert len({*keys}) == 1
    assert len({exact(key) for key in keys}) == 4
