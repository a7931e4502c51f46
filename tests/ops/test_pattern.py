"""Axes by their names, held against what a pattern means for each single element."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import archdsl
from archdsl.backends.torch.runtime import Rearrange as Module
from archdsl.ops.base import OpError
from archdsl.ops.pattern import Rearrange, read_pattern
from archdsl.ops.shape import Dim, Shape

Groups = tuple[tuple[str, ...], ...]


def written(groups: Groups) -> str:
    return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" if group else "1" for group in groups)


def by_elements(x: Tensor, before: Groups, after: Groups, sizes: dict[str, int]) -> Tensor:
    """Put every element where the pattern says, one by one."""

    def place(groups: Groups, at: dict[str, int]) -> tuple[int, ...]:
        found: list[int] = []
        for group in groups:
            position = 0
            for name in group:
                position = position * sizes[name] + at[name]
            found.append(position)
        return tuple(found)

    result = torch.full((len(x), *(prod(sizes[name] for name in group) for group in after)), float("nan"))
    for numbers in product(*(range(size) for size in sizes.values())):
        at = dict(zip(sizes, numbers, strict=True))
        result[:, *place(after, at)] = x[:, *place(before, at)]
    return result


@st.composite
def groupings(draw: st.DrawFn, names: list[str]) -> Groups:
    """Cut names, in an order of their own, into axes, with axes of size 1 between them."""
    groups: list[tuple[str, ...]] = []
    for name in draw(st.permutations(names)):
        if draw(st.integers(0, 5)) == 0:
            groups.append(())
        if groups and groups[-1] and draw(st.booleans()):
            groups[-1] = (*groups[-1], name)
        else:
            groups.append((name,))
    return tuple(groups)


@st.composite
def patterns(draw: st.DrawFn) -> tuple[Groups, Groups, dict[str, int]]:
    names = ["c", "h", "w", "p", "q"][: draw(st.integers(1, 5))]
    sizes = {name: draw(st.integers(1, 3)) for name in names}
    return draw(groupings(names)), draw(groupings(names)), sizes


def image(groups: Groups, sizes: dict[str, int]) -> Tensor:
    return torch.randn(2, *(prod(sizes[name] for name in group) for group in groups))


@given(patterns(), st.data())
def test_every_element_goes_where_the_pattern_says(case: tuple[Groups, Groups, dict[str, int]], data: st.DataObject):
    before, after, sizes = case
    pattern = f"{written(before)} -> {written(after)}"
    x = image(before, sizes)
    # Of the names of one axis, one may be left open.
    open_names = {data.draw(st.sampled_from(group)) for group in before if group}
    said = {name: size for name, size in sizes.items() if name not in open_names}
    op = Rearrange(pattern=pattern, sizes=tuple(said.items()))
    made = Module(pattern, **said)(x)
    assert made.shape[1:] == op.infer_shape([Shape(*x.shape[1:])])
    assert torch.equal(made, by_elements(x, before, after, sizes))
    back = op.back()
    again = Module(back.pattern, **said)(made, x)
    assert torch.equal(again, x)
    assert back.infer_shape([Shape(*made.shape[1:]), Shape(*x.shape[1:])]) == tuple(x.shape[1:])


def test_the_module_reads_a_pattern_however_its_words_are_spaced() -> None:
    x = torch.randn(2, 8, 6, 4)
    call = Rearrange(pattern="c(h p)...->...(p h)c", sizes=(("p", 3),)).to_torch([Shape(8, 6, 4)])
    expected = x.view(2, 8, 2, 3, 4).permute(0, 4, 3, 2, 1).reshape(2, 4, 6, 8)
    assert torch.equal(Module(*call.args, **dict(call.kwargs))(x), expected)  # pyright: ignore[reportArgumentType] -- a text


def test_sizes_may_depend_on_the_image() -> None:
    height, width = Dim.variable("H"), Dim.variable("W")
    there = Rearrange(pattern="c (h p) (w q) -> (h w) (p q) c", sizes=(("p", 7), ("q", 7)))
    windows = there.infer_shape([Shape(96, height, width)])
    assert windows == Shape((height // 7) * (width // 7), 49, 96, axis=2, is_named=True)
    assert there.back().infer_shape([windows, Shape(96, height, width)])[0] == 96


@pytest.mark.parametrize(
    ("pattern", "axis"),
    [
        ("c h w -> h w c", 2),
        ("c h w -> (h w) c", 1),
        ("c h w -> h c w", 1),
        ("(k c) h w -> k c h w", None),
        ("c h w -> h (w c)", None),
        ("... w -> w ...", 1),
        ("c h w -> 1 c h w", 1),
    ],
)
def test_the_channels_go_where_their_axis_goes(pattern: str, axis: int | None) -> None:
    sizes = (("k", 2),) if "k" in pattern else ()
    assert Rearrange(pattern=pattern, sizes=sizes).infer_shape([Shape(8, 6, 4)]).axis == axis


@pytest.mark.parametrize(
    ("pattern", "sizes", "code", "word"),
    [
        ("c h w", {}, "E226", ""),
        ("c h w -> c h -> w", {}, "E226", ""),
        ("c h w -> c h", {}, "E226", "w"),
        ("c h w -> c h w d", {}, "E226", "d"),
        ("c h h -> c h", {}, "E226", "h"),
        ("c (h (p q)) w -> c h p q w", {}, "E226", "("),
        ("c (h p w -> c h p w", {}, "E226", "("),
        ("c h) w -> c h w", {}, "E226", ")"),
        ("c 2 w -> c w", {}, "E226", "2"),
        ("c class w -> c w class", {}, "E226", "class"),
        (" -> c", {}, "E226", ""),
        ("... c ... -> c ...", {}, "E226", "..."),
        ("c (h p) w -> c h p w", {}, "E226", "h"),
        ("c (h p) w -> c h p w", {"p": 4}, "E216", "p"),
        ("c (h p) w -> c h p w", {"h": 3, "p": 3}, "E216", "p"),
        ("c h w -> c w h", {"h": 3}, "E216", "h"),
        ("c 1 w -> c w", {}, "E216", "1"),
        ("c h -> h c", {}, "E216", ""),
        ("c h w p q ... -> c h w p q ...", {}, "E216", ""),
    ],
)
def test_what_does_not_fit_is_told_at_the_axis(pattern: str, sizes: dict[str, int], code: str, word: str) -> None:
    with pytest.raises(OpError) as caught:
        Rearrange(pattern=pattern, sizes=tuple(sizes.items())).infer_shape([Shape(8, 6, 4)])
    assert (caught.value.code, caught.value.word) == (code, word)


def test_a_pattern_is_read_once_for_spaces_or_none() -> None:
    assert read_pattern("c(h p)w->(h w)p c") == read_pattern(" c ( h  p ) w -> ( h w ) p c ")


WINDOWS = """
block attend(w) {
  residual {
    within "c (h p) (w q) -> (h w) (p q) c" p=w q=w { norm: layer axis=channels; wide: fc 4*in; gelu; fc: fc cin }
  }
}
model windows { input [8, 28, 14]; attend 7; rearrange "c h w -> (h w) c"; head: fc in + 2; mean axis=0 }
"""


class Windows(nn.Module):
    """What the spec above says, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.attend = nn.ModuleDict({"norm": nn.LayerNorm(8), "wide": nn.Linear(8, 32), "fc": nn.Linear(32, 8)})
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        y = x.view(n, c, h // 7, 7, w // 7, 7).permute(0, 2, 4, 3, 5, 1).reshape(n, (h // 7) * (w // 7), 49, c)
        y = self.attend["fc"](nn.functional.gelu(self.attend["wide"](self.attend["norm"](y))))
        y = y.view(n, h // 7, w // 7, 7, 7, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)
        return self.head((x + y).flatten(2).transpose(1, 2)).mean(1)


@pytest.mark.parametrize("size", [(28, 14), (7, 7), (63, 21)])
def test_steps_within_a_pattern_are_those_written_out_at_every_size(size: tuple[int, int]) -> None:
    network = archdsl.load_text(WINDOWS)
    ours, theirs = network.module(), Windows()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 8, *size, requires_grad=True)
    torch.testing.assert_close(ours(x), theirs(x))
    mine, other = (torch.autograd.grad(m(x).square().sum(), x)[0] for m in (ours, theirs))
    torch.testing.assert_close(mine, other)
    compiled = torch.compile(ours, fullgraph=True, dynamic=True, backend="eager")
    torch.testing.assert_close(compiled(x), ours(x))


def test_the_way_back_gives_the_axes_that_came_in() -> None:
    twice = archdsl.load_text(WINDOWS.replace("attend 7;", "attend 7; attend 7;"))
    assert len({id(node.body) for node in twice.graph.nodes.values() if node.body is not None}) == 1


def test_the_text_of_the_network_is_the_network() -> None:
    network = archdsl.load_text(WINDOWS)
    again = archdsl.load_text(network.text())
    module = network.module()
    copy = again.module()
    copy.load_state_dict(module.state_dict())
    x = torch.randn(1, 8, 14, 14)
    torch.testing.assert_close(copy(x), module(x))
