"""W401: a bias that the norm behind it takes away again."""

from __future__ import annotations

from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.step import OperatorUse
from archdsl.passes.lint.wiring import Wiring
from archdsl.text.diagnostic import Fix, Label, Reporter
from archdsl.text.source import Span


def lint_bias(facts: Facts, report: Reporter) -> None:
    """Report biases of which nothing is left behind a norm that subtracts each channel's mean."""
    shared = {step.node.reuses for step in facts.wiring.steps}

    def judge(step: OperatorUse) -> tuple[OperatorUse, OperatorUse] | None:
        if not _has_bias(step) or step.node.reuses is not None or step.node.id in shared:
            return None
        norms = _readers(facts.wiring, step)
        found = [norm for norm in norms if norm is not None and _subtracts_means(norm)]
        return (step, found[0]) if found and len(found) == len(norms) else None

    for place, (step, norm) in facts.everywhere(judge):
        span = facts.attribute(step, "bias")
        is_written_here = place == step.node.span
        where = "here" if span == place else "instead"
        fix = _fix(step, span) if is_written_here else None
        report.warning(
            "W401",
            f"{shown(place)} has {step.output.numbers()[0]} biases that the norm behind it takes away",
            span,
            labels=[Label(facts.place(norm), "subtracts each channel's mean")] if facts.place(norm) != place else [],
            help=f"write `bias=false` {where}" if fix else "write `defaults { conv bias=false }` before it",
            fix=fix,
        )


def _has_bias(step: OperatorUse) -> bool:
    """Return whether a step adds a constant to each channel; elsewhere its axis is not the norm's."""
    linear = step.linear_map
    return linear is not None and linear.axis == 0 and any(t.name == "bias" for t in step.op.state(step.inputs))


def _readers(wiring: Wiring, step: OperatorUse) -> list[OperatorUse | None]:
    """Return what reads a result, looking through what does nothing."""
    found: list[OperatorUse | None] = []
    left, seen = [step], {step}
    while left:
        for reader in wiring.readers[left.pop()]:
            if reader is not None and reader.op.changes_nothing():
                left += [reader] if reader not in seen else []
                seen.add(reader)
            else:
                found.append(reader)
    return found


def _subtracts_means(step: OperatorUse) -> bool:
    return step.op.category == "norm" and step.op.removes_channel_mean(step.inputs)


def _fix(step: OperatorUse, span: Span) -> Fix:
    title = "write `bias=false`"
    if span != step.node.span:
        return Fix.at(span, "bias=false", title=title)
    end = Span(span.end, span.end, span.source)
    return Fix.at(end, " bias=false", title=title)
