"""Experiments are found by name and in files, and their models and recipes can be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.experiment_specs import bundled_experiments, find_experiment
from archdsl.semantics.files import experiment_folder
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure

TEXT = """
use nets
recipe short of small { epochs 2 }
## A claim.
experiment one {
  model net(choose {4, 8}); recipe short(lr=0.3); data digits; measure macs
}
experiment two {
  model digits; recipe small; data digits; measure macs
  before { model net; recipe small; data digits }
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "nets.arch").write_text("model net(c=2) { input [1, 8, 8]; conv c; gap; flatten; fc 10 }\n")
    (tmp_path / "own.arch").write_text(TEXT)
    return tmp_path / "own.arch"


@pytest.mark.parametrize("name", [listed.name for listed in bundled_experiments()])
def test_a_bundled_experiment_is_found_by_its_name(name: str) -> None:
    found = find_experiment(name)
    assert found.experiment.name == name
    assert found.experiment.doc
    assert found.experiment.rules
    assert found.folder == experiment_folder()


@pytest.mark.torch
def test_an_experiment_is_found_in_a_file(file: Path) -> None:
    from archdsl.experiments.setup import Home, Setup

    one = find_experiment(f"{file}:one")
    assert one.experiment.doc == "A claim."
    setup = Setup(Home(one.source.text, one.source.name, one.folder, "cpu"))
    trainings = [point.training for point in one.experiment.points]
    assert [setup.compiled(training.model)[0].graph.size for training in trainings] == [5, 5]
    assert [setup.recipe(training.recipe, 0).optimizer.lr for training in trainings] == [0.3, 0.3]
    before = find_experiment(f"{file}:two").experiment.points[0].training.before
    assert before is not None
    assert before.model.name == "net"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{file}", "declares 2 experiments"),
        ("{file}:on", "nearest is `one`"),
        ("norm", "nearest is `norms`"),
        ("digits.arch:one", "cannot be read"),
        ("", "no experiment is called"),
        ("{file}:", "declares 2 experiments"),
    ],
)
def test_what_is_no_experiment_is_told(file: Path, name: str, words: str) -> None:
    with pytest.raises(Failure, match=words) as caught:
        find_experiment(name.format(file=file))
    assert caught.value.code == ("E114" if "read" in words else "E134")


def test_an_experiment_with_mistakes_is_none(file: Path) -> None:
    file.write_text(TEXT.replace("net(choose", "net(d=choose"))
    with pytest.raises(SpecError, match="no setting `d`"):
        find_experiment(f"{file}:one")
    assert find_experiment(f"{file}:two").experiment.points
