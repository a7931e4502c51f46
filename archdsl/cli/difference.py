"""How a text would change, as a unified diff."""

from __future__ import annotations

import sys
from difflib import unified_diff

from archdsl.cli.console import has_color
from archdsl.text.render.display import visible

# By the start of a line: SGR parameters. The longer starts come first.
_COLOURS = {"+++": "1", "---": "1", "@@": "36", "+": "32", "-": "31"}


def show_difference(before: str, after: str, name: str, done: str) -> str:
    """Return a unified diff for stdout, in colour where it takes that; `done` says what made the second text."""
    lines = unified_diff(_lines(before), _lines(after), visible(name), f"{visible(name)} {done}", lineterm="")
    is_coloured = has_color(sys.stdout)
    return "".join(f"{_coloured(line) if is_coloured else line}\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines of a text; those of splitlines end at form feeds too."""
    lines = [_shown(line) for line in text.split("\n")]
    if lines[-1]:
        lines[-1] += "\n\\ No newline at end of file"
    else:
        lines.pop()
    return lines


def _shown(line: str) -> str:
    """Return a line without what a terminal obeys; tabs stay."""
    return "\t".join(map(visible, line.split("\t")))


def _coloured(line: str) -> str:
    style = next((style for start, style in _COLOURS.items() if line.startswith(start)), "")
    return f"\x1b[{style}m{line}\x1b[0m" if style else line
