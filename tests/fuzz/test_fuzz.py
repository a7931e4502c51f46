"""What fuzzing found stays mended, and what it kept for its coverage still runs clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.target import TooSlowError, examine
from tests.patience import PATIENCE

HERE = Path(__file__).parent


@pytest.mark.parametrize("path", sorted(HERE.glob("*/*.arch")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_text_that_fuzzing_kept_gives_a_network_or_diagnostics(path: Path) -> None:
    examine(path.read_bytes().decode("utf-8", "replace"), PATIENCE)


def test_what_is_too_slow_is_a_finding() -> None:
    with pytest.raises(TooSlowError):
        examine("model m { input [3, 8, 8]; conv 8 }", patience=0)
