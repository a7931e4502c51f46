"""A syntax tree as text, in the one style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.syntax import tree
from archdsl.syntax.formatter import format_source
from archdsl.syntax.parser import language_words
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

_LONGEST_LINE = 90


def write(declarations: Sequence[tree.Declaration], docs: Mapping[str, str]) -> str:
    """Return the text of a spec, as the formatter would have it; `docs` are the documentation by declaration.

    Requires: declarations, statements and expressions of the kinds below, which say a graph; the spans do not count.
    """
    parts = [_declaration(declaration, docs) for declaration in declarations]
    report = Reporter()
    text = format_source(Source("\n\n".join(parts) + "\n"), report)
    assert text is not None, f"a tree is written as text that is none: {report.diagnostics}"
    return text


def _declaration(node: tree.Declaration, docs: Mapping[str, str]) -> str:
    if isinstance(node, tree.Defaults):
        return f"defaults {{ {' '.join(map(_argument, node.values))} }}"
    assert isinstance(node, tree.Block | tree.Model)
    word = "model" if isinstance(node, tree.Model) else "block"
    doc = "".join(f"## {line}".rstrip() + "\n" for line in docs.get(node.name.text, "").splitlines())
    # A word of the language is a name only before a parenthesis.
    is_listed = bool(node.parameters) or node.name.text in language_words()
    parameters = f"({', '.join(map(_parameter, node.parameters))})" if is_listed else ""
    return f"{doc}{word} {node.name.text}{parameters} {_body(node.body, is_broken=True)}"


def _parameter(parameter: tree.Parameter) -> str:
    return f"{parameter.type.text} {parameter.name.text}" if parameter.type is not None else parameter.name.text


def _body(body: tree.Body, *, is_broken: bool = False) -> str:
    statements = [_statement(statement) for statement in body.statements]
    line = f"{{ {'; '.join(statements)} }}"
    if not is_broken and len(line) <= _LONGEST_LINE and "\n" not in line:
        return line
    return "{\n" + "\n".join(statements) + "\n}"


def _statement(node: tree.Statement) -> str:
    if isinstance(node, tree.OutputStatement):
        training = " training" if node.is_training_only else ""
        body = f" {_body(node.body)}" if node.body is not None else ""
        return f"output {_label(node.name)}{training}{body}"
    assert isinstance(node, tree.Step)
    label = f"{_label(node.label)}: " if node.label is not None else ""
    count = f" x {_operand(node.repeat)}" if node.repeat is not None else ""
    return f"{label}{_action(node.action)}{count}"


def _label(label: tree.LabelText) -> str:
    text = "".join(piece for piece in label.pieces if isinstance(piece, str))
    return text if text.isidentifier() else f'"{text}"'


def _action(node: tree.Action) -> str:
    match node:
        case tree.Call(name, arguments, body):
            words = [name.text, *map(_argument, arguments)]
            return " ".join([*words, _body(body)] if body is not None else words)
        case tree.Group(body):
            return _body(body)
        case tree.Residual(None, body, None, None):
            return f"residual {_body(body)}"
        case tree.Reference():
            return _reference(node)
        case tree.Reuse(label):
            return f"reuse {_label(label)}"
        case _:
            raise AssertionError(f"a graph is written without {type(node).__name__}")


def _reference(node: tree.Reference) -> str:
    return "@" + ".".join(map(_label, (node.label, *node.outputs)))


def _argument(argument: tree.Argument) -> str:
    if argument.key is None:
        return _operand(argument.value)
    return f"{argument.key.text}={_expression(argument.value)}"


def _operand(node: tree.Expression) -> str:
    text = _expression(node)
    return f"({text})" if isinstance(node, tree.Unary) else text


def _expression(node: tree.Expression) -> str:
    match node:
        case tree.Literal(bool(value)):
            return "true" if value else "false"
        case tree.Literal(str(value)):
            return f'"{value}"'
        case tree.Literal(value):
            return repr(value)
        case tree.Variable(name):
            return name
        case tree.Apply(name, arguments):
            return f"{name.text}({', '.join(map(_argument, arguments))})"
        case tree.ListOf(items):
            return f"[{', '.join(map(_expression, items))}]"
        case tree.Reference():
            return _reference(node)
        case tree.Unary(operator, operand):
            return f"{operator}{_operand(operand)}"
        case _:
            raise AssertionError(f"a graph is written without {type(node).__name__}")
