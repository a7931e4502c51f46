"""Statements to graph: names, labels, stages, context, joins, references, outputs and variants."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import archdsl
from archdsl.compiler import compile
from archdsl.lower.settings import UserValue
from archdsl.network import Network
from archdsl.text.source import Source


def network(body: str, declarations: str = "", **settings: UserValue) -> Network:
    text = f"{declarations}\nmodel m {{ input [4, 16, 16]; {body} }}"
    return Network(compile(Source(text), "m", settings))


def ops(net: Network) -> list[str]:
    return [node.op for node in net.costs.nodes]


def paths(net: Network) -> list[str]:
    return [node.path for node in net.costs.nodes]


def channels(net: Network) -> list[object]:
    return [node.output.channels for node in net.costs.nodes]


def mistakes(body: str, declarations: str = "") -> list[tuple[str, str]]:
    found = archdsl.check_text(f"{declarations}\nmodel m {{ input [4, 16, 16]; {body} }}")
    return [(diagnostic.code, diagnostic.span.text) for diagnostic in found]


NAMES: Mapping[str, tuple[str, list[str]]] = {
    "a plain chain is numbered": ("conv 4; norm; act", ["0", "1", "2"]),
    "one label names all": ("a: conv 4; norm; act; act", ["a", "norm", "act", "act_2"]),
    "a label that a word would get": ("act: conv 4; act; act", ["act", "act_2", "act_3"]),
    "joins name all": ("conv 4; add { pass; conv 4 }; act", ["conv", "conv_2", "add", "act"]),
    "groups are levels": ("stem: { conv 4; norm }; act", ["stem.0", "stem.1", "act"]),
    "levels in levels": ("{ { conv 4; a: act } }", ["0.0.conv", "0.0.a"]),
    "repeats": ("conv 4 x 3", ["0", "1", "2"]),
    "a labelled repeat": ("a: conv 4 x 3", ["a.0", "a.1", "a.2"]),
    "a repeated group": ("a: { conv 4; act } x 2", ["a.0.0", "a.0.1", "a.1.0", "a.1.1"]),
    "no repeat": ("conv 4 x 0; act", ["0"]),
    "a residual belongs to the level": ("residual { conv1: conv 4; norm }; act", ["conv1", "norm", "add", "act"]),
    "a labelled residual does not": ("r: residual { conv 4 }; act", ["r.conv", "r.add", "act"]),
    "a shortcut's level": ("residual { a: conv 8 } shortcut b { conv 8 k=1; norm }", ["a", "b.0", "b.1", "add"]),
    "a branch's level": ("concat { left: { conv 4; act }; conv 4 }", ["left.0", "left.1", "conv", "concat"]),
    "a labelled join": ("j: concat { conv 4; conv 4 }; act", ["j.conv", "j.conv_2", "j.concat", "act"]),
    "interpolation": ("for i in 0..1 { conv{i}_{i + 1}: conv 4 }", ["conv0_1", "conv1_2"]),
    "quotes": ('for i in 0..1 { "b-{i}": conv 4 }', ["b-0", "b-1"]),
    "conditions leave no trace": ("if in == 4 { conv 4 } else { act }; if in == 5 { norm }; act", ["0", "1"]),
    "stages": ("layer{stage}: stages [1, 2] c=[4, 8] { conv c }", ["layer1.0", "layer2.0", "layer2.1"]),
    "stages without a label": ("stages [1, 2] c=[4, 8] { conv c }", ["0", "1", "2"]),
    "stages of several steps": ("l{stage}: stages [1, 1] { conv 4; act }", ["l1.0.0", "l1.0.1", "l2.0.0", "l2.0.1"]),
    "a split": ("split 2 concat { pass; conv 2 }", ["slice", "slice_2", "conv", "concat"]),
    "no trace of a choice in a join": ("concat { if true { act } else { norm }; conv 2 }", ["act", "conv", "concat"]),
    "no trace of a loop in a join": ("concat { for k in [1, 3] { conv 2 k=k } }", ["conv", "conv_2", "concat"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), NAMES.values(), ids=NAMES.keys())
def test_paths_follow_labels_numbers_and_words(body: str, expected: list[str]) -> None:
    assert paths(network(body)) == expected


def test_blocks_are_levels_unless_inline() -> None:
    declarations = "block a(c) { conv c; act }\ninline block b(c) { norm; conv c }"
    assert paths(network("a 4; b 8", declarations)) == ["0.0", "0.1", "1", "2"]
    assert paths(network("one: a 4; two: b 8", declarations)) == ["one.0", "one.1", "two.0", "two.1"]


def test_a_stride_parameter_acts_on_the_first_repeat_only() -> None:
    block = "block b(c, stride s=1) { conv c s=s }"
    assert [node.output.numbers() for node in network("b 4 s=2 x 3", block).costs.nodes] == [(4, 8, 8)] * 3
    assert [node.output.numbers()[1] for node in network("{ b 4 s=2 } x 2", block).costs.nodes] == [8, 8]


@pytest.mark.parametrize(
    ("stages", "sides"),
    [
        ("stages [2, 2] double c=4 { b c }", [16, 16, 8, 8]),
        ("stages [2, 2] double c=4 stride=[2, 2] { b c }", [8, 8, 4, 4]),
        ("stages [2, 2] c=4 stride=2 { b c }", [8, 8, 4, 4]),
        ("stages [2, 1] c=4 { b c }", [16, 16, 16]),
        ("stages [1, 1] double c=4 { b c s=1; b c }", [16, 16, 16, 16]),
        ("stages [1, 1] double c=4 { b c; b c }", [16, 16, 8, 8]),
        ("stages [0, 2] double c=4 { b c }", [8, 8]),
    ],
)
def test_the_first_block_of_a_stage_takes_its_stride(stages: str, sides: list[int]) -> None:
    nodes = network(stages, "block b(c, stride s=1) { conv c s=s }").costs.nodes
    assert [node.output.numbers()[1] for node in nodes] == sides


def test_stages_bind_stage_index_and_total() -> None:
    net = network("stages [2, 1] w=[1, 3] { conv stage*100 + index*10 + total + w }")
    assert channels(net) == [104, 114, 226]


def test_equal_repeats_share_one_body_and_one_node() -> None:
    net = network("b 4 x 50", "block b(c) { conv c; norm; act }")
    assert len(net.graph.nodes) == 2
    assert net.graph.size == 151
    two = network("b 4; act; b 4; act; b 8", "block b(c) { conv c }").graph
    bodies = [node.body for node in two.nodes.values() if node.body is not None]
    assert bodies[0] is bodies[1] is not bodies[2]


def test_equal_looking_arguments_do_not_share_a_body() -> None:
    found = network("b 2; b true; b false", "block b(v) { if v == true { conv 1 } else { conv 2 } }")
    assert channels(found) == [2, 1, 2]


def test_a_value_of_the_wrong_kind_is_found_behind_an_equal_one() -> None:
    assert mistakes("conv 4 bias=true; conv 4 bias=1") == [("E104", "bias=1")]
    assert mistakes("conv 4 k=1; conv 4 k=true") == [("E104", "k=true")]


CONTEXT: Mapping[str, tuple[str, str, list[str]]] = {
    "the prelude's": ("norm; act", "", ["batch", "relu"]),
    "the file's": ("norm; act", "defaults { norm=group(2) }", ["group", "relu"]),
    "the body's, from there on": ("act; defaults { act=silu }; act", "", ["relu", "silu"]),
    "a level's own": ("{ defaults { act=silu }; act }; act", "", ["silu", "relu"]),
    "an order goes into blocks": ("b act=gelu; act", "block b { act; c }\nblock c { act }", ["gelu", "gelu", "relu"]),
    "an order goes before a wish": ("b act=gelu", "block b { defaults { act=silu }; act }", ["gelu"]),
    "a wish of a block": ("b; act", "block b { defaults { act=silu }; act }", ["silu", "relu"]),
    "the inner order": ("b act=gelu", "block b { c act=elu }\nblock c { act }", ["elu"]),
    "a block as value": ("b unit=c", "block b(block unit=relu) { unit }\nblock c { tanh }", ["tanh"]),
    "a default": ("b", "block b(block unit=relu) { unit }", ["relu"]),
}


@pytest.mark.parametrize(("body", "declarations", "expected"), CONTEXT.values(), ids=CONTEXT.keys())
def test_the_context_says_what_norm_and_act_are(body: str, declarations: str, expected: list[str]) -> None:
    assert ops(network(body, declarations)) == expected


def test_default_arguments_and_settings_reach_operators() -> None:
    body = "conv 4; conv 4 bias=false"
    assert [n.parameters for n in network(body, "defaults { conv bias=true k=1 }").costs.nodes] == [20, 16]
    assert [n.parameters for n in network(body, **{"conv.bias": True, "conv.k": 1}).costs.nodes] == [20, 16]
    assert ops(network("b", "block b { defaults { act=silu }; act }", act="gelu")) == ["gelu"]
    assert channels(archdsl.load_text("model m { input [4, 8, 8]; conv in }", input=[5, 8, 8])) == [5]


def test_a_body_sees_the_names_of_its_place() -> None:
    declarations = "block twice(body f, n=7) { f; { f } }\nblock outer(n) { twice { conv n } }"
    assert channels(network("let n = 5; twice { conv n }; outer 3", declarations)) == [5, 5, 3, 3]


def test_a_body_declared_first_takes_no_value_of_the_others() -> None:
    assert channels(network("twice 6 { conv 5 }", "block twice(body f, n) { conv n; f; f }")) == [6, 5, 5]


def test_blocks_do_not_see_the_names_of_their_callers() -> None:
    assert mistakes("let n = 5; b", "block b { conv n }") == [("E101", "n")]


def test_in_is_what_flows_and_cin_what_entered() -> None:
    assert channels(network("b 8", "block b(c) { conv c; conv in + cin; conv cin }")) == [8, 12, 4]
    assert channels(network("conv 8; concat { conv in; { conv 2; conv in*2 } }")) == [8, 8, 2, 4, 12]


def test_references_take_up_labelled_results() -> None:
    net = network("a: conv 8; b: conv 2; concat { pass; @a }; entry: pass; conv 3; @entry; act")
    assert channels(net)[-1] == 10
    net = network("e: { conv 8; output mid; conv 3 }; conv 2; concat { pass; @e.mid; @e }")
    assert channels(net)[-1] == 13


def test_reuse_counts_weights_once_and_work_twice() -> None:
    once, twice = network("s: conv 4"), network("s: conv 4; reuse s")
    assert twice.costs.parameters == once.costs.parameters
    assert twice.costs.macs == 2 * once.costs.macs
    assert [key for key, _ in twice.state] == ["s.weight"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("conv 8; output a; conv 2", {"output": (2, 16, 16), "a": (8, 16, 16)}),
        ("conv 8; output a; conv 2; output b", {"a": (8, 16, 16), "b": (2, 16, 16)}),
        ("conv 8; output a { gap; flatten }; conv 2", {"output": (2, 16, 16), "a": (8,)}),
        ("conv 8; output a training { gap }; conv 2; output b", {"b": (2, 16, 16), "a": (8, 1, 1)}),
        ("conv 8; output a training; conv 2", {"output": (2, 16, 16), "a": (8, 16, 16)}),
    ],
)
def test_outputs_have_their_names_and_order(body: str, expected: dict[str, tuple[int, ...]]) -> None:
    found = {name: shape.numbers() for name, shape in network(body).outputs.items()}
    assert found == expected
    assert list(found) == list(expected)


def test_the_main_output_of_a_body_is_no_training_output() -> None:
    block = "block b { conv 8; output aux training { conv 3 }; conv 2; output late }"
    net = network("b; conv in", block)
    assert channels(net) == [8, 3, 2, 2]
    assert not any(output.is_training_only for output in net.graph.outputs[:1])


def test_several_inputs_are_told_apart() -> None:
    text = "model m { left: input [3, 8, 8]; right: input [1, 8, 8]; conv 3; add { pass; @left } }"
    net = archdsl.load_text(text)
    assert {name: shape.numbers() for name, shape in net.inputs.items()} == {"left": (3, 8, 8), "right": (1, 8, 8)}
    assert net.costs.parameters == 27


VARIANTS: Mapping[str, tuple[str, list[str], list[object]]] = {
    "nothing": ("", ["stem.0", "stem.act", "head"], [8, 8, 5]),
    "arguments": ("classes=3", ["stem.0", "stem.act", "head"], [8, 8, 3]),
    "a context name": ("act=silu", ["stem.0", "stem.act", "head"], [8, 8, 5]),
    "set": ('set "stem.conv" channels=6', ["stem.0", "stem.act", "head"], [6, 6, 5]),
    "set by pattern": ('set "*.c*" 6', ["stem.0", "stem.act", "head"], [6, 6, 5]),
    "replace": ('replace "head" { conv 9 }', ["stem.0", "stem.act", "head"], [8, 8, 9]),
    "replace by several": ('replace "head" { conv 9; act }', ["stem.0", "stem.act", "head.0", "head.1"], [8, 8, 9, 9]),
    "remove": ('remove "stem.act"', ["stem.0", "head"], [8, 5]),
}


@pytest.mark.parametrize(("edit", "expected", "sizes"), VARIANTS.values(), ids=VARIANTS.keys())
def test_variants_edit_by_path(edit: str, expected: list[str], sizes: list[object]) -> None:
    text = f"""
    model m(classes=5) {{ input [4, 8, 8]; stem: {{ conv: conv 8; act: act }}; head: conv classes }}
    variant v of m {{ {edit} }}
    variant w of v
    """.replace("stem.0", "stem.conv")
    for name in ("v", "w"):
        net = archdsl.load_text(text, name)
        assert paths(net) == [path.replace("stem.0", "stem.conv") for path in expected]
        assert channels(net) == sizes


MISTAKES: Mapping[str, tuple[str, str, list[tuple[str, str]]]] = {
    "unknown step": ("cnov 4", "", [("E101", "cnov")]),
    "unknown argument": ("conv 4 kernle=3", "", [("E102", "kernle")]),
    "missing argument": ("conv k=3", "", [("E103", "conv")]),
    "wrong kind": ("conv 4 k=relu", "", [("E104", "k=relu")]),
    "no step": ("let a = 3; a", "", [("E104", "a")]),
    "inexact": ("conv in/3", "", [("E105", "in/3")]),
    "label twice": ("a: conv 4; a: act", "", [("E106", "a")]),
    "output twice": ("conv 4; output a; act; output a", "", [("E106", "a")]),
    "argument twice": ("conv 4 k=1 k=3", "", [("E106", "k=3")]),
    "block twice": ("b", "block b { relu }\nblock b { relu }", [("E106", "b")]),
    "too many": ("relu 4", "", [("E107", "4")]),
    "too many for a block": ("b 4 5", "block b(c) { conv c }", [("E107", "5")]),
    "a body for an operator": ("conv 4 { relu }", "", [("E107", "{ relu }")]),
    "a body for a block": ("b { relu }", "block b { relu }", [("E107", "{ relu }")]),
    "no depths": ("stages 3 { relu }", "", [("E104", "3")]),
    "no stride taken": ("stages [1, 1] double c=4 { conv c }", "", [("E110", "{ conv c }")]),
    "lengths": ("stages [1, 1] c=[4, 5, 6] { conv c }", "", [("E111", "c=[4, 5, 6]")]),
    "names": ("for a, b in [[1, 2, 3]] { conv a }", "", [("E111", "[[1, 2, 3]]")]),
    "branches": ("split 2 concat { pass; pass; pass }", "", [("E111", "2")]),
    "a word of Python": ("class: conv 4", "", [("E112", "class")]),
    "a module's attribute": ("forward: conv 4", "", [("E112", "forward")]),
    "a dot": ('"a.b": conv 4', "", [("E112", '"a.b"')]),
    "no label": ("conv 4; @a", "", [("E113", "@a")]),
    "no output": ("a: { conv 4; output b }; @a.c", "", [("E113", "@a.c")]),
    "another level's label": ("{ a: conv 4 }; @a", "", [("E113", "@a")]),
    "nothing to reuse": ("reuse a", "", [("E113", "a")]),
    "the image's size": ("flatten; fc in", "", [("E118", "in")]),
    "an assertion": ("conv 4; assert parameters < 1, macs > 1", "", [("E119", "parameters < 1")]),
    "an input in a group": ("{ input [3, 8, 8]; relu }", "", [("E121", "input [3, 8, 8]")]),
    "an input in a branch": ("a: add { input [3, 8, 8]; pass }", "", [("E121", "input [3, 8, 8]")]),
    "a reused input": ("reuse input", "", [("E113", "input")]),
    "an input in a block": ("b", "block b { input [3, 8, 8] }", [("E121", "input [3, 8, 8]")]),
    "an empty group": ("{ }", "", [("E122", "{ }")]),
    "an empty block": ("b", "block b { }", [("E122", "b")]),
    "a residual": ("residual { conv 8 }", "", [("E220", "residual")]),
    "a join": ("add { pass; conv 8 }", "", [("E213", "add")]),
    "parts": ("split [1, 2] concat { pass; pass }", "", [("E214", "[1, 2]")]),
    "a type": ("b 1.5", "block b(int c) { relu }", [("E104", "1.5")]),
    "an unknown type": ("b 1", "block b(itn c) { relu }", [("E101", "itn")]),
    "repeats": ("relu x 1/2", "", [("E105", "1/2")]),
    "a reused shape": ("s: conv 8; reuse s", "", [("E213", "s")]),
}


@pytest.mark.parametrize(("body", "declarations", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_at_its_place_and_once(
    body: str, declarations: str, expected: list[tuple[str, str]]
) -> None:
    assert mistakes(body, declarations) == expected


def test_all_independent_mistakes_are_found_at_once() -> None:
    declarations = """
    block first(c) { cnov c; norm }
    block second(c) { conv c k=0; act }
    """
    body = "add { pass; conv 5 }; first 8; concat { pass; second 8 }; second 4 x 3; norm x q; fc in + 1"
    assert mistakes(body, declarations) == [("E101", "cnov"), ("E104", "k=0"), ("E101", "q"), ("E213", "add")]


def test_a_mistake_in_a_block_is_told_once_however_often_it_is_called() -> None:
    assert mistakes("b x 5; b; a: b; residual { b }", "block b { cnov 4; act }") == [("E101", "cnov")]


def test_a_model_without_input_is_told_so_once() -> None:
    found = archdsl.check_text("model m { conv 4; norm; { act }; residual { conv 4 }; fc 5 }")
    assert [(diagnostic.code, diagnostic.span.text) for diagnostic in found] == [("E121", "conv 4")]


def test_a_mistake_deep_inside_names_the_calls_that_led_to_it() -> None:
    found = archdsl.check_text("block a { conv 4 k=0 }\nblock b { a }\nmodel m { input [3, 8, 8]; b }")
    (only,) = found
    assert [label.message for label in only.labels] == ["in `a`, called here", "in `b`, called here"]
    assert [label.span.text for label in only.labels] == ["a", "b"]


def test_every_turn_of_a_for_in_a_split_takes_its_own_part() -> None:
    net = archdsl.load_text("model m { input [4, 8, 8]; split [1, 3] concat { for i in 1..2 { { conv i } } } }")
    assert [node.parameters for node in net.costs.nodes if node.op == "conv"] == [1 * 1 * 9, 2 * 3 * 9]


def test_references_interpolate_as_labels_do() -> None:
    text = "model m { input [3, 8, 8]; for i in 1..3 { layer{i}: conv 2*i }; @layer{1 + 1} }"
    assert archdsl.load_text(text).outputs["output"] == (4, 8, 8)


def test_a_default_that_nothing_reads_is_named() -> None:
    (found,) = archdsl.check_text("defaults { nrom=group(8) }\nmodel m { input [3, 8, 8]; conv 8; norm }")
    assert (found.code, found.span.text) == ("E101", "nrom")
    assert "`norm`" in found.help


def test_an_edit_by_number_reaches_the_step_and_not_the_input() -> None:
    text = 'model m { input [3, 8, 8]; conv 8 }\nvariant v of m { set "0" k=5 }'
    assert archdsl.load_text(text, "v").costs.parameters == 8 * 3 * 25


def test_evaluation_cannot_read_what_exists_in_training_alone() -> None:
    block = "block b(c) { conv c; output aux training { gap; flatten; fc 3 }; norm }\n"
    (found,) = archdsl.check_text(block + "model m { input [3, 8, 8]; one: b 8; @one.aux; fc 5 }")
    assert (found.code, found.span.text) == ("E113", "@one.aux")
    assert not archdsl.check_text(
        block + "model m { input [3, 8, 8]; one: b 8; output late training { @one.aux; fc 5 } }"
    )


def test_a_residual_of_a_fixed_size_is_left_to_the_sizes_and_takes_its_shortcut() -> None:
    fixed = "model m { input [8, 5, 5]; residual { reshape [8, 5, 5] } }"
    assert archdsl.load_text(fixed).outputs["output"] == (8, 5, 5)
    with_shortcut = "model m { input [8, 5, 5]; residual { gap; conv 8 } shortcut { gap; conv 8 k=1 } }"
    assert archdsl.load_text(with_shortcut).outputs["output"] == (8, 1, 1)
