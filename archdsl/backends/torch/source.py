"""Classes as lines of Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.backends.torch.classes import ClassCode
from archdsl.backends.torch.code import PyCall, PyExpression, PyLiteral, PyName
from archdsl.backends.torch.docstrings import docstring
from archdsl.backends.torch.layout import WIDTH, flat, layout, literal
from archdsl.backends.torch.nested import register
from archdsl.backends.torch.parameters import ConstructorParameter
from archdsl.backends.torch.returns import training_only
from archdsl.backends.torch.statements import Assign, InTraining, PyStatement, Return, Sequential
from archdsl.ir.graph import Graph

_BELOW_ONE = " < 1"


def class_lines(code: ClassCode, initial: Sequence[str] = (), about: str = "", gives: str = "") -> list[str]:
    """Write a class; its constructor ends with `initial`, and `about` is the docstring of its forward pass.

    `gives` is the type of what that returns, where the graph does not tell.
    """
    members, forward = code.members, list[str]()
    match members.forward:
        case (Sequential() as steps,):
            base, made = "nn.Sequential", _statement_lines(steps, 8)
        case statements:
            base, made = "nn.Module", ["        super().__init__()", *_attribute_lines(members.modules)]
            forward = [
                "",
                *_forward_head(members.arguments, gives or _result_type(code.graph)),
                *(docstring(about, 8) if about else []),
            ]
            forward += [line for statement in statements for line in _statement_lines(statement, 8)]
    head = [f"class {code.name}({base}):", *docstring(code.doc, 4), "", *_constructor_head(code.parameters)]
    head += [line for text, told in _refusals(code) for line in _refusal(text, told)]
    return [*head, *made, *(line for text in initial for line in _broken(text, 8)), *forward]


def _constructor_head(parameters: Sequence[ConstructorParameter]) -> list[str]:
    items = ["self", *map(_described, parameters)]
    listed = ", ".join(items)
    if len(listed) + len("    def __init__() -> None:") <= WIDTH:
        return [f"    def __init__({listed}) -> None:"]
    inner = [f"        {listed}"] if len(listed) + 8 <= WIDTH else [f"        {item}," for item in items]
    return ["    def __init__(", *inner, "    ) -> None:"]


def _refusals(code: ClassCode) -> list[tuple[str, str]]:
    """Return the conditions under which a constructor refuses its arguments, and what it says then."""
    low = [text.removesuffix(_BELOW_ONE) for text in code.refused if text.endswith(_BELOW_ONE)]
    others = [(text, _told(text, code.name)) for text in code.refused if not text.endswith(_BELOW_ONE)]
    if not low:
        return others
    several = f"{', '.join(low[:-1])} and {low[-1]} are" if len(low) > 1 else f"{low[0]} is"
    smallest = f"min({', '.join(low)})" if len(low) > 1 else low[0]
    return [(f"{smallest}{_BELOW_ONE}", f"{several} at least 1"), *others]


def _told(condition: str, name: str) -> str:
    """Say what is wrong with numbers for which a condition holds."""
    negated = condition.removeprefix("not ")
    return f"no {name} has {condition}" if negated == condition else f"{name} needs {negated}"


def _refusal(condition: str, told: str) -> list[str]:
    lines = layout("if ", PyName(condition), ":", 8)
    return [*lines, *layout("raise ValueError", PyCall("", (PyLiteral(told),)), "", 12)]


def _described(parameter: ConstructorParameter) -> str:
    default = "" if parameter.default is None else f" = {literal(parameter.default)}"
    return f"{parameter.name}: {parameter.type}{default}"


def _attribute_lines(modules: Mapping[str, PyExpression]) -> list[str]:
    lines: list[str] = []
    for name, code in modules.items():
        if name.isidentifier():
            lines += layout(f"self.{name} = ", code, "", 8)
        else:
            lines += layout(*register(name, code), "", 8)
    return lines


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


def _forward_head(arguments: Sequence[str], result: str) -> list[str]:
    names = ["self", *(f"{name}: Tensor" for name in arguments)]
    listed = ", ".join(names)
    head = f"    def forward({listed}) -> {result}:"
    if len(head) <= WIDTH:
        return [head]
    lines = [f"        {listed}"]
    if len(lines[0]) > WIDTH:
        lines = [f"        {name}," for name in names]
    return ["    def forward(", *lines, f"    ) -> {result}:"]


def _result_type(graph: Graph) -> str:
    always = [output for output in graph.outputs if not output.is_training_only]
    if graph.kind != "model" and len(graph.outputs) > 1:
        late = training_only(graph)
        kinds = ["Tensor | None" if output.value.node in late else "Tensor" for output in graph.outputs]
        return f"tuple[{', '.join(kinds)}]"
    main = "Outputs" if len(always) > 1 else "Tensor"
    return main if len(always) == len(graph.outputs) else f"{main} | TrainingOutputs"


def _statement_lines(statement: PyStatement, indent: int) -> list[str]:
    match statement:
        case Assign(target, code):
            return layout(f"{target} = ", code, "", indent)
        case Return(PyCall("", fields)):
            line = " " * indent + "return " + ", ".join(map(flat, fields))
            return [line] if len(line) <= WIDTH else layout("return ", PyCall("", fields), "", indent)
        case Return(code):
            return layout("return ", code, "", indent)
        case InTraining(inner, condition):
            lines = [line for item in inner for line in _statement_lines(item, indent + 4)]
            return [" " * indent + f"if {condition}:", *lines]
        case Sequential(items):
            return layout("super().__init__", PyCall("", items), "", indent)


def output_classes(graph: Graph) -> list[str]:
    """Write the tuples that a network with several outputs returns."""
    always = [output.name or "output" for output in graph.outputs if not output.is_training_only]
    extra = [output.name for output in graph.outputs if output.is_training_only]
    lines = _tuple_lines("Outputs", "What the network gives.", always) if len(always) > 1 else []
    if extra:
        lines += _tuple_lines("TrainingOutputs", "What the network gives in training mode.", [*always, *extra])
    return lines


def _tuple_lines(name: str, doc: str, fields: Sequence[str]) -> list[str]:
    head = ["", "", f"class {name}(NamedTuple):", *docstring(doc, 4), ""]
    return [*head, *(f"    {field}: Tensor" for field in fields)]
