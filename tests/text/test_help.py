"""What help says to write is text of a spec: it parses as one of the things a spec is made of, and a step compiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archdsl
from archdsl.syntax.habits.values import STEP_WORDS
from archdsl.syntax.parser import parse
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic, Reporter, Severity
from archdsl.text.source import Source
from tests import test_wrong_specs
from tests.passes.lint.cases import FIRING
from tests.passes.lint.cases import model as linted
from tests.syntax.habits import test_habits

# Where a piece of a spec may stand.
FRAMES = (
    "{}",
    "model m {{ {} }}",
    "model m {{ {} }} }}",
    "model m {{ {} {{ act }} }}",
    "{} {{ act }}",
    "{} act }}",
    "model m {{ conv {} }}",
    "model m {{ act {} }}",
    "model m {{ conv 8 k={} }}",
    "model m {{ {} act }}",
    "model m {{ let a = {} }}",
    "model m {{ let a = (b {} c) }}",
    "model m {{ let a = b {} c }}",
    "block b({}) {{ act }}",
    "variant v of m {{ {} }}",
    "model m {{ defaults {{ {} }} }}",
    "keys k {{ {} }}",
    "let a = ({}b)",
    "use {}",
    "fn f(c) = {}",
)
WRITTEN = re.compile(r"\bwrite (`[^`]+`(?:(?:,? or|, and|,) `[^`]+`)*)")


def is_text(piece: str) -> bool:
    """Return whether a piece parses as a file, statement, argument, parameter or value, whatever `…` stands for."""
    shown = re.sub(r"=\s*…", "=1", piece)
    shown = re.sub(r"…(?=\s*[}])", "act", shown).replace("; …", "; act").replace("…", "a")
    for frame in FRAMES:
        report = Reporter()
        parse(Source(frame.format(shown)), report)
        if not [one for one in report.diagnostics if one.code.startswith("E0")]:
            return True
    return False


# Signs and pieces of them that are no text by themselves.
SIGNS = re.compile(r"[^\w\s]+|[{}()\[\]]|else if|else|as|in|x|of|pass|@|#.*|\"|and|or|not")


def said(found: Diagnostic) -> Iterator[str]:
    for listed in WRITTEN.findall(found.help):
        yield from (piece for piece in re.findall(r"`([^`]+)`", listed) if not SIGNS.fullmatch(piece))


def habits() -> Iterator[str]:
    yield from (test_habits.model(written) for written, *_ in (*test_habits.STEPS, *test_habits.PLACES))
    yield from (text for text, _ in (*test_habits.FILES, *test_habits.MENDED))


def check(found: Diagnostic) -> None:
    for piece in said(found):
        assert is_text(piece), (found.code, found.help)


@pytest.mark.parametrize("path", test_wrong_specs.SPECS, ids=test_wrong_specs.named)
def test_what_help_says_to_write_in_a_wrong_spec_parses(path: Path) -> None:
    for found in test_wrong_specs.diagnose(path):
        check(found)


def test_what_help_says_to_write_for_a_habit_parses() -> None:
    for text in habits():
        for found in archdsl.check_text(text):
            check(found)


def test_what_help_says_to_write_in_the_examples_of_codes_and_lints_parses() -> None:
    texts = [example for code in CODES.values() for example in code.failing]
    texts += [linted(text) for cases in FIRING.values() for text, _ in cases]
    for text in texts:
        for found in archdsl.check_text(text):
            check(found)


SHAPES = ("[8, 16, 16]", "[16, 16, 16]", "[3, 64, 64]", "[16]", "[8, 16]", "[256]", "[64, 32, 32]", "[192, 7, 7]")
# What is only a piece of a statement, or needs the network around it.
PIECES = {
    "same", "groesse", "int c", "conv c 3", "c2f 128 3 true", "@enc.name", "split 2 concat { … }", "reuse a",
    # They name what the text itself declares, inside its blocks.
    "@before", "@stem_here", "output inner", "fn double(c) = 2 * c",
}  # fmt: skip


def compiles(piece: str, text: str) -> bool:
    """Return whether a statement compiles in a model of some shape, with the blocks, names and labels of its file.

    What is no statement by itself counts as one that does.
    """
    shown = re.sub(r"=\s*…", "=1", piece)
    shown = re.sub(r"…(?=\s*[}])", "act", shown).replace("; …", "; act").replace("…", "8")
    if piece in PIECES or not is_statement(shown):
        return True
    if not all(map(archdsl.check_text, (f"recipe r {{ {shown} }}", f"recipe r {{ images train {{ {shown} }} }}"))):
        return True  # it is said of a recipe
    if re.search(r"(?m)^experiment\b", text) and fits_experiment(shown):
        return True
    labels = dict.fromkeys(re.findall(r"(?:@|\breuse )(\w+)", shown))
    names = {name for name in re.findall(r"\b[a-z_]\w*\b", shown) if name not in STEP_WORDS}
    bound = [
        name for name in sorted(names) if re.search(rf"\blet {name}\b|[(,] *(?:int )?{name}\b|\bfor {name}\b", text)
    ]
    before = "".join([*(f"let {name} = 8\n" for name in bound), *(f"{label}: act\n" for label in labels)])
    blocks = re.findall(r"(?m)^(?:inline )?block[^\n]*\{(?:[^{}]|\{[^{}]*\})*\}|^fn [^\n]*", text)
    starts = [""] if shown.startswith("input") else [f"input {shape}\n{before}" for shape in SHAPES]
    specs = ["\n".join([*blocks, f"model m {{\n{start}{shown}\nact\n}}"]) for start in starts]
    return any(all(one.severity is not Severity.ERROR for one in archdsl.check_text(spec)) for spec in specs)


def fits_experiment(shown: str) -> bool:
    """Return whether a statement may stand in an experiment of a small network."""
    usual = {
        "model": "model m(norm=norm)", "recipe": "recipe small", "data": "data digits",
        "measure": "measure steps_to(loss, 0.5)",
    }  # fmt: skip
    word = shown.partition(" ")[0]
    others = [text for key, text in usual.items() if key != word]
    body = "\n".join(["let norm = choose {batch, none}", *others, shown])
    model = "model m { input [1, 8, 8]; conv 4; norm; act; gap; flatten; fc 10 }"
    found = archdsl.check_text(f"{model}\nexperiment e {{\n{body}\n}}")
    return not [one for one in found if one.severity is Severity.ERROR]


def is_statement(shown: str) -> bool:
    report = Reporter()
    parse(Source(f"model m {{ {shown} }}"), report)
    return not report.diagnostics


def test_a_statement_that_help_says_to_write_compiles() -> None:
    texts = [(path.read_text("utf-8", "replace"), test_wrong_specs.diagnose(path)) for path in test_wrong_specs.SPECS]
    examples = [example for code in CODES.values() for example in code.failing]
    examples += [linted(text) for cases in FIRING.values() for text, _ in cases]
    texts += [(text, archdsl.check_text(text)) for text in (*habits(), *examples)]
    pieces = {(piece, text) for text, found in texts for one in found for piece in said(one)}
    assert [piece for piece, text in sorted(pieces) if not compiles(piece, text)] == []
