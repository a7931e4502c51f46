"""W419: outputs that are called like an earlier step and give something else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from archdsl.ops import OPS
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Fix, Label, Reporter
from archdsl.text.looking import Looking
from archdsl.text.source import Span

_NO_STEPS = ("pass", "freeze", "weights")
"""Words of statements that hand on what flows."""
_ELSEWHERE = "…"
"""What flows where no one step of the level made it; no label is called so."""


def lint_outputs(file: tree.File, report: Reporter, looking: Looking) -> None:
    """Report outputs that bear the label of an earlier step of their level, but are not its result.

    Silent where the branches of an `if`, or the turns of a `for`, leave open which step it is.
    """
    for declaration in reversed(file.declarations):
        looking.at(declaration, _lint, report, partial(_lint, declaration))


def _lint(declaration: tree.Declaration, report: Reporter) -> None:
    nodes = [*nodes_of(declaration)]
    followed = {id(body) for node in nodes if isinstance(node, tree.If | tree.For) for body in _branches(node)}
    joins = {id(node.body) for node in nodes if isinstance(node, tree.Call) and _is_join(node)}
    for node in nodes:
        if isinstance(node, tree.Body) and id(node) not in followed:
            _follow(node, {}, _ELSEWHERE, report, is_join=id(node) in joins)


def _is_join(call: tree.Call) -> bool:
    op = OPS.get(call.name.text)
    return call.body is not None and op is not None and op.is_join


def _branches(node: tree.If | tree.For) -> list[tree.Body]:
    if isinstance(node, tree.For):
        return [node.body]
    return [body for body in (node.then, node.otherwise) if body is not None]


def _follow(
    body: tree.Body, before: Mapping[str, Span], flowing: str | None, report: Reporter, *, is_join: bool
) -> str | None:
    """Go through a body's statements; return the label of the step whose result flows at its end, None if unknown."""
    labels = dict(before)
    for statement in body.statements:
        match statement:
            case tree.OutputStatement(name=name, body=None):
                text = _plain(name)
                if flowing is not None and flowing != text and text in labels:
                    _tell(statement, text, labels[text], report)
            case tree.Step(label=label, action=action):
                flowing = flowing if is_join else _made_by(label, action, flowing)
                if label is not None and (text := _plain(label)):
                    labels[text] = label.span
            case tree.If() | tree.For():
                ends = {_follow(inner, labels, flowing, report, is_join=is_join) for inner in _branches(statement)}
                ends |= set() if isinstance(statement, tree.If) and statement.otherwise is not None else {flowing}
                flowing = ends.pop() if len(ends) == 1 else None
            case _:
                pass
    return flowing


def _made_by(label: tree.LabelText | None, action: tree.Action, flowing: str | None) -> str | None:
    """Return the label of the step whose result flows behind a step, which may be that of an earlier one."""
    if isinstance(action, tree.Reference):
        return _plain(action.label) if not action.outputs else _ELSEWHERE
    if label is None and isinstance(action, tree.Call) and action.name.text in _NO_STEPS:
        return flowing
    return (_plain(label) or None) if label is not None else _ELSEWHERE


def _plain(label: tree.LabelText) -> str:
    """Return a label without expressions; "" for others."""
    return "".join(piece for piece in label.pieces if isinstance(piece, str)) if len(label.pieces) == 1 else ""


def _tell(statement: tree.OutputStatement, name: str, label: Span, report: Reporter) -> None:
    written = f"{name} training" if statement.is_training_only else name
    report.warning(
        "W419",
        f"`output {name}` gives what flows here, and not what the step `{name}` made",
        statement.name.span,
        labels=[Label(label, "this step is called so")],
        help=f"write `output {written} {{ @{name} }}`, or call the output something else",
        fix=Fix.at(statement.span, f"output {written} {{ @{name} }}", title=f"give out `@{name}`"),
    )
