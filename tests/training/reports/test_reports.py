from __future__ import annotations

import csv
import io
from math import isnan, nan
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from archdsl.recipes.measures import BinaryCrossEntropy, CrossEntropy, SquaredError
from archdsl.text.failure import Failure
from archdsl.training.data.dataset import BadSampleError
from archdsl.training.reports.curves import RunCurve, compared, curves
from archdsl.training.reports.outcomes import Outcomes
from archdsl.training.reports.pictures import confusion_png
from archdsl.training.reports.report import report, write_report
from archdsl.training.tasks.base import Task
from archdsl.training.tasks.classes import ClassTask, LabelsTask
from archdsl.training.tasks.dense import ImageTask, MaskTask
from archdsl.training.tasks.quantity import NumberTask
from archdsl.training.tasks.scikit import class_scores

pytestmark = pytest.mark.torch

# What a formula, a terminal, a table or an encoding would stumble over.
NAMES = ("cat", "$x_{", 'dog, "big"\nand old\x1b[31m', "猫", "\udcff", "owl")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


class Pictures:
    """Grey and colour images of other sizes, one of which cannot be read."""

    def __len__(self) -> int:
        return 60

    def image(self, index: int) -> Tensor:
        if index == 3:
            raise BadSampleError(self.name(index), "it is damaged")
        return torch.full((1 if index % 2 else 3, 20 + index, 500), index, dtype=torch.uint8)

    def target(self, index: int) -> Tensor:
        raise NotImplementedError

    def name(self, index: int) -> str:
        return f"folder/{NAMES[index % len(NAMES)]}/image {index}.png"


def outcomes_of(task: Task, output: Tensor, target: Tensor) -> Outcomes:
    found = Outcomes(task)
    for rows in torch.arange(len(target)).split(7):
        found.add(output[rows], target[rows], rows)
    return found


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def check_png(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert min(image.size) > 100


def test_a_report_on_classes_counts_them_and_shows_the_worst_mistakes() -> None:
    task = ClassTask(CrossEntropy(), NAMES, "accuracy")
    output, target = torch.randn(60, 6), torch.randint(0, 5, (60,))
    output[:, 1] = -9  # never predicted
    files = report(outcomes_of(task, output, target), Pictures(), "net on $pets$, test")
    assert [*files] == ["confusion.png", "confusion.csv", "classes.csv", "mistakes.png"]
    predicted = output.argmax(1)
    table = rows_of(files["confusion.csv"])
    for row, line in enumerate(table):
        counts = [int(line[name]) for name in list(line)[1:]]
        assert counts == [int(((target == row) & (predicted == column)).sum()) for column in range(6)]
    assert [line["class"] for line in table] == [name.encode(errors="backslashreplace").decode() for name in NAMES]
    scores = class_scores(functional.one_hot(target, 6), functional.one_hot(predicted, 6), nan)
    for row, line in enumerate(rows_of(files["classes.csv"])):
        assert int(line["images"]) == int((target == row).sum())
        assert int(line["predicted"]) == int((predicted == row).sum())
        for name, column in zip(("precision", "recall", "f1"), scores, strict=False):
            expected = float(column[row])
            assert line[name] == ("" if isnan(expected) else f"{expected:.6g}")
    for name in ("confusion.png", "mistakes.png"):
        check_png(files[name])
    assert report(outcomes_of(task, output, target), Pictures(), "net on $pets$, test") == files


def test_the_worst_mistakes_are_wrong_ones_by_their_loss() -> None:
    task = ClassTask(CrossEntropy(), ("cat", "dog"), "accuracy")
    output = torch.tensor([[3.0, 0.0], [0.0, 3.0], [1.0, 0.0], [nan, 0.0]])
    target = torch.tensor([1, 1, 1, 1])
    assert outcomes_of(task, output, target).worst(5) == [
        (3, "dog → cat nan%"),
        (0, "dog → cat 95%"),
        (2, "dog → cat 73%"),
    ]
    assert outcomes_of(task, output, target).worst(1) == [(3, "dog → cat nan%")]


def test_a_part_without_mistakes_has_no_picture_of_them() -> None:
    task = ClassTask(CrossEntropy(), ("cat", "dog"), "accuracy")
    files = report(outcomes_of(task, torch.eye(2) * 5, torch.tensor([0, 1])), Pictures(), "net")
    assert "mistakes.png" not in files


def test_a_report_on_several_classes_has_their_precisions() -> None:
    task = LabelsTask(BinaryCrossEntropy(), ("cat", "dog", "owl"), "f1")
    output, target = torch.randn(60, 3), (torch.rand(60, 3) < 0.4).float()
    target[:, 1] = 0
    files = report(outcomes_of(task, output, target), Pictures(), "net")
    assert [*files] == ["classes.csv", "mistakes.png"]
    first, second, _ = rows_of(files["classes.csv"])
    assert int(first["images"]) == int(target[:, 0].sum())
    assert float(first["precision"]) == pytest.approx(float(target[output[:, 0] > 0, 0].mean()), abs=1e-5)
    assert (second["images"], second["recall"], second["average_precision"]) == ("0", "", "")
    check_png(files["mistakes.png"])


def test_a_report_on_masks_counts_pixels() -> None:
    task = MaskTask(CrossEntropy(), ("sky", "tree"), "miou")
    output, target = torch.randn(60, 2, 4, 5), torch.randint(0, 2, (60, 4, 5))
    target[:, 0] = 255
    files = report(outcomes_of(task, output, target), Pictures(), "net")
    assert [*files] == ["confusion.png", "confusion.csv", "classes.csv", "mistakes.png"]
    sky, _ = rows_of(files["classes.csv"])
    is_sky, as_sky, counted = target == 0, output.argmax(1) == 0, target != 255
    both = (is_sky & as_sky).sum()
    assert int(sky["pixels"]) == int(is_sky.sum())
    assert float(sky["iou"]) == pytest.approx(float(both / (is_sky | (as_sky & counted)).sum()), abs=1e-5)
    check_png(files["mistakes.png"])


@pytest.mark.parametrize("task", [NumberTask(SquaredError(), (), "r2"), ImageTask(SquaredError(), (), "psnr")])
def test_a_report_on_numbers_and_images_shows_the_largest_errors(task: Task) -> None:
    if task.kind == "number":
        output, target = torch.randn(60, 1), torch.randn(60)
    else:
        output, target = torch.rand(60, 3, 4, 4), torch.randint(0, 256, (60, 3, 4, 4), dtype=torch.uint8)
    outcomes = outcomes_of(task, output, target)
    files = report(outcomes, Pictures(), "net")
    assert [*files] == ["mistakes.png"]
    check_png(files["mistakes.png"])
    (place, line), *_ = outcomes.worst(3)
    assert place == int(task.each(output, target).argmax())
    assert ("→" in line) == (task.kind == "number")


@pytest.mark.parametrize("classes", [1, 2, 30, 300])
def test_a_confusion_matrix_of_any_size_is_drawn(classes: int) -> None:
    table = torch.randint(0, 2_000_000, (classes, classes))
    check_png(confusion_png(table, [f"class {i}" for i in range(classes)], "net"))


def test_a_report_is_written_into_a_folder_and_over_no_one_else_s_files(tmp_path: Path) -> None:
    write_report(tmp_path / "a" / "b", {"classes.csv": b"class\n"})
    assert (tmp_path / "a" / "b" / "classes.csv").read_bytes() == b"class\n"
    write_report(tmp_path / "a" / "b", {"classes.csv": b"class\n"})
    with pytest.raises(Failure) as caught:
        write_report(tmp_path / "a" / "b", {"classes.csv": b"other\n"})
    assert caught.value.code == "E331"
    write_report(tmp_path / "a" / "b", {"classes.csv": b"other\n"}, overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(Failure) as caught:
        write_report(tmp_path / "file", {"classes.csv": b"class\n"})
    assert caught.value.code == "E332"


def rows(count: int) -> list[dict[str, float]]:
    names = [f"{part}_{name}" for part in ("train", "validation") for name in ("loss", "accuracy", "top5", "f1")]
    return [{"epoch": n, **dict.fromkeys(names, 1 / n)} for n in range(1, count + 1)]


@pytest.mark.parametrize("count", [0, 1, 20])
def test_curves_have_a_panel_for_each_figure(count: int) -> None:
    content = curves(rows(count), "net on $pets$ \udcff 猫")
    check_png(content)
    assert curves(rows(count), "net on $pets$ \udcff 猫") == content


def test_curves_show_where_a_phase_begins() -> None:
    plain = rows(4)
    phased = [{**row, "phase": 1.0 if number < 2 else 2.0} for number, row in enumerate(plain)]
    check_png(curves(phased, "net"))
    assert curves(phased, "net") != curves(plain, "net")
    assert curves([{**row, "phase": 1.0} for row in plain], "net") == curves(plain, "net")


def test_curves_leave_out_what_is_no_number() -> None:
    found = rows(3)
    found[1].update(train_loss=nan, validation_loss=float("inf"))
    del found[2]["validation_accuracy"]
    check_png(curves(found, "net"))


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_runs_are_compared_in_one_picture(format: str) -> None:
    runs = [RunCurve(f"run {n} $x$", rows(n)) for n in (0, 1, 2, 30)]
    content = compared(runs, "accuracy", format)
    assert content == compared(runs, "accuracy", format)
    assert len(content) > 1000
