"""The values of expressions, and what has none."""

from __future__ import annotations

from fractions import Fraction

import pytest

import archdsl
from archdsl.ir.trouble import Trouble
from archdsl.semantics.functions import MAX_LENGTH
from tests.semantics.values import value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 / 7", 1),
        ("6 / 4", Fraction(3, 2)),
        ("6 / 4 * 2", 3),
        ("6 / 4.0", 1.5),
        ("1/3 + 2/3", 1),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("4 ** (1/2)", 2.0),
        ("1.5K", 1500),
        ("0..3", (0, 1, 2, 3)),
        ("3..3", (3,)),
        ("3..2", ()),
        ("xs[0]", 10),
        ("xs[-1]", 30),
        ("xs[1..2]", (20, 30)),
        ("xs[[2, 0]]", (30, 10)),
        ("xs + [1]", (10, 20, 30, 1)),
        ("[2*i for i in 1..3]", (2, 4, 6)),
        ("[a + b for a, b in [[1, 2], [3, 4]] if a > 1]", (7,)),
        ("[i for i in 1..6 if i % 2 == 0 and i != 4]", (2, 6)),
        ("[i for i in 1..9 if i % 2 == 0 if i > 4]", (6, 8)),
        ("[10*a + b for a in 1..2 for b in 0..a]", (10, 11, 20, 21, 22)),
        ("[b for a in [[1, 2], [], [3, 4]] if len(a) > 0 for b in a if b != 2]", (1, 3, 4)),
        ("[a for a in 1..2 for a in [a, 5]]", (1, 5, 2, 5)),
        ("1 == 1.0", True),
        ("1 == true", False),
        ("1 != true", True),
        ("true == true", True),
        ("[1, 2] == [1, 2]", True),
        ("relu == relu", True),
        ("group(4) == group(groups=4)", True),
        ("false and 1/0 == 1", False),
        ("true or 1/0 == 1", True),
        ("not false and not (1 > 2)", True),
        ("1 if flag else 1/0", 1),
        ("in", 8),
        ("cin", 6),
        ("channels()", 8),
        ("width", 48),
        ("double(n)", 10),
        ("double(by=3, v=4)", 12),
        ("deep(20)", 20),
        ("min(3, 1, 2)", 1),
        ("max([3, 1, 2])", 3),
        ("floor(7/2) + ceil(7/2)", 7),
        ("round(2.5)", 2),
        ("round(7/2)", 4),
        ("len(xs) + sum(xs)", 63),
        ("reversed(xs)", (30, 20, 10)),
        ("unique([1, 2, 1])", (1, 2)),
        ("zip([1, 2], [3, 4])", ((1, 3), (2, 4))),
        ("repeat(7, 3)", (7, 7, 7)),
        ("abs(-2) + sqrt(9)", 5.0),
        ("log2(8)", 3.0),
        ("cos(pi) + sin(0) + tan(0)", -1.0),
        ("[sin(k * pi / 2) for k in 0..1]", (0.0, 1.0)),
        ("pi // 1", 3),
        ("round8(37)", 40),
        ("same", "same"),
    ],
)
def test_expressions_have_their_values(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("nothing", "E101", "nothing"),
        ("widht", "E101", "widht"),
        ("double()", "E103", "double"),
        ("double(1, 2, 3)", "E107", "3"),
        ("double(1, off=3)", "E102", "off"),
        ("double(1, v=3)", "E106", "v=3"),
        ("foo(1)", "E101", "foo"),
        ("unit(4, 3, 5)", "E107", "5"),
        ("1/0", "E116", "1/0"),
        ("1 % 0", "E116", "1 % 0"),
        ("1.5 // 0", "E116", "1.5 // 0"),
        ("true + 1", "E104", "true"),
        ("1 + relu", "E104", "relu"),
        ("-xs", "E104", "xs"),
        ("not 1", "E104", "1"),
        ("1 if 1 else 2", "E104", "1"),
        ("n[0]", "E104", "n"),
        ("xs[3]", "E116", "3"),
        ("xs[1.0]", "E104", "1.0"),
        ("xs[true]", "E104", "true"),
        ("0..1/2", "E105", "1/2"),
        ("0..relu", "E104", "relu"),
        ("[a for a, b in [[1, 2, 3]]]", "E111", "[[1, 2, 3]]"),
        ("[a for a in 3]", "E104", "3"),
        ("[a for a in 1..2 for b in a]", "E104", "a"),
        ("[a + c for a in 1..2 for b in 1..2 if c]", "E101", "c"),
        ("min()", "E104", "min()"),
        ("len(3)", "E104", "len(3)"),
        ("zip([1], [1, 2])", "E104", "zip([1], [1, 2])"),
        ("max(v=3)", "E102", "v=3"),
        ("sqrt(-1)", "E116", "sqrt(-1)"),
        ("10 ** 100", "E116", "10 ** 100"),
        ("1e308 * 10", "E116", "1e308 * 10"),
        ("1e999", "E116", "1e999"),
        ("(-8) ** 0.5", "E116", "(-8) ** 0.5"),
        (f"0..{MAX_LENGTH}", "E116", f"0..{MAX_LENGTH}"),
        ("choose {1, 2}", "E117", "choose {1, 2}"),
    ],
)
def test_what_has_no_value_is_named_at_its_place(text: str, code: str, place: str) -> None:
    with pytest.raises(Trouble) as caught:
        value(text)
    assert (caught.value.code, caught.value.span.text) == (code, place)


def test_an_inexact_division_says_how_to_round() -> None:
    (found,) = archdsl.check_text("model m { input [3, 8, 8]; conv 7/2 }")
    assert (found.code, found.span.text) == ("E105", "7/2")
    assert "`//` or `floor(…)` gives 3, `ceil(…)` gives 4" in found.help


@pytest.mark.parametrize("text", ["let a = a", "let a = 1 + b\nlet b = a", "fn f() = a\nlet a = f()"])
def test_a_constant_of_itself_is_an_error(text: str) -> None:
    found = archdsl.check_text(f"{text}\nmodel m {{ input [3, 8, 8]; conv a }}\nmodel n {{ input [3, 8, 8]; conv a }}")
    assert [diagnostic.code for diagnostic in found] == ["E108"]


def test_a_constant_in_the_file_follows_the_context_of_its_use() -> None:
    text = """
    let is_plain = act == relu
    block a { conv (1 if is_plain else 2) }
    model m { input [3, 8, 8]; a; a act=silu; a }
    """
    assert [node.output.channels for node in archdsl.load_text(text).costs.nodes] == [1, 2, 1]
