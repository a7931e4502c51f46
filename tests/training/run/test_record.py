from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl import Source, load
from archdsl.training.error import TrainingError
from archdsl.training.run.record import find_runs, network_digest, read_metrics, read_record, read_test
from tests.training.run.made import ROWS, make_run

pytestmark = pytest.mark.torch


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = make_run(tmp_path / "run", data_listing={"train": "3 images"}, spec_folder="/specs")
    assert read_record(tmp_path / "run") == record
    assert record.name == record.data == "imagefolder:pets"


def test_a_file_name_without_letters_is_recorded(tmp_path: Path) -> None:
    record = make_run(tmp_path / "run", data="imagefolder:\udcff")
    assert read_record(tmp_path / "run") == record


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged: Expecting value"),
        (b"{", "is damaged: Expecting property name"),
        (b"[]", "is damaged: it holds no object"),
        (b"\xff", "is no UTF-8 text"),
        (b"[" * 100_000, "is damaged"),
        (b"{}", "is damaged: `model`: field required"),
        (b'{"format": 2}', "was written by a newer archdsl"),
    ],
)
def test_a_damaged_record_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        read_record(tmp_path)
    assert caught.value.code == "E366"
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("key", "value"), [("size", [3, 8]), ("kind", "box"), ("mean", "x"), ("wings", 2), ("mean", [0.5])]
)
def test_a_record_with_another_value_is_damaged_there(tmp_path: Path, key: str, value: object) -> None:
    make_run(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(TrainingError, match=f"is damaged: .*`{key}"):
        read_record(tmp_path / "run")


@pytest.mark.parametrize(
    ("key", "value"),
    [("best_by", "miou"), ("best_by", "wings"), ("deviation", [0, 1, 1]), ("mean", [1, 2, float("nan")])],
)
def test_a_record_whose_values_do_not_go_together_is_damaged(tmp_path: Path, key: str, value: object) -> None:
    make_run(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(TrainingError, match=f"is damaged: .*`{key}`"):
        read_record(tmp_path / "run")


def test_what_is_no_run_is_told_with_where_one_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    make_run(tmp_path / "some" / "run")
    for name, message, help in (
        ("absent", "there is no folder", "archdsl runs"),
        ("file", "is a file, and a run is a folder", str(tmp_path)),
        ("some", "is no run's folder: it has no run.json", f"there is one in `{tmp_path / 'some' / 'run'}`"),
    ):
        with pytest.raises(TrainingError) as caught:
            read_record(tmp_path / name)
        assert caught.value.code == "E366"
        assert message in caught.value.message
        assert help in caught.value.help


def test_metrics_are_rows_of_numbers(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    assert read_metrics(tmp_path / "run") == ROWS
    (tmp_path / "run" / "metrics.csv").unlink()
    assert read_metrics(tmp_path / "run") == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "does not name the columns"),
        ("epoch,train_loss\n1\n", "line 2"),
        ("epoch,train_loss\n1,0.5\n2,x\n", "line 3: could not convert string to float: 'x'"),
        ('epoch,train_loss\n1,"0.5\n', "unexpected end of data"),
    ],
)
def test_damaged_metrics_are_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(TrainingError) as caught:
        read_metrics(tmp_path)
    assert caught.value.code == "E366"
    assert message in caught.value.message


def test_a_cell_without_a_value_and_one_that_is_no_number_are_read(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,train_loss,validation_r2\n1,nan,\n")
    (row,) = read_metrics(tmp_path)
    assert row.keys() == {"epoch", "train_loss"}


def test_test_figures_are_the_numbers_of_their_file(tmp_path: Path) -> None:
    assert read_test(tmp_path) is None
    (tmp_path / "test.json").write_text('{"weights": "best", "epoch": 2, "accuracy": 0.5, "f1": null}')
    assert read_test(tmp_path) == {"epoch": 2, "accuracy": 0.5}
    (tmp_path / "test.json").write_text("{")
    with pytest.raises(TrainingError, match="is damaged"):
        read_test(tmp_path)


def test_runs_are_found_below_a_folder_and_not_among_checkpoints(tmp_path: Path) -> None:
    for name in ("b/seed-1", "b/seed-0", "a", "a/checkpoints/x", ".a.new", "c/d/e/f/too_deep"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").touch()
    assert list(find_runs(tmp_path)) == [tmp_path / name for name in ("a", "b/seed-0", "b/seed-1")]
    assert list(find_runs(tmp_path / "b" / "seed-0")) == [tmp_path / "b" / "seed-0"]
    assert list(find_runs(tmp_path / "absent")) == []


def test_a_network_s_digest_is_that_of_what_it_computes() -> None:
    network = load("unet_padded", classes=3, width=8)
    again = load(Source(network.text()))
    assert network_digest(network) == network_digest(again)
    others = [load("unet_padded", classes=4, width=8), load("unet_padded", input=(3, 128, 128), classes=3, width=8)]
    relu, gelu = (load(Source(f"model m {{ input [3, 8, 8]; conv 4; {act} }}")) for act in ("relu", "gelu"))
    assert len({network_digest(one) for one in (network, *others, relu, gelu)}) == 5


def test_reading_records_imports_no_torch() -> None:
    code = "import sys, archdsl.training.run.record, archdsl.cli.runs; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
