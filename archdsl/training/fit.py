"""Whether a network suits a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.training.error import TrainingError

if TYPE_CHECKING:
    from archdsl.network import Network
    from archdsl.training.data import DataSet


def image_size(network: Network, data: DataSet) -> tuple[int, int, int]:
    """Return the [C, H, W] that the network is to be fed.

    Errors: TrainingError where the network is no classifier of such images
    """
    if len(network.inputs) != 1:
        raise TrainingError(f"{network.name} has {len(network.inputs)} inputs", "training feeds one image")
    ((_, wanted),) = network.inputs.items()
    if len(wanted) != 3:
        raise TrainingError(f"{network.name} takes {wanted}", "training feeds images, [C, H, W]")
    channels, height, width = wanted.numbers()
    if data.shape[0] not in (1, channels):
        message = f"{network.name} takes {channels} channels, and {data.name} has {data.shape[0]}"
        raise TrainingError(message, f"declare `input [{data.shape[0]}, {height}, {width}]`")
    return channels, height, width


def check_classes(network: Network, data: DataSet) -> None:
    """Check that the main output has one logit per class.

    Errors: TrainingError
    """
    output = next(iter(network.outputs.values()))
    if output.numbers() != (len(data.classes),):
        message = f"{network.name} gives {output}, and {data.name} has {len(data.classes)} classes"
        raise TrainingError(
            message, f"say `--set classes={len(data.classes)}`, or end the network in {len(data.classes)} channels"
        )
