"""W422: a convolution whose first number is the channels that flow in, as other tools have it."""

from __future__ import annotations

from archdsl.passes.lint.facts import Facts
from archdsl.passes.meant import input_channels, names_input_channels
from archdsl.text.diagnostic import Reporter

_LARGEST_KERNEL = 31
"""The largest window that papers write for a dense layer."""


def lint_input_channels(facts: Facts, report: Reporter) -> None:
    """Report a step that gives as many channels as flow in, with a window that only a count of channels would be."""
    for step in facts.wiring.steps:
        if not facts.is_own(step.node.span) or not step.inputs or not names_input_channels(step.node, step.inputs[0]):
            continue
        kernel = min(step.windows, default=None)
        if kernel is None or (kernel.kernel % 2 and kernel.kernel <= _LARGEST_KERNEL):
            continue
        third = step.node.attribute_spans.get("stride", step.node.span).text
        # Elsewhere three numbers are the channels on both sides and an odd kernel; an even window has no such stride.
        if kernel.stride > 1 and not (third.isdigit() and kernel.stride % 2 and not kernel.kernel % 2):
            continue
        message, span, help, fix = input_channels(step.node)
        report.warning("W422", message, span, help=help, fix=fix)
