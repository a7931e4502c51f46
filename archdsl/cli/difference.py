"""How a text would change, as a unified diff."""

from __future__ import annotations

import sys
from difflib import unified_diff

from archdsl.cli.console import has_color

# By the start of a line: SGR parameters. The longer starts come first.
_COLOURS = {"+++": "1", "---": "1", "@@": "36", "+": "32", "-": "31"}


def show_difference(before: str, after: str, name: str, done: str) -> str:
    """Return a unified diff for stdout, in colour where it takes that; `done` says what made the second text."""
    lines = unified_diff(_lines(before), _lines(after), name, f"{name} {done}", lineterm="")
    is_coloured = has_color(sys.stdout)
    return "".join(f"{_coloured(line) if is_coloured else line}\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines of a text; those of splitlines end at form feeds too."""
    lines = text.split("\n")
    if lines[-1]:
        lines[-1] += "\n\\ No newline at end of file"
    else:
        lines.pop()
    return lines


def _coloured(line: str) -> str:
    style = next((style for start, style in _COLOURS.items() if line.startswith(start)), "")
    return f"\x1b[{style}m{line}\x1b[0m" if style else line
