"""Whether a network suits a data set, and can be trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple, Protocol

from archdsl.ops.shape import Shape
from archdsl.recipes.images import Grey
from archdsl.training.error import TrainingError

if TYPE_CHECKING:
    from archdsl.network import Network
    from archdsl.recipes.recipe import Recipe
    from archdsl.training.data.dataset import DataSet, TargetKind

_MOST_CHANNELS = 3
IGNORED = 255
"""The class of a mask's pixels that do not count."""
IMAGE_CHANNELS = (1, 3)


class DataFacts(Protocol):
    """What of a data set bears on the output: a data set has it, and so has the record of a run."""

    @property
    def name(self) -> str:
        """As the user gave it."""
        ...

    @property
    def kind(self) -> TargetKind: ...

    @property
    def classes(self) -> tuple[str, ...]: ...


class Places(NamedTuple):
    """The outputs beside the main one: the places of those with a loss among the outputs in training, others' names."""

    auxiliary: tuple[int, ...]
    unused: tuple[str, ...]


def image_size(network: Network, data: DataSet, recipe: Recipe) -> tuple[int, int, int]:
    """Return the [C, H, W] that the network is to be fed.

    Errors: TrainingError with E360 where it takes something else than one image, or one of other channels
    """
    channels, height, width = input_size(network)
    if data.channels == 1 or data.channels == channels:
        return channels, height, width
    missing = [f"images {name}" for name, changes in _lists(recipe) if not any(isinstance(c, Grey) for c in changes)]
    if channels == 1 and not missing:
        return channels, height, width
    fact = f"{network.name} takes images of {_channels(channels)}, and those of {data.name} have {data.channels}"
    other = _setting(network, "channels", data.channels) or f"declare `input [{data.channels}, {height}, {width}]`"
    if channels == 1:
        lists = " and ".join(f"`{name} {{ grey }}`" for name in missing)
        raise TrainingError(fact, f"make them grey, by {lists} in the recipe, or {other}", "E360")
    raise TrainingError(fact, other, "E360")


def _lists(recipe: Recipe) -> Sequence[tuple[str, Sequence[object]]]:
    return (("train", recipe.train), ("eval", recipe.eval))


def _channels(count: int) -> str:
    return "one channel" if count == 1 else f"{count} channels"


def input_size(network: Network) -> tuple[int, int, int]:
    """Return the [C, H, W] of the one image that a network takes.

    Errors: TrainingError with E360 where it takes something else than one image of 1 to 3 channels
    """
    if len(network.inputs) != 1:
        names = ", ".join(f"`{name}`" for name in network.inputs)
        fact = f"{network.name} has {len(network.inputs)} inputs: {names}"
        raise TrainingError(fact, "training feeds one image; give the network one input, [C, H, W]", "E360")
    ((_, wanted),) = network.inputs.items()
    sizes = wanted.numbers()
    if len(sizes) != 3:
        help = "training feeds images, [C, H, W]; declare one, such as `input [3, 224, 224]`"
        raise TrainingError(f"{network.name} takes {wanted}, which is no image", help, "E360")
    channels, height, width = sizes
    if channels not in IMAGE_CHANNELS:
        fact = f"{network.name} takes images of {_channels(channels)}"
        help = _setting(network, "channels", _MOST_CHANNELS) or f"declare `input [3, {height}, {width}]`"
        raise TrainingError(fact, f"images are grey or colour, of 1 or 3 channels; {help}", "E360")
    return channels, height, width


def check_outputs(network: Network, data: DataFacts, named: Sequence[str] = ()) -> Places:
    """Check that the main output and those with the loss beside it are what the data asks for.

    These are auxiliary classifiers: the outputs of `training` alone, and those `named` by the recipe. Others have none.
    Errors: TrainingError with E361
    """
    names = [output.name or "output" for output in network.graph.outputs]
    is_training = [output.is_training_only for output in network.graph.outputs]
    main, *_ = names
    _check(network, data, network.outputs[main], network.name, "")
    late = [name for name, is_late in zip(names, is_training, strict=True) if is_late and name != main]
    for name in late:
        rest = ", or leave out `training`, so that it has no loss"
        _check(network, data, network.outputs[name], f"the training output `{name}` of {network.name}", rest)
    for name in named:
        if name == main or name not in names:
            fact = (
                f"the recipe's `auxiliary` names the output `{name}`, and {network.name} has none beside the main one"
            )
            raise TrainingError(f"{fact} of that name", f"{_listed(names[1:])}", "E361")
        rest = ", or leave it out of the recipe's `auxiliary`, so that it has no loss"
        _check(network, data, network.outputs[name], f"the output `{name}` of {network.name}", rest)
    # In training a module gives the outputs of `training` behind all others.
    order = [main, *(name for name in names if name != main and name not in late), *late]
    places = [place for place, name in enumerate(order) if name in late or name in named]
    return Places(tuple(places), tuple(name for name in order[1:] if name not in late and name not in named))


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "leave it out: there is no other output"
    return f"name one of these: {', '.join(names)}"


def _check(network: Network, data: DataFacts, shape: Shape, what: str, rest: str) -> None:
    sizes, count = shape.numbers(), len(data.classes)
    _, height, width = input_size(network)
    gives = f"{what} gives {shape}"
    help = ""
    match data.kind:
        case "class" | "classes":
            if sizes != (count,):
                gives += f", and {data.name} has {_classes(count)}, which needs [{count}]"
                help = _end_in(network, sizes, count, ndim=1)
        case "number":
            if sizes not in ((), (1,)):
                gives += f", and {data.name} has one number an image, which needs [1]"
                help = "end it in one channel, such as `fc 1`" if len(sizes) == 1 else _flat(1)
        case "mask":
            if sizes != (count, height, width):
                gives += f", and {data.name} has masks of {_classes(count)}, which need [{count}, {height}, {width}]"
                help = _dense(network, sizes, (count, height, width))
            elif count >= IGNORED:
                gives += f", and a mask has fewer than {IGNORED} classes, for {IGNORED} is what does not count"
                help = "join classes"
        case "image":
            if len(sizes) != 3 or sizes[0] not in IMAGE_CHANNELS or sizes[1:] != (height, width):
                needs = f"[1, {height}, {width}] or [3, {height}, {width}]"
                gives += f", and {data.name} has images as targets, of the input's size, which need {needs}"
                help = _dense(network, sizes, (3 if len(sizes) != 3 or sizes[0] != 1 else 1, height, width))
    if help:
        raise TrainingError(gives, f"{help}{rest}", "E361")


def _classes(count: int) -> str:
    return "one class" if count == 1 else f"{count} classes"


def _end_in(network: Network, sizes: tuple[int, ...], count: int, ndim: int) -> str:
    """Say how an output gets as many channels as there are classes."""
    if len(sizes) != ndim:
        return _flat(count)
    by_setting = _setting(network, "classes", count)
    return f"{by_setting}, or end it in {count} channels" if by_setting else f"end it in {count} channels: `fc {count}`"


def _flat(count: int) -> str:
    return f"end it in `gap; flatten; fc {count}`"


def _dense(network: Network, sizes: tuple[int, ...], wanted: tuple[int, int, int]) -> str:
    """Say how an output gets a value for each pixel."""
    channels, height, width = wanted
    if len(sizes) != 3:
        return f"end it in a value for each pixel, as `unet_padded` does: {list(wanted)}"
    advice: list[str] = []
    if sizes[0] != channels:
        advice.append(_setting(network, "classes", channels) or f"end it in `conv {channels} k=1`")
    if sizes[1:] != (height, width):
        padding = _setting(network, "padding", "same")
        lost = "pad the convolutions, so that no border is lost" if sizes[1] > height // 2 else "resize it to the input"
        advice.append(padding or f"{lost}: the output has the input's {height} x {width} pixels")
    return ", and ".join(advice)


def _setting(network: Network, name: str, value: object) -> str:
    """Return how a parameter of the model is set, if it has one of this name."""
    return f"say `--set {name}={value}`" if name in network.graph.bindings else ""


def check_ending(network: Network, data: DataFacts) -> None:
    """Check that the main output is what the loss takes, which has the softmax, or the sigmoid, in it.

    Errors: TrainingError with E362
    """
    op = network.graph.nodes[network.graph.main.node].op
    twice = {"class": "softmax", "mask": "softmax", "classes": "sigmoid"}.get(data.kind)
    if op is not None and op.keyword == twice:
        fact = f"{network.name} ends in `{twice}`, and the loss for {data.name} has one in it already"
        raise TrainingError(fact, f"leave out the last `{twice}`", "E362")


def check_trainable(network: Network, batch: int) -> None:
    """Check that there is something to train, and that batches are large enough; `batch` is the smallest one's size.

    Errors: TrainingError with E364 for no weights, E365 for a norm that meets a single value
    """
    if not network.costs.parameters:
        help = "give it a layer that has some, such as `fc`"
        raise TrainingError(f"{network.name} has no weights to train", help, "E364")
    if batch > 1:
        return
    for table in network.shapes.tables():
        for node in table.graph.nodes.values():
            inputs = table.inputs_of(node)
            if node.op is None or node.op.category != "norm" or prod(inputs[0].numbers()[1:]) > 1:
                continue
            if node.op.removes_channel_mean(inputs) and "axis" not in node.op.attribute_names():
                fact = f"`{node.span.text}` normalises over a batch of one image and one position, a single value"
                raise TrainingError(fact, "raise `batch_size`, or use another norm: `--set norm=group(1)`", "E365")
