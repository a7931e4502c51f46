"""Failures say what is wrong, and what to do about it."""

from __future__ import annotations

import pytest

from archdsl.backends.picture import DrawError
from archdsl.text.failure import Failure, require
from archdsl.training import TrainingError
from archdsl.weights.error import WeightsError


@pytest.mark.parametrize("kind", [DrawError, TrainingError, WeightsError])
def test_what_stops_the_work_is_a_failure(kind: type[Failure]) -> None:
    error = kind("the fact", "what to do")
    assert isinstance(error, Failure)
    assert (error.message, error.help, str(error)) == ("the fact", "what to do", "the fact; what to do")


def test_a_traceback_shows_a_failure_with_nothing_that_a_terminal_obeys() -> None:
    error = Failure("no `\x1b[2J\u202e`", "a\nb")
    assert str(error) == "no `␛[2J<U+202E>`; a␊b"
    assert error.message == "no `\x1b[2J\u202e`"


def test_absent_packages_are_named_as_the_index_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.text.failure.find_spec", lambda name: None)
    with pytest.raises(Failure, match=r'^torch, scikit-learn are not installed; run `pip install "archdsl\[train\]"`$'):
        require("torch", "sklearn", extra="train")


def test_packages_that_are_there_are_no_failure() -> None:
    require("lark", "pydantic", extra="train")
