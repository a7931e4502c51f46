"""`residual`: sums, and their shortcuts."""

from __future__ import annotations

import archdsl


def test_a_residual_of_a_fixed_size_is_left_to_the_sizes_and_takes_its_shortcut() -> None:
    fixed = "model m { input [8, 5, 5]; residual { reshape [8, 5, 5] } }"
    assert archdsl.load_text(fixed).outputs["output"] == (8, 5, 5)
    with_shortcut = "model m { input [8, 5, 5]; residual { gap; conv 8 } shortcut { gap; conv 8 k=1 } }"
    assert archdsl.load_text(with_shortcut).outputs["output"] == (8, 1, 1)
