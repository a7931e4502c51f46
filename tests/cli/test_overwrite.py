"""An output never replaces what was read, and what is not archdsl's only when told to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archdsl.text.marks import is_own
from tests.cli.conftest import TINY, Run
from tests.conftest import ROOT

OUTPUTS = [
    *(("compile", name) for name in ("net.py", "net")),
    *(("draw", f"net.{suffix}") for suffix in ("svg", "png", "pdf", "dot", "mmd", "tex", "html")),
    ("diff", "net.svg"),
    pytest.param("plot", "net.svg", marks=pytest.mark.slow),
    *(pytest.param(name, f"net.{end}", marks=pytest.mark.slow) for name in ("diff", "plot") for end in ("png", "pdf")),
]
every = pytest.mark.parametrize(("command", "name"), OUTPUTS, ids=str)
one_of_each = pytest.mark.parametrize(
    ("command", "name"), [("compile", "net.py"), ("draw", "net.svg"), ("diff", "net.svg"), ("plot", "net.svg")], ids=str
)


def words(command: str, spec: str, output: str, *more: str) -> list[str]:
    if command == "plot":
        pytest.importorskip("matplotlib")
    changed = ["--set", "classes=3"] if command == "diff" else []
    return [command, spec, *changed, "-o", output, *more]


@every
def test_a_file_of_archdsls_is_replaced_and_another_only_when_told(
    run: Run, tiny: Path, command: str, name: str
) -> None:
    output = tiny.parent / name
    assert run(*words(command, "tiny.arch", name)).code == 0
    assert is_own(output.read_bytes())
    assert run(*words(command, "tiny.arch", name, "--input", "1x16x16")).code == 0
    edited = output.read_bytes() + b"\n# mine\n"
    output.write_bytes(edited)
    ran = run(*words(command, "tiny.arch", name))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(
        f"error[E331]: `{name}` was edited since archdsl wrote it\n  = help: name another file, or say --overwrite\n"
    )
    assert output.read_bytes() == edited
    assert run(*words(command, "tiny.arch", name, "--overwrite")).code == 0
    assert is_own(output.read_bytes())


@every
@pytest.mark.parametrize("link", ["none", "hard", "symbolic"])
def test_an_input_is_never_replaced(run: Run, tiny: Path, command: str, name: str, link: str) -> None:
    (tiny.parent / "used.arch").write_text("block unit(c) { conv c; act }\n", encoding="utf-8")
    tiny.write_text(f"use used\n{TINY}".replace("conv 4; act", "unit 4"), encoding="utf-8")
    spec = "tiny.arch"
    for read in (tiny, tiny.parent / "used.arch"):
        before, output = read.read_bytes(), tiny.parent / name
        output.unlink(missing_ok=True)
        if link == "hard":
            output.hardlink_to(read)
        elif link == "symbolic":
            output.symlink_to(read)
        elif read is tiny:
            tiny.rename(output)
            spec = name
        else:
            continue
        ran = run(*words(command, spec, name, "--overwrite"))
        assert (ran.code, ran.out) == (2, "")
        assert f"error[E330]: `{name}` would be overwritten" in ran.err
        assert output.read_bytes() == before
        if spec == name:
            output.rename(tiny)
            spec = "tiny.arch"


def test_stdin_is_an_input(tiny: Path) -> None:
    command = [sys.executable, "-m", "archdsl", "compile", "-", "-o", "tiny.arch", "--overwrite"]
    with tiny.open("rb") as file:
        ran = subprocess.run(
            command, stdin=file, cwd=tiny.parent, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
        )
    assert ran.returncode == 2
    assert b"E330" in ran.stderr
    assert tiny.read_text(encoding="utf-8") == TINY


@one_of_each
def test_a_link_is_followed_and_stays(run: Run, tiny: Path, command: str, name: str) -> None:
    target, link = tiny.parent / f"other-{name}", tiny.parent / name
    link.symlink_to(target)
    assert run(*words(command, "tiny.arch", name)).code == 0  # it leads to nothing yet
    assert link.is_symlink()
    assert is_own(target.read_bytes())
    target.write_bytes(b"mine")
    assert run(*words(command, "tiny.arch", name)).code == 2
    assert run(*words(command, "tiny.arch", name, "--overwrite")).code == 0
    assert link.is_symlink()
    assert is_own(target.read_bytes())
    link.unlink()
    link.symlink_to(link)
    assert "E332" in run(*words(command, "tiny.arch", name, "--overwrite")).err


def test_a_new_spec_replaces_another_only_when_told(run: Run, tmp_path: Path) -> None:
    path, link = tmp_path / "net.arch", tmp_path / "linked.arch"
    assert run("new", "net").code == 0
    assert run("new", "net").code == 0  # nothing is lost
    path.write_text("mine", encoding="utf-8")
    assert "E331" in run("new", "net").err
    assert path.read_text(encoding="utf-8") == "mine"
    assert run("new", "net", "--overwrite").code == 0
    assert path.read_text(encoding="utf-8") != "mine"
    link.symlink_to(tmp_path / "there.arch")
    assert run("new", "linked").code == 0
    assert link.is_symlink()
    assert (tmp_path / "there.arch").is_file()


def test_nothing_is_lost_of_an_empty_file_or_of_what_stdout_gave(run: Run, tiny: Path) -> None:
    path = tiny.parent / "tiny.py"
    path.write_bytes(b"")
    assert run("compile", "tiny.arch", "-o", "tiny.py").code == 0
    path.write_text(run("compile", "tiny.arch").out, encoding="utf-8")
    assert run("compile", "tiny.arch", "-o", "tiny.py").code == 0


@one_of_each
def test_what_cannot_be_written_is_told_with_its_name_and_holds_nobody(
    run: Run, tiny: Path, command: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archdsl.text.files._SECONDS", 0)
    path = tiny.parent / name
    for make, reason in ((Path.mkdir, "is a directory"), (os.mkfifo, "nobody reads this pipe")):
        make(path)
        ran = run(*words(command, "tiny.arch", name, "--overwrite"))
        assert (ran.code, ran.out) == (2, "")
        assert f"error[E332]: cannot write `{name}`: {reason}\n" in ran.err
        path.rmdir() if path.is_dir() else path.unlink()
    assert "file name too long" in run(*words(command, "tiny.arch", f"{'x' * 256}{path.suffix}")).err
    assert run(*words(command, "tiny.arch", f"{'x' * 250}{path.suffix}")).code == 0


def test_a_pipe_with_a_reader_and_a_device_are_written_to(run: Run, tiny: Path) -> None:
    pipe, found = tiny.parent / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    assert run("compile", "tiny.arch", "-o", "pipe").code == 0
    reader.join()
    assert is_own(found[0])
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert run("compile", "tiny.arch", "-o", os.devnull).code == 0
    if Path("/dev/full").exists():
        assert "no space left on device" in run("compile", "tiny.arch", "-o", "/dev/full").err
