"""The parser of legal texts gives what the one that recovers gives, or leaves a text to it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from archdsl.semantics.files import SUFFIX, bundled_folder
from archdsl.syntax import parser, tree
from archdsl.syntax.damage import Parsed
from archdsl.syntax.fast import FastParser, Unusual
from archdsl.syntax.parser import parse, parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
from tests import mutations
from tests.conftest import ROOT
from tests.fuzz import mutate

FRONTEND = parser._frontend()  # pyright: ignore[reportPrivateUsage] -- whether the fast one was used shows nowhere else
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOWEST_LARK = next(one for one in PROJECT["dependencies"] if one.startswith("lark")).partition(",")[0]
WRONG = ROOT / "tests" / "wrong"


def specs(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob(f"*{SUFFIX}"))


def read(path: Path) -> str:
    return path.read_text("utf-8", "replace").replace("\r\n", "\n")


def fast(source: Source) -> tuple[tree.File, tuple[object, ...]] | None:
    return FRONTEND._parse_fast(source, "start")  # pyright: ignore[reportPrivateUsage]


def slow(source: Source) -> tuple[Parsed | None, Reporter]:
    """Parse as texts with mistakes are parsed."""
    report = Reporter()
    return parse(source, report, tokens=[]), report


def differs(text: str) -> bool:
    """Return whether the fast parser gives a tree that is not the other one's, or gives one where that reports."""
    source = Source(text)
    found = fast(source)
    if found is None:
        return False
    expected, report = slow(source)
    return bool(report.diagnostics) or expected != Parsed(*found)  # pyright: ignore[reportArgumentType]


def mutilated(texts: Iterable[str], count: int, seed: int) -> Iterator[str]:
    """Yield texts with one or two mistakes, made by habits and by chance."""
    random, corpus = Random(seed), list(texts)
    for number in range(count):
        text, other = random.choice(corpus), random.choice(corpus)
        for _ in range(random.choice((1, 1, 2))):
            if number % 2:
                text = mutate.mutate_once(random.choice(mutate.KINDS), text, other, random)
            elif re.search(r"^[a-z]\w+ \w", text, re.M) and (changed := mutations.mutate(text, random)) is not None:
                text = changed[0]
        yield text


def test_legal_texts_are_parsed_by_it() -> None:
    for path in specs(bundled_folder(), ROOT / "experiments"):
        source = Source(read(path), path.name)
        found, (expected, report) = fast(source), slow(source)
        assert not report.diagnostics
        assert found is not None, path
        assert expected == Parsed(*found), path  # pyright: ignore[reportArgumentType]


def test_texts_with_mistakes_are_left_to_the_other() -> None:
    assert not [path for path in specs(WRONG, ROOT / "tests" / "fuzz") if differs(read(path))]


def test_no_mutilated_text_is_read_in_another_way() -> None:
    texts = [read(path) for path in specs(bundled_folder(), WRONG, ROOT / "experiments")]
    assert not [text for text in mutilated(texts, 400, 1) if differs(text)]


@pytest.mark.soak
def test_no_mutilated_text_of_many_is_read_in_another_way() -> None:
    texts = [read(path) for path in specs(bundled_folder(), WRONG, ROOT / "experiments")]
    assert not [text for text in mutilated(texts, 20_000, 2) if differs(text)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n;;\n# nothing\n",
        "model m { input [3, 8, 8]; conv 8; }",
        "let a = [1,\n 2,\n]\n",
        "let a = choose {\n 1,\n 2\n}",
        "block b(int n,\n block inner) { inner }",
        "model m { if in > 3 { conv 8 }\n else { act } }",
        "experiment e {\n model resnet18\n training digits\n}",
        "recipe r { recipe 3; experiment 4 }",
        "let recipe = 3\nlet experiment = recipe",
        'model m { a{1 + 2}: conv 8; output o{1}; add @a{3}; reuse "a{3}" }',
        "model m { output experiment training }",
        "# } a brace alone in a comment\nmodel m { conv 8 }",
        "let a = 1 # }\r\nlet b = 2\rlet c = 3",
        "let long = " + "9" * 5000,
        "let a = " + "(" * 100 + "1" + ")" * 100,
        "let a = 1\f+\t2",
    ],
)
def test_what_is_seldom_written_is_read_alike(text: str) -> None:
    assert fast(Source(text)) is not None
    assert not differs(text)


@pytest.mark.parametrize(
    "text",
    [
        "model m {",
        "model m } {",
        "let a = (1]",
        "let a = [1; 2]",
        "let a = (1\nlet b = 2",
        "experiment e {\n compare [\n model\n]\n}",
        "block a {\nmodel m { conv 8 }",
        "model m { conv 8 ü }",
        "model m { label{1 +}: conv 8 }",
        'model m { "a{i # why}": conv 8 }',
        "let a = " + "(" * 101 + "1" + ")" * 101,
        "let a = [" + "1," * 30_000 + "]",
    ],
)
def test_what_may_be_a_mistake_is_left(text: str) -> None:
    assert fast(Source(text)) is None


@pytest.mark.parametrize("text", ["1 + 2 * a", "f(x=1)[0]", "[a for a in 1..3 if a > 1]", '"x{i}"', "1 +", "a b", "(1"])
def test_expressions_are_read_alike(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, one, other = Source(text), Reporter(), Reporter()
    found = parse_expression(source, one)
    monkeypatch.setattr(FRONTEND, "_fast", None)
    assert (found, one.diagnostics) == (parse_expression(source, other), other.diagnostics)


def otherwise(name: str = "", value: object = None) -> Any:
    """Return what stands for a lark of which one field is another one; "-" stands for a table under another name."""
    lark: Any = FRONTEND._lark  # pyright: ignore[reportPrivateUsage]
    lexer, table = lark.parser.lexer, lark.parser.parser._parse_table

    def of(home: object, *names: str) -> SimpleNamespace:
        return SimpleNamespace(**{one: value if one == name else getattr(home, one) for one in names})

    lexing, tables = of(lexer, "callback", "ignore_types"), of(table, "states", "start_states", "end_states")
    lexing.scanner = of(lexer.scanner, "_mres")
    parsing = SimpleNamespace(**{"_tables" if name == "-" else "_parse_table": tables})
    found = of(lark, "terminals", "_callbacks")
    found.parser = SimpleNamespace(lexer=lexing, parser=parsing)
    return found


CHANGES = FRONTEND._fast._changes if FRONTEND._fast is not None else {}  # pyright: ignore[reportPrivateUsage]


def test_a_lark_as_it_is_is_read() -> None:
    assert FastParser(otherwise(), CHANGES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_mres", []),
        ("_mres", ["a", "b"]),
        ("_mres", [object()]),
        ("callback", {}),
        ("callback", {"NAME": str, "COMMENT": str, "REUSED": str, "NAMED": str}),
        ("callback", FRONTEND._lark.parser.lexer.callback | {"STRING": str}),  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        ("ignore_types", frozenset({"_SPACE"})),
        ("states", {"a": {}}),
        ("states", {0: {"NAME": 1}}),
        ("-", None),
        ("_callbacks", {}),
        ("_callbacks", FRONTEND._lark._callbacks | {"NAME": str}),  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportOperatorIssue]
    ],
)
def test_a_lark_that_looks_otherwise_inside_is_not_relied_on(name: str, value: object) -> None:
    with pytest.raises(Unusual):
        FastParser(otherwise(name, value), CHANGES)


_SAME = """
import sys, lark
from pathlib import Path
from archdsl.syntax import parser
from archdsl.syntax.damage import Parsed
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
assert lark.__file__.startswith(sys.argv[1]), lark.__file__
for path in map(Path, sys.argv[2:]):
    source = Source(path.read_text("utf-8", "replace"))
    found, report = parser._frontend()._parse_fast(source, "start"), Reporter()
    expected = parser.parse(source, report, tokens=[])
    assert (found is None) == bool(report.diagnostics) or "wrong" in path.parts, path
    assert found is None or not report.diagnostics and expected == Parsed(*found), path
print("lark", lark.__version__)
"""


@pytest.mark.slow
@pytest.mark.parametrize("lark", [LOWEST_LARK.replace(">=", "=="), "lark<2"], ids=["lowest", "newest"])
def test_every_lark_that_is_allowed_is_read(lark: str, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "lark"), lark)
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip(f"pip finds no {lark}")
    paths = specs(bundled_folder(), ROOT / "experiments", WRONG)
    environment = {"PYTHONPATH": f"{tmp_path / 'lark'}:{ROOT}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = (sys.executable, "-c", _SAME, str(tmp_path / "lark"), *map(str, paths))
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
