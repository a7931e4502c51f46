"""How much of a network a picture shows: its stages, its blocks, or every layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from archdsl.backends.picture.chunks import Chunk, chunks
from archdsl.backends.picture.steps import Frame, Step, call_step, fold, lift, operator_step
from archdsl.backends.picture.symbols import Symbols, is_number
from archdsl.backends.picture.variants import Variant, Variants
from archdsl.backends.words import number
from archdsl.ir.graph import Node
from archdsl.passes.tables import Tables

Level: TypeAlias = Literal["stages", "blocks", "layers"]

_FEW = 3
"""As many steps without a name of their own are listed in their level's box."""
_MAIN = 0.5
"""A level with more than this part of all operators is what the picture is about, and so is opened."""


class Outline:
    """The steps of every body that a picture of a network shows.

    Without `opens`, no level is opened at a glance, even where nearly everything is in it.
    """

    def __init__(self, root: Tables, level: Level, *, opens: bool = True) -> None:
        self.root, self.level, self.opens = root, level, opens
        self.variants = Variants(root)
        self._details: dict[int, tuple[Frame, list[Step]]] = {}

    def main(self) -> tuple[Frame, list[Step]]:
        frame = Frame((self.root,), Symbols())
        return frame, self.steps(frame)

    def detail(self, variant: Variant) -> tuple[Frame, list[Step]]:
        """Give the inside of a block."""
        if id(variant) not in self._details:
            frame = variant.frame()
            self._details[id(variant)] = frame, self.steps(frame)
        return self._details[id(variant)]

    def steps(self, frame: Frame) -> list[Step]:
        found = [self._step(frame, chunk) for chunk in chunks(frame.graph)]
        return found if self.level == "layers" else fold(frame.graph, found, is_loose=self.level == "stages")

    def _step(self, frame: Frame, chunk: Chunk) -> Step:
        node = chunk[0]
        if node.body is None:
            return operator_step(frame, chunk)
        if self.variants.is_simple(node.body):
            (step,) = self.steps(frame.inside(node))
            return lift(step, frame, node)
        if self.level == "layers":
            return self._opened(frame, node)
        if node.body.kind == "block":
            return self._reference(frame, node)
        return self._group(frame, node)

    def _reference(self, frame: Frame, node: Node) -> Step:
        assert node.body is not None
        if self.level == "stages":
            return call_step(frame, node, "block", (node.body.name,))
        variant = self.variants.of(node.body)
        inside, _ = self.detail(variant)
        bindings = node.body.bindings
        values = [f"{name}={number(value)}" for name in inside.symbols.names if is_number(value := bindings.get(name))]
        return call_step(frame, node, "block", (variant.title, *_one(", ".join(values), len(frame.calls) == 1)))

    def _group(self, frame: Frame, node: Node) -> Step:
        opened = self._opened(frame, node)
        steps = opened.steps
        if len(steps) == 1 and steps[0].inputs and not steps[0].frame:
            return lift(steps[0], frame, node)
        if self.level == "blocks":
            return opened
        assert node.body is not None
        if len(steps) <= _FEW and node.body.is_chain and not any(step.frame or step.calls for step in steps):
            lines = tuple(line for step in steps for line in step.lines[:1])
            return call_step(frame, node, steps[0].kind, lines)
        if self.opens and node.body.size * node.repeat > _MAIN * self.root.shapes.graph.size:
            return opened
        return call_step(frame, node, "block", (f"{node.body.size} layers",))

    def _opened(self, frame: Frame, node: Node) -> Step:
        assert node.body is not None
        inside = frame.inside(node)
        return replace(call_step(frame, node, "block", ()), frame=inside, steps=tuple(self.steps(inside)))


def _one(text: str, is_wanted: bool) -> tuple[str, ...]:
    return (text,) if text and is_wanted else ()
