"""A brace that was forgotten is told where it was opened, and its fix puts it back where it stood."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.syntax.indentation import unclosed_braces
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("**/*.arch"))
_CLOSING = re.compile(r"^[ ]*\}$", re.M)
_QUICK = 60


def forgotten() -> list[tuple[Path, int]]:
    """List the lines of all specs that hold a closing brace alone, in a fixed random order."""
    found = [(path, i) for path in SPECS for i, _ in enumerate(_CLOSING.finditer(path.read_text(encoding="utf-8")))]
    random.Random(5).shuffle(found)
    return found


def opening_of(text: str, closing: int) -> int:
    """Return the place of the brace that the one at a place closes."""
    opened, last = list[int](), -1
    for match in re.finditer(r'"[^"\n]*"|#[^\n]*|[{}]', text[: closing + 1]):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}":
            last = opened.pop()
    return last


def check_forgotten(cases: list[tuple[Path, int]]) -> Iterator[str]:
    for path, number in cases:
        text = path.read_text(encoding="utf-8")
        line = [*_CLOSING.finditer(text)][number]
        without = text[: line.start()] + text[line.end() + 1 :]
        report = Reporter()
        parse(Source(without, path.name), report)
        told = [(found.code, found.span.start) for found in report.diagnostics]
        if told != [("E005", opening_of(text, line.end() - 1))]:
            yield f"{path.name}: {without[: line.start()].count(chr(10)) + 1}: {told}"
            continue
        fix = report.diagnostics[0].fix
        mended = apply_fixes(without, [fix]).text if fix is not None else ""
        if re.sub(r"\n+", "\n", mended) != re.sub(r"\n+", "\n", text):
            yield f"{path.name}: {line.start()}: the fix puts it elsewhere"


def test_a_forgotten_brace_is_told_at_the_one_that_it_closes() -> None:
    assert [*check_forgotten(forgotten()[:_QUICK])] == []


@pytest.mark.slow
def test_every_forgotten_brace_of_the_specs_is_told_at_the_one_that_it_closes() -> None:
    assert [*check_forgotten(forgotten()[_QUICK:])] == []


@pytest.mark.parametrize(
    "text",
    [
        "model m {\nconv 8\n{\nact\n",  # without indentation
        "model m { input [3, 8, 8]; # {\n  conv 8 }",
        'model m {\n  "layer{i}": conv 8\n  layer{j}: act # }\n}\n',
    ],
)
def test_what_indentation_does_not_tell_is_left_open(text: str) -> None:
    missing = text.count("{") - text.count("}")
    assert len(unclosed_braces(text)) in (0, max(0, missing))
