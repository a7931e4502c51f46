"""What is suspicious about a file beside its networks."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.passes.lint.joins import lint_joins
from archdsl.passes.lint.keys import lint_keys
from archdsl.passes.lint.names import lint_names
from archdsl.passes.lint.outputs import lint_outputs
from archdsl.passes.lint.shadows import lint_shadows
from archdsl.passes.shapes import Shapes
from archdsl.semantics.keymap import KeyMap
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.allowances import report_unused
from archdsl.text.diagnostic import Reporter
from archdsl.text.looking import Looking
from archdsl.text.source import Span


def lint_file(
    module: Module,
    built: set[Span],
    mapped: Sequence[tuple[tuple[KeyMap, ...], Shapes]],
    report: Reporter,
    looking: Looking,
) -> None:
    """Find what is suspicious about a file without mistakes, beside its networks.

    `built` are the places of what its models built, `mapped` the name maps and shapes of each, where it has any maps.
    """
    lint_names(module, report, looking)
    lint_shadows(module, report)
    lint_outputs(module.file, report, looking)
    lint_joins(module, report, looking)
    if mapped and len(mapped) == sum(isinstance(d, tree.Model | tree.Variant) for d in module.file.declarations):
        lint_keys(module.file.source, mapped, report)
    bodies = {d.span for d in module.file.declarations if isinstance(d, tree.Block | tree.Model)}
    report_unused(module.allowances, built, is_complete=bool(built) and bodies <= built, report=report)
