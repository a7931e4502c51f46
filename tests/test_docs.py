"""The code blocks of the pages here and in docs/ run, and what a page shows is what the program prints.

```python             executed; the blocks of a page share one namespace and one working folder
```console            what follows `$ ` is run there by bash, at 100 columns without colour. Output shown
                      below a command must match exactly, where a line `…` stands for any lines; where none
                      is shown none is compared. The exit code is 0, or what `# exit 1` says behind or below
                      the command
```arch               checks without a diagnostic; `arch tiny.arch` is also saved there under that name
```arch error E210    reports this code (`warning W101` likewise), and no error of another
```arch fragment      steps, put into a model with `input [3, 32, 32]`, about which warnings do not count;
                      combines with `error`
```sh                 commands in a checkout, not run: a `make` names targets, a program with a path exists
```text               shown only

`slow` behind `python` or `console` moves the page's run to the slow tests.
"""

from __future__ import annotations

import doctest
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.cli import main
from tests.conftest import ROOT

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^ *(?P=ticks) *$", re.M | re.S)
_EXIT = re.compile(r"# exit (\d+)\s*$")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    text: str
    shown: tuple[str, ...]
    exit_code: int


def blocks_of(page: Path, text: str) -> list[Block]:
    found: list[Block] = []
    for match in _FENCE.finditer(text):
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines()]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, tuple(match["info"].split()), "\n".join(lines) + "\n"))
    return found


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [block for page in PAGES for block in blocks_of(page, page.read_text(encoding="utf-8"))]
KNOWN = {"python", "console", "arch", "sh", "text"}


def commands_of(text: str) -> Iterator[Command]:
    """Split a console block at its `$ ` lines; a backslash continues a command on the next line."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
    assert starts, "a console block has a line that begins with `$ `"
    assert starts[0] == 0, "a console block begins with a command"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        last = start
        while lines[last].endswith("\\"):
            last += 1
        command = "\n".join(lines[start : last + 1])[2:]
        below = [line for line in lines[last + 1 : end] if not line.startswith("# exit ")]
        codes = [match[1] for line in lines[start:end] if (match := _EXIT.search(line))]
        while below and not below[-1].strip():
            below.pop()
        yield Command(command, tuple(below), int(codes[-1]) if codes else 0)


def matches(shown: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    """Return whether printed lines are the shown ones, where `…` stands for any number of lines."""
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "…" else re.escape(line.rstrip()) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed)) is not None


def run(command: Command, folder: Path, programs: Path) -> None:
    words = plain_words(command.text)
    code, printed = run_here(words) if words[0] == "archdsl" else run_shell(command.text, folder, programs)
    assert code == command.exit_code, f"$ {command.text}\n{printed}"
    if command.shown:
        printed = printed.rstrip("\n")
        assert matches(command.shown, tuple(printed.split("\n"))), f"$ {command.text}\n{printed}"


TERMINAL = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
_SHELL_ONLY = frozenset("$`\\*?~\n")


def plain_words(text: str) -> list[str]:
    """Return the words of a command that a shell would hand on as they are; the first is empty where it would not."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    return words if _SHELL_ONLY.isdisjoint(text) and not any(set(word) <= set("();<>|&") for word in words) else [""]


def run_here(words: list[str]) -> tuple[int, str]:
    """Run a command in this process, which takes a fiftieth of a process' time."""
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TERMINAL.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", words)
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setattr(sys, "stdout", written)
        patch.setattr(sys, "stderr", written)
        code = main()
    return code, written.buffer.getvalue().decode()  # pyright: ignore[reportAttributeAccessIssue] -- a BytesIO


def run_shell(text: str, folder: Path, programs: Path) -> tuple[int, str]:
    """Run what may be more than one command in a shell."""
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**os.environ, **TERMINAL, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=300,
    )
    return done.returncode, done.stdout


def execute(block: Block, namespace: dict[str, Any]) -> None:
    if ">>> " not in block.text:
        # The blank lines give tracebacks the page's own line numbers.
        exec(compile("\n" * block.line + block.text, str(block.page), "exec"), namespace)
        return
    example = doctest.DocTestParser().get_doctest(block.text, namespace, str(block), str(block.page), block.line)
    report: list[str] = []
    doctest.DocTestRunner().run(example, out=report.append, clear_globs=False)
    assert not report, "".join(report)
    namespace.update(example.globs)


def file_name(block: Block) -> str | None:
    return next((word for word in block.info if word.endswith(".arch")), None)


def spec_of(block: Block) -> str:
    if "fragment" not in block.info:
        return block.text
    return "model fragment {\n  input [3, 32, 32]\n" + re.sub(r"(?m)^(?=.)", "  ", block.text) + "}\n"


def check_spec(block: Block) -> None:
    name = file_name(block) or "page.arch"
    expected = {block.info[i + 1] for i, word in enumerate(block.info) if word in ("error", "warning")}
    found = archdsl.check_text(spec_of(block), name)
    shown = "\n".join(f"{diagnostic.code}: {diagnostic.message}" for diagnostic in found)
    codes = {diagnostic.code for diagnostic in found}
    errors = {diagnostic.code for diagnostic in found if diagnostic.severity == "error"}
    if not expected and "fragment" not in block.info:
        assert not codes, shown
    assert expected <= codes, f"{expected} expected, found: {shown or 'nothing'}"
    assert errors <= expected, shown


def needs_torch(block: Block) -> bool:
    return block.language in ("python", "console") and re.search(r"torch|archdsl (train|data)", block.text) is not None


def page_cases() -> Iterator[Any]:
    """Return each page with something to run; marked torch or slow when one of its blocks is."""
    for page in PAGES:
        blocks = [block for block in BLOCKS if block.page == page]
        if not any(block.language in ("python", "console") for block in blocks):
            continue
        marks = [pytest.mark.torch] if any(map(needs_torch, blocks)) else []
        marks += [pytest.mark.slow] if any("slow" in block.info for block in blocks) else []
        yield pytest.param(blocks, marks=marks, id=str(page.relative_to(ROOT)))


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with an `archdsl` that runs this checkout, installed or not."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "archdsl"
    call = "import sys; from archdsl.cli import main; sys.argv[0] = 'archdsl'; sys.exit(main())"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{call}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


@pytest.mark.parametrize("blocks", list(page_cases()))
def test_a_page_runs_from_top_to_bottom(
    blocks: list[Block], programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__page__"}
    for block in blocks:
        try:
            if name := file_name(block):
                (tmp_path / name).write_text(block.text, encoding="utf-8")
            if block.language == "python":
                execute(block, namespace)
            if block.language == "console":
                for command in commands_of(block.text):
                    run(command, tmp_path, programs)
        except Exception as error:
            error.add_note(f"in the block at {block}")
            raise


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "arch"], ids=str)
def test_a_spec_on_a_page_checks_as_the_page_says(block: Block) -> None:
    check_spec(block)


def test_every_block_says_what_it_is() -> None:
    assert not [str(block) for block in BLOCKS if block.language not in KNOWN]


def test_a_shell_block_names_targets_and_files_that_exist() -> None:
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for block in BLOCKS:
        for line in block.text.splitlines() if block.language == "sh" else ():
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                assert targets.issuperset(word for word in words[1:] if "=" not in word), f"{block}: {line}"
            if words and "/" in words[0]:
                assert os.access(ROOT / words[0], os.X_OK), f"{block}: {line}"


_HOMES_OF_TORCH = ("training", "experiments")
_WITH_DOCTESTS = [
    path
    for home in _HOMES_OF_TORCH
    for path in (ROOT / "archdsl" / home).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.torch
@pytest.mark.parametrize("path", _WITH_DOCTESTS, ids=lambda path: path.stem)
def test_the_doctests_of_what_needs_torch_pass(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    failed, attempted = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert attempted
    assert not failed


# The runner itself.

PAGE = ROOT / "docs" / "page.md"


def block(info: str, text: str) -> Block:
    return Block(PAGE, 1, tuple(info.split()), text)


def test_blocks_are_found_with_their_lines_and_without_their_indent() -> None:
    text = "# Title\n\n```arch error E210\nconv 3\n```\n\n- item\n\n  ````text\n  ```\n  ````\n"
    first, second = blocks_of(PAGE, text)
    assert (first.line, first.info, first.text) == (3, ("arch", "error", "E210"), "conv 3\n")
    assert (second.line, second.info, second.text) == (9, ("text",), "```\n")


def test_commands_take_their_output_and_exit_code() -> None:
    first, second = commands_of("$ a \\\n  b\nout\n\n$ c  # exit 1\n")
    assert first == Command("a \\\n  b", ("out",), 0)
    assert second == Command("c  # exit 1", (), 1)


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        (("a", "b"), ("a", "b  "), True),
        (("a",), ("a", "b"), False),
        (("a", "…", "d"), ("a", "b", "c", "d"), True),
        (("a", "…"), ("a",), True),
        (("a", "…", "d"), ("a", "b", "c"), False),
        (("a.c",), ("abc",), False),
    ],
)
def test_shown_output_matches_exactly_but_for_the_ellipsis(
    shown: tuple[str, ...], printed: tuple[str, ...], expected: bool
) -> None:
    assert matches(shown, printed) is expected


def test_a_command_with_another_exit_code_or_output_fails(programs: Path, tmp_path: Path) -> None:
    run(Command("echo hello; exit 3", ("hello",), 3), tmp_path, programs)
    with pytest.raises(AssertionError, match="echo hello"):
        run(Command("echo hello; exit 3", (), 0), tmp_path, programs)
    with pytest.raises(AssertionError, match="echo hello"):
        run(Command("echo hello", ("goodbye",), 0), tmp_path, programs)


def test_python_blocks_share_a_namespace_and_their_failures_surface() -> None:
    namespace: dict[str, Any] = {}
    execute(block("python", "x = 2\n"), namespace)
    execute(block("python", ">>> y = x + 1\n>>> y\n3\n"), namespace)
    assert namespace["y"] == 3
    with pytest.raises(AssertionError, match="Expected"):
        execute(block("python", ">>> x\n3\n"), namespace)
    with pytest.raises(ZeroDivisionError):
        execute(block("python", "x / 0\n"), namespace)


def test_a_spec_that_does_not_check_as_announced_fails() -> None:
    check_spec(block("arch fragment", "conv 8\n"))
    with pytest.raises(AssertionError):
        check_spec(block("arch fragment", "conv 8 groups=3\n"))
    with pytest.raises(AssertionError):
        check_spec(block("arch fragment error E210", "conv 8\n"))
