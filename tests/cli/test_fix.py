"""`check --fix` makes the edits that are certain, and nothing becomes worse by them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.cli.mend import repair, with_line_ends
from archdsl.text.diagnostic import Diagnostic, Edit, Fix, Severity
from archdsl.text.source import Source, Span
from tests.cli.conftest import Run

TEXT = "allow w400 w400x\nmodel m { input [3, 8, 8]; conv 4; relu }\n"
SAFE = "allow W400 w400x\nmodel m { input [3, 8, 8]; conv 4; relu }\n"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.arch"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_without_the_option_it_is_only_said_what_can_be_mended(run: Run, spec: Path) -> None:
    code, _, err = run("check", "a.arch")
    assert code == 1
    assert err.endswith("1 can be mended by --fix, 1 more with --unsafe-fixes\n")
    assert spec.read_text(encoding="utf-8") == TEXT


def test_safe_fixes_are_made_and_the_rest_is_reported(run: Run, spec: Path) -> None:
    code, out, err = run("check", "a.arch", "--fix")
    assert (code, out) == (1, "")
    assert err.count("error[E101]") == 1
    assert err.endswith("a.arch: 1 fix\n")
    assert spec.read_text(encoding="utf-8") == SAFE


def test_unsafe_fixes_are_made_when_asked_for(run: Run, spec: Path) -> None:
    spec.write_text(TEXT.replace("w400 w400x", "w400x"), encoding="utf-8")
    assert run("check", "a.arch", "--fix", "--unsafe-fixes") == (0, "", "a.arch: 1 fix\na.arch: ok, 1 model\n")
    assert spec.read_text(encoding="utf-8") == TEXT.replace("w400 w400x", "W400")
    assert run("check", "a.arch", "--fix", "--unsafe-fixes") == (0, "", "a.arch: ok, 1 model\n")


def test_a_diff_shows_the_edits_and_makes_none(run: Run, spec: Path) -> None:
    code, out, err = run("check", "a.arch", "--diff")
    assert code == 1
    assert out.splitlines()[:5] == [
        "--- a.arch",
        "+++ a.arch mended",
        "@@ -1,2 +1,2 @@",
        "-" + TEXT.splitlines()[0],
        "+" + SAFE.splitlines()[0],
    ]
    assert err == "a.arch: 1 fix, 1 finding left\n"
    assert run("check", "a.arch", "--diff", "--fix").out == out
    assert spec.read_text(encoding="utf-8") == TEXT


def test_stdin_comes_back_on_stdout(run: Run) -> None:
    code, out, err = run("check", "-", "--fix", stdin=TEXT.encode())
    assert (code, out) == (1, SAFE)
    assert "<stdin>: 1 fix" in err
    clean = "model m { input [3, 8, 8]; conv 4 }"
    assert run("check", "-", "--fix", stdin=clean.encode()).out == clean


@pytest.mark.parametrize("words", ["--diff --format json", "- --fix --format json", "--fix --set norm=none"])
def test_what_contradicts_itself_is_a_failure(run: Run, spec: Path, words: str) -> None:
    code, out, err = run("check", "a.arch", *words.split(), stdin=b"")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert spec.read_text(encoding="utf-8") == TEXT


def test_with_another_format_files_are_mended_too(run: Run, spec: Path) -> None:
    _, out, _ = run("check", "a.arch", "--fix", "--format", "json")
    assert [entry["code"] for entry in json.loads(out)] == ["E101"]
    assert spec.read_text(encoding="utf-8") == SAFE


def test_bytes_that_no_fix_names_stay(run: Run, spec: Path) -> None:
    for raw in (
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r\n", 1).encode() + "# é\u3000\r\n\n# \r end".encode(),
    ):
        spec.write_bytes(raw)
        assert run("check", "a.arch", "--fix").code == 1
        assert spec.read_bytes() == raw.replace(b"w400 ", b"W400 ")


def test_modes_and_links_stay(run: Run, spec: Path) -> None:
    spec.chmod(0o640)
    link = spec.with_name("link.arch")
    link.symlink_to("a.arch")
    run("check", "link.arch", "--fix")
    assert link.is_symlink()
    assert spec.read_text(encoding="utf-8") == SAFE
    assert spec.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in spec.parent.iterdir()) == ["a.arch", "link.arch"]


def test_a_file_that_changes_meanwhile_is_left_alone(run: Run, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archdsl.cli import checking

    def repair_late(*arguments: object, **options: object) -> object:
        done = repair(*arguments, **options)  # pyright: ignore[reportArgumentType] -- handed on
        spec.write_text("# new\n", encoding="utf-8")
        return done

    monkeypatch.setattr(checking, "repair", repair_late)
    code, _, err = run("check", "a.arch", "--fix")
    assert code == 2
    assert "was changed meanwhile" in err
    assert spec.read_text(encoding="utf-8") == "# new\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_a_failure(run: Run, spec: Path) -> None:
    spec.chmod(0o444)
    code, _, err = run("check", "a.arch", "--fix")
    assert code == 2
    assert "may not be written" in err


# The loop, with mistakes of the tests' own: each `x` is one, and its fix puts what `becomes` says in its place.


def diagnose(becomes: Sequence[str], code: str = "E101") -> Callable[[Source], list[Diagnostic]]:
    def found(source: Source) -> list[Diagnostic]:
        spans = [Span(i, i + 1, source) for i, letter in enumerate(source.text) if letter == "x"]
        fixes = [Fix((Edit(span, becomes[n % len(becomes)]),), is_safe=True) for n, span in enumerate(spans)]
        return [Diagnostic(code, Severity.ERROR, "x", s, fix=f) for s, f in zip(spans, fixes, strict=True)]

    return found


@pytest.mark.parametrize(
    ("text", "becomes", "left", "count"),
    [
        ("x.x.x", ["o"], "o.o.o", 3),
        ("xx", ["o"], "oo", 2),
        ("x", ["xx"], "x", 0),
        ("x", ["x"], "x", 0),
        ("x.x", ["xxx", "o"], "x.o", 1),
        ("", ["o"], "", 0),
    ],
)
def test_fixes_are_made_until_none_is_left_but_none_that_makes_more_wrong(
    text: str, becomes: list[str], left: str, count: int
) -> None:
    repaired = repair(Source(text), diagnose(becomes), unsafe=False)
    assert (repaired.after.text, repaired.count) == (left, count)


@given(st.text("x.", max_size=12), st.lists(st.sampled_from(["o", "", "x", "xx", "o.x"]), min_size=1, max_size=3))
def test_fixing_ends_and_never_makes_more_wrong(text: str, becomes: list[str]) -> None:
    repaired = repair(Source(text), diagnose(becomes), unsafe=False)
    assert repaired.after.text.count("x") <= text.count("x")
    assert list(repaired.diagnostics) == diagnose(becomes)(repaired.after) or len(
        repaired.diagnostics
    ) == repaired.after.text.count("x")


def test_what_a_syntax_error_hid_is_not_held_against_its_fix() -> None:
    def found(source: Source) -> list[Diagnostic]:
        if "x" in source.text:
            return diagnose(["o"], "E001")(source)
        return [Diagnostic("E101", Severity.ERROR, "hidden", Span(i, i, source)) for i in range(3)]

    assert repair(Source("x"), found, unsafe=False).after.text == "o"


LINES = st.lists(st.tuples(st.text("ab", max_size=2), st.sampled_from(["\n", "\r\n"])), max_size=6)


@given(LINES, LINES)
def test_lines_that_stay_keep_their_ends(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    raw = "".join(text + end for text, end in old)
    after = "".join(f"{text}\n" for text, _ in new)
    result = with_line_ends(raw, raw.replace("\r\n", "\n"), after)
    assert result.replace("\r\n", "\n") == after
    assert with_line_ends(raw, raw.replace("\r\n", "\n"), raw.replace("\r\n", "\n")) == raw
    if {end for _, end in old} == {"\r\n"}:
        assert result.count("\r\n") == result.count("\n")


BRACKETS = [
    ("model m { input [3, 8, 8]; conv 4 k=(3; relu }", "conv 4 k=(3); relu }", True),
    ("model m { input [3, 8, 8]; conv 4 k=[3, 3 }", "conv 4 k=[3, 3] }", True),
    ("model m { input [3, 8, 8]; conv max(3, 4 + 1; relu }", "conv max(3, 4 + 1); relu }", False),
    ("model m { input [3, 8, 8]; conv (in * 2; relu }", "conv (in * 2); relu }", False),
    ("model m { input [3, 8, 8]; conv 4 k=[3, 3) }", "conv 4 k=[3, 3] }", False),
    ("model m { input [3, 8, 8]; conv 4", "conv 4 }", False),
    ("model m {\n  input [3, 8, 8]; conv 4  # end\n", "conv 4  # end\n}\n", False),
    ("model m { input [3, 8, 8]; conv 4  # end", "conv 4  # end\n}", False),
    ("block b { conv 3\nmodel m { input [3, 8, 8]; b }", "{ conv 3 }\nmodel m { input [3, 8, 8]; b }", False),
]


@pytest.mark.parametrize(("text", "end", "is_safe"), BRACKETS)
def test_a_bracket_that_is_missing_is_added(run: Run, text: str, end: str, is_safe: bool) -> None:
    safe = run("check", "-", "--fix", stdin=text.encode())
    assert (safe.code == 0) == is_safe
    assert safe.out == text or is_safe
    done = run("check", "-", "--fix", "--unsafe-fixes", stdin=text.encode())
    assert done.code == 0, done.err
    assert done.out.endswith(end)
