"""Notes to Python."""

from __future__ import annotations

from archdsl.tracing.recorder import Recorder
from archdsl.tracing.replay import program, replayed


def test_a_program_computes_again_with_other_numbers() -> None:
    recorder = Recorder([3, 4])
    a, b = recorder.at(0), recorder.at(1)
    made = program(recorder, [a * b + 1, 7], recorder.guards)
    assert (made(3, 4), made(5, 6)) == ((13, 7), (31, 7))


def test_a_program_gives_nothing_where_something_is_decided_otherwise() -> None:
    recorder = Recorder([6, 3])
    a, b = recorder.at(0), recorder.at(1)
    assert b > 0
    assert a % b == 0
    made = program(recorder, [a // b], recorder.guards)
    assert (made(6, 3), made(7, 3), made(7, 0)) == ((2,), None, None)


def test_values_are_given_whatever_was_decided() -> None:
    recorder = Recorder([6])
    assert recorder.at(0) + 1 > 5
    assert replayed(recorder, len(recorder.values))(1) == (1, 2)
