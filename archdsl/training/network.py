"""What training asks of a compiled network, and whether a network suits a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from archdsl.text.source import Source
from archdsl.weights.error import TrainingError

if TYPE_CHECKING:
    from torch import nn

    from archdsl.training.data import DataSet


class Trainable(Protocol):
    """The part of a compiled network that training uses.

    Shapes are without the batch axis; a size that is no int depends on the image.
    """

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> Source: ...

    @property
    def digest(self) -> str:
        """What identifies the spec's text with its settings."""
        ...

    @property
    def inputs(self) -> Mapping[str, Sequence[object]]: ...

    @property
    def outputs(self) -> Mapping[str, Sequence[object]]: ...

    def module(self) -> nn.Module:
        """Build the network with fresh weights, drawn from torch's global generator.

        It takes images [N, C, H, W] and gives logits [N, classes], or in training mode a tuple of the
        logits and each auxiliary classifier's.
        """
        ...

    def source(self) -> str:
        """Give the network as a standalone PyTorch file."""
        ...


def image_size(network: Trainable, data: DataSet) -> tuple[int, int, int]:
    """Give the [C, H, W] that the network is to be fed, sizes it leaves open being the data's own.

    Errors: TrainingError where the network is no classifier of such images
    """
    if len(network.inputs) != 1:
        raise TrainingError(f"{network.name} has {len(network.inputs)} inputs", "training feeds one image")
    ((_, wanted),) = network.inputs.items()
    if len(wanted) != 3:
        raise TrainingError(f"{network.name} takes {_show(wanted)}", "training feeds images, [C, H, W]")
    channels, height, width = (
        size if isinstance(size, int) else own for size, own in zip(wanted, data.shape, strict=True)
    )
    if data.shape[0] not in (1, channels):
        message = f"{network.name} takes {channels} channels, and {data.name} has {data.shape[0]}"
        raise TrainingError(message, f"declare `input [{data.shape[0]}, {height}, {width}]`")
    return channels, height, width


def check_classes(network: Trainable, data: DataSet) -> None:
    """Check that the main output has one logit per class.

    Errors: TrainingError
    """
    output = next(iter(network.outputs.values()))
    if tuple(output) != (len(data.classes),):
        message = f"{network.name} gives {_show(output)}, and {data.name} has {len(data.classes)} classes"
        raise TrainingError(
            message, f"say `--set classes={len(data.classes)}`, or end the network in {len(data.classes)} channels"
        )


def _show(shape: Sequence[object]) -> str:
    return f"[{', '.join(map(str, shape))}]"
