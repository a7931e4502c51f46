"""A small part of what `make soak` kills."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.training.kills import KILLS, kill

pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="SIGKILL and fork are POSIX's"),
]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_is_killed_at_random_moments_gives_the_same_bytes(workers: int, tmp_path: Path) -> None:
    found = kill(KILLS // 40, workers, 2, tmp_path)
    assert found.kills == KILLS // 40
    assert found.runs > 0
    assert found.differing == []
