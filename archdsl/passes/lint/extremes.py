"""W421: settings that are numbers of something else, most likely."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Fix, Reporter
from archdsl.text.source import Span

LARGEST_EPS = 1
"""What a norm adds to a variance, which is near one itself."""
LARGEST_SHARE = 0.9
"""The part of its input that training may leave out at random."""


def lint_extremes(facts: Facts, report: Reporter) -> None:
    """Report norms that add more than one to a variance, and dropout that leaves hardly anything."""
    for _, (step, attribute, message, help) in facts.everywhere(_judge):
        span = facts.attribute(step, attribute)
        report.warning(
            "W421", message.format(shown(facts.place(step))), span, help=help, fix=_fix(step, attribute, span)
        )


def _judge(step: OperatorUse) -> tuple[OperatorUse, str, str, str] | None:
    values: Mapping[str, object] = step.op.model_dump(include={"eps", "p"})
    eps, share = values.get("eps"), values.get("p")
    if isinstance(eps, float) and eps > LARGEST_EPS and not step.op.changes_nothing():
        help = "remove it: the channels follow from what flows in, and an eps is small, such as 1e-5"
        return step, "eps", f"{{}} adds eps={eps:g} to the variance, which is about one", help
    if isinstance(share, float) and LARGEST_SHARE < share < 1 and step.op.acts_in_training_only:
        help = "give the chance that an element is left out, not that it is kept"
        return step, "p", f"{{}} leaves out {share:.4g} of what flows in while the network trains", help
    return None


def _fix(step: OperatorUse, attribute: str, span: Span) -> Fix | None:
    """Remove an eps that stands behind its norm as an argument of its own."""
    text = span.source.text
    is_argument = attribute == "eps" and span == step.node.attribute_spans.get("eps") and span != step.node.span
    if not is_argument or text[span.start - 1 : span.start] != " ":
        return None
    return Fix.at(Span(span.start - 1, span.end, span.source), "", title=f"remove `{span.text}`")
