"""How operators are named in figures, in pieces: `7×7 conv, 64, /2`."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.text.record import record


@record
class Term:
    """A piece of a description. `form` has `{0}` where the value goes; a value equal to `silent` drops the piece."""

    form: str
    value: float | None = None
    silent: float | None = None


def by(sizes: Sequence[int]) -> str:
    """Write sizes as figures do: `3×3`."""
    return "×".join(map(str, sizes))


def once(pair: tuple[int, int]) -> str:
    """Write a pair of equal sizes as one."""
    return str(pair[0]) if pair[0] == pair[1] else by(pair)


def window(kernel: tuple[int, int], name: str) -> Term:
    """Name what slides a window: `3×3 conv`."""
    return Term("{0}×{0} " + name, kernel[0]) if kernel[0] == kernel[1] else Term(f"{by(kernel)} {name}")


def stride(steps: tuple[int, int], form: str = ", /{0}") -> Term:
    """Describe the steps between windows, which go without saying where they are 1."""
    return _pair(steps, form)


def dilation(steps: tuple[int, int]) -> Term:
    """Describe the steps between the taps of a window, which go without saying where they are 1."""
    return _pair(steps, ", dilation {0}")


def _pair(pair: tuple[int, int], form: str) -> Term:
    return Term(form, pair[0], 1) if pair[0] == pair[1] else Term(form.format(by(pair)))
