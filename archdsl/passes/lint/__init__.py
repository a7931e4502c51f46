"""Warnings: what is legal, and most likely costs a training run.

A lint of a network is a function over its tables, one of a file a function over its text. What they report is dropped
where the text allows it, or where it is about another file's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archdsl.passes.lint.alone import lint_lone_branches
from archdsl.passes.lint.axes import lint_channels_last, lint_dense_on_map, lint_moved_channels
from archdsl.passes.lint.bias import lint_bias
from archdsl.passes.lint.dead import lint_dead_branch
from archdsl.passes.lint.eights import lint_eights
from archdsl.passes.lint.extremes import lint_extremes
from archdsl.passes.lint.facts import Facts
from archdsl.passes.lint.field import lint_receptive_field
from archdsl.passes.lint.gaps import lint_gaps
from archdsl.passes.lint.groups import lint_group_norm
from archdsl.passes.lint.head import lint_dropout_at_the_end, lint_softmax_at_the_end
from archdsl.passes.lint.inputs import lint_input_channels
from archdsl.passes.lint.linear import lint_missing_activation
from archdsl.passes.lint.size import lint_small_map
from archdsl.passes.lint.twice import lint_twice
from archdsl.text.diagnostic import Reporter

Lint: TypeAlias = Callable[[Facts, Reporter], None]

LINTS: tuple[Lint, ...] = (
    lint_bias,
    lint_missing_activation,
    lint_softmax_at_the_end,
    lint_dead_branch,
    lint_receptive_field,
    lint_small_map,
    lint_group_norm,
    lint_eights,
    lint_twice,
    lint_gaps,
    lint_channels_last,
    lint_dense_on_map,
    lint_moved_channels,
    lint_dropout_at_the_end,
    lint_input_channels,
    lint_lone_branches,
    lint_extremes,
)


def lint_network(facts: Facts, report: Reporter) -> None:
    """Report what is suspicious about a network.

    Requires: shapes without errors. Ensures: each distinct body is looked at once.
    """
    for lint in LINTS:
        lint(facts, report)
