"""The graph as a standalone PyTorch file, written as a careful person would."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from keyword import iskeyword
from pathlib import Path

from archdsl.backends.torch.classes import ClassCode, Classes, Parameter, described
from archdsl.backends.torch.code import WIDTH, Call, Expression, Literal, flat, layout
from archdsl.backends.torch.initial import initial_lines
from archdsl.backends.torch.members import (
    RESERVED,
    Assign,
    InTraining,
    Return,
    Statement,
    is_sequential,
    members,
    sequential,
    training_only,
)
from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables

_HELPERS = Path(__file__).with_name("runtime.py")


def emit(tables: Tables, name: str, digest: str) -> str:
    """Give the Python source of a network: it imports torch alone, and its last class is the network.

    Ensures: the same bytes for the same graph; valid under `ruff check` and `ruff format`; state_dict keys are the
    graph's paths.
    """
    graph, shapes = tables.graph, tables.shapes
    helpers = _helper_sources()
    classes = Classes(shapes, frozenset(helpers))
    steps = sequential(shapes, classes.constructor) if is_sequential(graph) else None
    title = class_name(name)
    taken = {code.name for code in classes.found} | set(helpers) | RESERVED
    while title in taken or iskeyword(title):
        title += "Net"
    body: list[str] = []
    for one in classes.found:
        body += ["", "", *_class_lines(one)]
    initial = initial_lines(shapes, classes.owners)
    base = "nn.Sequential" if isinstance(steps, tuple) else "nn.Module"
    body += [*_output_classes(graph), "", "", f"class {title}({base}):"]
    body += [*_docstring(graph.doc or f"The network `{name}`.", 4), ""]
    if isinstance(steps, tuple):
        body += ["    def __init__(self) -> None:", *layout("super().__init__", Call("", steps), "", 8)]
        body += [line for text in initial for line in _broken(text, 8)]
    else:
        main = members(shapes, classes.constructor)
        body += [*_constructor((), main.modules, initial)]
        body += ["", *_forward(graph, main.arguments, main.forward, shapes)]
    code = ast.parse("\n".join(body))
    called = {node.func.id for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    used = [text for helper, text in helpers.items() if helper in called]
    helper_lines = [line for text in used for line in ["", "", *text.splitlines()]]
    imports = _imports(_names(code).union(*(_names(ast.parse(text)) for text in used)))
    return "\n".join([*_header(tables, name, digest), *imports, *helper_lines, *body, ""])


def class_name(name: str) -> str:
    """Give the name of a network's class: resnet50 gives Resnet50."""
    words = [word for word in re.split(r"[^0-9A-Za-z]+", name) if word]
    text = "".join(word[:1].upper() + word[1:] for word in words)
    return text if text.isidentifier() else f"Network{text}"


@cache
def _helper_sources() -> Mapping[str, str]:
    """Give the source of each helper class by name."""
    text = _HELPERS.read_text(encoding="utf-8")
    module = ast.parse(text)
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            source = ast.get_source_segment(text, node)
            assert source is not None
            found[node.name] = source
    return found


def _header(tables: Tables, name: str, digest: str) -> list[str]:
    total = tables.costs.total
    inputs = ", ".join(_size(shape) for shape in tables.shapes.inputs)
    file = Path(tables.graph.span.source.name).name
    lines = [
        *_wrap(f'"""{_printable(name)}, compiled by archdsl from {_printable(file)} (digest {digest}).', WIDTH),
        "",
        f"{total.parameters:,} parameters; {total.macs:,} multiply-adds",
        f"({total.flops:,} flops) for one input of {inputs}.",
        "",
        *_stage_table(tables),
        '"""',
        "",
    ]
    return [line.rstrip() for line in lines]


def _stage_table(tables: Tables) -> list[str]:
    """List the top-level steps that hold weights or change the shape."""
    shapes, costs = tables.shapes, tables.costs
    rows = [("step", "output", "parameters", "macs")]
    for node in shapes.graph.topological():
        if node.is_input:
            continue
        one = costs.nodes[node.id]
        if not one.parameters and not one.macs:
            continue
        name = node.names[0] if node.repeat == 1 else f"{node.names[0]} x {node.repeat}"
        parameters = one.parameters * node.repeat
        if node.reuses is not None:
            name, parameters = f"{node.reuses} again", 0
        size = _size(shapes.results[node.id][""])
        rows.append((name, size, f"{parameters:,}", f"{one.macs * node.repeat:,}"))
    rows = rows if len(rows) <= _MOST_ROWS else [*rows[:_MOST_ROWS], ("...", "", "", "")]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"    {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}"
        for row in rows
    ]


_MOST_ROWS = 40


def _size(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _printable(text: str) -> str:
    """Give text that can stand in a docstring: it cannot end it, nor hide what follows."""
    visible = "".join(c if c.isprintable() else "?" for c in text)
    return visible.replace("\\", "\\\\").replace('"', "'")


def _docstring(text: str, indent: int) -> list[str]:
    pad = " " * indent
    lines = [_printable(line) for line in text.splitlines()] or [""]
    wrapped = [piece for line in lines for piece in _wrap(line, WIDTH - indent - 6)]
    if len(wrapped) == 1:
        return [f'{pad}"""{wrapped[0]}"""']
    return [f'{pad}"""{wrapped[0]}', *((pad + line).rstrip() for line in wrapped[1:]), f'{pad}"""']


def _wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


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


def _class_lines(code: ClassCode) -> list[str]:
    doc = _docstring(
        code.doc or f"The block `{code.graph.name}`." if code.graph.kind == "block" else _group_doc(code), 4
    )
    if code.steps is not None:
        head = [f"class {code.name}(nn.Sequential):", *doc, "", *_signature(code.parameters)]
        return [*head, *layout("super().__init__", _as_arguments(code.steps), "", 8)]
    constructor = _constructor(code.parameters, code.modules, [])
    forward = _forward(code.graph, code.arguments, code.forward, None)
    return [f"class {code.name}(nn.Module):", *doc, "", *constructor, "", *forward]


def _group_doc(code: ClassCode) -> str:
    return f"The part `{code.graph.name}`."


def _as_arguments(steps: Sequence[Expression]) -> Expression:
    return Call("", tuple(steps))


def _signature(parameters: Sequence[Parameter]) -> list[str]:
    items = ["self", *described(parameters)]
    listed = ", ".join(items)
    if len(listed) + len("    def __init__() -> None:") <= WIDTH:
        return [f"    def __init__({listed}) -> None:"]
    inner = [f"        {listed}"] if len(listed) + 8 <= WIDTH else [f"        {item}," for item in items]
    return ["    def __init__(", *inner, "    ) -> None:"]


def _constructor(
    parameters: Sequence[Parameter], modules: Mapping[str, Expression], initial: Sequence[str]
) -> list[str]:
    lines = [*_signature(parameters), "        super().__init__()"]
    for name, code in modules.items():
        if name.isidentifier():
            lines += layout(f"self.{name} = ", code, "", 8)
        else:
            is_parameter = isinstance(code, Call) and code.function == "nn.Parameter"
            add = "self.register_parameter" if is_parameter else "self.add_module"
            lines += layout(add, Call("", (Literal(name), code)), "", 8)
    return [*lines, *(line for text in initial for line in _broken(text, 8))]


def _broken(line: str, indent: int) -> list[str]:
    """Indent a statement, and break a call that is too long inside its parentheses."""
    inner = len(line) - len(line.lstrip())
    pad = " " * (indent + inner)
    text = line.strip()
    if len(pad) + len(text) <= WIDTH or not text.endswith(")"):
        return [pad + text]
    head, _, arguments = text.partition("(")
    if len(pad) + 4 + len(arguments) - 1 <= WIDTH:
        return [f"{pad}{head}(", f"{pad}    {arguments[:-1]}", f"{pad})"]
    return [f"{pad}{head}(", *(f"{pad}    {item}," for item in arguments[:-1].split(", ")), f"{pad})"]


def _forward(
    graph: Graph, arguments: Sequence[str], statements: Sequence[Statement], shapes: Shapes | None
) -> list[str]:
    listed = ", ".join(["self", *(f"{name}: Tensor" for name in arguments)])
    head = f"    def forward({listed}) -> {_result_type(graph)}:"
    lines = (
        [head] if len(head) <= WIDTH else ["    def forward(", f"        {listed}", f"    ) -> {_result_type(graph)}:"]
    )
    if shapes is not None:
        lines += _docstring(_forward_doc(graph, shapes), 8)
    for statement in statements:
        lines += _statement_lines(statement, 8)
    return lines


def _result_type(graph: Graph) -> str:
    always = [output for output in graph.outputs if not output.is_training_only]
    if graph.kind != "model" and len(graph.outputs) > 1:
        late = training_only(graph)
        kinds = ["Tensor | None" if output.value.node in late else "Tensor" for output in graph.outputs]
        return f"tuple[{', '.join(kinds)}]"
    main = "Outputs" if len(always) > 1 else "Tensor"
    return main if len(always) == len(graph.outputs) else f"{main} | TrainingOutputs"


def _forward_doc(graph: Graph, shapes: Shapes) -> str:
    given = ", ".join(f"(N, {', '.join(map(str, shape))})" for shape in shapes.inputs)
    result = ", ".join(
        f"(N, {', '.join(map(str, shapes.of(output.value)))})"
        for output in graph.outputs
        if not output.is_training_only
    )
    return f"Map {given} to {result}."


def _output_classes(graph: Graph) -> list[str]:
    always = [output.name or "output" for output in graph.outputs if not output.is_training_only]
    extra = [output.name for output in graph.outputs if output.is_training_only]
    lines: list[str] = []
    if len(always) > 1:
        lines += ["", "", "class Outputs(NamedTuple):", '    """What the network gives."""', ""]
        lines += [f"    {name}: Tensor" for name in always]
    if extra:
        lines += [
            "",
            "",
            "class TrainingOutputs(NamedTuple):",
            '    """What the network gives in training mode."""',
            "",
        ]
        lines += [f"    {name}: Tensor" for name in [*always, *extra]]
    return lines


def _statement_lines(statement: Statement, indent: int) -> list[str]:
    match statement:
        case Assign(target, code):
            return layout(f"{target} = ", code, "", indent)
        case Return(Call("", fields)):
            line = " " * indent + "return " + ", ".join(map(flat, fields))
            return [line] if len(line) <= WIDTH else layout("return ", Call("", fields), "", indent)
        case Return(code):
            return layout("return ", code, "", indent)
        case InTraining(inner, condition):
            lines = [line for item in inner for line in _statement_lines(item, indent + 4)]
            return [" " * indent + f"if {condition}:", *lines]
