"""How many classes a model gets from the data. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archdsl.compiler import Compilation
from archdsl.network import Network
from archdsl.text.error import SpecError
from archdsl.training.data.dataset import DataSet

CLASSES = "classes"
"""The parameter that is called so in every bundled model."""


def with_classes(
    network: Network, settings: Mapping[str, str], data: DataSet, compiled: Callable[[Mapping[str, str]], Compilation]
) -> tuple[Network, Mapping[str, str]]:
    """Give a model as many classes as the data has, where `settings` do not say how many; return it with its settings.

    `compiled` compiles the model with other settings. Where it has no such parameter, all stays as it is, and the task
    says what does not fit.
    """
    count = 1 if data.kind == "number" else len(data.classes)
    if CLASSES in settings or not count or next(iter(network.outputs.values())).numbers()[0] == count:
        return network, settings
    more = {**settings, CLASSES: str(count)}
    try:
        return Network(compiled(more)), more
    except SpecError:
        return network, settings
