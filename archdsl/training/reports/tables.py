"""Tables of how each class does, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from math import isnan, nan

from torch import Tensor

from archdsl.training.reports.outcomes import Outcomes
from archdsl.training.tasks.dense import intersections_over_unions
from archdsl.training.tasks.scikit import average_precisions, class_scores, listed, whole


def confusion_csv(table: Tensor, classes: Sequence[str]) -> bytes:
    """Write a confusion matrix: a row for each class, a column for each prediction."""
    rows = ((name, *row) for name, row in zip(classes, map(whole, table), strict=True))
    return _csv(("class", *(f"predicted {name}" for name in classes)), rows)


def classes_csv(outcomes: Outcomes) -> bytes:
    """Write a row for each class: how many there are, precision, recall and what its kind of data adds.

    What cannot be said, such as the precision of a class that was never predicted, is empty.
    """
    classes = outcomes.task.classes
    match outcomes.task.kind:
        case "classes":
            return _labels_csv(outcomes, classes)
        case "mask":
            return _table_csv(outcomes, classes, "pixels")
        case _:
            return _table_csv(outcomes, classes, "images")


def _table_csv(outcomes: Outcomes, classes: Sequence[str], what: str) -> bytes:
    assert outcomes.table is not None
    table = outcomes.table.double()
    same, there, found = table.diagonal(), table.sum(1), table.sum(0)
    columns = [same / found, same / there, 2 * same / (there + found)]
    header = ["class", what, "predicted", "precision", "recall", "f1"]
    if what == "pixels":
        columns.append(intersections_over_unions(table))
        header.append("iou")
    counts = zip(classes, whole(there), whole(found), strict=True)
    shares = zip(*map(listed, columns), strict=True)
    return _csv(header, ((*of, *map(_share, values)) for of, values in zip(counts, shares, strict=True)))


def _labels_csv(outcomes: Outcomes, classes: Sequence[str]) -> bytes:
    _, _, scores, targets = outcomes.columns
    predicted = scores > 0.5
    found = class_scores(targets > 0.5, predicted, nan)
    header = ("class", "images", "predicted", "precision", "recall", "f1", "average_precision")
    columns = (*map(listed, found[:3]), average_precisions(scores, targets))
    counts = zip(classes, whole(found.counts), whole(predicted.sum(0)), strict=True)
    shares = zip(*columns, strict=True)
    return _csv(header, ((*of, *map(_share, values)) for of, values in zip(counts, shares, strict=True)))


def _share(value: float) -> str:
    return "" if isnan(value) else f"{value:.6g}"


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")
