"""Labels that are paths, and levels that are taken up again: steps stand in the levels that their paths name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from tests.lower.spec import mistakes, network, paths

INLINE = 'inline block u { convs: { conv 4 }; act }\nblock b { "convs.0": conv 4; "bns.0": norm; "convs.1": conv 4 }'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('"convs.0": conv 8; "bns.0": norm; "convs.1": conv 8', "convs.0 bns.0 convs.1"),
        ("for i in 0..1 { convs: { conv 8 }; bns: { norm } }", "convs.0 bns.0 convs.1 bns.1"),
        ('for i in 0..1 { "a{i}.b-{i}.c": conv 8 }; act', "a0.b-0.c a1.b-1.c act"),
        ("a: { conv 8; act }; conv 4; a: { norm }", "a.0 a.1 conv a.2"),
        ("a: { conv 8; act }; conv 4; a: { last: act; act }", "a.conv a.act conv a.last a.act_2"),
        ('a: { conv 8 }; "a.x": act; a: { act }', "a.conv a.x a.act"),
        ('"a.x": act; a: { conv 8 x 2 }; "a.y.z": act', "a.x a.conv a.conv_2 a.y.z"),
        ("a: { b: { conv 8 } }; a: { b: { act } }", "a.b.0 a.b.1"),
        ('a: { "b.c": conv 8 }; "a.b.d": act', "a.b.c a.b.d"),
        ("{ convs: { conv 8 }; convs: { act } }; convs: { act }", "group.convs.0 group.convs.1 convs.0"),
        ("u x 3", "convs.0 act convs.1 act_2 convs.2 act_3"),
        ("a: { conv 8 }; k: u; k: { act }", None),
        ("b x 2", "0.convs.0 0.bns.0 0.convs.1 1.convs.0 1.bns.0 1.convs.1"),
        ("a: { pass }; conv 4; a: { act }; a: { pass }", "conv a.0"),
        ("a: { conv 8; output o }; conv 8; a: { add @a.o; act }; add @a", "a.conv conv a.add a.act add"),
        ("a: { for i in 0..1 { conv 8; output o{i} } }; a: { act }; concat { @a; pass }", "a.0 a.1 a.2 concat"),
        ("v: conv 8; a: { act; add @v }; a: { add @v }", "v a.act a.add a.add_2"),
    ],
)
def test_steps_stand_in_the_levels_that_their_paths_name(body: str, expected: str | None) -> None:
    if expected is None:
        assert [code for code, _ in mistakes(body, INLINE) if code.startswith("E")] == ["E106"]
    else:
        assert " ".join(paths(network(body, INLINE))) == expected


def test_a_level_is_the_module_that_it_was_where_it_stands_once() -> None:
    graph = network("a: { b: { conv 8 } }; c: { conv 8 }; c: { act }").graph
    assert [*graph.nodes] == ["input", "a", "c.0", "c.1"]
    assert graph.nodes["a"].body is not None


def test_what_a_level_gives_is_what_its_last_piece_gives() -> None:
    flat = network("a: { conv 8 }; conv 4; a: { act }; conv 4; concat { @a; pass }").flatten()
    assert [source for source, _ in flat.in_edges("concat")] == ["a.1", "conv_2"]


def test_a_label_that_is_a_path_is_referred_to_as_it_is_written() -> None:
    flat = network('for i in 0..1 { "c.{i}": conv 8 }; add { @"c.0"; @"c.1" }; reuse "c.1"').flatten()
    assert [source for source, _ in flat.in_edges("add")] == ["c.0", "c.1"]
    assert [data["reuses"] for _, data in flat.nodes(data=True) if "reuses" in data] == ["c.1"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('a: conv 8; "a.b": act', [("E130", '"a.b"')]),
        ('"a.b": act; a: conv 8', [("E130", "a")]),
        ('a: add { pass; pass }; "a.b": act', [("E130", '"a.b"')]),
        ('a: act x 2; "a.2": act', [("E130", '"a.2"')]),
        ('"a.b.c": act; "a.b": conv 8', [("E130", '"a.b"')]),
        ("a: { x: act }; a: { x: act }", [("E106", "x")]),
        ('a: { x: act }; "a.x": act', [("E106", '"a.x"')]),
        ('"a.x": act; a: { x: act }', [("E106", "x")]),
        ("a: { act }; a: add { pass; pass }", [("E106", "a")]),
        ("a: conv 8; a: { act }", [("E106", "a")]),
        ("a: { act }; a: { act }; reuse a", [("E131", "a")]),
        ("a: { act }; reuse a; a: { act }", [("E131", "a")]),
        ('a: { act }; reuse a; "a.b": act', [("E131", '"a.b"')]),
        ('"a.b": act; @a', [("E113", "@a")]),
        ('"a..b": act', [("E112", '"a..b"')]),
        ('".b": act', [("E112", '".b"')]),
        ('"a.train": act', [("E112", '"a.train"')]),
        (f'"{"a." * 45}b": act', [("E112", f'"{"a." * 45}b"')]),
    ],
)
def test_a_path_that_no_step_can_have_is_told_where_it_stands(body: str, expected: list[tuple[str, str]]) -> None:
    assert [(code, place) for code, place in mistakes(body) if code.startswith("E")] == expected


MODEL = (
    'model b { input [3, 8, 8]; for i in 0..1 { "convs.{i}": conv 8; bns: { norm }; act }'
    "; g: { c: conv 3; act }; g: { d: conv 3; act } }\n"
)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ('remove "bns.1"', "convs.0 bns.0 act convs.1 act_2 g.c g.act g.d g.act_2"),
        ('remove "bns.0"', "convs.0 act convs.1 bns.0 act_2 g.c g.act g.d g.act_2"),
        ('remove "bns"', "convs.0 act convs.1 act_2 g.c g.act g.d g.act_2"),
        ('remove "convs"', "bns.0 act bns.1 act_2 g.c g.act g.d g.act_2"),
        ('remove "g.act_2"', "convs.0 bns.0 act convs.1 bns.1 act_2 g.c g.act g.d"),
        ('replace "g.c" { q: conv 8; act }', "convs.0 bns.0 act convs.1 bns.1 act_2 g.c.q g.c.act g.act g.d g.act_2"),
        (
            'replace "convs.1" { conv 4; act }',
            "convs.0 bns.0 act convs.1.0 convs.1.1 bns.1 act_2 g.c g.act g.d g.act_2",
        ),
    ],
)
def test_edits_reach_steps_by_their_paths(edit: str, expected: str) -> None:
    net = archdsl.load_text(f"{MODEL}variant v of b {{ {edit} }}", "v")
    assert " ".join(paths(net)) == expected


def test_arguments_are_set_by_paths() -> None:
    net = archdsl.load_text(f'{MODEL}variant v of b {{ set "convs.*" k=1; set "g.d" k=5 }}', "v")
    found = {key: tensor.shape for key, tensor in net.state if key.endswith("weight")}
    assert [found[f"{path}.weight"][-1] for path in ("convs.0", "convs.1", "g.c", "g.d")] == [1, 1, 3, 5]


@pytest.mark.parametrize("edit", ['replace "convs" { act }', 'set "convs" k=3', 'replace "g" { conv 3 }'])
def test_a_level_in_pieces_is_not_edited_as_one(edit: str) -> None:
    found = archdsl.check_text(f"{MODEL}variant v of b {{ {edit} }}")
    assert {one.code for one in found} == {"E131"}


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y"])), min_size=1, max_size=7))
def test_braces_and_paths_say_the_same_network(steps: list[tuple[str, str]]) -> None:
    """Each step stands in one of some levels, with a label of its own there or none."""
    labels = [f"{inner}{index}" if inner else "" for index, (_, inner) in enumerate(steps)]
    pairs = [(outer, label) for (outer, _), label in zip(steps, labels, strict=True)]
    braces = "; ".join(f"{outer}: {{ {label}{': ' if label else ''}conv 4 }}" for outer, label in pairs)
    named = paths(network(f"start: act; {braces}"))
    written = "; ".join(f'"{path}": conv 4' for path in named[1:])
    other = network(f"start: act; {written}")
    assert paths(other) == named
    assert other.state == network(f"start: act; {braces}").state
    for outer in "abc":
        inside = [label for home, label in pairs if home == outer]
        found = [path.partition(".")[2] for path in named if path.startswith(f"{outer}.")]
        is_numbered = not any(inside)
        expected = [str(i) for i in range(len(inside))] if is_numbered else [label or "conv" for label in inside]
        assert [name.partition("_")[0] for name in found] == expected
