"""Where a statement is lowered, and what acts on it from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from archdsl.lower.level import Flow, Level
from archdsl.lower.sight import LevelSight
from archdsl.semantics.env import Env
from archdsl.syntax import tree
from archdsl.text.record import record

# An argument that an edit sets on a step, and what names mean where it was written.
OwnArgument: TypeAlias = tuple[tree.Argument, Env]


@dataclass(slots=True)
class StageStride:
    """The stride of a stage, which the first block in it that has a `stride` parameter takes."""

    value: int
    is_taken: bool = False


@record
class PathEdit:
    """A variant's edit on its way down: what is left of its path below the current level."""

    segments: tuple[str, ...]
    edit: tree.VariantEdit
    env: Env = field(compare=False)  # hangs on the edit, and cannot be hashed


class Place(NamedTuple):
    """Where a statement is lowered: what names mean, the level it adds to, and what acts on it from outside."""

    env: Env
    level: Level
    edits: tuple[PathEdit, ...] = ()
    label: str | None = None
    """The label of the step that is lowered here, until it has a level of its own."""
    own: tuple[OwnArgument, ...] = ()
    """Arguments that edits set on the step that is lowered here."""
    stride: StageStride | None = None
    is_repeat: bool = False
    """Whether this is a later repetition, in which `stride` parameters are 1."""
    is_training: bool = False
    """Whether this belongs to an output of training alone."""
    before: int = 0
    """How many steps of the level the caller of the body at hand made; their labels hide no value it was handed."""

    def at(self, flow: Flow) -> Place:
        """Return the place where a value flows in."""
        key = self.is_training, self.before
        sight = self.level.sights.get(key)
        if sight is None:
            sight = self.level.sights[key] = LevelSight(self.level, self.is_training, self.before)
        env = self.env.at(flow.ref, flow.shape, sight)
        return self if env is self.env else self._replace(env=env)

    def labelled(self, label: str | None) -> Place:
        """Return the place of a step with this label, or without one; what is said of another step ends here."""
        if label is None and self.label is None and not self.own:
            return self
        return self._replace(label=label, own=())

    def inside(self, level: Level) -> Place:
        """Return the place in a level that the step here makes, and which takes the label."""
        return self._replace(level=level, label=None, before=0)

    def spliced(self, env: Env) -> Place:
        """Return the place of a body that comes from elsewhere, with names of its own, into the level here."""
        return self._replace(env=env, before=len(self.level.drafts))
