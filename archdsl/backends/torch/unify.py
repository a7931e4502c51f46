"""Find what several pieces of code have in common: equal parts stay, constants that differ become holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archdsl.backends.torch.code import Call, DictOf, Either, Expression, Hole, Infix, ListOf, Literal, Method, Name, Repeat

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
# What instances may differ in by a constant of this kind; anything else makes them different code.
_VARIABLE = (int, float)
# The names of positional arguments, for naming what differs in them.
Positions: TypeAlias = Mapping[str, tuple[str, ...]]
POSITIONS: Positions = {
    "nn.Conv2d": ("in_channels", "out_channels", "kernel_size"),
    "nn.ConvTranspose2d": ("in_channels", "out_channels", "kernel_size"),
    "nn.Linear": ("in_features", "out_features"),
    "nn.BatchNorm2d": ("channels",),
    "nn.GroupNorm": ("groups", "channels"),
}


def signature(code: Expression) -> object:
    """Give what all codes that can be unified have in common, as a key."""
    match code:
        case Literal(value):
            return ("number",) if _is_variable(value) else ("literal", _shape(value), repr(value))
        case Call(function, arguments, keywords):
            named = tuple((key, signature(item)) for key, item in keywords if not _is_default_able(key, item))
            return ("call", function, tuple(map(signature, arguments)), named)
        case Method(subject, name, arguments):
            return ("method", signature(subject), name, tuple(map(signature, arguments)))
        case Infix(operator, operands):
            return ("infix", operator, tuple(map(signature, operands)))
        case ListOf(items):
            return ("list", tuple(map(signature, items)))
        case DictOf(items):
            return ("dict", tuple((key, signature(item)) for key, item in items))
        case Repeat(item, count):
            return ("repeat", signature(item), signature(count))
        case _:
            return code


def _is_variable(value: object) -> bool:
    return isinstance(value, _VARIABLE) or (isinstance(value, tuple) and all(isinstance(v, _VARIABLE) for v in value))


def _shape(value: object) -> int:
    return len(value) if isinstance(value, tuple) else 0


def _is_default_able(key: str, item: Expression) -> bool:
    return key in DEFAULTS and isinstance(item, Literal) and _is_variable(item.value)


def unify(codes: Sequence[Expression | None], hint: str, positions: Positions = POSITIONS) -> Expression:
    """Merge codes of one signature, one per instance; None stands for an instance that lacks this part.

    Ensures: filling each hole with an instance's value gives that instance's code, up to arguments that equal torch's
    defaults.
    """
    present = [code for code in codes if code is not None]
    first = present[0]
    if all(code == first for code in present):
        return first
    match first:
        case Literal():
            return Hole(tuple(code.value if isinstance(code, Literal) else None for code in codes), hint or "size")
        case Call():
            return _unify_calls(first, codes, hint, positions)
        case Method(_, name, arguments):
            subject = unify([c.subject if isinstance(c, Method) else None for c in codes], hint, positions)
            merged = [
                unify([c.arguments[i] if isinstance(c, Method) else None for c in codes], f"{hint}_{name}", positions)
                for i in range(len(arguments))
            ]
            return Method(subject, name, tuple(merged))
        case Infix(operator, operands):
            merged = [
                unify([c.operands[i] if isinstance(c, Infix) else None for c in codes], hint, positions)
                for i in range(len(operands))
            ]
            return Infix(operator, tuple(merged))
        case ListOf(items):
            merged = [
                unify([c.items[i] if isinstance(c, ListOf) else None for c in codes], hint, positions) for i in range(len(items))
            ]
            return ListOf(tuple(merged))
        case DictOf(items):
            merged = [
                unify([c.items[i][1] if isinstance(c, DictOf) else None for c in codes], hint, positions)
                for i in range(len(items))
            ]
            return DictOf(tuple((key, item) for (key, _), item in zip(items, merged, strict=True)))
        case Repeat():
            item = unify([c.item if isinstance(c, Repeat) else None for c in codes], hint, positions)
            return Repeat(item, unify([c.count if isinstance(c, Repeat) else None for c in codes], f"{hint}_depth", positions))
        case Name() | Either() | Hole():
            raise AssertionError("codes of one signature have equal names")


def _unify_calls(first: Call, codes: Sequence[Expression | None], hint: str, positions: Positions) -> Call:
    calls = [code if isinstance(code, Call) else None for code in codes]
    names = positions.get(first.function, ())
    arguments: list[Expression] = []
    for i in range(len(first.arguments)):
        name = names[i] if i < len(names) else str(i) if first.function == "nn.Sequential" else "size"
        arguments.append(unify([c.arguments[i] if c else None for c in calls], _joined(hint, name), positions))
    given = dict.fromkeys(key for c in calls if c for key, _ in c.keywords)
    keys = [*(key for key in DEFAULTS if key in given), *(key for key in given if key not in DEFAULTS)]
    keywords: list[tuple[str, Expression]] = []
    for key in keys:
        default = Literal(DEFAULTS.get(key))
        values = [dict(c.keywords).get(key, default) if c else None for c in calls]
        merged = unify(values, _joined(hint, key), positions)
        if isinstance(merged, Hole) and key in DEFAULTS:
            merged = Hole(merged.values, key, default.value)
        keywords.append((key, merged))
    return Call(first.function, tuple(arguments), tuple(keywords))


def _joined(*words: str) -> str:
    return "_".join(word for word in words if word)
