"""The figures that tell how good a network is: their names, which way is better, and how people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archdsl.training.data.dataset import TargetKind


@dataclass(frozen=True, slots=True)
class FigureKind:
    """One figure: what it is called, whether it is a share of 1, and whether less of it is better."""

    title: str
    is_share: bool = False
    is_less_better: bool = False

    def text(self, value: float) -> str:
        """Write a value as people read it.

        >>> FIGURES["accuracy"].text(0.925), FIGURES["loss"].text(0.2134567)
        ('92.50%', '0.2135')
        """
        if isnan(value):
            return "none"
        return f"{value:.2%}" if self.is_share else f"{value:.4g}"


FIGURES: Mapping[str, FigureKind] = MappingProxyType(
    {
        "loss": FigureKind("loss", is_less_better=True),
        "accuracy": FigureKind("accuracy", is_share=True),
        "top5": FigureKind("top-5 accuracy", is_share=True),
        "balanced_accuracy": FigureKind("balanced accuracy", is_share=True),
        "f1": FigureKind("F1, mean of classes", is_share=True),
        "mean_average_precision": FigureKind("mean average precision", is_share=True),
        "r2": FigureKind("R²"),
        "mae": FigureKind("mean absolute error", is_less_better=True),
        "miou": FigureKind("mean IoU", is_share=True),
        "psnr": FigureKind("PSNR in dB"),
    }
)
"""All figures. Those that are shares go from 0 to 1."""

_BY_KIND: Mapping[TargetKind, tuple[str, ...]] = MappingProxyType(
    {
        "class": ("loss", "accuracy", "top5", "balanced_accuracy", "f1"),
        "classes": ("loss", "mean_average_precision", "f1"),
        "number": ("loss", "r2", "mae"),
        "mask": ("loss", "miou", "accuracy"),
        "image": ("loss", "psnr"),
    }
)
CHOOSES: Mapping[TargetKind, str] = MappingProxyType(
    {"class": "accuracy", "classes": "mean_average_precision", "number": "r2", "mask": "miou", "image": "psnr"}
)
"""What `best by=auto` takes for each kind of data."""
_SHOWN = 5
"""Of so many classes each is among the first five."""


def figures_of(kind: TargetKind, classes: Sequence[str]) -> tuple[str, ...]:
    """List the figures that a kind of data has, the loss first."""
    return tuple(name for name in _BY_KIND[kind] if name != "top5" or len(classes) > _SHOWN)


def is_better(name: str, one: float, other: float) -> bool:
    """Return whether one value of a figure is better than another; what is no number is worse than any.

    >>> is_better("accuracy", 0.9, 0.8), is_better("loss", 0.9, 0.8), is_better("loss", 1.0, float("nan"))
    (True, False, True)
    """
    return _badness(name, one) < _badness(name, other)


def _badness(name: str, value: float) -> float:
    if isnan(value):
        return inf
    return value if FIGURES[name].is_less_better else -value
