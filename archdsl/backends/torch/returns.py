"""What a forward pass returns, in evaluation and in training."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.torch.code import PyCall, PyDict, PyLiteral
from archdsl.backends.torch.layout import flat
from archdsl.backends.torch.statements import Assign, InTraining, Return
from archdsl.backends.torch.values import Values
from archdsl.ir.graph import Graph, Output


def training_only(graph: Graph) -> frozenset[str]:
    """List the nodes that only training-only outputs need."""
    if not any(output.is_training_only for output in graph.outputs):
        return frozenset()
    needed: set[str] = set()
    stack = [output.value.node for output in graph.outputs if not output.is_training_only]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += [value.node for value in graph.nodes[name].inputs]
    return frozenset(graph.nodes) - needed


def add_return(values: Values, taps: Sequence[str] = ()) -> None:
    """Write what returns the outputs, once all nodes are written: as a dict by the names in `taps`, if there are any.

    Requires: with `taps`, one for each output, and none of these in training only.
    """
    graph = values.graph
    extra = [output for output in graph.outputs if output.is_training_only]
    results = [output for output in graph.outputs if not output.is_training_only]
    if extra:
        values.flush()
        late = training_only(graph)
        names = dict.fromkeys(flat(values.code[values.result(o)]) for o in extra if o.value.node in late)
        if graph.kind == "model":
            _return_in_training(values, [*results, *extra], list(names))
        else:
            results = list(graph.outputs)
            _declare(values, list(names))
    if taps:
        values.flush()
        fields = [values.take(values.result(output)) for output in results]
        values.statements.append(Return(PyDict(tuple(zip(taps, fields, strict=True)))))
        return
    if len(results) == 1:
        values.statements.append(Return(values.take(values.result(results[0]))))
        return
    values.flush()
    fields = tuple(values.take(values.result(output)) for output in results)
    values.statements.append(Return(PyCall("Outputs" if graph.kind == "model" else "", fields)))


def _return_in_training(values: Values, outputs: Sequence[Output], late: Sequence[str]) -> None:
    """Return the training-only outputs too; `late` are set in training only, which type checkers must see."""
    statements = values.statements
    result = Return(PyCall("TrainingOutputs", tuple(values.code[values.result(output)] for output in outputs)))
    last = statements[-1] if statements else None
    if not late:
        statements.append(InTraining((result,)))
    elif isinstance(last, InTraining) and not any(isinstance(s, InTraining) for s in statements[:-1]):
        statements[-1] = InTraining((*last.statements, result))
    else:
        _declare(values, late)
        statements.append(InTraining((result,), " and ".join(f"{name} is not None" for name in late)))


def _declare(values: Values, late: Sequence[str]) -> None:
    """Set variables to None before the first statements that run in training only."""
    if late:
        first = next(i for i, statement in enumerate(values.statements) if isinstance(statement, InTraining))
        values.statements.insert(first, Assign(" = ".join(late), PyLiteral(None)))
