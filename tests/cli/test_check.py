from __future__ import annotations

import json
from pathlib import Path

import pytest

from archdsl.cli import checking
from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.source import Source, Span
from tests.cli.conftest import TINY, Run

BROKEN = TINY.replace("conv 4; norm", "conv 4 kernal=3; norm")


def test_a_clean_spec_writes_no_data_and_says_so(run: Run, tiny: Path) -> None:
    assert run("check", "tiny.arch") == (0, "", "tiny.arch: ok, 1 model\n")


def test_a_bundled_name_checks_that_model_alone(run: Run) -> None:
    assert run("check", "resnet50") == (0, "", "resnet.arch:resnet50: ok\n")


def test_a_mistake_is_shown_on_stderr_with_its_place(run: Run, tiny: Path) -> None:
    tiny.write_text(BROKEN, encoding="utf-8")
    code, out, err = run("check", "tiny.arch")
    assert (code, out) == (1, "")
    assert "error[E102]" in err
    assert "tiny.arch:3:18" in err
    assert "ok" not in err.split()


def test_warnings_about_a_network_are_shown_and_are_no_failure(run: Run, tiny: Path) -> None:
    tiny.write_text(TINY.replace("conv 4; norm", "conv 4 bias=true; norm"), encoding="utf-8")
    code, out, err = run("check", "tiny.arch")
    assert (code, out) == (0, "")
    assert "warning[W401]" in err
    assert run("check", "tiny.arch", "--allow", "W401").err == "tiny.arch: ok, 1 model\n"
    assert run("check", "tiny.arch", "--deny", "W401").code == 1


def test_settings_bring_warnings_of_their_own(run: Run, tiny: Path) -> None:
    assert "W409" in run("check", "tiny.arch", "--set", "norm=group(4)", "--format", "plain").out
    assert run("check", "tiny.arch", "--set", "norm=group(2)", "--format", "plain").out == ""


def test_compile_writes_warnings_in_a_line_each_beside_the_code(run: Run, tiny: Path) -> None:
    clean = run("compile", "tiny.arch")
    assert clean.err == ""
    tiny.write_text(TINY.replace("; norm; act", "; norm; norm; act"), encoding="utf-8")
    code, out, err = run("compile", "tiny.arch")
    assert code == 0
    assert out.startswith('"""')
    first, last = err.splitlines()
    assert first.startswith("tiny.arch:3:25: warning[W412]: ")
    assert last == "`archdsl check tiny.arch` says more"


def test_a_folder_is_named_as_one(run: Run, tiny: Path) -> None:
    (tiny.parent / "nets").mkdir()
    code, _, err = run("check", "nets")
    assert code == 2
    assert "`nets` is a folder" in err


def test_stdin_is_a_spec(run: Run) -> None:
    assert run("check", "-", stdin=TINY.encode()).code == 0
    code, _, err = run("check", "-", stdin=BROKEN.encode())
    assert code == 1
    assert "<stdin>:3:18" in err


def test_stdin_that_is_no_text_is_a_failure(run: Run) -> None:
    code, _, err = run("check", "-", stdin=b"\xff\xfe")
    assert code == 2
    assert "stdin is no UTF-8 text" in err


@pytest.mark.parametrize(
    ("format", "expected"), [("plain", "tiny.arch:3:18: error[E102]"), ("github", "::error file=")]
)
def test_other_formats_are_data(run: Run, tiny: Path, format: str, expected: str) -> None:
    tiny.write_text(BROKEN, encoding="utf-8")
    code, out, err = run("check", "tiny.arch", "--format", format)
    assert (code, err) == (1, "")
    assert out.startswith(expected)


def test_json_lists_what_all_specs_have(run: Run, tiny: Path) -> None:
    tiny.write_text(BROKEN, encoding="utf-8")
    code, out, _ = run("check", "tiny.arch", "absent.arch", "resnet50", "--format", "json")
    assert code == 2
    assert [(entry["code"], entry["file"]) for entry in json.loads(out)] == [("E114", None), ("E102", "tiny.arch")]
    assert run("check", "resnet50", "--format", "json").out == "[]\n"


def test_an_unreadable_spec_does_not_hide_the_others(run: Run, tiny: Path) -> None:
    code, _, err = run("check", "resnet5O", "tiny.arch")
    assert code == 2
    assert "the nearest bundled one is `resnet50`" in err
    assert "tiny.arch: ok" in err


def test_a_bad_setting_is_named_once_for_all_models(run: Run) -> None:
    code, _, err = run("check", "resnet", "--set", "clases=10")
    assert code == 1
    assert err.count("error[E102]") == 1
    assert "the nearest is `classes`" in err


def test_a_setting_reaches_every_model(run: Run) -> None:
    assert run("check", "resnet", "--set", "norm=group(32)").code == 0
    code, _, err = run("check", "resnet50", "--set", "norm=group(33)")
    assert code == 1
    assert "E214" in err


@pytest.mark.parametrize("words", [["classes"], ["classes="], ["=3"], ["a=1", "a=2"]])
def test_settings_that_set_nothing_or_twice_are_failures(run: Run, words: list[str]) -> None:
    code, out, err = run("check", "resnet50", *(part for word in words for part in ("--set", word)))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_a_file_without_a_complete_model_is_still_checked(run: Run, tiny: Path) -> None:
    tiny.write_text("block b(c) { conv c }\n", encoding="utf-8")
    assert run("check", "tiny.arch").err == "tiny.arch: ok, no model that needs no arguments\n"


def test_codes_that_are_no_warnings_cannot_be_allowed_or_denied(run: Run) -> None:
    for words, expected in (
        (["--allow", "W4000"], "the nearest is `W400`"),
        (["--deny", "E101"], "names an error's code"),
        (["--allow", "W400", "--deny", "w400"], "both allowed and denied"),
    ):
        code, out, err = run("check", "resnet50", *words)
        assert (code, out) == (2, "")
        assert expected in err


@pytest.fixture
def warned(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a spec whose check warns of its first word."""

    def found(source: Source, *_: object) -> tuple[Diagnostic, ...]:
        return (Diagnostic("W400", Severity.WARNING, "odd", Span(0, 5, source)),)

    monkeypatch.setattr(checking.checking, "check", found)
    return tiny


def test_warnings_alone_are_no_failure(run: Run, warned: Path) -> None:
    code, out, err = run("check", warned.name)
    assert (code, out) == (0, "")
    assert "warning[W400]: odd" in err
    assert "warning: 1 warning in tiny.arch" in err
    assert err.endswith("tiny.arch: ok, 1 model\n")


@pytest.mark.parametrize("words", [["--deny", "W400"], ["--deny", "warnings"], ["--deny", "w400, W400"]])
def test_a_warning_that_is_denied_is_an_error(run: Run, warned: Path, words: list[str]) -> None:
    code, _, err = run("check", warned.name, *words)
    assert code == 1
    assert "error[W400]: odd" in err
    assert "ok" not in err.split()


def test_a_warning_that_is_allowed_is_not_shown(run: Run, warned: Path) -> None:
    for word in ("W400", "warnings"):
        assert run("check", warned.name, "--allow", word) == (0, "", "tiny.arch: ok, 1 model\n")


@pytest.mark.parametrize("text", ["", "\n  # nothing yet\n"])
def test_a_spec_that_declares_nothing_is_an_error(run: Run, tiny: Path, text: str) -> None:
    tiny.write_text(text, encoding="utf-8")
    for name in ("tiny.arch", "-"):
        code, _, err = run("check", name, stdin=text.encode())
        assert code == 1
        assert "error[E120]: this spec is empty" in err


def test_a_bundled_files_model_has_a_name_as_that_of_a_file_of_ones_own(run: Run, tiny: Path) -> None:
    assert run("check", "resnet:resnet50") == (0, "", "resnet.arch:resnet50: ok\n")
    assert run("check", "tiny.arch:tiny") == (0, "", "tiny.arch:tiny: ok\n")
    assert "`resnet.arch` has no model `resnet5`" in run("check", "resnet:resnet5").err
    for spec, help in (
        ("resnett:resnet50", "the nearest bundled one is `resnet`"),
        ("resnet50:resnet50", "the file that declares it is `resnet`"),
        ("resnet:", "write `resnet:NAME`"),
        ("tinny.arch", "the nearest file is `tiny.arch`"),
    ):
        code, _, err = run("check", spec)
        assert code == 2
        assert help in err


def test_a_used_file_is_named_as_seen_from_the_working_folder(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.parent / "nets" / "parts"
    folder.mkdir(parents=True)
    (folder / "own.arch").write_text("block own(c) { conv c kernle=3 }\n", encoding="utf-8")
    text = 'use "parts/own"\nmodel m { input [3, 8, 8]; own 4 }\n'
    (folder.parent / "m.arch").write_text(text, encoding="utf-8")
    assert "--> nets/parts/own.arch:1:23" in run("check", "nets/m.arch").err
    monkeypatch.chdir(folder.parent)
    assert "--> parts/own.arch:1:23" in run("check", "m.arch").err
    assert "--> parts/own.arch:1:23" in run("check", "-", stdin=text.encode()).err
    monkeypatch.chdir("/")
    assert f"--> {folder}/own.arch:1:23" in run("check", f"{folder.parent}/m.arch").err
