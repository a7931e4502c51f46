"""Values as arguments: of blocks, of joins, of operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import archdsl
from archdsl.ir.verify import verify
from archdsl.network import Network
from tests.lower.spec import channels, mistakes, network, ops, paths

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CELL = "block cell(value before, int c) { concat { pass; { @before; conv c k=1 } } }"


def test_a_block_takes_a_value_as_it_takes_a_number() -> None:
    net = network("x0: conv 2; conv 3; cell @x0 5; x1: conv 2; cell @x1 c=5; cell c=5 before=@x0", CELL)
    verify(net.graph)
    names = "x0 conv cell.conv cell.concat x1 cell_2.conv cell_2.concat cell_3.conv cell_3.concat"
    assert paths(net) == names.split()
    assert channels(net) == [2, 3, 5, 8, 2, 5, 7, 5, 12]
    calls = [node for node in net.graph.topological() if node.body is not None]
    assert [[value.node for value in node.inputs] for node in calls] == [["conv", "x0"], ["x1", "x1"], ["cell_2", "x0"]]
    assert [node.id for node in calls[0].body.inputs] == ["input", "before"]  # type: ignore[union-attr]


def test_what_a_block_computes_of_two_values_equals_what_is_written_in_torch() -> None:
    net = network("x0: conv 2; conv 3; cell @x0 5; gap; flatten", CELL)
    module: Any = net.module()
    x = torch.rand(2, 4, 16, 16)
    x0 = module.x0(x)
    expected = torch.cat([module.conv(x0), module.cell.conv(x0)], 1).mean((2, 3))
    assert torch.allclose(module(x), expected, atol=1e-6)


def test_calls_with_values_of_one_shape_share_a_body() -> None:
    net = network("a: conv 2; b: conv 2; p: cell @a 5; @b; q: cell @a 5; @a; r: cell @b 5", CELL)
    p, q, r = (net.graph.nodes[name] for name in "pqr")
    assert p.body is q.body
    assert q.body is r.body
    assert [value.node for value in r.inputs] == ["a", "b"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("add @skip", "add { pass; @skip }"),
        ("mul @skip", "mul { pass; @skip }"),
        ("concat @skip", "concat { pass; @skip }"),
        ("concat @skip @other", "concat { @skip; @other }"),
        ("sub @skip @other @skip", "sub { @skip; @other; @skip }"),
        ("concat [@skip, @other]", "concat { @skip; @other }"),
        ("concat [@skip] @other", "concat { @skip; @other }"),
    ],
)
def test_a_join_with_values_is_one_of_branches(written: str, meant: str) -> None:
    nets = [network(f"skip: conv 4; other: conv 4; conv 4; {join}") for join in (written, meant)]
    assert nets[0].source().partition('"""\n\n')[2] == nets[1].source().partition('"""\n\n')[2]


def test_a_labelled_join_of_values_is_one_step() -> None:
    net = network("skip: conv 4; act; sum: add @skip; @skip; add @sum")
    assert paths(net) == ["skip", "act", "sum", "add"]
    assert ops(net) == ["conv", "relu", "add", "add"]


def test_upsampling_like_a_value_follows_its_size_at_run_time() -> None:
    net = network("big: conv 4; conv 8 s=2; conv 8 s=3; up: upsample like=@big mode=bilinear; concat @big")
    module: Any = net.module()
    for size in ((16, 16), (37, 21)):
        x = torch.rand(1, 4, *size)
        big = module.big(x)
        expected = torch.nn.functional.interpolate(module.conv_2(module.conv(big)), size=size, mode="bilinear")
        assert torch.allclose(module(x), torch.cat([expected, big], 1), atol=1e-6)


def test_a_value_where_none_can_be_is_told_at_it() -> None:
    assert mistakes("a: conv 4; conv @a") == [("E128", "@a")]
    assert mistakes("a: conv 4; concat @a { pass }") == [("E129", "{ pass }")]
    assert mistakes("a: conv 4; add @b") == [("E113", "@b")]
    assert mistakes("a: conv 4; upsample like=3") == [("E104", "like=3")]
    assert mistakes("conv 4", "let v = @a") == [("E128", "@a")]


def test_a_block_does_not_see_labels_around_its_call() -> None:
    found = archdsl.check_text(
        "block cell { concat { pass; @x0 } }\nmodel m { input [3, 8, 8]; x0: conv 8; cell; conv 8 }"
    )
    (one,) = [one for one in found if one.code == "E113"]
    assert one.message == "`x0` labels a step outside of `cell`"
    assert one.help == "hand it to the block: declare `block cell(value x0, …)`, and call `cell @x0`"


def runs_alike(net: Network, expected: Callable[..., Any], size: int = 16) -> None:
    """Hold a network against what is written in torch with its module's parts, in evaluation."""
    verify(net.graph)
    module = net.module().eval()
    x = torch.rand(2, 4, size, size)
    assert torch.allclose(module(x), expected(module, x), atol=1e-5)


def test_lists_of_values_are_indexed_counted_and_gone_through() -> None:
    fuse = """block fuse(list vs, int c) {
      let last = vs[len(vs) - 1]
      concat { for v in vs { { @v; conv c k=1 } }; { @vs[0]; conv c k=1 }; @last }
    }"""
    net = network("a: conv 2; b: conv 3; f: fuse [@a, @b] 5", fuse)

    def expected(module: Any, x: Any) -> Any:
        a = module.a(x)
        b = module.b(a)
        return torch.cat([module.f.conv(a), module.f.conv_2(b), module.f.conv_3(a), b], 1)

    runs_alike(net, expected)
    node = net.graph.nodes["f"]
    assert [value.node for value in node.inputs] == ["b", "a", "b"]
    assert node.body is not None
    assert [one.id for one in node.body.inputs] == ["input", "vs_0", "vs_1"]


def test_names_hold_values_as_they_hold_numbers() -> None:
    names = "let first = @a; let both = [@a, @b]; for v in both { add @v }"
    net = network(f"a: conv 4; b: conv 4; {names}; concat first both[1] @both")
    joins = [node for node in net.graph.topological() if len(node.inputs) > 1]
    read = [[value.node for value in node.inputs] for node in joins]
    assert read == [["b", "a"], ["add", "b"], ["a", "b", "a", "b"]]


def test_a_level_reads_the_labels_around_it_the_nearest_first() -> None:
    inner = "g: { a: conv 4; h: { conv 4; add @a }; add @h }"
    net = network(f"a: conv 4; {inner}; i: {{ conv 4; add @a; j: {{ act; add @a }} }}")
    verify(net.graph)
    g, i = net.graph.nodes["g"], net.graph.nodes["i"]
    assert [value.node for value in g.inputs] == ["a"]  # what flows in: its own `a` is nearer
    assert [value.node for value in i.inputs] == ["g", "a"]
    assert g.body is not None
    assert [value.node for value in g.body.nodes["h"].inputs] == ["a", "a"]


@pytest.mark.parametrize(
    ("inside", "keys"),
    [
        ("r: residual { conv 4; add @a }", ["r.conv.weight"]),
        ("r: { conv 4; add @a } x 2", ["r.group.conv.weight", "r.group_2.conv.weight"]),
        ("r{stage}: stages [1, 1] c=4 { conv c; add @a }", ["r1.group.conv.weight", "r2.group.conv.weight"]),
        ("r: split 2 concat { conv 2; { conv 2; mul { pass; { @a; conv 2 } } } }",
         ["r.conv.weight", "r.conv_2.weight", "r.conv_3.weight"]),
        ("r: add { { conv 4; concat @a; conv 4 }; @a }", ["r.conv.weight", "r.conv_2.weight"]),
    ],
)  # fmt: skip
def test_every_kind_of_level_reads_the_labels_around_it(inside: str, keys: list[str]) -> None:
    net = network(f"a: conv 4; conv 4; {inside}; conv 3")
    verify(net.graph)
    module: Any = net.module()
    assert [key for key in module.state_dict() if key.startswith("r")] == keys
    assert module(torch.rand(1, 4, 16, 16)).shape == (1, 3, 16, 16)


def test_a_value_is_the_same_for_every_repetition() -> None:
    net = network("a: conv 4; conv 4; cell @a x 3", "block cell(value before) { conv 4; add @before }")
    assert net.graph.nodes["cell"].repeat == 3

    def expected(module: Any, x: Any) -> Any:
        a = module.a(x)
        x = module.conv(a)
        for cell in (module.cell, module.cell_2, module.cell_3):
            x = cell.conv(x) + a
        return x

    runs_alike(net, expected)


def test_only_what_flows_through_the_first_input_is_one_node_in_a_repeat() -> None:
    net = network("a: conv 4; conv 4; sub { @a; pass } x 3; mul { pass; pass } x 2; sub @a x 2")
    assert [node.repeat for node in net.graph.topological()] == [1, 1, 1, 1, 1, 1, 1, 1, 2]

    def expected(module: Any, x: Any) -> Any:
        a = module.a(x)
        x = module.conv(a)
        for _ in range(3):
            x = a - x
        return x**4 - a - a

    runs_alike(net, expected)


TWICE = "block twice(body inner) { residual { inner; inner } }"


def test_a_body_brings_the_values_along_that_names_hold_where_it_is_written() -> None:
    net = network("a: conv 4; b: conv 4; for v in [@a, @b] { twice { conv 4; sub @v } }", TWICE)
    first, second = net.graph.nodes["twice"], net.graph.nodes["twice_2"]
    assert first.body is second.body
    assert [value.node for value in first.inputs] == ["b", "a"]
    assert [value.node for value in second.inputs] == ["twice", "b"]

    def expected(module: Any, x: Any) -> Any:
        a = module.a(x)
        b = x = module.b(a)
        for block, v in ((module.twice, a), (module.twice_2, b)):
            x = x + block.conv_2(block.conv(x) - v) - v
        return x

    runs_alike(net, expected)


def test_a_body_through_two_blocks_still_knows_its_values() -> None:
    outer = f"{TWICE}\nblock outer(body b) {{ conv 4; g: {{ twice {{ b; act }} }} }}"
    net = network("a: conv 4; b: conv 4; for v in [@a, @b] { outer { conv 4; add @v } }", outer)
    verify(net.graph)
    assert net.graph.nodes["outer"].body is net.graph.nodes["outer_2"].body
    assert [value.node for value in net.graph.nodes["outer_2"].inputs] == ["outer", "b"]


def test_a_body_reads_labels_of_the_level_it_runs_in_and_not_those_around_it() -> None:
    ran = "block run(body inner) { here: conv 4; act; inner }"
    verify(network("run { conv 4; add @here }", ran).graph)
    found = archdsl.check_text(f"{TWICE}\nmodel m {{ input [4, 8, 8]; a: conv 4; twice {{ conv 4; add @a }} }}")
    (one,) = [one for one in found if one.code == "E113"]
    assert one.help == "bind it before the call, as in `let a_here = @a`, and write `@a_here` in the body"
    mended = f"{TWICE}\nmodel m {{ input [4, 8, 8]; a: conv 4; let a_here = @a; twice {{ conv 4; add @a_here }} }}"
    assert not [one for one in archdsl.check_text(mended) if one.code.startswith("E")]


@pytest.mark.parametrize("call", ["app add(@a)", "app cell(before=@a)", "app upsample(like=@a)"])
def test_an_operator_or_block_as_a_value_brings_values_along(call: str) -> None:
    declared = "block cell(value before) { add @before }\nblock app(block f) { conv 4; f }"
    net = network(f"a: conv 4; conv 4; {call}; {call}; conv 3", declared)
    verify(net.graph)
    assert [value.node for value in net.graph.nodes["app_2"].inputs] == ["app", "a"]
    assert net.module()(torch.rand(1, 4, 16, 16)).shape == (1, 3, 16, 16)


def test_steps_keep_their_names_whatever_values_are_called() -> None:
    net = network("conv: conv 4; { conv 4; conv 4 k=1; mul @conv }")
    assert paths(net) == ["conv", "group.conv", "group.conv_2", "group.mul"]
    body = net.graph.nodes["group"].body
    assert body is not None
    assert [node.id for node in body.inputs] == ["input", "conv_3"]


def test_reuse_hands_the_same_values_on() -> None:
    cell = "block cell(value before) { conv 4; add @before }"
    net = network("a: conv 4; c: cell @a; act; reuse c; reuse c x 2", cell)

    def expected(module: Any, x: Any) -> Any:
        a = module.a(x)
        x = torch.relu(module.c.conv(a) + a)
        for _ in range(3):
            x = module.c.conv(x) + a
        return x

    runs_alike(net, expected)


def test_an_inline_block_reads_values_in_its_callers_level() -> None:
    net = network("a: conv 4; put @a; l: put @a", "inline block put(value before) { conv 4; add @before }")
    assert paths(net) == ["a", "conv", "add", "l.conv", "l.add"]
    assert [value.node for value in net.graph.nodes["l"].inputs] == ["add", "a"]


def test_values_are_guarded_where_they_exist_in_training_alone() -> None:
    block = "block b { conv 4; output aux training { conv 2 } }"
    assert mistakes("t: b; let v = @t.aux; concat @v", block) == [("E113", "@t.aux")]
    net = network("t: b; output late training { g: { conv 2; add @t.aux } }; conv 3", block)
    verify(net.graph)


def test_a_variant_changes_calls_with_values() -> None:
    steps = "a: conv 4; b: conv 2; c: cell @a 8; cell @a 8; concat @a; s: concat @a @b; conv 3"
    base = f"{CELL}\nmodel base {{ input [4, 16, 16]; {steps} }}\nvariant v of base {{ "

    def made(edits: str) -> dict[str, list[str]]:
        net = archdsl.load_text(base + edits + " }", "v")
        verify(net.graph)
        calls = (node for node in net.graph.topological() if len(node.inputs) > 1)
        return {node.id: [value.node for value in node.inputs] for node in calls}

    same = {"c": ["b", "a"], "cell": ["c", "a"], "concat": ["cell", "a"], "s": ["a", "b"]}
    assert made("") == same
    assert made('set "c" before=@b') == {**same, "c": ["b", "b"]}
    assert made('set "cell" before=@c') == {**same, "cell": ["c", "c"]}
    assert made('set "s" @b @b @a') == {**same, "s": ["b", "b", "a"]}
    assert made('set "concat" @b') == {**same, "concat": ["cell", "b"]}
    without = {key: value for key, value in same.items() if key != "concat"}
    assert made('remove "concat"') == without
    assert made('replace "cell" { cell @c 9 }') == {**same, "cell": ["c", "c"]}
    assert made('replace "a" { pass }')["c"] == ["b", "input"]
    found = archdsl.check_text(base + 'remove "b" }')
    assert [(one.code, one.span.text) for one in found if one.code.startswith("E")] == [("E113", "@b")]


def test_what_is_read_by_name_is_bounded() -> None:
    body = "a: conv 3; let vs = repeat(@a, 999); for i in 0..999 { add vs }"
    assert mistakes(body) == [("E109", "add vs")]
    body = "a: conv 3; let vs = repeat(@a, 999); for i in 0..999 { t { add vs } }"
    assert mistakes(body, "block t(body b) { b }") == [("E109", "t { add vs }")]


@pytest.mark.parametrize(
    ("call", "read"),
    [
        ("put @b", ["conv", "b"]),
        ("put before=@b", ["conv", "b"]),
        ("let skip = @b; put @skip", ["conv", "b"]),
        ("put @before", ["conv", "before"]),
        ("own @b", ["act_2", "kept"]),
        ("let kept = @b; run { add @kept }", ["kept", "b"]),
    ],
)
def test_a_label_of_the_caller_hides_no_value_that_a_body_was_handed(call: str, read: list[str]) -> None:
    declared = """
    inline block put(value before) { conv 4; add @before }
    inline block own(value kept) { kept: conv 4; act; add @kept }
    inline block run(body inner) { kept: conv 4; inner }
    """
    net = network(f"before: conv 4; b: conv 4; act; {call}", declared)
    verify(net.graph)
    assert [value.node for value in list(net.graph.topological())[-1].inputs] == read
