"""The phases of a run: what each trains, and how, settled before the first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from archdsl.ir.freezing import Freezing
from archdsl.network import Network
from archdsl.passes.depth import layer_depths
from archdsl.recipes.recipe import Recipe
from archdsl.text.error import SpecError
from archdsl.training.error import TrainingError
from archdsl.training.trunk import Cut, cut


@dataclass(frozen=True)
class RunPhase:
    """A phase of a run: its number, from 1, what the recipe says for it, and the network with what it freezes."""

    number: int
    recipe: Recipe
    network: Network

    @property
    def trained_parameters(self) -> int:
        """Return how many numbers learn."""
        frozen = self.network.frozen_keys
        return sum(t.elements for key, t in self.network.state if t.kind == "parameter" and key not in frozen)

    @property
    def freezings(self) -> tuple[str, ...]:
        """Return what is frozen, as specs write it."""
        return tuple(map(str, self.network.freezings))

    @cached_property
    def factors(self) -> Mapping[str, float]:
        """Return the factors of the learning rate by the keys of parameters; those that are not there have 1.

        Requires: the paths of the recipe's `rates` name steps.
        """
        rates = self.recipe.rates
        if rates is None:
            return {}
        keys = [key for key, tensor in self.network.state if tensor.kind == "parameter"]
        named: dict[str, float] = {}
        for pattern, factor in rates.factors:
            reached = self.network.frozen(Freezing((pattern,))).frozen_keys
            named |= {key: factor for key in keys if key in reached}
        depths: Mapping[str, int] = layer_depths(self.network.shapes) if rates.decay != 1 else {}
        return {key: named.get(key, 1.0) * rates.decay ** depths.get(key, 0) for key in keys}

    @cached_property
    def cut(self) -> Cut | str:
        """Return the network cut behind all that the phase does not change, or why it cannot be."""
        return cut(self.network)

    def module(self) -> nn.Module:
        """Build the network anew, under what is frozen now. It needs a state."""
        return self.network.module(is_initial=True)


def phases_of(network: Network, recipe: Recipe) -> tuple[RunPhase, ...]:
    """Return the phases of a recipe, each with its network.

    Errors: TrainingError with E371 where a path of `freeze` or `rates` names nothing, or a phase has nothing to train
    """
    whole = _frozen(network, recipe, "the recipe's `freeze`")
    found: list[RunPhase] = []
    for number, own in enumerate(recipe.recipes_by_phase, 1):
        where = f" of phase {number}" if recipe.phases else ""
        phase = RunPhase(number, own, _frozen(whole, own, f"`freeze`{where}"))
        if phase.network.frozen_keys and not phase.trained_parameters:
            what = f"phase {number} has" if recipe.phases else "`freeze` leaves"
            help = "name fewer paths in `freeze`, or what is to learn behind `except`"
            raise TrainingError(f"{what} nothing to train", help, "E371")
        try:
            _ = phase.factors
        except SpecError as error:
            raise _nothing_named(error, f"`rates`{where}") from None
        found.append(phase)
    return tuple(found)


def _frozen(network: Network, recipe: Recipe, where: str) -> Network:
    if recipe.freeze is None:
        return network
    try:
        return network.frozen(recipe.freeze.freezing)
    except SpecError as error:
        raise _nothing_named(error, where) from None


def _nothing_named(error: SpecError, where: str) -> TrainingError:
    told = error.diagnostics[0]
    return TrainingError(f"{told.message}, which {where} names", told.help or "", "E371")


def is_over(recipe: Recipe, state: Mapping[str, Any]) -> bool:
    """Return whether the run that a checkpoint is of has no more to learn."""
    number, first_epoch, _ = phase_of(state)
    recipes = recipe.recipes_by_phase
    done = state["counts"][0] - first_epoch
    return number == len(recipes) and (done >= recipes[-1].epochs.number or bool(state["has_stopped"]))


def phase_of(state: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the phase that a checkpoint stands in, its first epoch, and the steps before it.

    A checkpoint of a version without phases stands in the first.
    """
    number, epoch, step = state.get("phase", (1, 1, 0))
    return int(number), int(epoch), int(step)
