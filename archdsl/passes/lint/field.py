"""W407: classifiers whose last feature map sees little of the image."""

from __future__ import annotations

from fractions import Fraction

from archdsl.passes.lint.facts import Facts
from archdsl.passes.lint.seen import sees_at_least
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Reporter

LEAST_SEEN = Fraction(1, 3)
"""The part of the image's side that the last feature map of a classifier should see at least."""


def lint_receptive_field(facts: Facts, report: Reporter) -> None:
    """Report a classifier whose global pooling averages over positions that each see little of the image."""
    inputs = facts.shapes.inputs
    if len(inputs) != 1 or len(inputs[0]) != 3 or not _classifies(facts):
        return
    height, width = inputs[0].numbers()[1:]
    pools = [step for step in facts.wiring.steps if _is_global(step) and step.inputs[0] != step.output]
    if not pools or sees_at_least(facts.shapes, int(LEAST_SEEN * max(height, width))):
        return
    (field,) = facts.fields.last_feature_map().values()
    sizes = [size for size, side in zip(field.size, (height, width), strict=True) if size and size < LEAST_SEEN * side]
    if len(sizes) < 2 or max(sizes) == 1:
        return
    rows, columns = field.size
    pool = next((step for step in reversed(pools) if facts.is_own(facts.place(step))), None)
    report.warning(
        "W407",
        f"a position of the last feature map sees {rows}x{columns} of the {height}x{width} image",
        facts.place(pool) if pool else facts.shapes.graph.span,
        notes=["the pooling only averages what the positions tell apart: nothing has seen a larger object as a whole"],
        help="put more strided steps or convolutions before it, or give a smaller image",
    )


def _classifies(facts: Facts) -> bool:
    """Return whether a vector comes out, made by a dense layer or a 1x1 convolution."""
    step, *_ = facts.wiring.given_out
    if len(step.output) != 1:
        return False
    while step.op.category in ("shape", "pool", "activation", "regularise"):
        source = facts.wiring.sole_source(step)
        if source is None:
            return False
        step = source
    return step.linear_map is not None and step.sees_one_position


def _is_global(step: OperatorUse) -> bool:
    return step.op.category == "pool" and not step.windows and step.output[1:] == (1, 1)
