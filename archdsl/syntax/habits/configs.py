"""What the translations of other tools' configuration files share, and files of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.syntax.habits.scan import Habit, HabitSite

CODE = "E006"

PerAxis: TypeAlias = tuple[int, int]
"""A window's number for the rows and one for the columns."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What a layer of another tool is here: its steps, what of it they leave over, and what they rest on.

    Steps that leave something over, or rest on a label or a declaration that is yet to be written, are no fix. Where
    there are none, `rests_on` says all.
    """

    steps: str = ""
    left: tuple[str, ...] = ()
    rests_on: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        return bool(self.steps) and not self.left and not self.rests_on

    @property
    def advice(self) -> str:
        """Say what to write, and what that leaves over."""
        if not self.steps:
            return self.rests_on
        resting = f", {self.rests_on}" if self.rests_on else ""
        left = ", ".join(item if "`" in item else f"`{item}`" for item in self.left)
        return f"write `{self.steps}`{resting}" + (f"; it leaves over {left}" if left else "")


def pair_of(value: str) -> PerAxis | None:
    """Read a whole number, or a list of two; None for anything else.

    >>> pair_of("3"), pair_of("[3, 5]"), pair_of("half")
    ((3, 3), (3, 5), None)
    """
    found = re.fullmatch(r"(\d{1,9})|[\[(]\s*(\d{1,9})\s*,\s*(\d{1,9})\s*[\])]", value)
    if found is None:
        return None
    return square(int(found[1])) if found[1] else (int(found[2]), int(found[3]))


def square(number: int) -> PerAxis:
    """Return the same number for both axes."""
    return number, number


def said(pair: PerAxis) -> str:
    """Write a pair: one number where both are equal."""
    return str(pair[0]) if pair[0] == pair[1] else f"[{pair[0]}, {pair[1]}]"


def named(**values: str) -> str:
    """Write arguments by their names, without those that are empty."""
    return "".join(f" {key}={value}" for key, value in values.items() if value)


def half(kernel: PerAxis) -> PerAxis:
    """Return half of a kernel, rounded down."""
    return kernel[0] // 2, kernel[1] // 2


def sliding(kernel: PerAxis, stride: PerAxis = (1, 1), padding: PerAxis = (0, 0), dilation: PerAxis = (1, 1)) -> str:
    """Write how a convolution's filters slide, without what they do by themselves."""
    reach = [step * (size - 1) // 2 if size % 2 else 0 for size, step in zip(kernel, dilation, strict=True)]
    return named(
        k="" if kernel == (3, 3) else said(kernel),
        s="" if stride == (1, 1) else said(stride),
        p="" if [*padding] == reach else said(padding),
        d="" if dilation == (1, 1) else said(dilation),
    )


def chain(*steps: str) -> str:
    """Write steps behind one another, without those that are empty."""
    return "; ".join(step for step in steps if step)


def repeated(steps: str, times: str) -> str:
    """Write steps that are repeated, in braces where they are several."""
    if times == "1":
        return steps
    return f"{{ {steps} }} x {times}" if ";" in steps else f"{steps} x {times}"


def listed(words: Iterable[str]) -> str:
    """Join words by commas, the last by "and".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    items = [*words]
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def labelled(labels: Iterable[str]) -> str:
    """Say what the labels stand for that steps refer to; "" where there are none."""
    names = [f"`{label}:`" for label in dict.fromkeys(labels) if label]
    return f"where {listed(names)} {'labels' if len(names) == 1 else 'label'} what is taken up" if names else ""


def json(place: HabitSite) -> Habit | None:
    """Say what a spec is, at a file of JSON."""
    text = place.source.text
    if text[: place.offset].strip() or not re.match(r'\{\s*"[^"\n]*"\s*:', text[place.offset :]):
        return None
    help = "write `model name { input [3, 224, 224]; … }` with one step a layer"
    end = place.offset + 1
    return Habit(place.offset, end, "this is JSON; a spec is a chain of steps", help, len(text), code=CODE)
