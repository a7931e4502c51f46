"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from archdsl.text.files import write_atomically


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_is_interrupted_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.py"
    write_atomically(path, "old")

    def interrupt(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_keeps_its_permissions_and_the_link_to_it(tmp_path: Path) -> None:
    path, link = tmp_path / "net.py", tmp_path / "link.py"
    write_atomically(path, "old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, "nö")
    assert link.is_symlink()
    assert path.read_bytes() == "nö".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_an_error_names_the_file_even_where_the_system_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(OSError, match="No space") as caught:
        write_atomically(tmp_path / "net.py", "new")
    assert caught.value.filename == str(tmp_path / "net.py")
    assert list(tmp_path.iterdir()) == []


def _no_space(descriptor: int) -> None:
    raise OSError(28, "No space left on device")
