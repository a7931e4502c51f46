"""Write docs/operators.md from the operators' classes and the prelude: python docs/make_operators.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

import archdsl
from archdsl.ops import OPS
from archdsl.ops.base import Init, Op, ValueAt, attribute_docs
from archdsl.semantics.library import Library
from archdsl.syntax import tree
from archdsl.text.diagnostic import Reporter

PAGE = Path(__file__).resolve().parent / "operators.md"
HEADINGS = {
    "input": "Input",
    "conv": "Convolutions",
    "linear": "Dense layers",
    "norm": "Norms",
    "activation": "Activations",
    "pool": "Pooling",
    "regularise": "Regularisation",
    "shape": "Shapes",
    "tensor": "Tensors and arithmetic",
    "join": "Joins",
}
INTRODUCTION = """\
# Operators

<!-- Written by docs/make_operators.py from the classes in archdsl/ops; edit those. -->

A step calls an operator by its name: `conv 64 k=7 s=2`. Arguments without a name come in the order of the tables; short
names stand in brackets. Shapes are those of one image, channels first, without the batch. [cost.md](cost.md) says what
is counted. Every example is a whole model, and the comment gives the shape of its output.
"""


def page() -> str:
    """Return the page's text."""
    parts = [INTRODUCTION]
    for category, ops in groupby(sorted(OPS.values(), key=_position), key=lambda op: op.category):
        parts.append(f"## {HEADINGS[category]}\n")
        parts += [_operator(op) for op in ops]
    return "\n".join([*parts, _prelude()])


def _position(op: type[Op]) -> int:
    return list(HEADINGS).index(op.category)


def _operator(op: type[Op]) -> str:
    summary, sections = _docstring(op)
    lines = [f"### {op.keyword}\n", f"{_prose(summary)}\n"]
    if op.model_fields:
        lines += ["| Argument | Takes | Default | |", "|---|---|---|---|", *_rows(op), ""]
    lines += [f"- **{heading}**: {_prose(text)}" for heading, text in sections.items()]
    return "\n".join([*lines, "", "```arch", _example(op), "```", ""])


def _docstring(op: type[Op]) -> tuple[str, Mapping[str, str]]:
    """Return what stands above the headings, and the text below each of them."""
    summary, _, rest = (op.__doc__ or "").partition("\n\n")
    sections = {"": summary}
    heading = ""
    for line in rest.partition(">>>")[0].splitlines():
        match = re.fullmatch(r"\s*(Shape|Cost|Errors|Source):\s+(.*)", line)
        if match:
            heading = match[1]
            sections[heading] = match[2]
        elif line.strip():
            sections[heading] += " " + line.strip()
    return sections.pop(""), sections


def _prose(text: str) -> str:
    """Keep Markdown from reading products as emphasis, and link error codes."""
    pieces = text.split("`")
    for i in range(0, len(pieces), 2):
        plain = pieces[i].replace("*", r"\*").replace("<", r"\<")
        pieces[i] = re.sub(r"\b(E\d{3})\b", lambda match: f"[{match[1]}](errors.md#{match[1].lower()})", plain)
    return "`".join(pieces)


def _rows(op: type[Op]) -> Iterator[str]:
    schema = op.model_json_schema()
    short = {name: alias for alias, name in op.aliases.items()}
    docs = attribute_docs(op)
    for name, field in op.model_fields.items():
        shown = f"`{name}`" + (f" [`{short[name]}`]" if name in short else "")
        if name == op.open_attribute:
            yield f"| names of axes | whole number from 1 | unset | {_prose(docs.get(name, ''))} |"
            continue
        default = "required" if field.is_required() else _default(field)
        takes = _takes(schema["properties"][name], _takes_one_number(field))
        yield f"| {shown} | {takes} | {default} | {_prose(docs.get(name, ''))} |"


def _takes_one_number(field: FieldInfo) -> bool:
    """Return whether a list may be given as one number that stands for all of its items."""
    annotated: Any = Annotated  # what it gets here is no type expression that a checker knows
    try:
        TypeAdapter(annotated[field.annotation, Field(), *field.metadata]).validate_python(1, strict=True)
    except ValidationError:
        return False
    return True


def _takes(schema: Mapping[str, Any], takes_one: bool) -> str:
    """Say what values a JSON schema admits."""
    if "anyOf" in schema:
        kinds = [_takes(option, takes_one) for option in schema["anyOf"] if option.get("type") != "null"]
        return " or ".join(kinds)
    if "$ref" in schema:
        return "a value, `@name`" if schema["$ref"].endswith(f"/{ValueAt.__name__}") else "an initialisation"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return f"whole number{_bounds(schema)}"
        case "string":
            return "text"
        case "number":
            return f"number{_bounds(schema)}"
        case "array":
            return _list(schema, takes_one)
        case _:
            raise AssertionError(f"no words for {schema}")


def _bounds(schema: Mapping[str, Any]) -> str:
    above, least, most = (schema.get(key) for key in ("exclusiveMinimum", "minimum", "maximum"))
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    if above is not None and schema["type"] == "integer":
        return f" from {above + 1:g}"
    return f" above {above:g}" if above is not None else f" from {least:g}" if least is not None else ""


def _list(schema: Mapping[str, Any], takes_one: bool) -> str:
    items = schema.get("prefixItems")
    if schema.get("items") == {}:
        return "a list, which may nest"
    inner = _takes(items[0] if items else schema["items"], takes_one)
    if items and takes_one:
        return f"{inner}, or {'`[height, width]`' if len(items) == 2 else f'list of {len(items)}'}"
    return f"list of {len(items)} {_plural(inner)}" if items else f"list of {_plural(inner)}"


def _plural(words: str) -> str:
    return words.replace("number", "numbers", 1)


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if value is None:
        return "unset"
    is_one = isinstance(value, tuple) and len(set(value)) == 1 and _takes_one_number(field)
    return f"`{_written(value[0] if is_one else value)}`"


def _written(value: object) -> str:
    """Write a value as a spec does."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple() | list():
            return "[" + ", ".join(map(_written, value)) + "]"
        case float():
            return f"{value:g}"
        case str() if not value.isidentifier():
            return f'"{value}"'
        case Init(function=function):
            return function.removesuffix("_")
        case _:
            return str(value)


def _example(op: type[Op]) -> str:
    """Turn the docstring's example into a model, and say what comes out."""
    attributes, shapes = _call(op)
    step = " ".join([op.keyword, *_arguments(op, attributes)])
    if op.category == "input":
        text = f"model example {{ {step} }}"
    elif op.is_join:
        names = "abcd"[: len(shapes)]
        inputs = "; ".join(f"{name}: input {_written(shape)}" for name, shape in zip(names, shapes, strict=True))
        text = f"model example {{ {inputs}; {step} {{ {'; '.join(f'@{name}' for name in names)} }} }}"
    elif op.is_source:
        text = f"model example {{ allow W404; input [3, 32, 32]; {step} }}"
    else:
        text = f"model example {{ input {_written(shapes[0] if shapes else (3, 32, 32))}; {step} }}"
    (output,) = archdsl.load_text(text).outputs.values()
    return f"{text}  # {output}"


def _call(op: type[Op]) -> tuple[Mapping[str, object], list[tuple[int, ...]]]:
    """Read the attributes and input shapes of the docstring's example."""
    source = re.search(rf">>> (.*\b{op.__name__}\(.*)", op.__doc__ or "")
    assert source is not None, op
    calls = [node for node in ast.walk(ast.parse(source[1])) if isinstance(node, ast.Call)]
    made = next(call for call in calls if isinstance(call.func, ast.Name) and call.func.id == op.__name__)
    shapes = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Shape"]
    attributes = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in made.keywords}
    return attributes, [tuple(ast.literal_eval(size) for size in call.args) for call in shapes]


def _arguments(op: type[Op], attributes: Mapping[str, object]) -> Iterator[str]:
    short = {name: alias for alias, name in op.aliases.items()}
    is_leading = True
    for name, field in op.model_fields.items():
        is_leading = is_leading and field.is_required()
        if name == op.open_attribute:
            pairs = cast("Iterable[tuple[str, object]]", attributes.get(name, ()))
            yield from (f"{key}={_written(value)}" for key, value in pairs)
        elif name in attributes:
            value = _written(attributes[name])
            yield value if is_leading and not value.startswith("-") else f"{short.get(name, name)}={value}"


def _prelude() -> str:
    """List the blocks of the prelude with their signatures."""
    prelude = Library(Reporter()).prelude()
    lines = [
        "## Blocks of the prelude\n",
        "Written in the language, in `specs/prelude.arch`, and called like operators.\n",
    ]
    lines += ["| Block | |", "|---|---|"]
    for declaration, home in prelude.declarations.values():
        if isinstance(declaration, tree.Block):
            parameters = ", ".join(parameter.span.text for parameter in declaration.parameters)
            lines.append(f"| `{declaration.name.text}({parameters})` | {' '.join(home.doc(declaration).split())} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
