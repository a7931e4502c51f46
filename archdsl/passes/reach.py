"""Intervals along one image axis: which positions of a tensor the positions of a later one depend on."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm

from archdsl.ops.base import MOST_PHASES, Window
from archdsl.text.record import record


@record
class Reach:
    """One interval of input positions, both ends included, for each output position; borders are left aside.

    Outputs that lie `period` apart read intervals that lie `advance` apart, so that `lows` and `highs` list the ends
    for outputs 0 to period-1 only. A period above 1 comes from operators that enlarge.
    """

    advance: int
    lows: tuple[int, ...]
    highs: tuple[int, ...]

    @property
    def period(self) -> int:
        return len(self.lows)

    @property
    def size(self) -> int:
        """Count the positions in the widest interval."""
        return max(high - low for low, high in zip(self.lows, self.highs, strict=True)) + 1

    @property
    def stride(self) -> Fraction:
        """Return the distance between the intervals of neighbouring outputs, on average."""
        return Fraction(self.advance, self.period)

    @property
    def centre(self) -> Fraction:
        """Return the middle of output 0's interval; position 0 of the input has its centre at 0."""
        return Fraction(self.lows[0] + self.highs[0], 2)

    def interval(self, first: int, last: int) -> tuple[int, int]:
        """Return the ends of what the outputs from `first` to `last` read together."""
        # Ends grow by `advance` each period, so the extremes lie within a period of either end.
        lowest = min(self._end(self.lows, i) for i in range(first, min(last, first + self.period - 1) + 1))
        highest = max(self._end(self.highs, i) for i in range(max(first, last - self.period + 1), last + 1))
        return lowest, highest

    def _end(self, ends: tuple[int, ...], position: int) -> int:
        turns, phase = divmod(position, self.period)
        return ends[phase] + turns * self.advance


HERE = Reach(1, (0,), (0,))
"""Each output position depends on the input's same position."""


def of_window(window: Window) -> Reach | None:
    """Return the reach of a sliding window: outputs of one `i // up` read the same interval, or each its `ends`."""
    if window.up > MOST_PHASES:
        return None
    low = -window.padding
    high = low + (window.kernel - 1) * window.dilation
    ends = window.ends or ((low, high),) * window.up
    return Reach(window.stride, tuple(low for low, _ in ends), tuple(high for _, high in ends))


def chain(before: Reach | None, after: Reach | None) -> Reach | None:
    """Return the reach of `after`'s outputs through `before`; None, the whole axis, absorbs.

    Exact: an interval's image is the union over its positions, for every phase of the two periods.
    """
    if before is None or after is None:
        return None
    if HERE in (before, after):
        return after if before == HERE else before
    return _chained(before, after)


@lru_cache(maxsize=512)  # both axes of an image mostly have the same, and so have the models of a file
def _chained(before: Reach, after: Reach) -> Reach | None:
    rounds = before.period // gcd(after.advance, before.period)
    period = after.period * rounds
    if period > MOST_PHASES:
        return None
    middle = [after.interval(i, i) for i in range(period)]
    ends = [before.interval(low, high) for low, high in middle]
    advance = after.advance * rounds // before.period * before.advance
    return Reach(advance, tuple(low for low, _ in ends), tuple(high for _, high in ends))


def unite(one: Reach | None, other: Reach | None) -> Reach | None:
    """Return the smallest intervals that hold both; the whole axis where the two move at different strides."""
    if one is None or other is None or one.stride != other.stride:
        return None
    if one == other:
        return one
    period = lcm(one.period, other.period)
    if period > MOST_PHASES:
        return None
    ends = [(one.interval(i, i), other.interval(i, i)) for i in range(period)]
    lows, highs = (tuple(pick(a[k], b[k]) for a, b in ends) for k, pick in ((0, min), (1, max)))
    return Reach(one.advance * period // one.period, lows, highs)


def repeated(reach: Reach | None, times: int) -> Reach | None:
    """Chain a reach with itself, in a number of steps that grows with the logarithm of `times`."""
    total: Reach | None = HERE
    while times and total is not None:
        if times % 2:
            total = chain(total, reach)
        reach, times = chain(reach, reach) if times > 1 else reach, times // 2
    return total
