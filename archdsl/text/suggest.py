"""The name that was meant."""

from collections.abc import Iterable

LONGEST = 64
"""Longer names are not compared, which bounds the time that one in a hostile spec can take."""


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate fewest edits away, if near: at most one edit per three letters, and one if fewer.

    Case does not count, and swapping two neighbours is one edit. Of equals the first in the alphabet wins.

    >>> nearest("chanels", ["kernel", "channels"])
    'channels'
    >>> nearest("ReLU", ["relu", "gelu"])
    'relu'
    >>> nearest("attention", ["conv", "pool"])
    """
    if not 0 < len(name) <= LONGEST:
        return None
    limit = max(1, len(name) // 3)
    close = [c for c in candidates if abs(len(c) - len(name)) <= limit]
    ranked = [(edit_distance(name.casefold(), c.casefold()), edit_distance(name, c), c) for c in close]
    # A single letter is one edit away from every other: something must be shared.
    near = [rank for rank in ranked if rank[0] <= limit and rank[0] < max(len(name), len(rank[2]))]
    return min(near)[2] if near else None


def edit_distance(a: str, b: str) -> int:
    """Count insertions, deletions, replacements and swaps of neighbours that turn one text into the other.

    Source: Damerau-Levenshtein distance, optimal string alignment: no piece is edited twice.

    >>> edit_distance("kernle", "kernel")
    1
    """
    table = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(table[i - 1][j] + 1, row[j - 1] + 1, table[i - 1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, table[i - 2][j - 2] + 1)
            row.append(best)
        table.append(row)
    return table[-1][-1]
