"""Sections of Darknet become the same network, or help that says what it leaves over."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import archdsl
from archdsl.ops.shape import Shape
from tests.syntax.habits.advice import advised, errors, in_model, told

if TYPE_CHECKING:
    import torch

# A section, and what its help shows.
SECTIONS = [
    ("[maxpool]\nsize=2\nstride=2", "`maxpool 2 ceil=true`"),
    ("[maxpool]\nsize=2\nstride=1", "`pad [0, 1, 0, 1] mode=replicate; maxpool 2 s=1`"),
    ("[maxpool]\nsize=3\nstride=2", "`maxpool 3 s=2`"),
    ("[maxpool]\nsize=2\nstride=2\npadding=0", "`maxpool 2`"),
    ("[maxpool]\nstride=2\nmaxpool_depth=1", "it leaves over `maxpool_depth=1`"),
    ("[convolutional]\nfilters=64\nsize=3\npad=1\nactivation=linear", "`conv 64 bias=true`"),
    ("[convolutional]\nfilters=64\nsize=3\nactivation=linear", "`conv 64 p=0 bias=true`"),
    ("[convolutional]\nfilters=64\nsize=3\nactivation=relu\npadding=2", "`conv 64 p=2 bias=true; relu`"),
    ("[convolutional]\nfilters=8\nsize=3\npad=1\ngroups=4", "`conv 8 g=4 bias=true; sigmoid`"),
    ("[convolutional]\nbatch_normalize=1\nfilters=8\nsize=2\npad=1\nactivation=leaky",
     "`conv 8 k=2 p=1; batch momentum=0.01; leaky_relu 0.1`"),
    ("[convolutional]\nfilters=8\nsize=3\npad=1\ndilation=2\nactivation=mish", "`conv 8 d=2 bias=true; mish`"),
    ("[convolutional]\nfilters=8\nsize=3\ndilation=2\nactivation=mish", "it leaves over `dilation=2`"),
    ("[convolutional]\nfilters=8\nactivation=stair\nantialiasing=1", "over `activation=stair`, `antialiasing=1`"),
    ("[deconvolutional]\nfilters=8\nsize=4\nstride=2\npadding=1\nactivation=relu",
     "`deconv 8 k=4 p=1 bias=true; relu`"),
    ("[avgpool]", "`gap`"),
    ("[upsample]\nstride=4", "`upsample 4`"),
    ("[upsample]", "`upsample 2`"),
    ("[shortcut]\nfrom=-3\nactivation=linear", "`add @back3`, where `back3:`"),
    ("[shortcut]\nfrom=-3\nactivation=leaky\nweights_type=per_feature", "it leaves over `weights_type=per_feature`"),
    ("[route]\nlayers=-4", "`@back4`"),
    ("[route]\nlayers = -1, 8", "`concat @section8`"),
    ("[route]\nlayers=-1\ngroups=2\ngroup_id=1", "`slice in/2 in/2`"),
    ("[route]\nlayers=-1,-3\ngroups=2\ngroup_id=0", "`concat { { pass; slice 0 in/2 }; { @back3; slice 0 in/2 } }`"),
    ("[connected]\noutput=10\nactivation=linear", "`flatten; fc 10`"),
    ("[connected]\noutput=10\nbatch_normalize=1", "`flatten; fc 10 bias=false; batch momentum=0.01; sigmoid`"),
    ("[softmax]\ngroups=1", "`flatten; softmax`"),
    ("[softmax]\ngroups=2", "it leaves over `groups=2`"),
    ("[dropout]\nprobability=.3", "`dropout 0.3`"),
    ("[scale_channels]\nfrom=-4", "`mul { @back4; pass }`"),
    ("[net]\nwidth=608\nheight=320\nchannels=1\n[yolo]\nmask=1\n\n[avgpool]",
     "`model name { input [1, 320, 608]; … }`"),
    ("[convolutional]\nfilters=4\n[yolo]\nmask=0", "`conv 4 k=1 bias=true; sigmoid`"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "advice"), SECTIONS)
def test_the_help_says_what_a_section_is_and_what_it_leaves_over(section: str, advice: str) -> None:
    found = told(in_model(section))
    assert found.fix is None
    assert advice in found.help


@pytest.mark.parametrize(
    "section",
    [
        "; the first\n[upsample]\nstride=4",
        ";[maxpool]\n;size=2\n[upsample]\nstride=4",
        "; one\n\n; two, and more\n\n[upsample]\nstride=4",
        "[upsample] ; up\nstride=4",
        "[upsample]\nstride=4 ; as often\n",
        "[upsample]\n; how much\nstride=4\n\n; the end",
        "[upsample]\nstride=4\n;end",
    ],
)
def test_remarks_belong_to_the_sections(section: str) -> None:
    assert told(in_model(f"{section}\nconv 8")).help == "write `upsample 4`"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("[conv]\nfilters=8\nsize=3", "[convolutional]\nfilters=8\nsize=3"),
        ("[max]\nsize=2\nstride=2", "[maxpool]\nsize=2\nstride=2"),
        ("[avg]", "[avgpool]"),
        ("[conn]\noutput=10", "[connected]\noutput=10"),
        ("[soft]", "[softmax]"),
        ("[deconv]\nfilters=8", "[deconvolutional]\nfilters=8"),
    ],
)
def test_a_section_has_a_short_name(short: str, long: str) -> None:
    assert told(in_model(short)).help == told(in_model(long)).help


@pytest.mark.parametrize("section", ["[Convolutional]", "[mish_pool]", "[lrn]"])
def test_a_section_of_another_name_is_none_of_ours(section: str) -> None:
    found = told(in_model(f"conv 8\n{section}\nfilters=8\nsize=3\n\nconv 8"))
    assert found.code == "E006"
    assert found.notes == (f"no step is the same as `{section}`",)


def test_what_stands_beside_sections_is_read_as_ours() -> None:
    found = archdsl.check_text(in_model("here\n[upsample]\nstride=4\n; up\nthere"))
    assert [one.span.text for one in found] == ["[upsample]", "here", "there"]


@pytest.mark.parametrize("section", [section for section, _ in SECTIONS])
def test_what_a_help_says_compiles(section: str) -> None:
    specs = advised(told(in_model(section)).help)
    assert specs
    assert [errors(spec) for spec in specs] == [[]] * len(specs)


def test_sections_that_are_no_step_are_named() -> None:
    assert told(in_model("[yolo]\nmask=1\n[reorg]\nstride=2")).notes == (
        "no step is the same as `[yolo]` and `[reorg]`",
    )


def translated(section: str, shape: str) -> str:
    (spec,) = advised(told(in_model(section)).help, shape)
    return spec


def check_pools(seeds: range) -> None:
    """Compare with the loop of `forward_maxpool_layer`, whose windows begin `padding / 2` before the map."""
    for seed in seeds:
        draw = random.Random(seed)
        size, stride = draw.randint(1, 6), draw.randint(1, 4)
        padding = draw.choice((None, None, draw.randint(0, size - 1)))
        section = f"[maxpool]\nsize={size}\nstride={stride}" + ("" if padding is None else f"\npadding={padding}")
        padding = size - 1 if padding is None else padding
        image = draw_map(draw, draw.randint(size, size + 9), draw.randint(size, size + 9))
        spec = translated(section, f"[1, {len(image)}, {len(image[0])}]")
        assert pooled(spec, image) == maxima(image, size, stride, padding), spec


def draw_map(draw: random.Random, height: int, width: int) -> list[list[float]]:
    return [[draw.uniform(-2, -1) for _ in range(width)] for _ in range(height)]


def maxima(image: list[list[float]], size: int, stride: int, padding: int) -> list[list[float]]:
    """Return what Darknet makes of a map: cells beyond its border are the least there are."""
    height, width = len(image), len(image[0])

    def window(i: int, j: int) -> float:
        rows = range(i * stride - padding // 2, i * stride - padding // 2 + size)
        columns = range(j * stride - padding // 2, j * stride - padding // 2 + size)
        return max(image[r][c] for r in rows for c in columns if 0 <= r < height and 0 <= c < width)

    down, across = ((n + padding - size) // stride + 1 for n in (height, width))
    return [[window(i, j) for j in range(across)] for i in range(down)]


def pooled(spec: str, image: list[list[float]]) -> list[list[float]]:
    import torch

    module = archdsl.load_text(spec).module()
    made: torch.Tensor = module(torch.tensor([[image]], dtype=torch.float64))
    return made[0, 0].tolist()


@pytest.mark.torch
def test_a_pool_is_the_one_that_darknet_runs() -> None:
    check_pools(range(12))


@pytest.mark.torch
@pytest.mark.slow
def test_many_pools_are_those_that_darknet_runs() -> None:
    check_pools(range(100, 400))


@pytest.mark.parametrize("seed", range(40))
def test_a_convolution_has_the_size_and_the_weights_that_darknet_works_out(seed: int) -> None:
    draw = random.Random(seed)
    groups, filters, size = draw.choice((1, 2, 4)), 4 * draw.randint(1, 3), draw.randint(1, 5)
    stride, pad, padding, is_normed = draw.randint(1, 3), draw.randint(0, 1), draw.randint(0, 3), draw.random() < 0.5
    section = f"[convolutional]\nbatch_normalize={int(is_normed)}\nfilters={filters}\nsize={size}\nstride={stride}\n"
    section += f"pad={pad}\npadding={padding}\ngroups={groups}\nactivation=leaky"
    network = archdsl.load_text(translated(section, "[8, 17, 14]"))
    reach = size // 2 if pad else padding
    meant = Shape(filters, (17 + 2 * reach - size) // stride + 1, (14 + 2 * reach - size) // stride + 1)
    assert network.outputs["output"] == meant
    assert network.costs.parameters == size * size * 8 // groups * filters + filters * (2 if is_normed else 1)
