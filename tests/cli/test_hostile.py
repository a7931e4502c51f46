"""Nothing that comes from outside reaches a terminal, or what reads a terminal's lines, as anything but text."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from archdsl.text.render.display import visible
from tests.cli.conftest import Run
from tests.conftest import ROOT

SPEC = """\
## {0}
model m(classes=10) {{
  input [3, 8, 8]  # {0}
  a: conv  4
  gap; flatten; fc classes
}}
"""
# ESC, BEL, CSI in one code point, what turns a text's direction, what is not seen, and an end of line that is none.
EVIL = "a\x1b[31mb\x07\x9b1mc\u202ed\u200be\x85f\x7f\u2028g"
NAMES = [f"{EVIL}.arch", "x\n::error ::y\r\n\x1b]0;z\x07.arch", "\u202e\u2066.arch", os.fsdecode(b"\xff\xfe.arch")]
COMMANDS = [
    ["check"],
    *(["check", "--format", name] for name in ("plain", "json", "github", "sarif")),
    ["check", "--allow", "W400", "--set", "classes=0"],
    ["check", "--set", EVIL],
    ["check", "--diff", "--unsafe-fixes"],
    ["check", EVIL],
    [EVIL],
    ["check", f"--{EVIL}"],
    *(["summary", "--format", name] for name in ("text", "json", "csv", "markdown")),
    *(["diff", "--set", "conv.k=5", "--format", name] for name in ("text", "json", "markdown")),
    ["diff", "plain.arch"],
    ["diff", f"{EVIL}@HEAD"],
    *(["draw", "-o", "-", "-f", name] for name in ("svg", "dot", "mermaid", "tikz", "html")),
    ["draw", "-o", f"{EVIL}.gif"],
    ["draw", "-o", f"no/{EVIL}.svg"],
    ["draw", "-f", "svg", "-o", EVIL],
    ["compile"],
    ["compile", "-o", f"{EVIL}.py"],
    ["compile", "--model", EVIL],
    ["compile", "--input", EVIL],
    ["fmt", "--diff"],
    ["fmt", "--check"],
    ["fmt"],
    ["explain", EVIL],
    ["new", EVIL],
    ["new", "net", "--dir", EVIL],
    ["weights", "w.safetensors"],
    ["weights", "w.safetensors", "--format", "json"],
    ["weights", f"{EVIL}.pth", "--from", EVIL],
]
NAMELESS = ("explain", "new", EVIL)
SHORT = [["check"], ["check", "--format", "github"], ["summary"], ["compile"], ["fmt", "--check"], ["draw", "-o", "-"]]


def hidden(text: str) -> set[str]:
    """List the characters that a terminal obeys or does not show."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return {c for c in text if c not in "\n\t" and unicodedata.category(c) in kinds}


def weights(folder: Path, keys: list[str]) -> None:
    header = {key: {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i, key in enumerate(keys)}
    content = json.dumps(header).encode()
    path = folder / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(content)) + content + bytes(4 * len(keys)))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_command_writes_what_a_terminal_obeys(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "plain.arch").write_text(SPEC.format("plain"), encoding="utf-8")
    weights(tmp_path, [f"a.{EVIL}.weight", EVIL, "a.weight"])
    vendored = hidden(run("draw", "plain.arch", "-o", "-", "-f", "html").out) if name == NAMES[0] else set[str]()
    for command in COMMANDS if name == NAMES[0] else SHORT:
        (tmp_path / name).write_text(SPEC.format(EVIL), encoding="utf-8")
        words = command if command[0] in NAMELESS else [command[0], name, *command[1:]]
        ran = run(*words)
        assert "bug in archdsl" not in ran.err, words
        known = vendored if "html" in command else set[str]()
        assert hidden(ran.out) <= known, words
        assert not hidden(ran.err), words
        assert not [line for line in (ran.out + ran.err).splitlines() if line.startswith("::error ::")], words


@pytest.mark.slow
@pytest.mark.torch
def test_a_run_in_a_folder_of_any_name_writes_its_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text(SPEC.format(EVIL).replace("[3, 8, 8]", "[1, 8, 8]"), encoding="utf-8")
    for code in (0, 2):
        ran = run("train", "net.arch", "--data", "digits", "--epochs", "1", "--out", EVIL)
        assert ran.code == code
        assert not hidden(ran.out + ran.err)


def test_one_line_is_said_of_a_file_whatever_its_name(run: Run, tmp_path: Path) -> None:
    name = "x\n::error file=a::y.arch"
    (tmp_path / name).write_text(SPEC.format("plain"), encoding="utf-8")
    assert run("check", name) == (0, "", f"{visible(name)}: ok, 1 model\n")
    assert run("fmt", "--check", name).out == f"{visible(name)}\n"


def test_what_programs_read_still_has_the_name(run: Run, tmp_path: Path) -> None:
    name = f"{EVIL}.arch"
    (tmp_path / name).write_text("model m { foo }", encoding="utf-8")
    (tmp_path / "ok.arch").write_text(SPEC.format(EVIL), encoding="utf-8")
    assert json.loads(run("check", name, "--format", "json").out)[0]["file"] == name
    (tmp_path / name).write_text(SPEC.format("plain"), encoding="utf-8")
    assert json.loads(run("summary", name, "--format", "json").out)["spec"] == name


def test_random_text_is_made_visible_everywhere(run: Run, tmp_path: Path) -> None:
    random.seed(9)
    unseen = [chr(n) for n in range(1, 0x3000) if unicodedata.category(chr(n)) in ("Cc", "Cf", "Zl", "Zp")]
    for _ in range(4):
        text = "".join(random.choices([*unseen, "a", " ", "×", "語"], k=30)).replace("\n", "").replace("\r", "")
        name = f"{text.replace('/', '')[:20]}.arch"
        (tmp_path / name).write_text(SPEC.format(text), encoding="utf-8")
        for words in (["check"], ["summary"], ["summary", "--format", "json"], ["draw", "-o", "-"], ["compile"]):
            ran = run(words[0], name, *words[1:])
            assert ran.code == 0, (words, name)
            assert not hidden(ran.out + ran.err), (words, name)


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONIOENCODING": "ascii"}, marks=pytest.mark.slow),
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        pytest.param({"COLUMNS": "1"}, marks=pytest.mark.slow),
        {"COLUMNS": "1", "FORCE_COLOR": "1"},
        pytest.param({"COLUMNS": "junk", "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_any_locale_and_any_terminal_will_do(environment: dict[str, str]) -> None:
    program = """
import sys
from archdsl.cli import main
for words in (["summary", "resnet20_cifar"], ["summary", "resnet20_cifar", "--format", "json"], ["explain", "E213"],
              ["diff", "resnet20_cifar", "--set", "conv.bias=true"], ["--help"],
              ["check", "-", "--\\xe9"], ["check", "n\\xe9.arch"]):
    sys.argv = ["archdsl", *words]
    code = main()
    assert code == (2 if words[0] == "check" else 0), (words, code)
"""
    values = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    ran = subprocess.run([sys.executable, "-c", program], env=values, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    assert b"bug in archdsl" not in ran.stderr
    assert "×" in ran.stdout.decode()
    assert (b"\x1b[" in ran.stdout) == ("FORCE_COLOR" in environment and "NO_COLOR" not in environment)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "words", [["explain"], pytest.param(["draw", "digits", "-o", "-", "-f", "png"], marks=pytest.mark.slow)]
)
def test_a_full_disk_behind_stdout_is_told_and_a_reader_that_goes_away_is_not(words: list[str]) -> None:
    command = [sys.executable, "-m", "archdsl", *words]
    values = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, env=values, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert (ran.returncode, ran.stderr) == (2, "error: cannot write `<stdout>`: no space left on device\n")
    with subprocess.Popen(command, env=values, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as gone:
        assert gone.stdout is not None
        assert gone.stderr is not None
        gone.stdout.close()
        assert gone.stderr.read() == b""
    assert gone.returncode == 141


def test_closed_streams_are_no_bug() -> None:
    for end in (">&- 2>&-", "2>/dev/full"):
        command = f"{sys.executable} -m archdsl check digits {end}"
        ran = subprocess.run(command, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
        assert (ran.returncode, ran.stdout) == (0, b""), end
        assert b"Traceback" not in ran.stderr
