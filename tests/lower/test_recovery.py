"""However many mistakes a file has, each is told once at its place, and none that only follows from another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from random import Random

import pytest

import archdsl
from archdsl.lower.recovery import all_bodies
from archdsl.ops import OPS
from archdsl.specs import bundled_models
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter, Severity
from archdsl.text.source import Source

TEN = """
fn width(c) = round8(c * 2)
block basic(c, stride s=1) {
  residual {
    conv1: conv c s=s; norm; act
    conv2: conv c + 1; norm
  } shortcut downsample { conv c k=1 s=s; norm }
  act
}
block unused(c) {
  cnov c
}
model net {
  input [3, 64, 64]
  stem: conv 64 k=7 s=2
  layer{stage}: stages [2, 2] double c=64 { basic c }
  conv 64 sride=2
  conv 64 k="three"
  conv
  stem: conv 32
  conv 30 groups=4
  conv k= ; act
  relu ) norm
  @layr2
  assert 1 > 2
}
"""


def mistakes(text: str) -> list[tuple[str, str]]:
    found = archdsl.check_text(text)
    return sorted((d.code, d.span.text) for d in found if d.severity is Severity.ERROR)


def test_mistakes_of_ten_kinds_in_one_file_are_each_told_at_their_place() -> None:
    assert mistakes(TEN) == sorted(
        [
            ("E213", "residual"),
            ("E101", "cnov"),
            ("E102", "sride"),
            ("E104", 'k="three"'),
            ("E103", "conv"),
            ("E106", "stem"),
            ("E210", "groups=4"),
            ("E001", "k="),
            ("E001", ")"),
            ("E113", "@layr2"),
            ("E119", "1 > 2"),
        ]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fn f(n) = f(n + 1)\nmodel m { input [3, 8, 8]; conv f(1); cnov 4 }",
         [("E101", "cnov"), ("E108", "f(n + 1)")]),
        ("model m { inptu [3, 8, 8]; conv in; fc 5 k=1 }", [("E101", "inptu"), ("E102", "k")]),
        ("defaults { norm=bacth }\nmodel m { input [3, 8, 8]; norm; cnov 4 }", [("E101", "bacth"), ("E101", "cnov")]),
        ("block b(c=q) { conv c; cnov 4 }\nmodel m { input [3, 8, 8]; b }", [("E101", "cnov"), ("E101", "q")]),
        ("model m { input [3, 8, 8]; residual when q { conv 3 k=0 } }", [("E101", "q"), ("E104", "k=0")]),
        ("model m { input [3, 8, 8]; for i in q { conv i k=0; a: relu }; @a }", [("E101", "q"), ("E104", "k=0")]),
        ("model m { input [3, 8, 8]; if q { a: relu } else { conv 4 k=0 }; @a }", [("E101", "q"), ("E104", "k=0")]),
        ("model m { input [3, 8, 8]; stages [q] w=[4] { conv w k=0; conv stage } }", [("E101", "q"), ("E104", "k=0")]),
        ("model m { input [3, 8, 8]; concat { conv q; conv 3 = ; conv 4 k=0 } }",
         [("E001", "="), ("E101", "q"), ("E104", "k=0")]),
        ("model m { input [3, 8, 8]; let w = 4 5; conv w; conv w + q }", [("E001", "5"), ("E101", "q")]),
        ("model m { input [3, 8, 8]; a: conv 4, 5; @a; conv in; cnov 3 }", [("E001", ","), ("E101", "cnov")]),
        ("model m { input [3, 8, 8]; conv (4; let b = 3; cnov b }", [("E005", "("), ("E101", "cnov")]),
        ("model m { input [3, 8, 8]; conv 4; add { pass; conv 5 } }\nvariant v of m\nvariant w of m",
         [("E213", "add")]),
        ("block b(c) { if c > 3 { conv q } else { cnov c } }\nmodel m { input [3, 8, 8]; b 4 }",
         [("E101", "cnov"), ("E101", "q")]),
        ("block b(c) { defaults { norm=group(c) }; inner c }\n"
         "block inner(c) { if c > 1 { norm 4 k=1 } else { norm 4 } }\n"
         "model m { input [3, 8, 8]; b 1 }", []),
        ("fn f(v) = v + q\nfn g(v) = [q for w in v if p]\nmodel m { input [3, 8, 8]; relu }",
         [("E101", "p"), ("E101", "q"), ("E101", "q")]),
        ("block b(n) { b n; conv 4 k=0 }\nmodel m { input [3, 8, 8]; b 1; cnov 3 }",
         [("E101", "cnov"), ("E104", "k=0"), ("E108", "b")]),
        ("model m { input [3, 8, 8]; conv q k=0 sride=1; relu x p; split q concat { cnov 3; conv k } }",
         [("E101", "cnov"), ("E101", "k"), ("E101", "p"), ("E101", "q"), ("E101", "q"), ("E102", "sride"),
          ("E104", "k=0")]),
    ],
)  # fmt: skip
def test_a_mistake_hides_no_other_and_gives_rise_to_none(text: str, expected: Sequence[tuple[str, str]]) -> None:
    assert mistakes(text) == sorted(expected)


# A mistake to plant at a step: its code, what to put before the step, in the place of its name, behind it, and the
# text that is marked.
KINDS = {
    "operator": ("E101", "", "misspelt{n}", "", "misspelt{n}"),
    "argument": ("E102", "", None, " misspelt{n}=1", "misspelt{n}"),
    "kind": ("E104", "", None, ' groups="misspelt{n}"', 'groups="misspelt{n}"'),
    "groups": ("E210", "", None, " groups={prime}", "groups={prime}"),
    "name": ("E101", "\nlet made{n} = misspelt{n}\n", None, "", "misspelt{n}"),
    "syntax": ("E001", "\nrelu )\n", None, "", ")"),
    "bracket": ("E005", "\nlet made{n} = [misspelt{n}, 4)\n", None, "", ")"),
    "reference": ("E113", "\n@misspelt{n}\n", None, "", "@misspelt{n}"),
}
PRIME = 7919
CONVOLUTION = re.compile(r"conv \d+\b(?!.*groups)")


@cache
def specs() -> tuple[tuple[str, tuple[tree.Call, ...]], ...]:
    """Return bundled specs without most of their variants, each with its steps that are plain calls."""
    found: list[tuple[str, tuple[tree.Call, ...]]] = []
    for path in sorted({path for _, path in bundled_models()}):
        text = re.sub(r"\nvariant [^{\n]*(?=\n)", "\n", path.read_text("utf-8"))
        parsed = parse(Source(text), Reporter())
        assert parsed is not None
        bodies = [d.body for d in parsed.file.declarations if isinstance(d, tree.Block | tree.Model)]
        steps = [
            s for body in bodies for inner in all_bodies(body) for s in inner.statements if isinstance(s, tree.Step)
        ]
        calls = [
            s.action for s in steps if isinstance(s.action, tree.Call) and s.action.body is None and s.label is None
        ]
        if len(calls) > 2 and not mistakes(text):
            found.append((text, tuple(calls)))
    return tuple(found)


def plant(seed: int) -> tuple[str, list[tuple[str, str]]]:
    """Plant some mistakes at steps of a spec; give its text, and the codes and marked texts to expect."""
    random = Random(seed)
    text, calls = random.choice(specs())
    chosen = random.sample(calls, random.randint(1, min(6, len(calls))))
    expected: list[tuple[str, str]] = []
    edits: list[tuple[int, int, str]] = []
    for n, call in enumerate(chosen):
        is_known = call.name.text in OPS and call.name.text != "input"
        is_conv = CONVOLUTION.fullmatch(call.span.text) is not None
        may = ["operator", "name", "syntax", "bracket"]
        # A reference is one more branch of a split, and may be to a label of whoever calls an inline block.
        may += ["reference"] * (not re.search(r"\bsplit|\binline", text))
        may += ["argument"] * is_known + ["kind", "groups"] * is_conv
        code, before, name, behind, marked = KINDS[random.choice(may)]
        edits.append((call.span.start, call.span.start, before.format(n=n)))
        if name is not None:
            edits.append((call.name.span.start, call.name.span.end, name.format(n=n)))
        edits.append((call.span.end, call.span.end, behind.format(n=n, prime=PRIME)))
        expected.append((code, marked.format(n=n, prime=PRIME)))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text, sorted(expected)


@pytest.mark.parametrize("first", range(0, 120, 60))
def test_planted_mistakes_are_found_and_nothing_else(first: int) -> None:
    for seed in range(first, first + 60):
        text, expected = plant(seed)
        assert mistakes(text) == expected, text


@pytest.mark.slow
@pytest.mark.parametrize("first", range(300, 1100, 400))
def test_hundreds_of_planted_mistakes_are_found_and_nothing_else(first: int) -> None:
    for seed in range(first, first + 400):
        text, expected = plant(seed)
        assert mistakes(text) == expected, text


def test_a_word_fits_beside_an_argument_that_is_not_known_yet() -> None:
    block = "block b(c) { conv channels=c k=1 padding_mode=zeros }"
    text = f"{block}\nmodel m {{ input [3, 8, 8]; conv 4; gap; flatten; fc 10 }}"
    assert not [diagnostic for diagnostic in archdsl.check_text(text) if diagnostic.severity == "error"]
