"""Where a statement is lowered, and what acts on it from outside."""

from __future__ import annotations

from dataclasses import dataclass, field

from archdsl.lower.level import Flow, Level
from archdsl.semantics.evaluate import Env
from archdsl.syntax import tree


@dataclass(slots=True)
class StageStride:
    """The stride of a stage, which the first block in it that has a `stride` parameter takes."""

    value: int
    is_taken: bool = False


@dataclass(frozen=True, slots=True)
class PathEdit:
    """A variant's edit on its way down: what is left of its path below the current level."""

    segments: tuple[str, ...]
    edit: tree.Edit
    env: Env = field(compare=False)  # hangs on the edit, and cannot be hashed


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement is lowered: what names mean, the level it adds to, and what acts on it from outside."""

    env: Env
    level: Level
    edits: tuple[PathEdit, ...] = ()
    stride: StageStride | None = None
    is_repeat: bool = False
    """Whether this is a later repetition, in which `stride` parameters are 1."""
    is_training: bool = False
    """Whether this belongs to an output of training alone."""

    def at(self, flow: Flow) -> Place:
        """Give the place where a value flows in."""
        env = self.env.at(flow.ref, flow.shape)
        if env is self.env:
            return self
        return Place(env, self.level, self.edits, self.stride, self.is_repeat, self.is_training)
