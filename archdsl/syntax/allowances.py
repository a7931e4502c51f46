"""What a file's `allow` statements allow, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import cast

from archdsl.syntax import tree
from archdsl.text.allow import Allowance, Allowances
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Fix, Label, Reporter
from archdsl.text.edits import removal
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

_UNUSED = "W400"


def find_allowances(file: tree.File, report: Reporter) -> list[Allowance]:
    """Return what a file allows; what cannot be allowed goes to `report`.

    An `allow` directly in the body of a model or block holds for that whole declaration, its parameters included.
    """
    if "allow" not in file.source.text:
        return []
    whole = Span(0, len(file.source.text), file.source)
    found = [Allowance(name.text, name.span, s.span, whole) for s, name in _codes(file.allows, report)]
    for declaration in file.declarations:
        home = declaration.span
        if "allow" not in home.text:
            continue
        own_body = declaration.body if isinstance(declaration, tree.Block | tree.Model) else None
        for body, is_conditional in _bodies(declaration):
            scope = home if body is own_body else body.span
            found += [
                Allowance(name.text, name.span, s.span, scope, home, is_conditional)
                for s, name in _codes(body.allows, report)
            ]
    return found


def _bodies(declaration: tree.Declaration) -> Iterator[tuple[tree.Body, bool]]:
    """Return every body in a declaration, and whether it stands in a branch of an `if`."""
    left: list[tuple[object, bool]] = [(declaration, False)]
    while left:
        node, is_conditional = left.pop()
        if isinstance(node, tuple):
            left += [(item, is_conditional) for item in cast("tuple[object, ...]", node)]
        elif isinstance(node, tree.Expression):
            continue  # no expression holds a body
        elif is_dataclass(node):
            if isinstance(node, tree.Body):
                yield node, is_conditional
            inside = is_conditional or isinstance(node, tree.If)
            left += [(getattr(node, field.name), inside) for field in fields(node) if field.name != "span"]


def _codes(allows: tuple[tree.Allow, ...], report: Reporter) -> Iterator[tuple[tree.Allow, tree.Name]]:
    """Return the codes of one body's statements, without those that make no sense, which are reported."""
    seen: dict[str, Span] = {}
    for statement in allows:
        for name in statement.codes:
            code, span = name.text, name.span
            if code not in CODES:
                _unknown(code, span, report)
            elif not code.startswith("W"):
                message = f"`{code}` is an error, and only warnings can be allowed"
                report.error("E104", message, span, help="mend the mistake itself, and remove this")
            elif code in seen:
                labels = [Label(seen[code], "allowed here first")]
                report.error("E106", f"`{code}` is allowed twice", span, labels=labels, help="remove one of the two")
            else:
                seen[code] = span
                yield statement, name


def _unknown(code: str, span: Span, report: Reporter) -> None:
    near = nearest(code, [known for known in CODES if known.startswith("W")])
    help = f"the nearest is `{near}`" if near else "`archdsl explain` lists the codes"
    fix = Fix.at(span, near, is_safe=near == code.upper(), title=f"write `{near}`") if near else None
    report.error("E101", f"no warning has the code `{code}`", span, help=help, fix=fix)


def report_unused(allowances: Allowances, checked: Collection[Span], is_complete: bool, report: Reporter) -> None:
    """Warn about an `allow` that dropped nothing, where that can be told.

    `checked` are the declarations that were built; `is_complete` says that these are all of the file.
    """
    left = allowances.unused()
    for allowance in left:
        is_known = is_complete if allowance.home is None else allowance.home in checked
        if not is_known or allowance.is_conditional or allowance.code == _UNUSED:
            continue
        siblings = [other for other in left if other.statement == allowance.statement]
        report.warning(
            "W400",
            f"`allow {allowance.code}` drops no warning",
            allowance.span,
            help="remove it",
            fix=_without(allowance, is_only=len(siblings) == len(allowance.statement.text.split()) - 1),
        )


def _without(allowance: Allowance, *, is_only: bool) -> Fix:
    if is_only:
        return Fix.at(removal(allowance.statement), "", is_safe=True, title=f"remove `{allowance.statement.text}`")
    start = len(allowance.span.source.text[: allowance.span.start].rstrip())
    span = Span(start, allowance.span.end, allowance.span.source)
    return Fix.at(span, "", is_safe=True, title=f"remove `{allowance.code}`")
