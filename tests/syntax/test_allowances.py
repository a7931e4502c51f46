"""What an `allow` holds for, with a warning of the tests' own: W499, about every word `odd`."""

from __future__ import annotations

import re

import pytest

import archdsl
from archdsl import checking, compiler
from archdsl.syntax import allowances
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.edits import removal
from archdsl.text.mend import apply_fixes
from archdsl.text.page import Page
from archdsl.text.source import Source, Span


@pytest.fixture(autouse=True)
def _warns(monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(work: compiler.Work) -> None:
        assert work.graph is not None
        source = work.graph.span.source
        for word in re.finditer(r"\bodd", source.text):
            work.report.warning("W499", "this is odd", Span(*word.span(), source))

    monkeypatch.setattr(allowances, "CODES", {**CODES, "W499": Page("W499", "odd", ())})
    for module in (compiler, checking):
        monkeypatch.setattr(module, "STEPS", (*module.STEPS, warn))


def told(text: str) -> list[tuple[str, int]]:
    """Return the codes and columns of what is found, the lints' warnings left aside."""
    found = archdsl.check_text(text)
    return [(d.code, d.span.start) for d in found if not re.match(r"W4(?!00|99)", d.code)]


def marked(text: str) -> list[tuple[str, int]]:
    """Return what should be found: W499 at each `odd!`."""
    return [("W499", match.start() - count) for count, match in enumerate(re.finditer(r"odd!", text))]


@pytest.mark.parametrize(
    "text",
    [
        "block b(odd!=1) { conv 4 }\nmodel m { input [3, 8, 8]; b; odd!: conv 4 }",
        "allow W499\nblock b(odd=1) { conv 4 }\nmodel m { input [3, 8, 8]; b; odd: conv 4 }",
        "block b(odd=1) { allow W499; conv 4 }\nmodel m { input [3, 8, 8]; b; odd!: conv 4 }",
        "block b(odd!=1) { conv 4 }\nmodel m { input [3, 8, 8]; b; allow W499; odd: conv 4 }",
        "model m { input [3, 8, 8]; add { { allow W499; odd: conv 4 }; { odd!_2: conv 4 } } }",
        "model m { input [3, 8, 8]; stages [2] { allow W499; odd: conv 4 }; odd!_2: conv 4 }",
        "model m { input [3, 8, 8]; for i in [1] { odd: conv 4; allow W499 }; if 1 < 2 { odd!_2: conv 4 } }",
    ],
)
def test_an_allow_holds_for_its_body_and_a_models_or_blocks_for_its_parameters_too(text: str) -> None:
    assert told(text.replace("!", "")) == marked(text)


def test_an_allow_builds_nothing() -> None:
    with_allow = "stages [2] {{ {}conv 4 }}; residual {{ {}conv 4 }}; add {{ pass; {}conv 4 }}; output y {}"
    model = "model m {{ input [3, 8, 8]; {} }}"
    plain, allowing = (
        archdsl.load_text(model.format(with_allow.format(a, a, a, b)))
        for a, b in (("", ""), ("allow W499; ", "; allow W499"))
    )
    assert list(plain.graph.nodes) == list(allowing.graph.nodes)
    assert plain.graph.outputs == allowing.graph.outputs
    assert plain.source().split('"""', 2)[2] == allowing.source().split('"""', 2)[2]


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("allow W4999\n", "E101", "W4999"),
        ("allow w499\n", "E101", "w499"),
        ("allow E101\n", "E104", "E101"),
        ("allow W499 W400 W499\n", "E106", "W499"),
        ("allow odd\n", "E101", "odd"),
    ],
)
def test_what_cannot_be_allowed_is_an_error(text: str, code: str, word: str) -> None:
    (found,) = (d for d in archdsl.check_text(text + "model m { input [3, 8, 8]; conv 4 }") if d.code[0] == "E")
    assert (found.code, found.span.text) == (code, word)


UNUSED = [
    ("allow W499\nmodel m { input [3, 8, 8]; conv 4 }", "model m { input [3, 8, 8]; conv 4 }"),
    ("model m { input [3, 8, 8]; allow W499; conv 4 }", "model m { input [3, 8, 8]; conv 4 }"),
    ("model m { input [3, 8, 8]; conv 4; allow W499 }", "model m { input [3, 8, 8]; conv 4 }"),
    ("allow W499\nmodel m { input [3, 8, 8]; allow W499; odd: relu }", "model m { input [3, 8, 8]; allow W499; odd: relu }"),  # noqa: E501 -- two texts side by side
]  # fmt: skip


@pytest.mark.parametrize(("text", "mended"), UNUSED)
def test_an_allow_that_drops_nothing_is_told_and_its_fix_removes_it(text: str, mended: str) -> None:
    (found,) = archdsl.check_text(text)
    assert (found.code, found.severity.value, found.span.text) == ("W400", "warning", "W499")
    assert found.fix is not None
    assert found.fix.is_safe
    assert apply_fixes(text, [found.fix]).text == mended
    assert archdsl.check_text(mended) == ()


@pytest.mark.parametrize(
    "text",
    [
        "allow W499\nblock uncalled(c) { conv c }\nmodel m { input [3, 8, 8]; conv 4 }",
        "allow W499\nmodel open(c) { input [3, 8, 8]; conv c }\nmodel m { input [3, 8, 8]; conv 4 }",
        "block uncalled(c) { allow W499; conv c }\nmodel m { input [3, 8, 8]; conv 4 }",
        "model m(deep=false) { input [3, 8, 8]; conv 4; if deep { allow W499; conv 4 } }",
        "allow W499 W400\nmodel m { input [3, 8, 8]; conv 4 }",
        "allow W499\nblock b(c) { conv c }",
    ],
)
def test_nothing_is_said_of_an_allow_that_may_be_of_use(text: str) -> None:
    assert told(text) == []


def test_nothing_is_said_of_an_allow_where_one_model_is_checked_or_something_is_wrong() -> None:
    source = Source("allow W499\nmodel m { input [3, 8, 8]; conv 4 }")
    assert checking.check(source, model="m") == ()
    broken: tuple[Diagnostic, ...] = archdsl.check_text(source.text.replace("conv", "cnov"))
    assert [found.code for found in broken] == ["E101"]


@pytest.mark.parametrize(
    ("text", "word", "left"),
    [("a\n", "a", ""), ("x\n  a\r\ny", "a", "x\ny"), ("x; a", "a", "x"), ("x { a }", "a", "x {  }"), ("a", "a", "")],
)
def test_what_is_removed_with_a_statement(text: str, word: str, left: str) -> None:
    start = text.index(word)
    span = removal(Span(start, start + 1, Source(text)))
    assert text[: span.start] + text[span.end :] == left
