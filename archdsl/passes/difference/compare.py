"""The comparison of two networks, from their tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.ops.base import Tensor
from archdsl.passes.difference.align import Aligner
from archdsl.passes.difference.fold import fold
from archdsl.passes.difference.items import ItemLists
from archdsl.passes.difference.model import Difference, Figure, Follow, Side, WeightsKept
from archdsl.passes.difference.moves import find_moves
from archdsl.passes.difference.walk import Walk, outermost
from archdsl.passes.frozen import describe_frozen
from archdsl.passes.memory import measure_memory
from archdsl.passes.receptive import ReceptiveField, receptive_fields
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_state
from archdsl.passes.tables import Tables


@dataclass(frozen=True, slots=True)
class Subject:
    """A network that is compared: who it is, and its tables."""

    side: Side
    tables: Tables


def compare(before: Subject, after: Subject) -> Difference:
    """Say what was added, removed, changed, renamed and moved from one network to another, and what follows.

    Requires: shapes without errors, all numbers. Ensures: what the changes and what follows from them add to
    parameters and macs is the difference of the totals; comparing the other way round gives the same with both sides
    exchanged; a network compared with itself gives no change.
    """
    levels = ItemLists()
    ours, theirs = (outermost(subject.tables, levels) for subject in (before, after))
    walk = Walk(Aligner(levels), levels)
    walk.compare(ours, theirs)
    found, moved = find_moves(walk.found, levels)
    changes = fold(found)
    follows = Follow(
        tuple(walk.follows),
        sum(place.parameters for place in walk.follows),
        sum(place.macs for place in walk.follows),
    )
    totals = tuple(_totals(before.tables, after.tables))
    weights = _weights(before.tables.shapes, after.tables.shapes, {**walk.paths, **moved})
    frozen = _frozen(before.tables.shapes, after.tables.shapes)
    return Difference(before.side, after.side, changes, follows, totals, weights, frozen)


def _frozen(before: Shapes, after: Shapes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say what is frozen in each; nothing where that is the same."""
    ours, theirs = (tuple(map(str, describe_frozen(shapes))) for shapes in (before, after))
    return ((), ()) if ours == theirs else (ours, theirs)


def _totals(before: Tables, after: Tables) -> list[Figure]:
    ours, theirs = before.costs.total, after.costs.total
    one, other = (measure_memory(tables.shapes) for tables in (before, after))
    is_frozen = bool(ours.frozen or theirs.frozen)
    return [
        Figure("parameters", ours.parameters, theirs.parameters),
        *([Figure("trainable", ours.trainable, theirs.trainable)] if is_frozen else []),
        Figure("buffers", ours.buffers, theirs.buffers),
        Figure("macs", ours.macs, theirs.macs),
        Figure("elementwise", ours.elementwise, theirs.elementwise),
        Figure("activations", ours.activation_bytes, theirs.activation_bytes, "bytes"),
        Figure("inference memory", one.inference, other.inference, "bytes"),
        Figure("training memory", one.training, other.training, "bytes"),
        Figure("receptive field", _field(before.shapes), _field(after.shapes), "pixels"),
    ]


def _field(shapes: Shapes) -> int | None:
    """Return the side of what the last feature map sees of the first input; None where it is the whole of it."""
    fields = receptive_fields(shapes).last_feature_map()
    field: ReceptiveField | None = next(iter(fields.values()), None)
    if field is None or None in field.size:
        return None
    return max(size for size in field.size if size is not None)


def _weights(before: Shapes, after: Shapes, paths: Mapping[str, str]) -> WeightsKept:
    """Say which tensors of the first network fit the step of the second that stands for theirs."""
    ours, theirs = dict(list_state(before)), dict(list_state(after))
    images = {key: image for key in ours if (image := _image(key, paths)) in theirs}
    fits = {key: image for key, image in images.items() if _is_alike(ours[key], theirs[image])}
    elements = sum(ours[key].elements for key in fits)
    return WeightsKept(
        tensors_before=len(ours),
        tensors_after=len(theirs),
        same_key=sum(key == image for key, image in fits.items()),
        other_key=sum(key != image for key, image in fits.items()),
        other_shape=len(images) - len(fits),
        other_step=sum(
            key in theirs and images.get(key) != key and _is_alike(tensor, theirs[key]) for key, tensor in ours.items()
        ),
        elements_before=sum(tensor.elements for tensor in ours.values()),
        elements_after=sum(tensor.elements for tensor in theirs.values()),
        elements=elements,
    )


def _is_alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _image(key: str, paths: Mapping[str, str]) -> str:
    """Return the key in the second network of the tensor that stands for this one; nothing where there is none."""
    path = key
    while True:
        if path in paths:
            return paths[path] + key[len(path) :]
        path, dot, _ = path.rpartition(".")
        if not dot:
            return ""
