"""Block strings of timm become the same blocks, or help that says what it leaves over."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from tests.syntax.habits.advice import advised, errors, in_model, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

# A block string, and what its help shows.
STRINGS = [
    ("cn_r1_k3_s1_c64", "`conv 64; norm; act`"),
    ("cn_r2_k5_s2_c64_nhs", "`{ conv 64 k=5 s=2; norm; hardswish }; conv 64 k=5; norm; hardswish`"),
    ("cn_r1_k3_s1_c8_skip", "`residual when in == 8 { conv 8; norm; act }`"),
    ("ds_r1_k3_s1_e1_c16", "`residual when in == 16 { dw; norm; act; conv 16 k=1; norm }`"),
    ("ds_r1_k3_s2_c16_noskip", "`dw s=2; norm; act; conv 16 k=1; norm`"),
    ("dsa_r3_k5_s1_c16", "`{ dw k=5; norm; act; conv 16 k=1; norm; act } x 3`"),
    ("ir_r1_k5_s2_e3_c24_nre",
     "`conv round8(3*in) k=1; norm; relu; dw k=5 s=2; norm; relu; conv 24 k=1; norm`"),
    ("ir_r1_k3_s1_e1_c8",
     "`residual when in == 8 { conv round8(in) k=1; norm; act; dw; norm; act; conv 8 k=1; norm }`"),
    ("ir_r1_k3_s1_e6_c24_se0.25", "se round(in*(0.25/6)); conv 24 k=1"),
    ("ir_r1_k3_s1_e6_c24_se0.25_nre", "se round(in*(0.25/6)) act=relu"),
    ("er_r1_k3_s2_e4_c24_fc24_noskip", "`conv round8(4*24) s=2; norm; act; conv 24 k=1; norm`"),
    ("ir_r1_k3_s1_e6_c24_cc4", "it leaves over `_cc4`"),
    ("ir_r1_k3.5_s1_e6_c24_a1.1", "it leaves over `_k3.5`, `_a1.1`"),
    ("cn_r1_k1_s1_c960_d2", "it leaves over `_d2`"),
    ("ds_r1_k3_s1_c16_gs8", "it leaves over `_gs8`"),
    ("uir_r1_a3_k5_s2_e4_c96", "`block uir(c, stride s=1) { … }`"),
    ("mqa_r1_k3_h8_s1_d64_c96", "it leaves over `_k3`, `_h8`, `_d64`"),
]  # fmt: skip


@pytest.mark.parametrize(("string", "advice"), STRINGS)
def test_the_help_says_what_a_block_is_and_what_it_leaves_over(string: str, advice: str) -> None:
    for written in (string, f'"{string}"', f"- [{string}]"):
        found = told(in_model(written))
        assert found.fix is None
        assert found.span.text == string
        assert advice in found.help


@pytest.mark.parametrize("string", [string for string, _ in STRINGS])
def test_what_a_help_says_compiles(string: str) -> None:
    (spec,) = advised(told(in_model(string)).help)
    assert errors(spec) == []


def test_a_string_without_what_timm_needs_is_no_block() -> None:
    assert "timm" not in told(in_model("ir_r2_k3_s2_c16")).message


def drawn(seed: int) -> str:
    draw = random.Random(seed)
    kind = draw.choice(("cn", "ds", "dsa", "ir", "er"))
    string = f"{kind}_r{draw.randint(1, 3)}_k{draw.choice((1, 3, 5))}_s{draw.randint(1, 2)}_c{8 * draw.randint(1, 3)}"
    string += f"_e{draw.choice((1, 2, 3, 4.5))}" if kind in ("ir", "er") else ""
    string += draw.choice(("", "_se0.25", "_se0.5")) if kind not in ("cn",) else ""
    return string + draw.choice(("", "_noskip", "_skip")) + draw.choice(("", "_nre", "_nhs", "_nsw"))


def theirs(string: str, channels: int) -> nn.Module:
    """Build what timm makes of a block string, whose network has ReLU; see `_efficientnet_blocks.py`."""
    from torch import nn

    kind, *words = string.split("_")
    found = (re.fullmatch(r"([a-z]+)([\d.]+)", word) for word in words)
    options = {match[1]: float(match[2]) for match in found if match is not None}
    blocks = list[nn.Module]()
    for index in range(int(options["r"])):
        blocks.append(block(kind, words, options, channels, int(options["s"]) if index == 0 else 1))
        channels = int(options["c"])
    return nn.Sequential(*blocks)


def block(kind: str, words: Sequence[str], options: Mapping[str, float], channels: int, stride: int) -> nn.Module:
    """Build one block."""
    from torch import nn

    acts: dict[str, Callable[[], nn.Module]] = {"nre": nn.ReLU, "nhs": nn.Hardswish, "nsw": nn.SiLU}
    act = next((acts[word] for word in words if word in acts), nn.ReLU)
    made, kernel, widening = int(options["c"]), int(options["k"]), options.get("e", 1.0)
    wide = divisible(channels * widening) if kind in ("ir", "er") else channels

    def slid(before: int, after: int, groups: int = 1) -> list[nn.Module]:
        padding = (stride - 1 + kernel - 1) // 2
        conv = nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(after), act()]

    share = options.get("se", 0.0) / widening
    gate = [gated(wide, round(wide * share), act)] if share else []
    end = [*gate, nn.Conv2d(wide, made, 1, bias=False), nn.BatchNorm2d(made)]
    match kind:
        case "cn":
            parts = slid(channels, made)
        case "ir":
            widened = [nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), act()]
            parts = [*widened, *slid(wide, wide, wide), *end]
        case "er":
            parts = [*slid(channels, wide), *end]
        case _:
            parts = [*slid(wide, wide, wide), *end, *([act()] if kind == "dsa" else [])]
    asked = "skip" in words if kind == "cn" else "noskip" not in words and kind != "dsa"
    body = nn.Sequential(*parts)
    return added(body) if asked and stride == 1 and channels == made else body


def divisible(channels: float) -> int:
    made = max(8, int(channels + 4) // 8 * 8)
    return made + 8 if made < 0.9 * channels else made


def gated(channels: int, reduced: int, act: Callable[[], nn.Module]) -> nn.Module:
    from torch import Tensor, nn

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, reduced, 1), act(), nn.Conv2d(reduced, channels, 1),
                nn.Sigmoid(),
            )  # fmt: skip

        def forward(self, x: Tensor) -> Tensor:
            return x * self.gate(x)

    return Gated()


def added(body: nn.Module) -> nn.Module:
    from torch import Tensor, nn

    class Added(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: Tensor) -> Tensor:
            return x + self.body(x)

    return Added()


def check_blocks(seeds: range) -> None:
    import torch

    from tests.syntax.habits.peers import assert_same

    for seed in seeds:
        string = drawn(seed)
        help = told(in_model(string)).help
        assert "leaves over" not in help
        (spec,) = advised(help, "[16, 13, 12]")
        assert_same(spec, theirs(string, 16), torch.rand(1, 16, 13, 12), tolerance=1e-3)


@pytest.mark.torch
def test_a_block_string_is_the_block_that_timm_makes() -> None:
    check_blocks(range(10))


@pytest.mark.torch
@pytest.mark.slow
def test_many_block_strings_are_the_blocks_that_timm_makes() -> None:
    check_blocks(range(100, 220))
