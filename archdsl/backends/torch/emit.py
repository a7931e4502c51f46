"""The graph as a standalone PyTorch file, written as a careful person would."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from keyword import iskeyword
from pathlib import Path

from archdsl.backends.torch.classes import ClassCode, Classes, classes_below
from archdsl.backends.torch.docstrings import header
from archdsl.backends.torch.forward import members
from archdsl.backends.torch.initial import initial_lines
from archdsl.backends.torch.modules import is_sequential, sequential
from archdsl.backends.torch.names import RESERVED, class_name
from archdsl.backends.torch.nested import nest
from archdsl.backends.torch.source import class_lines, output_classes
from archdsl.backends.torch.statements import Members, Sequential
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_state
from archdsl.passes.tables import Tables

_HELPERS = Path(__file__).with_name("runtime.py")


def emit(tables: Tables, name: str, digest: str) -> str:
    """Return the Python source of a network: it imports torch alone, and its last class is the network.

    Ensures: the same bytes for the same graph; valid under `ruff check` and `ruff format`; state_dict keys are the
    graph's paths.
    """
    graph, shapes = tables.graph, tables.shapes
    helpers = _helper_sources()
    classes = classes_below(shapes, frozenset(helpers))
    body = [line for code in classes.found for line in ["", "", *class_lines(code)]]
    body += output_classes(graph)
    title = _title(name, {code.name for code in classes.found} | set(helpers) | RESERVED)
    network = ClassCode(title, graph.doc or f"The network `{name}`.", (), _main(shapes, classes), graph)
    body += ["", "", *class_lines(network, initial_lines(shapes, classes.owners), _about_forward(shapes))]
    code = ast.parse("\n".join(body))
    called = {node.func.id for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    used = [text for helper, text in helpers.items() if helper in called]
    helper_lines = [line for text in used for line in ["", "", *text.splitlines()]]
    imports = _imports(_names(code).union(*(_names(ast.parse(text)) for text in used)))
    return "\n".join([*header(tables, name, digest), *imports, *helper_lines, *body, ""])


def _main(shapes: Shapes, classes: Classes) -> Members:
    """Return the members of the network itself: plain steps where it is a chain of modules without names."""
    steps = sequential(shapes, classes.constructor) if is_sequential(shapes.graph) else None
    if isinstance(steps, tuple):
        return Members({}, (), (Sequential(steps),))
    main = members(shapes, classes.constructor)
    return replace(main, modules=nest(main.modules, (key for key, _ in list_state(shapes))))


def _title(name: str, taken: Collection[str]) -> str:
    """Return the name of the network's class."""
    title = class_name(name, "Network")
    while title in taken or iskeyword(title):
        title += "Net"
    return title


def _about_forward(shapes: Shapes) -> str:
    given = ", ".join(map(_batch, shapes.inputs))
    results = [output.value for output in shapes.graph.outputs if not output.is_training_only]
    return f"Map {given} to {', '.join(_batch(shapes.of(value)) for value in results)}."


def _batch(shape: Shape) -> str:
    return f"(N, {', '.join(map(str, shape))})"


@cache
def _helper_sources() -> Mapping[str, str]:
    """Return the source of each helper class by name."""
    text = _HELPERS.read_text(encoding="utf-8")
    module = ast.parse(text)
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            source = ast.get_source_segment(text, node)
            assert source is not None
            found[node.name] = source
    return found


def _names(code: ast.AST) -> set[str]:
    """List the names that code reads, among them the modules it needs."""
    return {node.id for node in ast.walk(code) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _imports(names: Collection[str]) -> list[str]:
    imports: list[str] = []
    if "OrderedDict" in names:
        imports.append("from collections import OrderedDict")
    if "NamedTuple" in names:
        imports.append("from typing import NamedTuple")
    if imports:
        imports.append("")
    if "torch" in names:
        imports.append("import torch")
    imports.append("from torch import Tensor, nn" if "Tensor" in names else "from torch import nn")
    if "F" in names:
        imports.append("from torch.nn import functional as F")
    return imports
