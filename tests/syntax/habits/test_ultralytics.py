"""Rows of Ultralytics become the same network, or help that says what it leaves over."""

from __future__ import annotations

import random
from typing import Any

import pytest

import archdsl
from tests.syntax.habits.advice import advised, errors, in_model, mended, told

# A row, and the step that is the same.
ROWS = [
    ("[-1, 1, Conv, [64, 6, 2, 2]]", "conv 64 k=6 s=2 p=2; batch eps=0.001 momentum=0.03; silu"),
    ("- [-1, 1, Conv, [64]]", "conv 64 k=1; batch eps=0.001 momentum=0.03; silu"),
    ("[-1, 1, Conv, [64, 6]]", "conv 64 k=6 p=3; batch eps=0.001 momentum=0.03; silu"),
    ("[-1, 1, Conv, [64, 3, 1, None, 4]]", "conv 64 g=4; batch eps=0.001 momentum=0.03; silu"),
    ("[-1, 1, Conv, [64, 3, 1, None, 1, 2, False]]", "conv 64 d=2; batch eps=0.001 momentum=0.03"),
    ("[-1, 1, Conv, [64, [1, 3], 1, [0, 1]]]", "conv 64 k=[1, 3]; batch eps=0.001 momentum=0.03; silu"),
    ("[-1, 3, Conv, [64, 3, 2]]", "{ conv 64 s=2; batch eps=0.001 momentum=0.03; silu } x 3"),
    ("[-1, 1, ConvTranspose, [8]]", "deconv 8; batch eps=0.001 momentum=0.03; silu"),
    ("[-1, 1, ConvTranspose, [8, 4, 2, 1, False, False]]", "deconv 8 k=4 p=1 bias=true"),
    ("[-1, 1, nn.ConvTranspose2d, [16, 2, 2]]", "deconv 16 k=2 s=2 bias=true"),
    ("[-1, 1, nn.ConvTranspose2d, [16, 3]]", "deconv 16 k=3 s=1 bias=true"),
    ("[-1, 1, nn.BatchNorm2d, []]", "batch eps=0.001 momentum=0.03"),
    ("[-1, 1, nn.Upsample, [None, 2, 'nearest']]", "upsample 2"),
    ("[-1, 1, nn.MaxPool2d, [3, 2, 1]]", "maxpool 3 s=2"),
]

# A row, the steps that its help shows, and what these leave over or rest on.
HELP = [
    ("[-1, 3, C2f, [128, True]]", "c2f 128 3 true", "`block c2f(a, b, c) { … }`"),
    ("[-1, 3, SPPF, [128, 5]]", "sppf 128 5 x 3", "`block sppf(a, b) { … }`"),
    ("[-1, 1, Conv, [64, 3, 1, None, 1, 1, nn.ReLU()]]", "conv 64; batch", "it leaves over `nn.ReLU()`"),
    ("[-1, 1, Conv, [64, 3, 1, None, 1, True]]", "conv 64; batch", "it leaves over `true`"),
    ("[-1, 1, Conv, [nc, 1]]", "conv 64 k=1; batch", "it leaves over `nc`"),
    ("[-1, 1, Conv, [64, 3, 1, None, 1, 1, True, 7]]", "conv 64; batch", "it leaves over `7`"),
    ("[-1, 1, DWConv, [64, 3, 2]]", "dw s=2; batch", "where the channels that flow in are 64 too"),
    ("[6, 1, Conv, [64, 1]]", "@row6; conv 64 k=1", "`row6:`"),
    ("[-3, 1, nn.Upsample, [None, 2, 'nearest']]", "@back3; upsample 2", "`back3:`"),
    ("[[-1, 6, 4], 1, Concat, [1]]", "concat { pass; @row6; @row4 }", "`row6:` and `row4:`"),
    ("[[-1, -2], 1, Concat, [2]]", "concat @back2", "it leaves over `dimension 2`"),
    ("[[15, 18], 1, Detect, [nc]]", "output row15 { @row15 }", "it leaves over `Detect(nc)`"),
    ("[-1, 1, nn.Conv2d, [8, 16, 3]]", "conv 16", "whose first number is the input's channels"),
    ("[-1,1,Conv]", "conv 64 k=1; batch", "the channels it makes"),
    ("Conv 16 3", "conv 16; batch eps=0.001 momentum=0.03; silu", "the operator alone is `conv`"),
    ("Conv(16, 3, 2)", "conv 16 s=2; batch", "the operator alone is `conv`"),
    ("stem: DWConv(16, 3)", "dw; batch", "the operator alone is `dw`"),
    ("nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 6, 2, 2]]", "conv 64 k=6 s=2 p=2; batch", "one step a row"),
    ("nc: 80\nactivation: nn.ReLU()\nbackbone:\n  - [-1, 1, Conv, [64]]", "conv 64", "over `activation: nn.ReLU()`"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "steps"), ROWS)
def test_a_row_is_written_as_the_steps_that_are_the_same(row: str, steps: str) -> None:
    text = in_model(row)
    assert mended(text) == in_model(steps)
    assert errors(mended(text)) == []


@pytest.mark.parametrize(("written", "steps", "rest"), HELP)
def test_what_is_not_the_same_is_help_that_says_what_it_leaves_over(written: str, steps: str, rest: str) -> None:
    found = told(in_model(written))
    assert found.fix is None
    assert steps in found.help
    assert rest in found.help


@pytest.mark.parametrize("written", [row for row, _ in ROWS] + [row for row, _, _ in HELP])
def test_what_a_help_says_compiles(written: str) -> None:
    specs = advised(told(in_model(written, "[64, 16, 16]")).help, "[64, 16, 16]")
    assert specs
    assert [errors(spec) for spec in specs] == [[]] * len(specs)


def test_one_row_that_has_no_fix_takes_that_of_all() -> None:
    assert told(in_model("[-1, 1, Conv, [64]]\n[6, 1, Conv, [64]]")).fix is None


def test_comments_of_rows_stay() -> None:
    text = in_model("[-1, 1, Conv, [64]]  # 0-P1/2\n[-1, 1, nn.Identity, []]  # 1")
    assert mended(text) == in_model("conv 64 k=1; batch eps=0.001 momentum=0.03; silu  # 0-P1/2\npass  # 1")


def test_what_multiplies_the_rows_of_a_file_is_told() -> None:
    (note,) = told("scales:\n  n: [0.33, 0.25, 1024]\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\n").notes
    assert "`scales`" in note or "scales multiplied" in note


@pytest.mark.parametrize("value", ["Conv", "DWConv"])
def test_no_safe_fix_makes_a_module_a_convolution(value: str) -> None:
    text = f"block b(block unit) {{ unit 8 }}\n{in_model(f'b {value}')}"
    assert all(found.fix is None or not found.fix.is_safe for found in archdsl.check_text(text))


def convolution(draw: random.Random) -> tuple[str, dict[str, Any]]:
    """Draw a row of a convolution, and what torch's is given for it by Ultralytics' code."""
    groups, stride, dilation = draw.choice((1, 1, 2, 4)), draw.randint(1, 3), draw.choice((1, 1, 2, 3))
    kernel: Any = draw.choice((1, 2, 3, 4, 5, [1, 3], [3, 2]))
    padding: Any = draw.choice((None, None, 0, 1, 2, [1, 0]))
    act = draw.random() < 0.7
    arguments = [4 * draw.randint(1, 4), kernel, stride, padding, groups, dilation, act][: draw.randint(1, 7)]
    _, kernel, stride, padding, groups, dilation, act = [*arguments, *(64, 1, 1, None, 1, 1, True)[len(arguments) :]]
    if padding is None:  # autopad
        if dilation > 1:
            kernel = (
                dilation * (kernel - 1) + 1 if isinstance(kernel, int) else [dilation * (x - 1) + 1 for x in kernel]
            )
        padding = kernel // 2 if isinstance(kernel, int) else [x // 2 for x in kernel]
        kernel = [*arguments, *(64, 1)[len(arguments) :]][1]
    settings = {"out_channels": arguments[0], "kernel_size": kernel, "stride": stride, "padding": padding,
                "groups": groups, "dilation": dilation, "act": act}  # fmt: skip
    return f"[-1, 1, Conv, {arguments}]", settings


def check_convolutions(seeds: range) -> None:
    import torch
    from torch import nn

    from tests.syntax.habits.peers import assert_same

    for seed in seeds:
        row, settings = convolution(random.Random(seed))
        act = nn.SiLU() if settings.pop("act") else nn.Identity()
        settings = dict[str, Any]((key, tuple(v) if isinstance(v, list) else v) for key, v in settings.items())
        conv = nn.Conv2d(8, **settings, bias=False)
        theirs = nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels, eps=1e-3, momentum=0.03), act)
        spec = mended(in_model(row, "[8, 19, 17]"))
        ours = archdsl.load_text(spec).module()
        (norm,) = (part for part in ours.modules() if isinstance(part, nn.BatchNorm2d))
        assert (norm.eps, norm.momentum) == (1e-3, 0.03)
        assert_same(spec, theirs, torch.rand(1, 8, 19, 17))


@pytest.mark.torch
def test_a_row_of_a_convolution_is_the_same_network() -> None:
    check_convolutions(range(12))


@pytest.mark.torch
@pytest.mark.slow
def test_many_rows_of_convolutions_are_the_same_networks() -> None:
    check_convolutions(range(100, 300))
