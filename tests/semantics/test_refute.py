"""An assertion that fails says what it compares."""

from __future__ import annotations

import pytest

import archdsl


@pytest.mark.parametrize(
    ("condition", "part", "message"),
    [
        ("parameters < 200", "parameters < 200", "`parameters` is 216, which is not < 200"),
        ("200 > parameters", "200 > parameters", "`parameters` is 216, which is not < 200"),
        ("in == 3", "in == 3", "`in` is 8, not 3"),
        ("in != 2 * 4", "in != 2 * 4", "`in` is 8, and must not be"),
        ("1 < 2 and in <= 2*3", "in <= 2*3", "`in` is 8, which is not <= 6, which `2*3` is"),
        ("macs/parameters >= 1M", "macs/parameters >= 1M", "`macs/parameters` is 64, which is not >= 1,000,000"),
        ("not in == 8", "not in == 8", "`not in == 8` does not hold"),
        ("in > 9 or in < 8", "in > 9 or in < 8", "`in > 9 or in < 8` does not hold"),
        ("act == gelu", "act == gelu", "`act` is relu, not gelu"),
        ("[in, 1] == [1, in]", "[in, 1] == [1, in]", "`[in, 1]` is [8, 1], not [1, 8], which `[1, in]` is"),
    ],
)
def test_the_part_that_fails_is_named_with_the_values_of_its_sides(condition: str, part: str, message: str) -> None:
    (found,) = archdsl.check_text(f"model m {{ input [3, 8, 8]; conv 8; assert {condition} }}")
    assert (found.code, found.span.text, found.message) == ("E119", part, message)
