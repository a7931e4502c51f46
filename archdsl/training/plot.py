"""The learning curves of a run as a picture."""

# matplotlib leaves keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from archdsl.training.observer import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's blue and vermilion: told apart by the colour-blind too, and by dash in grey.
TRAIN = "#0072B2"
TEST = "#D55E00"


def curves(epochs: Sequence[Epoch], title: str) -> bytes:
    """Draw loss and accuracy by epoch, training and test, as a PNG of 1500 x 600 pixels."""
    figure = Figure(figsize=(10, 4), dpi=150, layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    numbers = [epoch.epoch for epoch in epochs]
    _draw(loss, numbers, [e.train_loss for e in epochs], [e.test_loss for e in epochs])
    _draw(accuracy, numbers, [e.train_accuracy for e in epochs], [e.test_accuracy for e in epochs])
    loss.set(ylabel="cross-entropy", title="Loss")
    loss.set_ylim(bottom=0)
    accuracy.set(ylabel="images classified correctly", title="Accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    accuracy.legend(loc="lower right", frameon=False)
    figure.suptitle(title)
    image = BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()


def _draw(axes: Axes, epochs: Sequence[int], train: Sequence[float], test: Sequence[float]) -> None:
    marker = "o" if len(epochs) == 1 else ""  # one point makes no line
    axes.plot(epochs, train, color=TRAIN, linestyle="--", marker=marker, label="training")
    axes.plot(epochs, test, color=TEST, marker=marker, label="test")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
