"""How much of a network a picture shows: its stages, its blocks, or every layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from archdsl.backends.picture.chunks import Chunk, chunks
from archdsl.backends.picture.parts import Frame, Part, call_part, fold, lift, operator_part
from archdsl.backends.picture.symbols import Symbols, is_number
from archdsl.backends.picture.variants import BlockVariant, BlockVariants
from archdsl.backends.words import number
from archdsl.ir.graph import Node
from archdsl.passes.tables import Tables

DiagramLevel: TypeAlias = Literal["stages", "blocks", "layers"]

_FEW = 3
"""As many parts without a name of their own are listed in their level's box."""
_MAIN = 0.5
"""A level with more than this part of all operators is what the picture is about, and so is opened."""


class Outline:
    """The parts of every body that a picture of a network shows.

    Without `opens`, no level is opened at a glance, even where nearly everything is in it.
    """

    def __init__(self, root: Tables, level: DiagramLevel, *, opens: bool = True) -> None:
        self.root, self.level, self.opens = root, level, opens
        self.variants = BlockVariants(root)
        self._details: dict[BlockVariant, tuple[Frame, list[Part]]] = {}

    def main(self) -> tuple[Frame, list[Part]]:
        frame = Frame((self.root,), Symbols())
        return frame, self.parts(frame)

    def detail(self, variant: BlockVariant) -> tuple[Frame, list[Part]]:
        """Return the inside of a block."""
        if variant not in self._details:
            frame = variant.frame()
            self._details[variant] = frame, self.parts(frame)
        return self._details[variant]

    def parts(self, frame: Frame) -> list[Part]:
        found = [self._part(frame, chunk) for chunk in chunks(frame.graph)]
        return found if self.level == "layers" else fold(frame.graph, found, is_loose=self.level == "stages")

    def _part(self, frame: Frame, chunk: Chunk) -> Part:
        node = chunk[0]
        if node.body is None:
            return operator_part(frame, chunk)
        if self.variants.is_simple(node.body):
            (part,) = self.parts(frame.inside(node))
            return lift(part, frame, node)
        if self.level == "layers":
            return self._opened(frame, node)
        if node.body.kind == "block":
            return self._reference(frame, node)
        return self._group(frame, node)

    def _reference(self, frame: Frame, node: Node) -> Part:
        assert node.body is not None
        if self.level == "stages":
            return call_part(frame, node, "block", (node.body.name,))
        variant = self.variants.of(node.body)
        inside, _ = self.detail(variant)
        bindings = node.body.bindings
        values = [f"{name}={number(value)}" for name in inside.symbols.names if is_number(value := bindings.get(name))]
        return call_part(frame, node, "block", (variant.title, *_one(", ".join(values), len(frame.calls) == 1)))

    def _group(self, frame: Frame, node: Node) -> Part:
        opened = self._opened(frame, node)
        parts = opened.parts
        if len(parts) == 1 and parts[0].inputs and not parts[0].frame:
            return lift(parts[0], frame, node)
        if self.level == "blocks":
            return opened
        assert node.body is not None
        if len(parts) <= _FEW and node.body.is_chain and not any(part.frame or part.calls for part in parts):
            lines = tuple(line for part in parts for line in part.lines[:1])
            return call_part(frame, node, parts[0].kind, lines)
        if self.opens and node.body.size * node.repeat > _MAIN * self.root.shapes.graph.size:
            return opened
        return call_part(frame, node, "block", (f"{node.body.size} layers",))

    def _opened(self, frame: Frame, node: Node) -> Part:
        assert node.body is not None
        inside = frame.inside(node)
        return replace(call_part(frame, node, "block", ()), frame=inside, parts=tuple(self.parts(inside)))


def _one(text: str, is_wanted: bool) -> tuple[str, ...]:
    return (text,) if text and is_wanted else ()
