"""Whether a network suits a data set, and can be trained on it."""

from __future__ import annotations

from math import prod
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


def auxiliary_outputs(network: Network, data: DataSet) -> tuple[int, ...]:
    """Return the places of the outputs of training alone: auxiliary classifiers, each of which has a loss.

    Errors: TrainingError where one is no classifier of the data's classes
    """
    names = {output.name for output in network.graph.outputs if output.is_training_only}
    classes = len(data.classes)
    for name in names:
        shape = network.outputs[name]
        if shape.numbers() != (classes,):
            message = (
                f"the training output `{name}` of {network.name} gives {shape}, and {data.name} has {classes} classes"
            )
            help = f"end it in {classes} channels, or leave out `training`, so that it has no loss"
            raise TrainingError(message, help)
    return tuple(place for place, name in enumerate(network.outputs) if name in names)


def check_trainable(network: Network, batch: int) -> None:
    """Check that there is something to train, and that batches are large enough; `batch` is the smallest one's size.

    Errors: TrainingError
    """
    if not network.costs.parameters:
        raise TrainingError(f"{network.name} has no weights to train", "give it a layer that has some, such as `fc`")
    if batch > 1:
        return
    for table in network.shapes.tables():
        for node in table.graph.nodes.values():
            inputs = table.inputs_of(node)
            if node.op is None or node.op.category != "norm" or prod(inputs[0].numbers()[1:]) > 1:
                continue
            if node.op.removes_channel_mean(inputs) and "axis" not in node.op.attribute_names():
                message = f"`{node.span.text}` normalises over a batch of one image and one position, a single value"
                raise TrainingError(message, "raise `batch_size`, or use another norm, such as `norm=group(1)`")
