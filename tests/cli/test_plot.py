from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Run

with_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is an extra")


@with_matplotlib
@pytest.mark.parametrize("kind", ["cost", "field"])
@pytest.mark.parametrize("suffix", ["svg", "png", "PDF"])
def test_a_chart_by_depth_is_written(run: Run, tmp_path: Path, kind: str, suffix: str) -> None:
    code, out, err = run("plot", "resnet18", "vgg11", "--kind", kind, "-o", f"chart.{suffix}")
    assert (code, out, err) == (0, "", f"wrote chart.{suffix}\n")
    assert (tmp_path / f"chart.{suffix}").stat().st_size > 5_000


@with_matplotlib
def test_a_file_of_several_models_stands_for_them_all(run: Run, tmp_path: Path) -> None:
    code, _, err = run("plot", "resnet", "--y", "parameters", "-o", "chart.svg")
    assert (code, err) == (0, "wrote chart.svg\n")
    svg = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert all(f"<!-- {name} -->" in svg for name in ("resnet18", "resnext50_32x4d", "wide_resnet101_2"))


@with_matplotlib
def test_networks_without_a_published_accuracy_are_left_out_by_name(run: Run, tiny: Path) -> None:
    code, _, err = run("plot", "resnet18", "resnet50", str(tiny), "--kind", "scatter", "-o", "chart.svg")
    assert code == 0
    assert "left out, without a figure for top1: tiny" in err
    # What is called like a bundled network is not it.
    mine = tiny.with_name("resnet18.arch")
    mine.write_text(TINY.replace("tiny", "resnet18"), encoding="utf-8")
    code, out, err = run("plot", str(mine), "--kind", "scatter", "-o", "chart.svg")
    assert (code, out) == (2, "")
    assert "has a published top-1 accuracy" in err
    assert run("plot", "resnet18", "--set", "norm=group(32)", "--kind", "scatter", "-o", "chart.svg").code == 2


def test_other_formats_and_too_many_networks_are_failures(run: Run, tmp_path: Path) -> None:
    code, _, err = run("plot", "resnet18", "-o", "chart.jpg")
    assert code == 2
    assert "svg, png, pdf" in err
    code, _, err = run("plot", "resnet", "vgg", "--kind", "cost", "-o", "chart.svg")
    assert code == 2
    assert "18 networks do not fit" in err
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_one_command_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.text.failure.find_spec", lambda name: None)
    code, _, err = run("plot", "resnet18", "-o", "chart.svg")
    assert code == 2
    assert 'run `pip install "archdsl[plot]"`' in err
