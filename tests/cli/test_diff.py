from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with two revisions of a spec that uses another, which changes too."""
    folder = tmp_path / "nets"
    folder.mkdir()

    def commit(name: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"]
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        for command in (["add", "-A"], ["commit", "-qm", name]):
            subprocess.run(["git", *identity, *command], cwd=tmp_path, env=environment, check=True)

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    part, net = folder / "part.arch", folder / "net.arch"
    part.write_text("block unit(c) { conv c; norm; act }\n", encoding="utf-8")
    net.write_text('use "part"\nmodel net { input [3, 8, 8]; a: unit 4; gap; flatten; fc 2 }\n', encoding="utf-8")
    commit("one")
    part.write_text("block unit(c) { conv c k=5; norm; act }\n", encoding="utf-8")
    commit("two")
    net.write_text(net.read_text(encoding="utf-8").replace("fc 2", "fc 3"), encoding="utf-8")
    return folder


def test_two_networks_differ(run: Run) -> None:
    code, out, err = run("diff", "resnet50", "resnext50_32x4d")
    assert (code, err) == (0, "")
    assert out.startswith("resnet50 → resnext50_32x4d\n")
    assert "groups 1 → 32 ×16" in out
    assert "−528,128" in out


def test_one_network_differs_from_itself_by_settings(run: Run) -> None:
    code, out, _ = run("diff", "resnet18", "--set", "norm=group(32)")
    assert code == 0
    assert "~ BN → GN 32 ×20" in out
    mirrored = run("diff", "resnet18", "--set-before", "norm=group(32)").out
    assert "~ GN 32 → BN ×20" in mirrored


def test_the_input_is_that_of_both(run: Run) -> None:
    data = json.loads(run("diff", "resnet18", "resnet34", "--input", "3x64x64", "--format", "json").out)
    assert all(change["kind"] == "added" for change in data["changes"])


def test_the_exit_code_is_that_of_diff_where_asked_for(run: Run) -> None:
    assert run("diff", "resnet18", "resnet34").code == 0
    assert run("diff", "resnet18", "resnet34", "--exit-code").code == 1
    code, out, _ = run("diff", "resnet18", "resnet18", "--exit-code")
    assert (code, out.splitlines()[-1]) == (0, "the two are the same network")


def test_nothing_to_compare_with_is_a_failure(run: Run) -> None:
    code, out, err = run("diff", "resnet18")
    assert (code, out) == (2, "")
    assert "nothing to compare `resnet18` with" in err
    assert run("diff", "-", "-", stdin=TINY.encode()).code == 2
    assert run("diff", "-", "resnet18", stdin=TINY.encode()).code == 0


def test_a_mistake_in_either_is_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.arch").write_text("model bad { input [3, 8, 8]; cnv 4 }", encoding="utf-8")
    code, out, err = run("diff", "resnet18", "bad.arch")
    assert (code, out) == (1, "")
    assert "E101" in err


def test_a_revision_is_compared_with_the_file_as_it_is(run: Run, repository: Path) -> None:
    path = repository / "net.arch"
    code, out, err = run("diff", f"{path}@HEAD", "--format", "json")
    assert (code, err) == (0, "")
    (change,) = json.loads(out)["changes"]
    assert change["title"] == "fc: features 2 → 3"


def test_used_files_are_those_of_the_revision(run: Run, repository: Path) -> None:
    path = repository / "net.arch"
    data = json.loads(run("diff", f"{path}@HEAD~1", f"{path}@HEAD", "--format", "json").out)
    assert [change["title"] for change in data["changes"]] == ["conv: kernel 3 → 5"]
    first = run("diff", f"{path}:net@HEAD~1", f"{path}@HEAD~1:net", "--exit-code")
    assert first.code == 0


@pytest.mark.parametrize("revision", ["--output=x", "-h", "nowhere", "HEAD^{tree}", "a b", "\n", "@{99}"])
def test_what_is_no_revision_is_a_failure(run: Run, repository: Path, revision: str) -> None:
    before = set(repository.parent.rglob("*"))
    code, out, err = run("diff", f"{repository / 'net.arch'}@{revision}")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "bug" not in err
    assert set(repository.parent.rglob("*")) == before


def test_a_file_that_a_revision_lacks_is_a_failure(run: Run, repository: Path) -> None:
    (repository / "new.arch").write_text(TINY, encoding="utf-8")
    code, _, err = run("diff", f"{repository / 'new.arch'}@HEAD")
    assert code == 2
    assert "is not in the revision `HEAD`" in err


def test_outside_a_repository_and_without_git_the_reason_is_said(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tiny.parent.parent))
    code, _, err = run("diff", f"{tiny}@HEAD")
    assert code == 2
    assert "is in no git repository" in err
    monkeypatch.setenv("PATH", "")
    code, _, err = run("diff", f"{tiny}@HEAD")
    assert code == 2
    assert "git is not installed" in err


def test_a_file_with_an_at_sign_is_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny.arch@HEAD").write_text(TINY, encoding="utf-8")
    (tmp_path / "tiny.arch").write_text(TINY.replace("conv 4", "conv 6"), encoding="utf-8")
    code, out, _ = run("diff", "tiny.arch@HEAD", "tiny.arch")
    assert code == 0
    assert "channels 4 → 6" in out


def test_a_narrow_terminal_is_kept_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, run("diff", "resnet50", "preresnet50").out.splitlines())) <= 50


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_a_picture_is_written(run: Run, tmp_path: Path, suffix: str) -> None:
    code, out, err = run("diff", "resnet18", "resnet34", "-o", f"change.{suffix}", "--theme", "dark", "--exit-code")
    assert (code, out, err) == (1, "", f"wrote change.{suffix}\n")
    assert (tmp_path / f"change.{suffix}").stat().st_size > 2_000


def test_a_picture_of_another_format_is_a_failure(run: Run, tmp_path: Path) -> None:
    code, _, err = run("diff", "resnet18", "resnet34", "-o", "change.gif")
    assert code == 2
    assert ".svg, .png, .pdf" in err
    assert not list(tmp_path.iterdir())
