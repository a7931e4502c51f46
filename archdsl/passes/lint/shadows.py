"""W424: blocks that hide an operator which an edition brought, and which older texts know nothing of."""

from __future__ import annotations

from archdsl.ops import OPS
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.text.diagnostic import Reporter


def lint_shadows(module: Module, report: Reporter) -> None:
    """Report a file's blocks that bear the name of an operator of the second edition or a later one.

    Older operators are left aside: whoever writes a `conv` of their own means it.
    """
    for declaration in module.file.declarations:
        if not isinstance(declaration, tree.Block):
            continue
        name = declaration.name
        op = OPS.get(name.text)
        if op is not None and op.edition > 1:
            message = f"the block `{name.text}` hides the operator of that name"
            report.warning("W424", message, name.span, help="rename it, or write `allow W424` where it is meant")
