"""What help says to write is text of a spec: it parses as one of the things that a spec is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archdsl
from archdsl.syntax.parser import parse
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic, Reporter
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
