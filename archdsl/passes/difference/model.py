"""What a comparison gives: plain, frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from archdsl.ir.graph import Node
from archdsl.ops.shape import Shape

ChangeKind: TypeAlias = Literal["added", "removed", "changed", "replaced", "renamed", "moved", "rewired"]
KINDS: tuple[ChangeKind, ...] = ("added", "removed", "changed", "replaced", "renamed", "moved", "rewired")
MIRRORED: dict[ChangeKind, ChangeKind] = {"added": "removed", "removed": "added"}

ValuePair: TypeAlias = tuple[object, object]
"""A setting's value in the first network and in the second."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two networks: its name, where its spec comes from, and what the user calls it, if not by its name."""

    name: str
    spec: str
    digest: str
    label: str = ""

    @property
    def title(self) -> str:
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Element:
    """A step of one network: its full path, its operator's or block's name, and its costs for one image.

    `node` is the step in the graph; `operators` counts those inside a block. `inputs` and `output` are shapes.
    """

    path: str
    op: str
    node: Node
    parameters: int
    macs: int
    operators: int
    inputs: tuple[Shape, ...]
    output: Shape


@dataclass(frozen=True, slots=True)
class Site:
    """Where a change is: the step in the first network, and in the second; None where it lacks it."""

    before: Element | None
    after: Element | None

    @property
    def path(self) -> str:
        """The path in the second network, or in the first where that is all there is."""
        step = self.after or self.before
        assert step is not None
        return step.path

    @property
    def parameters(self) -> int:
        """The parameters that the second network has more here."""
        return (self.after.parameters if self.after else 0) - (self.before.parameters if self.before else 0)

    @property
    def macs(self) -> int:
        return (self.after.macs if self.after else 0) - (self.before.macs if self.before else 0)


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting with another value. Where places differ, `values` lists each pair once, in the order of the text."""

    name: str
    values: tuple[ValuePair, ...]

    @property
    def is_initial(self) -> bool:
        """Whether it concerns initial values alone: a trained network is the same without it."""
        return is_initial(self.name)


@dataclass(frozen=True, slots=True)
class Change:
    """One change, told once with all its places.

    added, removed: a step, with all that is inside it. changed: the same operator with other settings. replaced:
    another operator in the same place. renamed: another label, which its weights' keys bear. moved: the same step
    elsewhere. rewired: the same step reads other values. `parameters` and `macs` are what the second network has more
    in these places; `block` names the block that all places are calls of, if they are.
    """

    kind: ChangeKind
    places: tuple[Site, ...]
    settings: tuple[SettingChange, ...] = ()
    parameters: int = 0
    macs: int = 0
    block: str = ""

    @property
    def is_initial(self) -> bool:
        """Whether nothing but initial values changed."""
        return self.kind == "changed" and all(setting.is_initial for setting in self.settings)


@dataclass(frozen=True, slots=True)
class Follow:
    """What follows from the changes: steps that are the same and read or give other shapes."""

    places: tuple[Site, ...]
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One total: in the first network, and in the second; None where a network has no such figure."""

    name: str
    before: int | None
    after: int | None
    unit: Literal["", "bytes", "pixels"] = ""

    @property
    def change(self) -> int | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def ratio(self) -> float | None:
        """The second by the first; None where the first is 0 or unknown."""
        return self.after / self.before if self.before and self.after is not None else None


@dataclass(frozen=True, slots=True)
class WeightsKept:
    """How many of the first network's tensors the second can take over, by the steps that stand for each other.

    `same_key` counts those of equal key and shape, `other_key` those that fit once their key is changed, `other_shape`
    those that do not fit. `other_step` counts keys that would load and should not: both have them, in the same shape,
    but for different steps. `elements` are the numbers in the tensors that can be taken over.
    """

    tensors_before: int
    tensors_after: int
    same_key: int
    other_key: int
    other_shape: int
    other_step: int
    elements_before: int
    elements_after: int
    elements: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How two networks differ. False where they are the same.

    `frozen` has what is frozen in the first and in the second, as statements of a spec say it; both are empty where it
    is the same.
    """

    before: Side
    after: Side
    changes: tuple[Change, ...]
    follows: Follow
    totals: tuple[Figure, ...]
    weights: WeightsKept
    frozen: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def __bool__(self) -> bool:
        return bool(self.changes or self.is_frozen_otherwise)

    @property
    def is_frozen_otherwise(self) -> bool:
        """Whether other parts are frozen in the second than in the first."""
        return self.frozen != ((), ())

    def of(self, kind: ChangeKind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind == kind)

    def total(self, name: str) -> Figure:
        """Return a total by name. Raises KeyError for a name that there is not."""
        found = next((figure for figure in self.totals if figure.name == name), None)
        if found is None:
            raise KeyError(f"{name!r}; there are {', '.join(figure.name for figure in self.totals)}")
        return found


def is_initial(setting: str) -> bool:
    """Return whether an operator's setting says how its tensors begin."""
    return setting == "init" or setting.endswith("_init")
