"""W410: widths that tensor cores cannot use fully."""

from __future__ import annotations

import re
from fractions import Fraction

from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Fix, Reporter
from archdsl.text.source import Span

MULTIPLE = 8
"""What channels have to be a multiple of for tensor cores in 16 bits."""
LEAST_SHARE = Fraction(1, 20)
"""The part of the network's multiply-adds from which a layer counts."""
LEAST_MACS = 1_000_000
"""Multiply-adds for one image below which no layer counts: it takes no time on a GPU."""


def lint_eights(facts: Facts, report: Reporter) -> None:
    """Report dense layers that make a number of channels that is no multiple of 8 and matters for the time.

    What the network gives out is left aside, since the classes say how many there are.
    """
    total = facts.tables.costs.total.macs
    for step in facts.wiring.steps:
        macs = _slowed(facts, step)
        if macs < LEAST_MACS or macs < LEAST_SHARE * total:
            continue
        place, channels = facts.place(step), _made(step)
        span = facts.attribute(step, "features" if "features" in step.op.attribute_names() else "channels")
        above = -(-channels // MULTIPLE) * MULTIPLE
        report.warning(
            "W410",
            f"{channels} channels are no multiple of {MULTIPLE}, which tensor cores need in 16 bits",
            span,
            notes=[
                f"`{facts.path(step.table, step.node)}`, {shown(place)}, and what reads it do "
                f"{macs / total:.0%} of the multiply-adds"
            ],
            help=f"use {above - MULTIPLE} or {above} channels" if above > MULTIPLE else f"use {above} channels",
            fix=_fix(span, channels, above),
        )


def _slowed(facts: Facts, step: OperatorUse) -> int:
    """Count the multiply-adds that a layer's odd width slows down: its own and those of the layers that read it."""
    if not step.is_dense or _made(step) % MULTIPLE == 0:
        return 0
    readers = _dense_readers(facts, step)
    return facts.macs(step) + sum(map(facts.macs, readers)) if readers is not None else 0


def _dense_readers(facts: Facts, step: OperatorUse) -> list[OperatorUse] | None:
    """Return the dense layers that read an odd width ahead of any join; None where the network gives the width out."""
    found: list[OperatorUse] = []
    left, seen = [(step, True)], {step}
    while left:
        here, is_ahead = left.pop()
        for reader in facts.wiring.readers[here]:
            if reader is None:
                return None
            if reader in seen:
                continue
            seen.add(reader)
            if not reader.is_dense:
                left.append((reader, is_ahead and not reader.op.is_join))
            elif is_ahead and reader.inputs[0].numbers()[_axis(reader)] % MULTIPLE:
                found.append(reader)
    return found


def _made(step: OperatorUse) -> int:
    return step.output.numbers()[_axis(step)]


def _axis(step: OperatorUse) -> int:
    linear = step.linear_map
    assert linear is not None
    return linear.axis


def _fix(span: Span, channels: int, above: int) -> Fix | None:
    """Write the wider number where the width is written as one, and as no other number of the same text."""
    found = list(re.finditer(rf"(?<![\w.]){channels}(?![\w.])", span.text))
    if len(found) != 1:
        return None
    start, end = found[0].span()
    number = Span(span.start + start, span.start + end, span.source)
    return Fix.at(number, str(above), title=f"use {above} channels")
