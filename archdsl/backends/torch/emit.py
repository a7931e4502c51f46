"""The graph as a standalone PyTorch file, written as a careful person would."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from keyword import iskeyword
from pathlib import Path

from archdsl.backends.torch.classes import ClassCode, Classes, classes_below
from archdsl.backends.torch.docstrings import header
from archdsl.backends.torch.forward import members
from archdsl.backends.torch.initial import initial_lines
from archdsl.backends.torch.modules import is_sequential, sequential
from archdsl.backends.torch.names import RESERVED, class_name
from archdsl.backends.torch.pinned import PINNED, frozen_lines, pinned_lines, pinned_targets
from archdsl.backends.torch.source import class_lines, output_classes
from archdsl.backends.torch.statements import Members, Sequential
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables

_HELPERS = Path(__file__).with_name("runtime.py")


def emit(tables: Tables, name: str, digest: str, taps: Sequence[str] = ()) -> str:
    """Return the Python source of a network: it imports torch alone, and its last class is the network.

    With `taps`, the paths that the graph's outputs are called by, it gives a dict of these.

    Ensures: the same bytes for the same graph; valid under `ruff check` and `ruff format`; state_dict keys are the
    graph's paths.
    """
    graph, shapes = tables.graph, tables.shapes
    helpers = _helper_sources()
    pinned = pinned_targets(shapes)
    classes = classes_below(shapes, frozenset({*helpers, *pinned}))
    body = [line for code in classes.found for line in ["", "", *class_lines(code)]]
    body += output_classes(graph) if not taps else []
    title = _title(name, {code.name for code in classes.found} | {*helpers, *pinned} | RESERVED)
    network = ClassCode(title, graph.doc or f"The network `{name}`.", (), _main(shapes, classes, taps), graph)
    last = [*initial_lines(shapes, classes.owners), *frozen_lines(shapes)]
    gives = "dict[str, Tensor]" if taps else ""
    body += ["", "", *class_lines(network, last, _about_forward(shapes), gives)]
    code = ast.parse("\n".join(body))
    called = {node.func.id for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    called |= {*pinned.values(), *([PINNED] if pinned else [])}
    used = [text for helper, text in helpers.items() if helper in called]
    body = [*(line for item in pinned.items() for line in pinned_lines(*item)), *body]
    helper_lines = [line for text in used for line in ["", "", *text.splitlines()]]
    imports = _imports(_names(code).union(*(_names(ast.parse(text)) for text in used)))
    return "\n".join([*header(tables, name, digest), *imports, *helper_lines, *body, ""])


def _main(shapes: Shapes, classes: Classes, taps: Sequence[str]) -> Members:
    """Return the members of the network itself: plain steps where it is a chain of modules without names."""
    steps = sequential(shapes, classes.constructor) if is_sequential(shapes.graph) and not taps else None
    if isinstance(steps, tuple):
        return Members({}, (), (Sequential(steps),))
    return members(shapes, classes.constructor, taps)


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
    if "Callable" in names:
        imports.append("from collections.abc import Callable")
    typing = [name for name in ("Any", "NamedTuple") if name in names]
    if typing:
        imports.append(f"from typing import {', '.join(typing)}")
    if imports:
        imports.append("")
    if "torch" in names:
        imports.append("import torch")
    imports.append("from torch import Tensor, nn" if "Tensor" in names else "from torch import nn")
    if "F" in names:
        imports.append("from torch.nn import functional as F")
    return imports
