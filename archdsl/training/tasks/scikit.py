"""The figures that scikit-learn computes, with types. It is imported when the first is asked for."""

# scikit-learn says of no function what it gives for which arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from math import nan
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """Figures by class, float64 [classes], and how many images have the class."""

    precision: Tensor
    recall: Tensor
    f1: Tensor
    counts: Tensor


def _metrics() -> Any:
    from sklearn import metrics

    return metrics


def class_scores(targets: Tensor, predicted: Tensor, undefined: float = 0.0) -> ClassScores:
    """Return the scores of classes, of those only that occur where targets are indices [N]; else targets are [N, K].

    `undefined` stands for a share of nothing: the precision of a class never predicted, the recall of one without an
    image.
    Source: sklearn.metrics.precision_recall_fscore_support
    """
    found = _metrics().precision_recall_fscore_support(targets.numpy(), predicted.numpy(), zero_division=undefined)
    return ClassScores(*map(torch.as_tensor, found))


def average_precisions(scores: Tensor, targets: Tensor) -> list[float]:
    """Return each class's average precision; no number for a class that no image has, or scores that are none.

    Source: sklearn.metrics.average_precision_score
    """
    found: list[float] = []
    for column, truth in zip(scores.T, targets.T > 0.5, strict=True):
        is_defined = bool(truth.any()) and bool(column.isfinite().all())
        score = _metrics().average_precision_score(truth.numpy(), column.numpy()) if is_defined else nan
        found.append(float(score))
    return found


def r2(targets: Tensor, predicted: Tensor) -> float:
    """Return the share of the targets' variance that is explained; no number for a single one, which has none.

    Source: sklearn.metrics.r2_score
    """
    if len(targets) < 2 or not predicted.isfinite().all():
        return nan
    return float(_metrics().r2_score(targets.double().numpy(), predicted.double().numpy()))


def mean_absolute_error(targets: Tensor, predicted: Tensor) -> float:
    """Return the mean absolute error.

    Source: sklearn.metrics.mean_absolute_error
    """
    if not predicted.isfinite().all():
        return nan
    return float(_metrics().mean_absolute_error(targets.double().numpy(), predicted.double().numpy()))


def listed(values: Tensor) -> list[float]:
    """Return a tensor [N] as numbers."""
    return cast("list[float]", values.tolist())


def whole(values: Tensor) -> list[int]:
    """Return a tensor [N] as whole numbers."""
    return cast("list[int]", values.long().tolist())
