"""How fast specs are formatted."""

from __future__ import annotations

from statistics import median

import archdsl
from archdsl.semantics.files import bundled_folder
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
from bench.cpu import Goal, Section, take_turns

_GOAL = 3000


def formatting(rounds: int = 9) -> Section:
    """Format every bundled spec, with the checks that `archdsl fmt` makes on each, and parse it for comparison."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(bundled_folder().rglob("*.arch"))]
    lines = sum(text.count("\n") for text in texts)
    work = {
        "parsing": lambda: [parse(Source(text), Reporter()) for text in texts],
        "formatting, checks included": lambda: [archdsl.format(text) for text in texts],
    }
    speeds = {name: lines / median(seconds) for name, seconds in take_turns(work, rounds).items()}
    rows = [("work", "lines a second", f"ratio to {_GOAL:,}")]
    rows += [(name, f"{speed:,.0f}", f"{speed / _GOAL:.1f}x") for name, speed in speeds.items()]
    note = (
        f"All {len(texts)} files of `specs/`, {lines:,} lines. A format parses the text, compares what the parser sees "
        "of it and of the result, and formats the result again."
    )
    is_met = speeds["formatting, checks included"] >= _GOAL
    return Section("Formatting", note, rows, [Goal(f"at least {_GOAL:,} lines a second, checks included", is_met)])
