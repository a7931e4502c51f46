"""Which networks a list shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.cli.listing import ListedNetwork
from archdsl.ir.trouble import Reported, Trouble
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate_bool
from archdsl.semantics.library import Library
from archdsl.semantics.values import UNKNOWN, Setting, Unknown
from archdsl.syntax import tree
from archdsl.syntax.parser import parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.failure import Failure
from archdsl.text.source import Source
from archdsl.text.suggest import nearest


def chosen(
    entries: Sequence[ListedNetwork], families: Sequence[str] | None, condition: str | None
) -> Sequence[ListedNetwork]:
    """Return those of some families, if any are named, for which a condition holds.

    A condition is an expression as specs have it. It does not hold where it needs a figure that the network lacks.
    Errors: Failure for an unknown family and a condition without a value
    """
    for family in families or ():
        known = sorted({entry.family for entry in entries})
        if family not in known:
            near = nearest(family, known)
            raise Failure(f"no bundled file is called `{family}`", f"the nearest is `{near}`" if near else "")
    kept = [entry for entry in entries if not families or entry.family in families]
    if condition is None:
        return kept
    expression = _parse(condition)
    prelude = Library(Reporter()).prelude()
    return [entry for entry in kept if _holds(expression, Env(prelude, Context(), Budget(), _facts(entry)))]


def _facts(entry: ListedNetwork) -> Mapping[str, Setting | Unknown]:
    figures = {"field": entry.field, "top1": entry.top1, "top5": entry.top5}
    return {
        "name": entry.name,
        "family": entry.family,
        "parameters": entry.parameters,
        "macs": entry.macs,
        "flops": 2 * entry.macs,
        **{name: UNKNOWN if figure is None else figure for name, figure in figures.items()},
    }


def _parse(condition: str) -> tree.Expression:
    report = Reporter()
    expression = parse_expression(Source(condition, "<filter>"), report)
    if expression is None or report.has_errors:
        message = report.diagnostics[0].message if report.diagnostics else "it does not end"
        raise Failure(f"`--filter {condition}` is no condition: {message}", 'write one as in "macs < 1G and top1 > 75"')
    return expression


def _holds(expression: tree.Expression, env: Env) -> bool:
    try:
        return evaluate_bool(expression, env)
    except Trouble as trouble:
        raise Failure(f"`--filter` has no value at `{trouble.span.text}`: {trouble.message}", trouble.help) from None
    except Reported:
        return False
