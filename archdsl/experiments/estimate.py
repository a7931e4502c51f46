"""About how long an experiment takes."""

from __future__ import annotations

from itertools import islice
from statistics import mean

from archdsl.experiments.runner import Runner
from archdsl.experiments.schedule import is_trained
from archdsl.training.dry import try_out

_TRIED = 5
"""Of more trainings, so many are tried, evenly spaced."""


def seconds_per_step(runner: Runner) -> float:
    """Return the mean seconds of a step of an experiment's trainings, of which some are tried out; 0 for none."""
    trainings = list(dict.fromkeys(p.training for p in runner.experiment.points if is_trained(p, runner.experiment)))
    found: list[float] = []
    for training in islice(trainings, 0, None, max(-(-len(trainings) // _TRIED), 1)):
        setup = runner.setup
        data = setup.data(training.data, 0)
        network, _ = setup.compiled(training.model, data)
        found.append(try_out(network, setup.recipe(training.recipe, 0), data, setup.means).seconds_per_step)
    return mean(found) if found else 0.0
