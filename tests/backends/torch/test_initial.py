"""Initial values as code: their order, and that steps which are repeated more often cost no more."""

from __future__ import annotations

import re
from collections import Counter

import pytest

import archdsl
from archdsl.ops.conv import Conv2d

SPEC = """
block one {{ residual {{ conv 8 k=3; batch; relu }} }}
block two {{ residual {{ conv 8 k=1 bias=true init=normal; batch; relu }} }}
model m {{
  input [3, 16, 16]
  conv 8 k=3 init=zeros
  one x {n}
  two x {n}
  {{ conv 8 k=5 init=kaiming_normal; batch; relu }} x {n}
  conv 8 k=3 x {n}
  gap; flatten; fc 4
}}
"""


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in archdsl.load_text(text).source().splitlines() if "nn.init" in line]


def test_exceptions_stand_in_the_order_of_the_kinds_of_tensors() -> None:
    text = """
    block odd { a: conv 8 bias=true init=normal(std=2); b: conv 8 bias=true bias_init=ones init=normal(std=3)
                c: conv 8 init=normal(std=4) }
    model m { input [3, 8, 8]; conv 8 bias=true init=zeros x 3; odd }
    """
    assert [line for line in lines_of(text) if "module.weight" not in line] == [
        "nn.init.normal_(module.a.weight, std=2.0)",
        "nn.init.normal_(module.b.weight, std=3.0)",
        "nn.init.normal_(module.c.weight, std=4.0)",
        "nn.init.ones_(module.b.bias)",
    ]


def test_a_source_asks_no_more_of_steps_that_are_repeated_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = 4, 300
    asked: Counter[int] = Counter()
    state, n = Conv2d.state, 0

    def counted(self: Conv2d, *arguments: object) -> object:
        asked[n] += 1
        return state(self, *arguments)  # pyright: ignore[reportArgumentType] -- handed on

    for n in numbers:
        network = archdsl.load_text(re.sub(" init=[a-z_]+", "", SPEC.format(n=n)))
        with monkeypatch.context() as patch:
            patch.setattr(Conv2d, "state", counted)
            network.source()
    assert asked[numbers[0]] == asked[numbers[1]] > 0


@pytest.mark.parametrize("n", [2, 3, 7])
def test_the_text_is_that_of_each_step_by_itself(n: int) -> None:
    counted = "; ".join(["{ conv 8 k=5 init=kaiming_normal; batch; relu }"] * n)
    spec = SPEC.format(n=n)
    apart = spec.replace(f"{{ conv 8 k=5 init=kaiming_normal; batch; relu }} x {n}", counted)
    assert apart != spec
    assert lines_of(spec) == lines_of(apart)
