"""A corpus of wrong specs: `wrong/SUBJECT/NAME.arch`, and beside each, in NAME.txt, what is said of it.

The texts are read when they change: each mistake once, at the smallest text to change, with what to do. A comment
`#> set act=swish`, `#> model v`, `#> image 3 4 4` or `#> compile` at the top compiles one model in place of checking
the file, as the command line does. `--update-golden` rewrites the texts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archdsl import checking, compiler
from archdsl.syntax.parser import MAX_CHARACTERS
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.mend import apply_fixes
from archdsl.text.render import RENDERERS
from archdsl.text.source import Source
from tests.patience import in_time

FOLDER = Path(__file__).parent / "wrong"
SPECS = sorted(FOLDER.glob("*/*.arch"))

ELSEWHERE = {
    "E124", "E301", "E302", "E310", "E311", "E312", "E313", "E314", "E330", "E331", "E332",
    *(f"E{number}" for number in range(340, 378)),
}  # fmt: skip
"""Codes that no spec's text has: of what Python gives for a spec, of files, of graphs of networkx, and of training."""

_DIRECTIVE = re.compile(r"^#> (set|model|image|compile) ?(.*)$", re.M)


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def diagnose(path: Path) -> tuple[Diagnostic, ...]:
    source = Source(path.read_text(encoding="utf-8"), path.name)
    asked = dict(_DIRECTIVE.findall(source.text))
    if not asked:
        return checking.check(source, path.parent)
    settings = dict(setting.split("=", 1) for setting in (asked.get("set"),) if setting)
    image = [int(size) for size in asked["image"].split()] if "image" in asked else None
    return compiler.compile(source, asked.get("model"), settings, image, path.parent).diagnostics


@pytest.fixture(scope="module")
def corpus() -> dict[Path, tuple[Diagnostic, ...]]:
    return {path: diagnose(path) for path in SPECS}


@pytest.mark.parametrize("path", SPECS, ids=named)
def test_a_wrong_spec_is_told_what_its_text_says(path: Path, golden: Callable[[Path, str], None]) -> None:
    with in_time():
        found = diagnose(path)
        assert found, "nothing is said"
        golden(path.with_suffix(".txt"), RENDERERS["terminal"](found))
        for width in (40, 200):
            assert RENDERERS["terminal"](found, width=width, color=True)
        assert len(json.loads(RENDERERS["json"](found))) == len(found)
        assert len(RENDERERS["github"](found).splitlines()) == len(found)
        for renderer in RENDERERS.values():
            assert renderer(found)


def errors(found: tuple[Diagnostic, ...]) -> Counter[tuple[str, str]]:
    return Counter((diagnostic.code, diagnostic.message) for diagnostic in found)


@pytest.mark.parametrize("path", SPECS, ids=named)
def test_a_safe_fix_ends_the_mistake_that_it_is_about(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if _DIRECTIVE.search(text):
        return
    before = checking.check(Source(text, path.name), path.parent)
    for diagnostic in before:
        if diagnostic.fix is None or not diagnostic.fix.is_safe or diagnostic.span.source.text != text:
            continue
        mended = Source(apply_fixes(text, [diagnostic.fix]).text, path.name)
        key = (diagnostic.code, diagnostic.message)
        assert errors(checking.check(mended, path.parent))[key] < errors(before)[key]


def test_every_code_is_in_the_corpus(corpus: dict[Path, tuple[Diagnostic, ...]]) -> None:
    shown = {diagnostic.code for found in corpus.values() for diagnostic in found}
    shown |= {diagnostic.code for diagnostic in checking.check(Source(" " * (MAX_CHARACTERS + 1)))}
    # A warning's own page shows it as well.
    shown |= {code for code in CODES if code.startswith("W") and (CODES[code].failing or code == "W400")}
    assert sorted(set(CODES) - shown - ELSEWHERE) == []


def test_the_corpus_is_large_and_has_no_text_without_a_spec() -> None:
    assert len(SPECS) >= 150
    assert [path for path in sorted(FOLDER.glob("*/*.txt")) if path.with_suffix(".arch") not in SPECS] == []


def test_no_two_specs_are_the_same() -> None:
    counted = Counter(path.read_text(encoding="utf-8") for path in SPECS)
    assert [text for text, count in counted.items() if count > 1] == []


def messages(corpus: dict[Path, tuple[Diagnostic, ...]]) -> Iterator[tuple[str, str]]:
    for path, found in corpus.items():
        for diagnostic in found:
            yield named(path), diagnostic.message


def test_messages_are_facts_in_lower_case_without_full_stop(corpus: dict[Path, tuple[Diagnostic, ...]]) -> None:
    quoted = re.compile(r"^(?:`|[a-z0-9\"\[(‘“-])")
    wrong = [
        (name, text) for name, text in messages(corpus) if not quoted.match(text) or text.endswith((".", "!", "?"))
    ]
    assert [(name, text) for name, text in wrong if not re.match(r"[A-Z]\w*[`'’(]?", text)] == []


def test_help_says_what_to_do_and_never_asks(corpus: dict[Path, tuple[Diagnostic, ...]]) -> None:
    helps = [(named(path), d.help) for path, found in corpus.items() for d in found]
    assert [(name, text) for name, text in helps if "?" in text or "did you mean" in text] == []
    assert [(name, text) for name, text in helps if text.endswith(".") and not text.endswith("…")] == []
