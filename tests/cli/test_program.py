"""Help, versions, failures, and what the program costs to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import archdsl
from archdsl.cli import app as application
from archdsl.cli import checking, console
from archdsl.text.codes import CODES
from tests.cli.conftest import Run
from tests.conftest import ROOT


def execute(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    values = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], env=values, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", application.COMMANDS)
def test_every_help_shows_an_example_of_its_command(run: Run, command: str) -> None:
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"Example: archdsl {command}" in out


@pytest.mark.parametrize("example", [entry.example for entry in application.COMMANDS.values()])
def test_an_example_names_a_command_and_options_that_exist(run: Run, example: str) -> None:
    command, *options = [word for word in example.split()[1:] if word.startswith("-") or word.isalpha()][:1] + [
        word for word in example.split() if word.startswith("-")
    ]
    shown = run(command, "--help").out
    assert all(option in shown for option in options)


@pytest.mark.parametrize("entry", application.COMMANDS.values(), ids=application.COMMANDS)
def test_the_list_of_commands_says_of_one_what_its_own_help_does(entry: application.Command) -> None:
    function = getattr(import_module(f"archdsl.cli.{entry.module}"), entry.function)
    assert (function.__doc__ or "").partition("\n\n")[0] == entry.summary


def test_version(run: Run) -> None:
    assert run("--version").out == f"archdsl {archdsl.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["chek"], ["check"], ["check", "--formt", "json"], ["summary", "--depth=x"]])
def test_bad_usage_is_a_failure_on_stderr(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert arguments == [] or (out == "" and "Error" in err)


def test_a_misspelt_command_is_told_with_the_nearest(run: Run) -> None:
    assert "Did you mean 'check'?" in run("chekc").err


def test_a_command_imports_no_other() -> None:
    program = "import sys; from archdsl.cli.app import app; app(['explain', 'E213'], standalone_mode=False)"
    shown = execute(f"{program}; print(*sorted(name for name in sys.modules if name.startswith('archdsl.cli.')))")
    others = {f"archdsl.cli.{entry.module}" for entry in application.COMMANDS.values()} - {"archdsl.cli.explain"}
    assert shown.returncode == 0
    assert others.isdisjoint(shown.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("asked", ["E213", "e213", " E213 ", "error[E213]"])
def test_explain_prints_the_page_of_a_code(run: Run, asked: str) -> None:
    code, out, _ = run("explain", asked)
    assert code == 0
    assert out.startswith(f"E213: {CODES['E213'].title}\n\n")
    assert "\nerror[E213]: " in out
    assert out.split("Mended:")[1].split() == CODES["E213"].mended[0].split()


def test_explain_writes_markdown(run: Run) -> None:
    assert run("explain", "E213", "--format", "markdown").out.startswith("# E213\n\n**")


def test_explain_lists_all_codes(run: Run) -> None:
    assert run("explain").out.splitlines() == [f"{code}  {page.title}" for code, page in CODES.items()]


@pytest.mark.parametrize("asked", ["", "x@y.org", "../E213", "\x1b[31m", "E" * 5000, "-", "é", "E213.md", "E21\0"])
def test_explain_takes_nothing_amiss(run: Run, asked: str) -> None:
    code, out, err = run("explain", "--", asked)
    assert (code, out) == (2, "")
    assert err.startswith("error: no diagnostic has the code")
    assert "\x1b" not in err
    assert "Traceback" not in err


def test_explain_offers_the_nearest_code(run: Run) -> None:
    code, out, err = run("explain", "E2133")
    assert (code, out) == (2, "")
    assert "the nearest is `E213`" in err


def test_a_bug_is_called_one_and_shows_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("two\nlines")

    monkeypatch.setattr(checking.checking, "check", fail)
    code, out, err = run("check", "resnet50")
    assert (code, out) == (2, "")
    assert "bug in archdsl" in err
    assert "AssertionError: two lines" in err
    assert "archdsl check resnet50" in err
    assert "Traceback" not in err
    monkeypatch.setenv("ARCHDSL_TRACEBACK", "1")
    assert "Traceback" in run("check", "resnet50").err


def test_an_interrupt_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checking.checking, "check", fail)
    assert run("check", "resnet50") == (130, "", "")


def test_a_reader_that_goes_away_is_no_matter() -> None:
    program = (
        "import sys; sys.argv = ['archdsl', 'compile', 'resnet50']; from archdsl.cli import main; sys.exit(main())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_checking_imports_nothing_heavy() -> None:
    program = """
import json, sys
sys.argv = ["archdsl", "check", "resnet50"]
from archdsl.cli import main
code = main()
heavy = {"rich", "networkx", "torch", "numpy", "graphviz", "archdsl.training", "archdsl.backends.summary"}
print(json.dumps([code, sorted(heavy & set(sys.modules))]))
"""
    assert json.loads(execute(program).stdout) == [0, []]


@pytest.mark.parametrize(
    "words", [["resnet50", "alexnet"], ["nothing"], ["-"], ["a b"], ["é"], ["resnet50", "nothing"], ["resnet50:x"]]
)
def test_specs_alone_are_checked_as_they_are_behind_an_option(run: Run, words: list[str]) -> None:
    assert run("check", *words) == run("check", "--format", "text", *words)


@pytest.mark.parametrize(
    "words", [[""], ["--", "resnet50"], ["--fx", "resnet50"], ["\udcff"], ["resnet50", "--help"], []]
)
def test_what_may_be_an_option_is_read_as_one(words: list[str]) -> None:
    shown = execute(
        "import os, sys; sys.argv = ['archdsl', 'check', *map(os.fsdecode, eval(sys.argv[1]))]\n"
        "from archdsl.cli import main; main(); print('typer' in sys.modules)",
        str([os.fsencode(word) for word in words]),
    )
    assert shown.stdout.splitlines()[-1] == "True"


def test_a_shell_that_completes_words_is_answered() -> None:
    asked = {"COMP_WORDS": "archdsl che", "COMP_CWORD": "1", "_ARCHDSL_COMPLETE": "complete_bash"}
    program = "import sys; sys.argv = ['archdsl', '--version']; from archdsl.cli import main; main()"
    assert "check" in execute(program, **asked).stdout


@pytest.mark.parametrize(("columns", "expected"), [("72", 72), ("", 100), ("0", 100), ("wide", 100), ("-5", 100)])
def test_the_width_is_that_of_columns_or_of_a_pipe(
    monkeypatch: pytest.MonkeyPatch, columns: str, expected: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with Path(os.devnull).open(encoding="utf-8") as stream:
        assert console.width_of(stream) == expected


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "archdsl", "--version"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"archdsl {archdsl.__version__}\n")
