"""Which calls and loops are noted by themselves."""

from __future__ import annotations

from archdsl import Sweep
from archdsl.text.source import Source

BLOCK = "block b(c) { conv c; norm; act; conv c; norm; act; conv c; norm; act; conv c }\n"


def sweep_of(text: str) -> Sweep:
    return Sweep(Source(text, "m.arch"))


def test_a_long_block_is_a_part() -> None:
    sweep = sweep_of(BLOCK + "model m(w=8) { input [3, 4, 4]; b w; b 2*w; b w }")
    for width in range(1, 9):
        sweep(w=width)
    assert (sweep.compiled, sweep._parts.count) == (0, 1)  # pyright: ignore[reportPrivateUsage]


def test_labels_are_open_where_nothing_refers() -> None:
    def count(text: str) -> int:
        return len(sweep_of(text)._parts.notes.open_labels)  # pyright: ignore[reportPrivateUsage]

    ours = count("model m { input [3, 4, 4]; act }")  # of the prelude
    assert count("model m(n=1) { input [3, 4, 4]; a{n}: conv 8; b: conv 4 }") == ours + 2
    assert count("model m(n=1) { input [3, 4, 4]; a{n}: conv 8; add @a{n} }") == ours
    assert count("inline block i { add @a1 }\nmodel m(n=1) { input [3, 4, 4]; a{n}: conv 8; i }") == 0
    assert count('model m(n=1) { input [3, 4, 4]; "g.a": act; g: { a{n}: conv 8 } }') == ours + 2
