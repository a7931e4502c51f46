"""W402: two convolutions or dense layers with nothing nonlinear between them."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import followed_by
from archdsl.passes.lint.step import OperatorUse
from archdsl.passes.lint.wiring import Wiring
from archdsl.text.diagnostic import Fix, Label, Reporter


def lint_missing_activation(facts: Facts, report: Reporter) -> None:
    """Report a dense map right behind another one that together are no more than one map of the same rank.

    Silent where the channels between the two are fewer than on either side, as in a linear bottleneck; where one of
    the two is grouped or depthwise, or they are rows and columns of one window; where something else reads what lies
    between; and behind an activation that is switched off in so many words, as by `act=none`.
    """
    for second in facts.wiring.steps:
        chain = next((c for c in _chains(facts.wiring, second) if _is_one_map(c[0], second)), None)
        if chain is None:
            continue
        first, last = chain[0], chain[-1]
        place, other = facts.place(second), facts.place(first)
        kind = "convolutions" if first.windows else "dense layers"
        report.warning(
            "W402",
            f"two {kind} with nothing nonlinear between them are no more than one",
            place,
            labels=[Label(other, "the first of the two")] if other != place else [],
            notes=[f"{shown(other)} makes {_channels(first)} channels of {_inputs(first)}, "
                   f"and {shown(place)} {_channels(second)} of these"],
            help="put an activation between them",
            fix=_fix(facts, last, second),
        )  # fmt: skip


def _chains(wiring: Wiring, second: OperatorUse) -> Iterator[list[OperatorUse]]:
    """Yield the dense maps that come right before a dense map, each with what stands between, from front to back."""
    left = [[second]] if _is_map(second) else []
    seen: set[OperatorUse] = set()
    while left:
        chain = left.pop()
        for source in wiring.sources[chain[0]][0]:
            if source in wiring.forked or source in seen:
                continue
            seen.add(source)
            if _is_map(source):
                yield [source, *chain[:-1]]
            elif _only_scales(source) or _is_tacit(source):
                left.append([source, *chain])


def _is_map(step: OperatorUse) -> bool:
    """Return whether a step is a dense map of channels."""
    linear = step.linear_map
    return linear is not None and linear.axis == 0 and step.is_dense


def _only_scales(step: OperatorUse) -> bool:
    """Return whether a step multiplies and adds fixed numbers in evaluation, and is there to do so."""
    return step.op.is_affine() and step.op.category != "shape"


def _is_tacit(step: OperatorUse) -> bool:
    """Return whether a step does nothing because a default says so, as `norm` under `norm=none` does."""
    return step.op.changes_nothing() and step.node.word == "norm"


def _is_one_map(first: OperatorUse, second: OperatorUse) -> bool:
    """Return whether one map could do what the two do, at no greater cost in rank."""
    between, after = _channels(first), _channels(second)
    if between < min(_inputs(first), after):
        return False
    one, two = ([window.kernel for window in step.windows] for step in (first, second))
    if not one or not two:
        return True
    is_factored = one != two and (one[0] == two[1] == 1 or one[1] == two[0] == 1)
    # The end of an inverted residual and the widening of the next, where the first had nothing to widen.
    is_bottleneck = one == two == [1, 1] and after >= 2 * between
    return not is_factored and not is_bottleneck


def _inputs(step: OperatorUse) -> int:
    return step.inputs[0].numbers()[0]


def _channels(step: OperatorUse) -> int:
    return step.output.numbers()[0]


def _fix(facts: Facts, last: OperatorUse, second: OperatorUse) -> Fix | None:
    """Put an activation behind the last step before the second map, where both stand in one body's text."""
    is_in_one_body = last.table is second.table and last.node.span.end <= second.node.span.start
    is_written_here = facts.place(last) == last.node.span and last.node.calls == second.node.calls
    return followed_by(last.node.span, "act") if is_in_one_body and is_written_here else None
