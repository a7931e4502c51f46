"""W414: strides that step over pixels."""

from __future__ import annotations

from archdsl.ops.base import Window
from archdsl.passes.lint.facts import Facts
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Reporter


def lint_gaps(facts: Facts, report: Reporter) -> None:
    """Report windows of more than one pixel whose stride is larger than they are.

    One pixel is what shortcuts subsample by, and means it.
    """
    for _, step in facts.everywhere(_judge):
        stride, kernel = ("x".join(map(str, sizes)) for sizes in zip(*(w[1::-1] for w in step.windows), strict=True))
        report.warning(
            "W414",
            f"a stride of {stride} steps over pixels that no {kernel} window reads",
            facts.attribute(step, "stride"),
            help="use a stride of at most the kernel, or a larger kernel",
        )


def _judge(step: OperatorUse) -> OperatorUse | None:
    axes = zip(step.windows, step.output[1:], strict=False)
    return step if any(_has_gaps(window) and size != 1 for window, size in axes) else None


def _has_gaps(window: Window) -> bool:
    return window.kernel > 1 and window.stride > window.dilation * (window.kernel - 1) + 1
