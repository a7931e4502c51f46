"""The name that was meant."""

from collections.abc import Iterable

LONGEST = 64
"""Longer names are not compared, which bounds the time that one in a hostile spec can take."""


# What other tools call it, without case and underscores.
HABITS = {
    "activation": "act",
    "avgpool2d": "avgpool",
    "batchnorm": "batch",
    "batchnorm2d": "batch",
    "bn": "norm",
    "cat": "concat",
    "conv2d": "conv",
    "convtranspose2d": "deconv",
    "dense": "fc",
    "depthwise": "dw",
    "globalaveragepooling2d": "gap",
    "globalavgpool": "gap",
    "groupnorm": "group",
    "hswish": "hardswish",
    "identity": "pass",
    "instancenorm2d": "instance",
    "layernorm": "layer",
    "linear": "fc",
    "maxpool2d": "maxpool",
    "maxpooling2d": "maxpool",
    "outchannels": "channels",
    "swish": "silu",
}


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate that other tools call so, or the one fewest edits away, if near.

    Near is at most one edit per three letters, and one if there are fewer.

    Case does not count, and swapping two neighbours is one edit. Of equals the first in the alphabet wins.

    >>> nearest("chanels", ["kernel", "channels"])
    'channels'
    >>> nearest("ReLU", ["relu", "gelu"])
    'relu'
    >>> nearest("attention", ["conv", "pool"])
    """
    if not 0 < len(name) <= LONGEST:
        return None
    candidates = list(candidates)
    meant = HABITS.get(name.casefold().replace("_", ""))
    if meant in candidates:
        return meant
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
