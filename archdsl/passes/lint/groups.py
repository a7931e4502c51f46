"""W409: group norms whose groups are single channels or single values."""

from __future__ import annotations

from math import prod

from archdsl.passes.lint.facts import Facts
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Reporter


def lint_group_norm(facts: Facts, report: Reporter) -> None:
    """Report group norms of one channel a group, and those of one value, whose result does not depend on it."""
    for _, step in facts.everywhere(_lone):
        channels = step.inputs[0].numbers()[0]
        is_constant = prod(step.inputs[0].numbers()) == channels
        count = f"{channels} groups of {channels} channels are one channel each"
        report.warning(
            "W409",
            f"{count}: with one position, the result is the same for every image" if is_constant else
            f"{count}: this is `instance` norm",
            facts.attribute(step, "groups"),
            help=f"use fewer groups, such as `group({_fewer(channels)})`" if not is_constant else "remove it",
        )  # fmt: skip


def _lone(step: OperatorUse) -> OperatorUse | None:
    """Return a norm of groups that removes each channel's mean: each is a group of its own."""
    is_grouped = step.op.category == "norm" and "groups" in step.op.attribute_names()
    return step if is_grouped and step.op.removes_channel_mean(step.inputs) and step.inputs[0][0] != 1 else None


def _fewer(channels: int) -> int:
    """Return the most groups that hold at least eight channels each, or else two."""
    return next((n for n in range(channels // 2, 0, -1) if channels % n == 0 and channels // n >= min(8, channels)), 1)
