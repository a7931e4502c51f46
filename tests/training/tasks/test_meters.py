"""Losses and figures against torch and scikit-learn on random data, in any split of batches."""

# scikit-learn leaves its functions untyped.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from math import isnan, nan

import pytest
import torch
from sklearn import metrics
from torch import Tensor
from torch.nn import functional

from archdsl.recipes.measures import AbsoluteError, BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from archdsl.training.error import TrainingError
from archdsl.training.tasks.base import Meter, Task
from archdsl.training.tasks.classes import ClassTask, LabelsTask
from archdsl.training.tasks.dense import ImageTask, MaskTask
from archdsl.training.tasks.figures import FIGURES, figures_of, is_better
from archdsl.training.tasks.quantity import NumberTask

pytestmark = pytest.mark.torch

CLASSES = tuple(f"c{i}" for i in range(7))
SPLITS = ([97], [50, 47], [1] * 97, [64, 32, 1])


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def by_class(statement: Loss | None = None, classes: int = 7, counts: tuple[int, ...] = ()) -> ClassTask:
    return ClassTask(statement or CrossEntropy(), CLASSES[:classes], "accuracy", counts=counts)


def masks(statement: Loss | None = None, counts: tuple[int, ...] = ()) -> MaskTask:
    return MaskTask(statement or CrossEntropy(), CLASSES[:4], "miou", counts=counts)


def example(task: Task) -> tuple[Tensor, Tensor]:
    """Return random outputs and targets for 97 images."""
    match task.kind:
        case "class":
            # The last class is never a target, and is predicted.
            return torch.randn(97, len(task.classes)), torch.randint(0, len(task.classes) - 1, (97,))
        case "classes":
            return torch.randn(97, len(task.classes)), (torch.rand(97, len(task.classes)) < 0.3).float()
        case "number":
            return torch.randn(97, 1), torch.randn(97)
        case "mask":
            target = torch.randint(0, 4, (97, 6, 5))
            return torch.randn(97, 4, 6, 5), torch.where(torch.rand(97, 6, 5) < 0.2, 255, target)
        case "image":
            return torch.rand(97, 3, 6, 5), torch.randint(0, 256, (97, 3, 6, 5), dtype=torch.uint8)


TASKS: list[Task] = [
    by_class(),
    by_class(classes=3),
    LabelsTask(BinaryCrossEntropy(), CLASSES, "mean_average_precision"),
    NumberTask(SquaredError(), (), "r2"),
    NumberTask(AbsoluteError(), (), "r2"),
    masks(),
    ImageTask(SquaredError(), (), "psnr"),
    ImageTask(AbsoluteError(), (), "psnr"),
]


def names(task: Task) -> str:
    return f"{task.kind}-{task.statement.kind}-{len(task.classes)}"


def fed(task: Task, sizes: list[int], output: Tensor, target: Tensor) -> Meter:
    meter = task.meter()
    for o, t in zip(output.split(sizes), target.split(sizes), strict=True):
        meter.add(o, t)
    return meter


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_the_figures_are_the_same_in_any_split_of_batches(task: Task) -> None:
    output, target = example(task)
    whole = fed(task, [97], output, target).read()
    assert tuple(whole) == task.figures
    for sizes in SPLITS:
        assert fed(task, sizes, output, target).read() == whole


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_a_meter_can_be_read_twice_and_fed_on(task: Task) -> None:
    output, target = example(task)
    meter = fed(task, [97], output, target)
    assert meter.read() == meter.read()
    meter.add(output[:5], target[:5])
    assert meter.read() == fed(task, [102], torch.cat([output, output[:5]]), torch.cat([target, target[:5]])).read()


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_a_meter_goes_on_from_the_state_of_another(task: Task) -> None:
    output, target = example(task)
    first, other = fed(task, [40], output[:40], target[:40]), fed(task, [9], output[:9], target[:9])
    other.restore(first.state(), torch.device("cpu"))
    other.add(output[40:], target[40:])
    assert other.read() == fed(task, [97], output, target).read()
    other.restore(task.meter().state(), torch.device("cpu"))
    assert other.is_empty


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_the_loss_is_the_mean_of_the_plain_loss_where_the_recipe_changes_nothing(task: Task) -> None:
    output, target = example(task)
    loss = task.loss(output.requires_grad_(), target)
    loss.backward()
    assert output.grad is not None
    assert loss.dtype == torch.float32
    assert fed(task, [97], output, target).read()["loss"] == pytest.approx(loss.item(), rel=1e-6)


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_half_precision_is_measured_in_float32(task: Task) -> None:
    output, target = example(task)
    rough = output.bfloat16()
    assert fed(task, [97], rough, target).read() == fed(task, [97], rough.float(), target).read()
    assert task.loss(rough, target).dtype == torch.float32


@pytest.mark.parametrize("classes", [3, 7])
def test_figures_of_classes_are_scikit_learn_s(classes: int) -> None:
    task = by_class(classes=classes)
    output, target = example(task)
    figures = fed(task, [97], output, target).read()
    truth, predicted = target.numpy(), output.argmax(1).numpy()
    assert figures["loss"] == pytest.approx(functional.cross_entropy(output.double(), target).item(), rel=1e-6)
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted), abs=1e-12)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        balanced = metrics.balanced_accuracy_score(truth, predicted)
    assert figures["balanced_accuracy"] == pytest.approx(balanced, abs=1e-12)
    f1 = metrics.f1_score(truth, predicted, average="macro")
    assert figures["f1"] == pytest.approx(f1, abs=1e-12)
    assert ("top5" in figures) == (classes > 5)
    if classes > 5:
        top5 = metrics.top_k_accuracy_score(truth, output.numpy(), k=5, labels=range(classes))
        assert figures["top5"] == pytest.approx(top5, abs=1e-12)


def test_figures_of_several_classes_are_scikit_learn_s() -> None:
    task = LabelsTask(BinaryCrossEntropy(), CLASSES, "mean_average_precision")
    output, target = example(task)
    figures = fed(task, [97], output, target).read()
    precision = metrics.average_precision_score(target.numpy(), output.numpy(), average="macro")
    assert figures["mean_average_precision"] == pytest.approx(precision, abs=1e-12)
    assert figures["f1"] == pytest.approx(metrics.f1_score(target.numpy(), output.numpy() > 0, average="macro"))
    target[:, 2] = 0  # no image has it: there is no precision, and the mean is that of the others
    others = [0, 1, 3, 4, 5, 6]
    precision = metrics.average_precision_score(target[:, others].numpy(), output[:, others].numpy(), average="macro")
    assert fed(task, [97], output, target).read()["mean_average_precision"] == pytest.approx(precision, abs=1e-12)
    assert isnan(fed(task, [97], output, torch.zeros_like(target)).read()["mean_average_precision"])


def test_figures_of_numbers_are_scikit_learn_s() -> None:
    task = NumberTask(SquaredError(), (), "r2")
    output, target = example(task)
    figures = fed(task, [97], output, target).read()
    truth, predicted = target.numpy(), output[:, 0].numpy()
    assert figures["r2"] == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-5)
    assert figures["mae"] == pytest.approx(metrics.mean_absolute_error(truth, predicted), rel=1e-6)
    assert figures["loss"] == pytest.approx(metrics.mean_squared_error(truth, predicted), rel=1e-6)
    assert isnan(fed(task, [1], output[:1], target[:1]).read()["r2"])
    assert task.loss(output[:, 0], target) == task.loss(output, target)


def test_figures_of_masks_are_scikit_learn_s_over_the_pixels_that_count() -> None:
    task = masks()
    output, target = example(task)
    figures = fed(task, [97], output, target).read()
    counted = target != 255
    truth, predicted = target[counted].numpy(), output.argmax(1)[counted].numpy()
    assert figures["miou"] == pytest.approx(metrics.jaccard_score(truth, predicted, average="macro"), abs=1e-12)
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted), abs=1e-12)
    loss = functional.cross_entropy(output.double(), target, ignore_index=255).item()
    assert figures["loss"] == pytest.approx(loss, rel=1e-6)


def test_classes_that_neither_side_has_are_no_part_of_the_mean_iou() -> None:
    output, target = torch.zeros(2, 4, 3, 3), torch.zeros(2, 3, 3, dtype=torch.int64)
    output[:, 0] = 1
    assert fed(masks(), [2], output, target).read()["miou"] == 1


def test_masks_without_a_pixel_that_counts_have_no_loss_and_no_figure() -> None:
    task = masks()
    output, target = torch.randn(2, 4, 3, 3, requires_grad=True), torch.full((2, 3, 3), 255)
    loss = task.loss(output, target)
    assert loss.item() == 0
    loss.backward()
    figures = fed(task, [2], output, target).read()
    assert all(map(isnan, figures.values()))


def test_psnr_is_that_of_images_from_0_to_1_and_100_db_at_most() -> None:
    task = ImageTask(SquaredError(), (), "psnr")
    output, target = example(task)
    errors = ((output.double() - target.double() / 255) ** 2).mean((1, 2, 3))
    assert fed(task, [97], output, target).read()["psnr"] == pytest.approx((-10 * errors.log10()).mean().item())
    assert fed(task, [97], target.float() / 255, target).read()["psnr"] == pytest.approx(100)


def test_an_image_of_other_channels_is_refused() -> None:
    task = ImageTask(SquaredError(), (), "psnr")
    output, target = example(task)
    with pytest.raises(TrainingError, match=r"the output is \[3, 6, 5\], and the target \[1, 6, 5\]") as caught:
        task.loss(output, target[:, :1])
    assert caught.value.code == "E361"


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("classes", ["equal", "balanced"])
def test_smoothing_and_weights_are_torch_s_and_no_figure_has_them(smoothing: float, classes: str) -> None:
    statement = CrossEntropy.model_validate({"smoothing": smoothing, "classes": classes})
    counts = (10, 20, 5, 5, 0, 30, 30)
    task = by_class(statement, counts=counts)
    output, target = example(task)
    weights = torch.tensor([100 / 7 / n if n else 0 for n in counts]) if classes == "balanced" else None
    expected = functional.cross_entropy(output, target, weights, label_smoothing=smoothing)
    assert task.loss(output, target).item() == pytest.approx(expected.item(), rel=1e-6)
    assert fed(task, [97], output, target).read() == fed(by_class(), [97], output, target).read()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("classes", ["equal", "balanced"])
def test_smoothing_and_weights_of_masks_are_torch_s(smoothing: float, classes: str) -> None:
    task = masks(CrossEntropy.model_validate({"smoothing": smoothing, "classes": classes}), (10, 20, 40, 30))
    output, target = example(task)
    weights = torch.tensor([2.5, 1.25, 0.625, 25 / 30]) if classes == "balanced" else None
    expected = functional.cross_entropy(output, target, weights, ignore_index=255, label_smoothing=smoothing)
    assert task.loss(output, target).item() == pytest.approx(expected.item(), rel=1e-5)


def test_balanced_weights_need_counts() -> None:
    output, target = example(by_class())
    with pytest.raises(ValueError, match="need the number of training images"):
        by_class(CrossEntropy(classes="balanced")).loss(output, target)


def test_smoothed_labels_move_towards_the_middle() -> None:
    task = LabelsTask(BinaryCrossEntropy(smoothing=0.2), CLASSES, "f1")
    output, target = example(task)
    expected = functional.binary_cross_entropy_with_logits(output, target * 0.8 + 0.1)
    assert task.loss(output, target).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_an_output_that_is_no_number_gives_no_figures_and_no_error(task: Task) -> None:
    output, target = example(task)
    figures = fed(task, [97], torch.full_like(output, nan), target).read()
    assert all(map(isnan, figures.values()))
    assert not any(task.is_better(figures, other) for other in (figures, fed(task, [97], output, target).read()))
    assert task.error(figures) > 0


@pytest.mark.parametrize("task", TASKS, ids=names)
def test_of_two_results_that_with_the_better_figure_is_better_and_equal_ones_are_not(task: Task) -> None:
    low = dict.fromkeys(task.figures, 0.25)
    high = {**low, task.best_by: 0.75}
    assert task.is_better(high, low)
    assert not task.is_better(low, high)
    assert not task.is_better(low, low)
    by_loss = type(task)(task.statement, task.classes, "loss")
    assert by_loss.is_better({"loss": 0.1}, {"loss": 0.2})


def test_the_error_is_what_is_wrong_or_the_loss() -> None:
    figures = dict.fromkeys(FIGURES, 0.25)
    assert [task.error(figures) for task in TASKS] == [0.75, 0.75, 0.75, 0.25, 0.25, 0.75, 0.25, 0.25]


def test_nothing_measured_has_no_figures() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        by_class().meter().read()


def test_more_than_five_classes_have_a_top_5() -> None:
    assert "top5" in figures_of("class", CLASSES[:6])
    assert "top5" not in figures_of("class", CLASSES[:5])


def test_what_is_no_number_is_worse_than_any() -> None:
    for name in FIGURES:
        assert is_better(name, 1.0, nan)
        assert not is_better(name, nan, 1.0)
        assert not is_better(name, nan, nan)


@pytest.mark.parametrize(
    "task", [*TASKS, by_class(CrossEntropy(classes="balanced"), counts=(1,) * 7), masks(CrossEntropy(smoothing=0.1))]
)
def test_a_step_waits_for_nothing_on_the_device(task: Task) -> None:
    """Tensors that only have shapes raise where one is read."""
    output, target = (tensor.to("meta") for tensor in example(task))
    meter = task.meter()
    task.loss(output, target)
    meter.add(output, target)
    with pytest.raises(NotImplementedError):
        meter.read()
