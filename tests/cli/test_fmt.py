from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

import archdsl
from archdsl.syntax import formatter
from tests.cli.conftest import TINY, Run

UGLY = TINY.replace("conv 4; norm", "conv  4;norm")
BROKEN = TINY.replace("conv 4; norm", "conv 4,; norm")


def test_a_file_is_formatted_in_place_and_keeps_its_mode(run: Run, tiny: Path) -> None:
    tiny.write_text(UGLY, encoding="utf-8")
    tiny.chmod(0o640)
    assert run("fmt", "tiny.arch") == (0, "", "formatted tiny.arch\n1 file formatted\n")
    assert tiny.read_text(encoding="utf-8") == TINY == archdsl.format(archdsl.Source(UGLY))
    assert stat.S_IMODE(tiny.stat().st_mode) == 0o640


def test_a_formatted_file_is_not_written(run: Run, tiny: Path) -> None:
    os.utime(tiny, (1, 1))
    assert run("fmt", "tiny.arch") == (0, "", "1 file is in the style already\n")
    assert tiny.stat().st_mtime == 1


def test_check_lists_what_would_change_and_changes_nothing(run: Run, tiny: Path) -> None:
    tiny.with_name("ugly.arch").write_text(UGLY, encoding="utf-8")
    assert run("fmt", "--check", ".") == (1, "ugly.arch\n", "1 file would change, 1 is in the style already\n")
    assert tiny.with_name("ugly.arch").read_text(encoding="utf-8") == UGLY
    assert run("fmt", "--check", "tiny.arch").code == 0


def test_diff_shows_what_would_change_and_changes_nothing(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write_text(UGLY, encoding="utf-8")
    code, out, err = run("fmt", "--diff", "tiny.arch")
    assert (code, err) == (1, "1 file would change\n")
    assert out.startswith("--- tiny.arch\n+++ tiny.arch formatted\n@@ ")
    assert "\n-  stem: { conv  4;norm; act }\n+  stem: { conv 4; norm; act }\n" in out
    assert tiny.read_text(encoding="utf-8") == UGLY
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32m+  stem" in run("fmt", "--diff", "tiny.arch").out
    assert run("fmt", "--diff", "--check", "tiny.arch").code == 1


def test_a_diff_shows_a_last_line_without_an_end(run: Run, tiny: Path) -> None:
    tiny.write_text(TINY.rstrip("\n"), encoding="utf-8")
    assert run("fmt", "--diff", "tiny.arch").out.endswith("-}\n\\ No newline at end of file\n+}\n")


def test_stdin_goes_to_stdout_and_says_nothing_else(run: Run) -> None:
    assert run("fmt", "-", stdin=UGLY.encode()) == (0, TINY, "")
    assert run("fmt", "-", stdin=TINY.encode()) == (0, TINY, "")
    assert run("fmt", "-", "--check", stdin=UGLY.encode())[:2] == (1, "<stdin>\n")
    assert "+++ <stdin> formatted" in run("fmt", "-", "--diff", stdin=UGLY.encode()).out
    code, out, err = run("fmt", "-", stdin=BROKEN.encode())
    assert (code, out) == (1, "")
    assert "<stdin>:3:17" in err


def test_a_broken_file_is_left_alone_and_the_others_are_formatted(run: Run, tiny: Path) -> None:
    tiny.write_text(BROKEN, encoding="utf-8")
    other = tiny.with_name("zoo.arch")
    other.write_text(UGLY, encoding="utf-8")
    code, out, err = run("fmt", ".")
    assert (code, out) == (1, "")
    assert "error[E001]" in err
    assert "tiny.arch:3:17" in err
    assert tiny.read_text(encoding="utf-8") == BROKEN
    assert other.read_text(encoding="utf-8") == TINY


def test_what_cannot_be_read_is_a_failure_and_the_others_are_formatted(run: Run, tiny: Path) -> None:
    tiny.write_text(UGLY, encoding="utf-8")
    tiny.with_name("bytes.arch").write_bytes(b"# \xff")
    (tiny.parent / "empty").mkdir()
    code, _, err = run("fmt", "absent.arch", "empty", "bytes.arch", "tiny.arch")
    assert code == 2
    assert "no file and no folder is called `absent.arch`" in err
    assert "no .arch file is in `empty`" in err
    assert "`bytes.arch` is no UTF-8 text: invalid start byte at byte 2" in err
    assert tiny.read_text(encoding="utf-8") == TINY


def test_a_folder_means_the_specs_below_it_but_for_hidden_folders(run: Run, tmp_path: Path) -> None:
    for name in ("a.arch", "deep/er/b.arch", ".venv/c.arch", "deep/d.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(UGLY, encoding="utf-8")
    assert run("fmt", "--check", ".").out.split() == ["a.arch", "deep/er/b.arch"]


def test_a_link_is_followed_and_a_file_named_twice_is_formatted_once(run: Run, tiny: Path) -> None:
    tiny.write_text(UGLY, encoding="utf-8")
    link = tiny.with_name("link.arch")
    link.symlink_to(tiny)
    assert run("fmt", "link.arch", "tiny.arch", ".").err == "formatted link.arch\n1 file formatted\n"
    assert link.is_symlink()
    assert tiny.read_text(encoding="utf-8") == TINY


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (UGLY.replace("\n", "\r\n"), TINY.replace("\n", "\r\n")),
        ("\ufeff" + TINY, TINY),
        (
            TINY.replace("\n", "\n\n\n"),
            TINY.replace("\n", "\n\n").replace("{\n\n", "{\n").replace("\n\n}\n\n", "\n}\n"),
        ),
    ],
    ids=["CR LF", "byte order mark", "blank lines"],
)
def test_line_ends_and_marks(run: Run, tiny: Path, before: str, after: str) -> None:
    tiny.write_bytes(before.encode())
    assert run("fmt", "--check", "tiny.arch").code == 1
    assert run("fmt", "tiny.arch").code == 0
    assert tiny.read_bytes() == after.encode()
    assert run("fmt", "--check", "tiny.arch").code == 0


def test_an_overlong_file_is_left_alone(run: Run, tiny: Path) -> None:
    tiny.write_bytes(b"# " + b"a" * 2_000_000)
    code, _, err = run("fmt", "tiny.arch")
    assert code == 1
    assert "error[E004]" in err
    assert tiny.stat().st_size == 2_000_002


def test_a_fault_of_the_formatter_leaves_the_file_alone_and_asks_to_report_it(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write_text(UGLY, encoding="utf-8")
    monkeypatch.setattr(formatter, "write_lines", lambda *_: TINY.replace("conv 4; act", "conv 5; act"))
    code, _, err = run("fmt", "tiny.arch")
    assert code == 2
    assert "this is a bug in archdsl, no mistake of yours" in err
    assert "formatting `tiny.arch` would change what it says, so it is left as it was" in err
    assert "report it with the spec" in err
    assert tiny.read_text(encoding="utf-8") == UGLY


def test_what_cannot_be_read_or_written_has_a_code(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tiny.parent / "latin.arch").write_bytes(b"# \xe9\n")
    (tiny.parent / "folder").mkdir()
    assert run("fmt", "latin.arch").err.startswith("error[E004]: `latin.arch` is no UTF-8 text")
    for name in ("absent.arch", "folder"):
        assert run("fmt", name).err.startswith("error[E114]: ")
    tiny.write_text("model  m { input [3, 8, 8]; conv 4 }\n", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert run("fmt", "tiny.arch").err.startswith("error[E332]: `tiny.arch` may not be written")
