"""W414: strides that step over pixels."""

from __future__ import annotations

from archdsl.ops.conv import Conv2d, DepthwiseConv2d, by_name
from archdsl.ops.pool import AvgPool2d, LPPool2d, MaxPool2d
from archdsl.passes.lint.facts import Facts
from archdsl.passes.lint.wiring import Step
from archdsl.text.diagnostic import Reporter


def lint_gaps(facts: Facts, report: Reporter) -> None:
    """Report windows of more than one pixel whose stride is larger than they are.

    One pixel is what shortcuts subsample by, and means it.
    """
    for _, step in facts.everywhere(_judge):
        assert isinstance(step.op, _SLIDING)
        stride = step.op.stride or step.op.kernel
        report.warning(
            "W414",
            f"a stride of {by_name(stride)} steps over pixels that no {by_name(step.op.kernel)} window reads",
            facts.attribute(step, "stride"),
            help="use a stride of at most the kernel, or a larger kernel",
        )


_SLIDING = (Conv2d, DepthwiseConv2d, MaxPool2d, AvgPool2d, LPPool2d)


def _judge(step: Step) -> Step | None:
    if not isinstance(step.op, _SLIDING):
        return None
    stride = step.op.stride or step.op.kernel
    reach = [window.dilation * (window.kernel - 1) + 1 for window in step.op.windows(step.inputs)]
    axes = zip(stride, reach, step.op.kernel, step.output[1:], strict=True)
    return step if any(s > r and k > 1 and n != 1 for s, r, k, n in axes) else None
