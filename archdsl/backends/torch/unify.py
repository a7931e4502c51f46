"""Find what several pieces of code have in common: equal parts stay, constants that differ become holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.backends.torch.code import (
    Hole,
    Made,
    Method,
    Numbered,
    Progression,
    PyCall,
    PyExpression,
    PyLiteral,
    Repeat,
    Symbol,
    children,
    frame,
    items_of,
    with_children,
)
from archdsl.backends.torch.pinned import plain

# torch's defaults of arguments that one instance of a block gives and another leaves out, in torch's order.
DEFAULTS: dict[str, object] = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "inplace": False,
    "eps": 1e-05,
    "momentum": 0.1,
    "p": 0.5,
}
# What a parameter is called that is the class of such a module, frozen or not.
_KINDS = {"Norm": "norm", "Dropout": "dropout", "Depth": "drop_path"}
# Marks an argument whose name says enough without the place of the call.
_OWN = ":"
# What instances may differ in by a constant of this kind; anything else makes them different code.
_VARIABLE = (int, float, Symbol)
_POSITIONS: Mapping[str, tuple[str, ...]] = {
    "nn.Conv2d": ("in_channels", "out_channels", "kernel_size"),
    "nn.ConvTranspose2d": ("in_channels", "out_channels", "kernel_size"),
    "nn.Linear": ("in_features", "out_features"),
    "nn.BatchNorm2d": ("channels",),
    "nn.GroupNorm": ("groups", "channels"),
}


@dataclass
class Callables:
    """What is known of the functions that code calls: torch's, and the classes made so far."""

    positions: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(_POSITIONS))
    """The names of positional arguments, for naming what differs in them."""
    defaults: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    """What keyword arguments are where they are left out, for the classes of ours."""

    def defaults_of(self, function: str) -> Mapping[str, object]:
        return self.defaults.get(function, DEFAULTS)


def signature(code: PyExpression, callables: Callables) -> object:
    """Return what all codes that can be unified have in common, as a key."""

    def inner(part: PyExpression) -> object:
        return signature(part, callables)

    match code:
        case PyLiteral(value):
            return ("number",) if _is_variable(value) else ("literal", _shape(value), repr(value))
        case PyCall(function, arguments, keywords):
            if _is_activation(code):
                return ("activation", tuple((key, inner(item)) for key, item in keywords))
            defaults = callables.defaults_of(function)
            named = tuple((key, inner(item)) for key, item in keywords if not _may_be_left_out(key, item, defaults))
            return ("call", plain(function), tuple(map(inner, arguments)), named)
        case _:
            return (frame(code), *map(inner, children(code)))


def _is_variable(value: object) -> bool:
    items = items_of(value)
    return isinstance(value, _VARIABLE) if items is None else all(isinstance(item, _VARIABLE) for item in items)


def _shape(value: object) -> int:
    return len(items_of(value) or ())


def _is_activation(code: PyCall) -> bool:
    """Return whether a call makes an activation that others can stand in for."""
    is_torch = plain(code.function).startswith("nn.")
    return is_torch and not code.arguments and [key for key, _ in code.keywords] == ["inplace"]


def _may_be_left_out(key: str, item: PyExpression, defaults: Mapping[str, object]) -> bool:
    return key in defaults and isinstance(item, PyLiteral) and _is_variable(item.value)


def unify(codes: Sequence[PyExpression | None], path: tuple[str, ...], callables: Callables) -> PyExpression:
    """Merge codes of one signature, one per instance; None stands for an instance that lacks this part.

    `path` says where the code stands, for naming what differs: attributes, positions and arguments.

    Ensures: filling each hole with an instance's value gives that instance's code, up to arguments that equal the
    function's defaults.
    """
    first = next(code for code in codes if code is not None)
    if all(code is None or code == first for code in codes):
        return first

    match first:
        case PyLiteral():
            return Hole(tuple(code.value if isinstance(code, PyLiteral) else None for code in codes), _names(path))
        case PyCall() if any(isinstance(code, PyCall) and code.function != first.function for code in codes):
            kinds = tuple(Symbol(code.function) if isinstance(code, PyCall) else None for code in codes)
            targets = {plain(code.function) for code in codes if isinstance(code, PyCall)}
            if len(targets) > 1:
                return Made(Hole(kinds, _names((*path, _OWN + "activation"))), first.keywords)
            return _unify_pinned(targets.pop(), kinds, codes, path, callables)
        case PyCall():
            return _unify_calls(first, codes, path, callables)
        case _:
            versions = [None if code is None else children(code) for code in codes]
            columns = [[None if found is None else found[i] for found in versions] for i in range(len(children(first)))]
            places = [(*path, word) if word else path for word in _child_words(first)]
            return with_children(first, [unify(*at, callables) for at in zip(columns, places, strict=True)])


def _child_words(code: PyExpression) -> tuple[str, ...]:
    """Return a word for each expression directly inside code, for naming what differs there; "" adds nothing."""
    match code:
        case Method(_, name, arguments):
            return ("", *(name for _ in arguments))
        case Progression():
            return ("", "step")
        case Repeat() | Numbered():
            return ("", "depth")
        case _:
            return ("",) * len(children(code))


def _unify_pinned(
    target: str,
    kinds: tuple[Symbol | None, ...],
    codes: Sequence[PyExpression | None],
    path: tuple[str, ...],
    callables: Callables,
) -> Made:
    """Merge modules of which some stay in evaluation, so that their class is a parameter."""
    alike = [PyCall(target, code.arguments, code.keywords) if isinstance(code, PyCall) else None for code in codes]
    first = next(code for code in alike if code is not None)
    merged = _unify_calls(first, alike, path, callables)
    word = next((word for part, word in _KINDS.items() if part in target), "activation")
    return Made(Hole(kinds, _names((*path, _OWN + word)), Symbol(target)), merged.keywords, merged.arguments)


def _unify_calls(
    first: PyCall, codes: Sequence[PyExpression | None], path: tuple[str, ...], callables: Callables
) -> PyCall:
    calls = [code if isinstance(code, PyCall) else None for code in codes]
    names = callables.positions.get(first.function, ())
    mark = _OWN if first.function in callables.defaults else ""
    defaults = callables.defaults_of(first.function)
    arguments: list[PyExpression] = []
    for i in range(len(first.arguments)):
        name = mark + names[i] if i < len(names) else str(i) if first.function == "nn.Sequential" else "size"
        arguments.append(unify([c.arguments[i] if c else None for c in calls], (*path, name), callables))
    given = dict.fromkeys(key for c in calls if c for key, _ in c.keywords)
    keys = [*(key for key in defaults if key in given), *(key for key in given if key not in defaults)]
    keywords: list[tuple[str, PyExpression]] = []
    for key in keys:
        default = PyLiteral(defaults.get(key))
        values = [dict(c.keywords).get(key, default) if c else None for c in calls]
        merged = unify(values, (*path, _OWN + key), callables)
        if isinstance(merged, Hole) and key in defaults:
            merged = Hole(merged.values, merged.hints, default.value)
        keywords.append((key, merged))
    return PyCall(first.function, tuple(arguments), tuple(keywords))


def _names(path: tuple[str, ...]) -> tuple[str, ...]:
    """List names for what differs at a place, the best first: its own word if that says enough, then with the path."""
    words = [word.removeprefix(_OWN) for word in path if word]
    own = words[-1:] if path and path[-1].startswith(_OWN) else []
    long = ["_".join(word for word in words if not word.isdigit()), "_".join(words)]
    return tuple(dict.fromkeys(name for name in [*own, *long] if name)) or ("size",)
