"""A call of another tool's layer: bound to its signature there, and written as a step, with what is left over.

An argument is kept by the step, or has a value that changes nothing, or is left over. What is not given has the value
that the other tool gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from archdsl.syntax.habits.scan import split_commas
from archdsl.syntax.habits.values import ACTIVATIONS, Taken, arguments, is_odd, is_same, usual_padding, written
from archdsl.text.suggest import known_as

NEEDLESS = {
    "in_channels": "the input's channels follow from what flows in",
    "in_features": "the input's size follows from what flows in",
    "num_features": "the channels follow from what flows in",
    "num_channels": "the channels follow from what flows in",
    "in_planes": "the input's channels follow from what flows in",
    "input_shape": "shapes follow from the model's `input [3, 224, 224]`",
    "input_dim": "shapes follow from the model's `input [3, 224, 224]`",
    "batch_input_shape": "shapes follow from the model's `input [3, 224, 224]`",
    "inplace": "the generated code decides where its results are kept",
    "device": "the network is moved when it is used",
    "dtype": "the network is cast when it is used",
    "data_format": "an image is [channels, height, width]",
    "seed": "training has one seed for all that is random",
}
"""Arguments that need no counterpart, whatever their value, and why."""

NEEDLESS_AT = {
    "return_indices": ("false", "a pool gives its values only"),
    "trainable": ("true", "training decides what is trained"),
}
"""Arguments that need no counterpart at one value, and why they have none at another."""

REASONS = {
    "activity_regularizer": "a loss is the training's",
    "bias_constraint": "weights are bounded by no step",
    "bias_regularizer": "a decay is the training's",
    "divisor_override": "an average is over the window",
    "kernel_constraint": "weights are bounded by no step",
    "kernel_initializer": "initial values are chosen by `init=`, as in `init=kaiming_normal`",
    "kernel_regularizer": "a decay is the training's",
    "bias_initializer": "initial values are chosen by `bias_init=`",
    **{name: why for name, (_, why) in NEEDLESS_AT.items()},
}
"""Why an argument has no counterpart, where that is worth a word."""


NOT_GIVEN = ", which is not given,"
"""The end of what is left over because it is not there."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A layer's call as it was written: its name without a package, and its arguments as texts of ours.

    `maker` says whose layer it is, "torch" or "keras", where that is known.
    """

    name: str
    positional: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict[str, str])
    maker: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """The step that a foreign call means here, and what about it is worth a word.

    With something in `left` it is the step without that. `other` is what the same call means in another tool.
    """

    step: str
    why: str = ""
    note: str = ""
    left: tuple[str, ...] = ()
    other: str = ""
    label: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the step is the call, so that it may be written instead."""
        return bool(self.step) and not self.left and not self.other and "…" not in self.step


class Binding:
    """A call on its way to a step: the arguments still to be said, by their names, and what is said in our words."""

    __slots__ = ("before", "behind", "given", "left", "notes", "ours", "settled", "values", "word")

    def __init__(self, word: str, values: dict[str, str], given: Iterable[str], settled: frozenset[str]) -> None:
        self.word, self.values, self.given, self.settled = word, values, frozenset(given), settled
        self.ours = dict[str, str]()
        self.left, self.notes = list[str](), list[str]()
        self.before, self.behind = list[str](), list[str]()

    def take(self, name: str) -> str:
        """Return an argument's value, as one that is said now; "" where it has none."""
        return self.values.pop(name, "")

    def leave(self, name: str, value: str, why: str = "") -> None:
        """Say that an argument has no counterpart."""
        why = why or REASONS.get(name, "")
        written_so = name if name.startswith("*") else f"{name}={value}"
        self.left.append(f"`{written_so}`" + (f" ({why})" if why else ""))
        self.values.pop(name, None)


@dataclass(frozen=True, slots=True)
class Ported:
    """A layer of another tool: its signature there, with the defaults, and the step that it is here.

    The step is our word and what its arguments are called there, `ours=theirs`; a value in quotes is that value. `fit`
    sees before to what is not as plain. What then has neither been said nor its default is left over.
    """

    signature: str
    step: str
    fit: Callable[[Binding], None] | None = None
    why: str = ""

    @property
    def word(self) -> str:
        """Our word."""
        return self.step.partition(" ")[0]


@cache
def parameters(signature: str) -> Mapping[str, str | None]:
    """Return the names of a signature in their order, each with its default, or None where it must be given.

    >>> dict(parameters("size, alpha=1.0"))
    {'size': None, 'alpha': '1.0'}
    """
    pieces = [part.partition("=") for part in split_commas(signature)]
    return {name.strip(): value.strip() if equals else None for name, equals, value in pieces}


def say(layer: Ported, call: Foreign, settled: frozenset[str] = frozenset()) -> Translation:
    """Write a call of a layer as a step.

    `settled` are the words to which a `defaults` of the file gives arguments: theirs are all written out.
    """
    known = parameters(layer.signature)
    if layer.signature == "*":
        return Translation(layer.step)
    # Our own name of an argument, where theirs is none, means theirs.
    theirs = dict(piece.split("=") for piece in layer.step.split()[1:])
    named = {key if key in known or theirs.get(key) not in known else theirs[key]: v for key, v in call.named.items()}
    given = {**dict(zip(known, call.positional, strict=False)), **named}
    usual = {name: value for name, value in known.items() if value is not None}
    missing = [name for name in known if name not in usual and name not in given and name not in NEEDLESS]
    examples = {name: _EXAMPLES.get(name, "2") for name in missing}
    bound = Binding(layer.word, {**usual, **examples, **given}, given, settled)
    bound.left.extend(f"`{extra}`" for extra in call.positional[len(known) :])
    if "activation" in bound.values:
        activate(bound)
    if layer.fit is not None:
        layer.fit(bound)
    map_arguments(layer, bound, usual)
    for name, value in tuple(bound.values.items()):
        if name in given and not _is_neutral(name, value, usual.get(name)):
            bound.leave(name, value)
    steps = [*bound.before, write(bound), *bound.behind]
    step = "; ".join([one for one in steps if one != "pass"] or ["pass"])
    left = (*bound.left, *(f"`{name}`{NOT_GIVEN}" for name in missing))
    return Translation(step, layer.why if given else "", "; ".join(bound.notes), left)


_EXAMPLES = {
    "channels": "64",
    "out_channels": "64",
    "filters": "64",
    "features": "10",
    "kernel_size": "3",
    "out_features": "10",
    "units": "10",
    "p": "0.5",
    "rate": "0.5",
    "unflattened_size": "[16, 7, 7]",
    "shape": "[3, 224, 224]",
    "target_shape": "[7, 7, 16]",
    "dims": "[1, 2, 3]",
    "activation": "relu",
    "mode": "row",
    "float": "0.5",
    "chance": "0.5",
    "pair": "3",
    "sides": "1",
    "sizes": "[16, -1]",
    "order": "[1, 2, 0]",
}
"""What stands for an argument that is not given or left over, where a step needs one: by its name or kind."""

# Activations by names that mean another operator elsewhere, or none.
_ACTIVATIONS = {
    "hard_sigmoid": "hardsigmoid",
    "hard_shrink": "hardshrink",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "hard_tanh": "hardtanh",
    "leaky": "leaky_relu",
    "linear": "pass",
    "log_sigmoid": "logsigmoid",
    "logistic": "sigmoid",
    "soft_shrink": "softshrink",
    "tanh_shrink": "tanhshrink",
}


def activation_of(name: str) -> str:
    """Return our word for what others name an activation."""
    return _ACTIVATIONS.get(name) or known_as(name) or name


def activate(call: Binding) -> None:
    """Say a layer's own activation as a step behind it, as Keras means it."""
    name = call.take("activation")
    word = activation_of(name)
    if name == "leaky_relu":
        word = "leaky_relu 0.2"
    if name in ("none", "linear"):
        return
    if word.partition(" ")[0] in ACTIVATIONS:
        call.behind.append(word)
    else:
        call.leave("activation", name, "an activation is a step of its own")


def map_arguments(layer: Ported, call: Binding, usual: Mapping[str, str]) -> None:
    """Say what the step's words map, each argument by a value that ours can have."""
    takes = arguments(call.word)
    for piece in layer.step.split()[1:]:
        ours, _, theirs = piece.partition("=")
        text = theirs.strip("'") if theirs.startswith("'") else call.take(theirs)
        if ours in call.ours or ours not in takes or not text:
            continue
        if text == "none" == usual.get(theirs) and takes[ours].kind != "none|tanh":
            continue
        value = written(takes[ours].kind, text)
        if value is None:
            call.leave(theirs, text)
        else:
            call.ours[ours] = value
    for ours, argument in takes.items():
        if not argument.is_named and not argument.usual and ours not in call.ours and not _is_resized(call):
            call.ours[ours] = _EXAMPLES.get(ours) or _EXAMPLES.get(argument.kind, "2")


def _is_resized(call: Binding) -> bool:
    """Return whether a step has a size in the place of its argument without a name."""
    return "size" in call.ours and arguments(call.word)["size"].is_named


def _is_neutral(name: str, value: str, usual: str | None) -> bool:
    if name in NEEDLESS:
        return name != "inplace" or written("flag", value) is not None
    neutral = NEEDLESS_AT[name][0] if name in NEEDLESS_AT else usual
    return neutral is not None and is_same(value, neutral)


def write(call: Binding) -> str:
    """Write a step with the arguments that are not what they would be without."""
    pieces = [call.word]
    for name, argument in arguments(call.word).items():
        value = call.ours.get(name)
        if value is None or (call.word not in call.settled and is_same(value, _usual(argument, call.ours))):
            continue
        is_bare = not argument.is_named
        pieces.append(f"({value})" if is_bare and value.startswith("-") else value if is_bare else f"{name}={value}")
    if pieces == ["batch"] and "norm" not in call.settled:
        return "norm"
    return " ".join(pieces)


def _usual(argument: Taken, ours: Mapping[str, str]) -> str:
    """Return what an argument is when it is not written; "" where that is not known."""
    kernel = ours.get("k", "")
    if argument.kind == "stride":
        return kernel
    if argument.kind == "padding" and ours.get("p") == "same":
        return "same" if is_odd(kernel) and ours.get("s", "1") == "1" else ""
    if argument.kind in ("padding", "window"):
        return usual_padding(kernel, ours.get("d", "1") if argument.kind == "padding" else "1")
    return argument.usual
