"""Nodes as modules: the code that builds each, and bodies that are an nn.Sequential."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from archdsl.backends.torch.code import PyCall, PyDict, PyExpression, PyList, PyLiteral, PyTuple, Spread, items_of
from archdsl.backends.torch.fold import folded, folded_pairs
from archdsl.backends.torch.in_place import runs_in_place
from archdsl.backends.torch.pinned import pinned
from archdsl.ir.graph import Graph, Node
from archdsl.ops.base import Init, TorchCall
from archdsl.passes.shapes import Shapes

# Returns the code that builds the class of a body that has one.
Constructor: TypeAlias = Callable[[Shapes], PyExpression]


def is_sequential(graph: Graph) -> bool:
    """Return whether a body can be an nn.Sequential: a chain of steps that all have a module form."""
    if not graph.is_chain:
        return False
    steps = [node for node in graph.topological() if not node.is_input]
    return all(_is_plain(node) and "." not in "".join(node.names) for node in steps)


def _is_plain(node: Node) -> bool:
    if node.body is not None:
        return len(node.body.outputs) == 1
    return node.op is not None and not node.op.is_join and not node.op.is_parameter


def has_class(graph: Graph) -> bool:
    """Return whether a body below the model is a class of its own, and not an nn.Sequential where it stands."""
    return graph.kind != "group" or not is_sequential(graph)


def sequential(shapes: Shapes, constructor: Constructor) -> tuple[PyExpression, ...] | Mapping[str, PyExpression]:
    """Return the steps of a sequential body, by name where they are not just numbered."""
    graph = shapes.graph
    names: list[str] = []
    codes: list[PyExpression] = []
    for node in graph.topological():
        if not node.is_input:
            names += node.names
            codes += [module_form(node, shapes, constructor)] * node.repeat
    if names == [*map(str, range(len(names)))]:
        return folded(codes)
    return dict(zip(names, codes, strict=True))


def ordered(steps: Mapping[str, PyExpression]) -> PyExpression:
    """Return the OrderedDict of named steps."""
    pairs = folded_pairs(steps)
    if len(pairs) == 1 and isinstance(pairs[0], Spread):
        return PyCall("OrderedDict", (pairs[0].pairs,))
    if any(isinstance(pair, Spread) for pair in pairs):
        return PyCall("OrderedDict", (PyList(pairs),))
    if all(name.isidentifier() for name in steps):
        return PyCall("OrderedDict", (), tuple(steps.items()))
    return PyCall("OrderedDict", (PyDict(tuple(steps.items())),))


def module_form(node: Node, shapes: Shapes, constructor: Constructor) -> PyExpression:
    """Return the code that builds the module of a node."""
    if node.body is not None:
        inner = shapes.inner[node.id]
        return constructor(inner) if has_class(node.body) else _sequential_call(inner, constructor)
    assert node.op is not None
    call = node.op.to_torch(shapes.inputs_of(node))
    call = call.stateless_module or call
    keywords = {**call.kwargs, "inplace": True} if runs_in_place(node, shapes.graph) else call.kwargs
    named = tuple((key, PyLiteral(value)) for key, value in keywords.items())
    return PyCall(pinned(node, call.target), tuple(map(PyLiteral, call.args)), named)


def _sequential_call(shapes: Shapes, constructor: Constructor) -> PyExpression:
    steps = sequential(shapes, constructor)
    return PyCall("nn.Sequential", steps if isinstance(steps, tuple) else (ordered(steps),))


def owned_form(call: TorchCall) -> PyExpression:
    """Return the code that makes the parameter or buffer of an operator whose tensor is the class's own."""
    size = PyTuple(tuple(map(PyLiteral, call.args)))
    value = call.kwargs["value"]
    if call.kind == "parameter":
        return PyCall("nn.Parameter", (_drawn(value, size) if isinstance(value, Init) else _filled(value, size),))
    kept = () if call.kwargs["persistent"] else (("persistent", PyLiteral(False)),)
    if items_of(value) is None:
        return PyCall("nn.Buffer", (_filled(value, size),), kept)
    return PyCall("nn.Buffer", (PyCall("torch.tensor", (PyLiteral(value),)),), kept)


def _filled(value: object, size: PyTuple) -> PyExpression:
    return PyCall("torch.full", (size, PyLiteral(value)))


def _drawn(init: Init, size: PyTuple) -> PyExpression:
    """Return the code that makes a tensor with initial values."""
    given = dict(init.arguments)
    match init.function:
        case "zeros_" | "ones_":
            return PyCall(f"torch.{init.function.removesuffix('_')}", (size,))
        case "constant_":
            return _filled(given["val"], size)
        case function:
            named = tuple((key, PyLiteral(value)) for key, value in given.items())
            return PyCall(f"nn.init.{function}", (PyCall("torch.empty", (size,)),), named)
