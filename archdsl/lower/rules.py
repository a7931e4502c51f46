"""The rule for each kind of statement and action: the language's meaning, one line a word."""

from __future__ import annotations

from archdsl.lower.calls import lower_call
from archdsl.lower.levels import lower_group
from archdsl.lower.lowering import Rules
from archdsl.lower.references import lower_reference, lower_reuse
from archdsl.lower.residuals import lower_residual
from archdsl.lower.splits import lower_split
from archdsl.lower.stages import lower_stages
from archdsl.lower.statements import (
    bind_defaults,
    bind_function,
    bind_let,
    bind_unknown,
    lower_assert,
    lower_broken,
    lower_for,
    lower_if,
    lower_output,
)
from archdsl.lower.steps import lower_step
from archdsl.syntax import tree

RULES = Rules(
    flows={
        tree.Step: lower_step,
        tree.If: lower_if,
        tree.For: lower_for,
        tree.Assert: lower_assert,
        tree.OutputStatement: lower_output,
        tree.Broken: lower_broken,
        tree.Call: lower_call,
        tree.Group: lower_group,
        tree.Residual: lower_residual,
        tree.Split: lower_split,
        tree.Stages: lower_stages,
        tree.Reference: lower_reference,
        tree.Index: lower_reference,
        tree.Reuse: lower_reuse,
    },
    names={
        tree.Let: bind_let,
        tree.Function: bind_function,
        tree.Defaults: bind_defaults,
        tree.Broken: bind_unknown,
    },
)
