"""How torch's call of an operator is written where its inputs are known."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.torch.code import Call, Expression, Infix, ListOf, Literal, Method, Name
from archdsl.ops.base import TorchCall


def applied(call: TorchCall, inputs: Sequence[Expression], attribute: str) -> Expression:
    """Return the code that performs an operator; `attribute` is its module or parameter, if it has one."""
    arguments = tuple(map(Literal, call.args))
    keywords = tuple((key, Literal(value)) for key, value in call.kwargs.items())
    split = len(inputs) - len(call.input_names)
    by_position = tuple(inputs[:split])
    by_name = tuple(zip(call.input_names, inputs[split:], strict=True))
    match call.kind:
        case "operator":
            return Infix(call.target, by_position)
        case "function" if call.packs_inputs:
            return Call(call.target, (ListOf(by_position), *arguments), keywords)
        case "function":
            return Call(call.target, (*by_position, *arguments), (*by_name, *keywords))
        case "method":
            subject, *others = by_position
            return Method(subject, call.target, (*others, *arguments))
        case "parameter":
            return Infix("*", (Name(attribute), *by_position))
        case "module":
            return Call(attribute, by_position, by_name)
