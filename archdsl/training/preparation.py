"""How images reach a network that starts from weights: what the recipe says goes first, what it leaves open is theirs.

Without weights, images are normalised by the training part's own mean and deviation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.recipes.images import USUAL_INTERPOLATION, USUAL_SHARE, ImageChange, Normalize, Resize, TestCrop
from archdsl.recipes.recipe import Recipe
from archdsl.training.data.statistics import Statistics, imagenet
from archdsl.training.run.weights import StartingWeights
from archdsl.weights.preprocessing import IMAGENET, Preprocessing

_COLOURS = 3
_ALIKE = 0.005
"""Figures that differ by less are the same, rounded."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """A recipe in which nothing of images is left open, and where that comes from."""

    recipe: Recipe
    statistics: Statistics | None = None
    """What to normalise by, if not by what the recipe says or the data has."""
    brought: Preprocessing | None = None
    """What is known of the images that made the weights."""
    notes: tuple[str, ...] = ()
    """What is to be said of it."""


def prepare(recipe: Recipe, size: tuple[int, int, int], start: StartingWeights | None) -> Preparation:
    """Settle how images reach a network of the input [C, H, W] that starts from weights, or from none."""
    told = start.found.preprocessing if start is not None else None
    known = told.for_channels(size[0]) if told is not None else None
    notes = list(_against(recipe, size, known)) if known is not None else []
    is_open = not any(isinstance(change, Normalize) for change in (*recipe.eval, *recipe.train))
    if is_open and known is not None:
        notes.append(f"images are normalised as those of {known.origin} were")
    elif is_open and start is not None and size[0] == _COLOURS:
        known = IMAGENET
        notes.append(
            f"`{start.name}` does not say how images were normalised, so ImageNet's mean and deviation are taken"
        )
    statistics = Statistics(known.mean, known.deviation) if known is not None and is_open else None
    settled = recipe.model_copy(update={"train": _settled(recipe.train, None), "eval": _measured(recipe.eval, known)})
    return Preparation(settled, statistics, known, tuple(notes))


def _measured(changes: Sequence[ImageChange], known: Preprocessing | None) -> tuple[ImageChange, ...]:
    """Return what `images eval` comes to: it cuts as the weights were measured, where it says nothing of size."""
    if known is not None and known.share is not None and not any(isinstance(c, Resize | TestCrop) for c in changes):
        changes = (TestCrop(), *changes)
    return _settled(changes, known)


def _settled(changes: Sequence[ImageChange], known: Preprocessing | None) -> tuple[ImageChange, ...]:
    share = known.share if known is not None and known.share is not None else USUAL_SHARE
    interpolation = (known.filter if known is not None else None) or USUAL_INTERPOLATION
    open_ones = {"share": share, "interpolation": interpolation}
    return tuple(
        change.model_copy(
            update={name: value for name, value in open_ones.items() if getattr(change, name, value) is None}
        )
        for change in changes
    )


def _against(recipe: Recipe, size: tuple[int, int, int], known: Preprocessing) -> Iterator[str]:
    """Say where the recipe or the network stands against what the weights bring; they hold, not the weights."""
    normalizes = [change for change in (*recipe.eval, *recipe.train) if isinstance(change, Normalize)]
    if normalizes:
        by = normalizes[0].by
        figures = {"imagenet": imagenet(size[0]), "none": Statistics((0.0,) * size[0], (1.0,) * size[0])}.get(by)
        if figures is None or not _are_alike((*figures.mean, *figures.deviation), (*known.mean, *known.deviation)):
            was = f"mean {_listed(known.mean)} and deviation {_listed(known.deviation)}"
            yield f"the recipe's `normalize {by}` holds, though images of {known.origin} had {was}"
    if known.size is not None and known.size != size[1:]:
        here, there = (f"{height} x {width}" for height, width in (size[1:], known.size))
        yield f"the network takes images of {here}, and those of {known.origin} were {there}"
    cut = next((change for change in recipe.eval if isinstance(change, TestCrop | Resize)), None)
    if cut is None:
        return
    said = cut.share if isinstance(cut, TestCrop) else cut.ratio
    is_other = isinstance(cut, Resize) or (said is not None and abs(said - (known.share or said)) > _ALIKE)
    if known.share is not None and is_other:
        was = f"images of {known.origin} were cut to {known.share:.4g} of the shorter side"
        yield f"the recipe's `{cut.keyword} {said:g}` holds, though {was}"
    by = cut.interpolation
    if by is not None and known.interpolation is not None and by != known.interpolation:
        yield f"the recipe's `interpolation={by}` holds, though images of {known.origin} were {known.interpolation}"


def _are_alike(some: Sequence[float], others: Sequence[float]) -> bool:
    return all(abs(one - other) < _ALIKE for one, other in zip(some, others, strict=True))


def _listed(figures: Sequence[float]) -> str:
    return f"[{', '.join(f'{figure:.4g}' for figure in figures)}]"
