"""How torch's call of an operator is written where its inputs are known."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.torch.code import Infix, Method, PyCall, PyExpression, PyList, PyLiteral, PyName
from archdsl.backends.torch.layout import flat
from archdsl.ops.base import TorchCall


def applied(call: TorchCall, inputs: Sequence[PyExpression], attribute: str) -> PyExpression:
    """Return the code that performs an operator; `attribute` is its module or parameter, if it has one."""
    arguments = tuple(map(PyLiteral, call.args))
    keywords = tuple((key, PyLiteral(value)) for key, value in call.kwargs.items())
    split = len(inputs) - len(call.input_names) - len(call.size_names)
    by_position = tuple(inputs[:split])
    last = [*inputs[split : split + len(call.input_names)], *map(_size, inputs[split + len(call.input_names) :])]
    by_name = tuple(zip((*call.input_names, *call.size_names), last, strict=True))
    match call.kind:
        case "operator":
            return Infix(call.target, by_position)
        case "function" if call.packs_inputs:
            return PyCall(call.target, (PyList(by_position), *arguments), keywords)
        case "function" if call.is_led:
            return PyCall(call.target, (*arguments, *by_position), (*by_name, *keywords))
        case "function":
            return PyCall(call.target, (*by_position, *arguments), (*by_name, *keywords))
        case "method":
            subject, *others = by_position
            return Method(subject, call.target, (*others, *arguments))
        case "parameter" | "buffer" if not call.target:
            return PyName(attribute)
        case "parameter" | "buffer":
            sides = (PyName(attribute), *by_position)
            return Infix(call.target, sides[::-1] if call.target == "+" else sides)
        case "module":
            return PyCall(attribute, by_position, by_name)


def _size(value: PyExpression) -> PyExpression:
    """Return the code of a map's height and width: `x.shape[-2:]`."""
    return PyName(f"{flat(value)}.shape[-2:]")
