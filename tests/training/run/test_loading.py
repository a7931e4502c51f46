from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from archdsl import Source, load
from archdsl.recipes.images import Resize
from archdsl.recipes.recipe import Recipe
from archdsl.training.error import TrainingError
from archdsl.training.run.loading import open_run
from archdsl.training.run.record import network_digest
from tests.training.run.made import make_run, network_for

pytestmark = pytest.mark.torch


def test_a_run_is_taken_up_with_its_network_recipe_and_weights(tmp_path: Path) -> None:
    recipe = Recipe(eval=(Resize(ratio=1.5),))
    record = make_run(tmp_path / "run", recipe=recipe)
    run = open_run(tmp_path / "run")
    assert run.record == record
    assert run.recipe == recipe
    assert network_digest(run.network) == record.network_digest
    for which, epoch in (("best", 2), ("last", 3)):
        module = run.module(which)  # pyright: ignore[reportArgumentType] -- both are words that it takes
        assert not module.training
        stored = load_file(tmp_path / "run" / f"{which}.safetensors")
        assert all(torch.equal(value, stored[key]) for key, value in module.state_dict().items())
        assert run.epoch(which) == epoch  # pyright: ignore[reportArgumentType]


def test_a_spec_that_says_all_by_itself_needs_no_settings(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "run" / "spec.arch").write_text(network_for("class").text())
    assert open_run(tmp_path / "run").network.outputs["output"].numbers() == (3,)


def test_a_spec_s_own_files_are_looked_for_where_it_lay(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "parts.arch").write_text("block head(classes) { gap; flatten; fc classes }\n")
    text = "use parts (head)\nmodel net(classes=2) { input [3, 8, 8]; conv 4; act; head classes }\n"
    (tmp_path / "specs" / "net.arch").write_text(text)
    network = load(tmp_path / "specs" / "net.arch", classes=3)
    digest = network_digest(network)
    make_run(tmp_path / "run", network_digest=digest, spec_folder=str(tmp_path / "specs"))
    (tmp_path / "run" / "spec.arch").write_text(text)
    assert network_digest(open_run(tmp_path / "run").network) == digest
    (tmp_path / "specs" / "parts.arch").unlink()
    with pytest.raises(TrainingError) as caught:
        open_run(tmp_path / "run")
    assert caught.value.code == "E367"
    assert "spec.arch` cannot be used: line 1" in caught.value.message


def test_an_input_of_another_size_than_the_spec_s_is_that_of_the_run(tmp_path: Path) -> None:
    text = network_for("class").spec.text
    network = load(Source(text, "net.arch"), input=(3, 16, 16), classes=3)
    make_run(tmp_path / "run", network_digest=network_digest(network), size=(3, 16, 16))
    (tmp_path / "run" / "spec.arch").write_text(text)
    assert open_run(tmp_path / "run").network.inputs["input"].numbers() == (3, 16, 16)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("spec.arch", b"", "cannot be used"),
        ("spec.arch", b"model net { input [3, 8, 8]; conv 3 groups=2 }", "line 1: 2 groups do not divide"),
        ("spec.arch", b"\xff", "is no UTF-8 text"),
        ("spec.arch", b"model net { input [3, 8, 8]; conv 3 }", "makes another network than the one that was trained"),
        ("recipe.arch", b"", "recipe.arch` cannot be used"),
        ("recipe.arch", b"recipe r { epochs none }", "recipe.arch` cannot be used"),
    ],
)
def test_a_damaged_spec_or_recipe_is_told(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        open_run(tmp_path / "run")
    assert caught.value.code == "E367"
    assert message in caught.value.message


def test_a_record_of_another_size_than_the_network_s_is_damaged(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "size": [3, 8, 9]}))
    with pytest.raises(TrainingError, match="`size` is not the network's") as caught:
        open_run(tmp_path / "run")
    assert caught.value.code == "E366"


@pytest.mark.parametrize("name", ["spec.arch", "recipe.arch"])
def test_a_missing_spec_or_recipe_is_told(tmp_path: Path, name: str) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(TrainingError, match=name) as caught:
        open_run(tmp_path / "run")
    assert caught.value.code == "E367"


def test_missing_and_damaged_weights_are_told(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    run, path = open_run(tmp_path / "run"), tmp_path / "run" / "best.safetensors"
    content = path.read_bytes()
    other = network_for("mask").module().state_dict()
    for damaged, message in ((content[: len(content) // 2], "cut short"), (b"", "is empty")):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match=message) as caught:
            run.module()
        assert caught.value.code == "E367"
        assert run.epoch() is None
    from safetensors.torch import save_file

    save_file(other, path)
    with pytest.raises(TrainingError, match="the weights do not fit net") as caught:
        run.module()
    assert caught.value.code == "E367"
    path.unlink()
    with pytest.raises(TrainingError, match="has no best weights") as caught:
        run.module()
    assert caught.value.help == "say `--weights last`"
    (tmp_path / "run" / "last.safetensors").unlink()
    with pytest.raises(TrainingError) as caught:
        run.module("last")
    assert "no epoch of it ended" in caught.value.help
