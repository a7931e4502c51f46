"""The difference of two networks for people: a paragraph for each change, and a table of the totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from archdsl.backends.difference.words import (
    SIGNS,
    change_text,
    costs,
    figure_text,
    label,
    places,
    ratio_text,
    title,
)
from archdsl.backends.table import Column, lay_out
from archdsl.backends.words import amount
from archdsl.passes.difference import Change, Difference, WeightsKept
from archdsl.text.render.display import visible

NARROWEST = 40
_MOST_PLACES = 12
_INDENT = "  "
_COLORS = {"+": "\x1b[32m", "−": "\x1b[31m", "~": "\x1b[33m", ">": "\x1b[36m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def write_text(difference: Difference, width: int = 100, *, color: bool = False) -> str:
    """Describe a difference in `width` columns, 40 at least; `color` adds ANSI escapes."""
    painter = _Painter(max(width, NARROWEST), color)
    return "".join(f"{line}\n" for line in painter.lines(difference))


class _Painter:
    def __init__(self, width: int, has_color: bool) -> None:
        self._width, self._has_color = width, has_color

    def lines(self, difference: Difference) -> Iterator[str]:
        yield from self._wrap(names(difference), _BOLD)
        if not difference:
            yield from self._wrap("the two are the same network", "")
            return
        yield ""
        for change in difference.changes:
            if not change.is_initial:
                yield from self._change(change)
        yield from self._notes(difference)
        yield ""
        yield from self._totals(difference)
        yield ""
        yield from self._wrap(weights(difference.weights), "")

    def _change(self, change: Change) -> Iterator[str]:
        sign = SIGNS[change.kind]
        count = f" ×{len(change.places)}" if len(change.places) > 1 else ""
        first, *rest = wrap(f"{title(change)}{count}", self._width - 2) or [""]
        yield f"{self._paint(sign, _COLORS[sign])} {self._paint(first, _BOLD)}"
        for line in rest:
            yield f"  {self._paint(line, _BOLD)}"
        yield from self._wrap(_INDENT + listed(places(change)), _DIM, _INDENT)
        if text := costs(change.parameters, change.macs):
            yield from self._wrap(_INDENT + text, "", _INDENT)

    def _notes(self, difference: Difference) -> Iterator[str]:
        for note in notes(difference):
            yield from self._wrap(note, "")

    def _totals(self, difference: Difference) -> Iterator[str]:
        figures = difference.totals
        name = Column("", [label(figure) for figure in figures], can_shrink=True)
        before = Column(difference.before.title, [figure_text(f, f.before) for f in figures], True, can_shrink=True)
        after = Column(difference.after.title, [figure_text(f, f.after) for f in figures], True, can_shrink=True)
        change = Column("change", [change_text(figure) for figure in figures], True)
        ratio = Column("", [ratio_text(figure) for figure in figures], True)
        choices = ((name, before, after, change, ratio), (name, before, after, ratio), (name, after, ratio))
        header, *rows = lay_out(choices, self._width)
        yield self._paint(header, _BOLD)
        yield from rows

    def _wrap(self, text: str, style: str, indent: str = "") -> Iterator[str]:
        for line in wrap(text, self._width, subsequent_indent=indent, break_on_hyphens=False):
            yield self._paint(line, style)

    def _paint(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._has_color and style and text else text


def names(difference: Difference) -> str:
    """Name both networks, with their files where these tell them apart."""
    one, other = difference.before, difference.after
    if one.title == other.title and one.spec != other.spec:
        return f"{one.title}: {visible(one.spec)} → {visible(other.spec)}"
    return f"{one.title} → {other.title}"


def listed(found: Sequence[str], most: int = _MOST_PLACES) -> str:
    """List places, a long list cut with its length."""
    if len(found) <= most + 1:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most} more"


def notes(difference: Difference) -> Iterator[str]:
    """Say what is no change of its own: what follows from changes, and other initial values."""
    if difference.is_frozen_otherwise:
        before, after = (", ".join(statements) or "nothing" for statements in difference.frozen)
        yield f"frozen: {before} → {after}"
    follows = difference.follows
    if follows.places:
        count = len(follows.places)
        what = "1 unchanged step has" if count == 1 else f"{count:,} unchanged steps have"
        text = costs(follows.parameters, follows.macs)
        yield f"{what} other shapes in consequence{': ' if text else ''}{text}"
    initial = {place.path for change in difference.changes if change.is_initial for place in change.places}
    if initial:
        yield f"{len(initial):,} step{' begins' if len(initial) == 1 else 's begin'} with other initial values"


def weights(kept: WeightsKept) -> str:
    """Say how many weights can be kept."""
    fit = kept.same_key + kept.other_key
    share = f"{amount(kept.elements)} of {amount(kept.elements_before)} numbers"
    parts = [f"weights: {fit:,} of {kept.tensors_before:,} tensors fit ({share})"]
    parts += [f"{kept.other_key:,} of them under another key"] if kept.other_key else []
    parts += [f"{kept.other_shape:,} have another shape"] if kept.other_shape else []
    parts += [f"{kept.other_step:,} keys would load into another step"] if kept.other_step else []
    new = kept.tensors_after - fit - kept.other_shape
    parts += [f"{new:,} are new"] if new else []
    return "; ".join(parts)
