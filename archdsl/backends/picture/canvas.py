"""From steps to a picture: boxes, the edges between them, and the frames around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archdsl.backends.picture.levels import Level, Outline
from archdsl.backends.picture.picture import Box, Edge, Group, Picture, mark_shortcuts
from archdsl.backends.picture.steps import Frame, Step
from archdsl.backends.picture.symbols import listed
from archdsl.backends.picture.variants import Variant
from archdsl.backends.theme import Kind
from archdsl.backends.words import amount, shape_text
from archdsl.ir.graph import Node, Value
from archdsl.passes.costs import Total
from archdsl.passes.tables import Tables

_SHORT = 5
"""As many operators at most go without a frame around them."""
MOST = 40
"""As many boxes at most at the level of blocks, which is to fit a page."""


@dataclass(frozen=True, slots=True)
class _Tap:
    """A value on the canvas: the box it leaves, and its shape where that box changed it."""

    box: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where steps go: the group around them, and their path; None inside a block shown for all its calls.

    `prefix` goes before their names: that of a level that gets no frame.
    """

    group: str | None
    path: str | None
    prefix: str = ""

    def join(self, name: str) -> str | None:
        return None if self.path is None else f"{self.path}{name}"


def sketch(root: Tables, level: Level, name: str) -> Picture:
    """Draw a network at one level. Requires: shapes and costs without errors.

    Blocks too many for a page are shown in part: the flow in stages, and of the blocks' insides those that fit.
    """
    picture = _Canvas(Outline(root, level)).picture(name)
    if level != "blocks" or len(picture.boxes) <= MOST:
        return picture
    picture = _Canvas(Outline(root, "stages")).picture(name, Outline(root, "blocks"))
    if len(picture.boxes) <= MOST:
        return picture
    return _Canvas(Outline(root, "stages", opens=False)).picture(name, Outline(root, "blocks"))


class _Canvas:
    def __init__(self, outline: Outline) -> None:
        self.outline, self.level = outline, outline.level
        self.total = outline.root.costs.total
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.groups: list[Group] = []
        self._labelled: set[str] = set()

    def picture(self, name: str, insides: Outline | None = None) -> Picture:
        """Draw the main flow; with `insides`, as many insides of blocks beside it as a page holds."""
        frame, steps = self.outline.main()
        place = _Place(None, "")
        values = self._steps(frame, steps, self._inputs(frame, place), place)
        self._outputs(frame, values)
        is_wide = self.level == "stages" and insides is None
        hidden: list[str] = []
        if self.level == "blocks":
            self._details()
        if insides is not None:
            hidden = self._few_details(insides)
        costs = f"{amount(self.total.parameters)} parameters, {amount(self.total.macs)} MACs"
        more = f"; not shown inside: {', '.join(hidden)}" if hidden else ""
        edges = tuple(mark_shortcuts(self.boxes, self.edges))
        direction = "right" if is_wide else "down"
        return Picture(name, costs + more, direction, tuple(self.boxes), edges, tuple(self.groups), self.total)

    def _few_details(self, insides: Outline) -> list[str]:
        """Draw insides of blocks as long as the page holds them; name the blocks left out."""
        self.outline, self.level = insides, insides.level
        hidden: list[str] = []
        for variant in insides.variants:
            sizes = len(self.boxes), len(self.edges), len(self.groups)
            self._detail(variant)
            if len(self.boxes) > MOST:
                del self.boxes[sizes[0] :], self.edges[sizes[1] :], self.groups[sizes[2] :]
                hidden.append(variant.title)
        return hidden

    def _details(self) -> None:
        for variant in self.outline.variants:
            self._detail(variant)

    def _detail(self, variant: Variant) -> None:
        frame, steps = self.outline.detail(variant)
        place = _Place(self._group(_detail_title(variant, frame), None, is_detail=True), None)
        self._steps(frame, steps, self._inputs(frame, place), place)

    def _inputs(self, frame: Frame, place: _Place) -> list[_Tap]:
        """Draw where values come in: the network's inputs with their shapes, a block's as `x`."""
        taps: list[_Tap] = []
        inputs = frame.graph.inputs
        for node, shape in zip(inputs, frame.calls[0].shapes.inputs, strict=True):
            name = "x" if node.op is None and len(inputs) == 1 else node.id
            shown = "" if node.op is None else shape_text(shape)
            taps.append(_Tap(self._box("input", (name,), place.group, self._paths((node,), place), shape=shown)))
        return taps

    def _outputs(self, frame: Frame, values: Mapping[Value, _Tap]) -> None:
        for output in frame.graph.outputs:
            when = ("in training",) if output.is_training_only else ()
            box = self._box("output", (output.name or "output", *when), None, ())
            self._edge(values[output.value], box)

    def _steps(self, frame: Frame, steps: Sequence[Step], arriving: Sequence[_Tap], place: _Place) -> dict[Value, _Tap]:
        """Draw a body's steps; give where each of its values leaves from."""
        values = {Value(node.id): tap for node, tap in zip(frame.graph.inputs, arriving, strict=True)}
        for step in steps:
            taps = [values[value] for value in step.inputs]
            for name in step.nodes[0].names if self.level == "layers" else step.nodes[0].names[:1]:
                results = self._step(step, name, taps, place)
                taps = [results[""]]
                values.update({Value(step.result, output): tap for output, tap in results.items()})
        return values

    def _step(self, step: Step, name: str, taps: Sequence[_Tap], place: _Place) -> dict[str, _Tap]:
        if step.frame is not None:
            return self._opened(step, step.frame, name, taps, place)
        is_join, is_main = step.kind == "join", place.path is not None
        box = self._box(
            step.kind,
            self._lines(step),
            place.group,
            self._paths(step.nodes, place, name),
            name=self._name(step, place),
            shape="" if is_join or self._is_told(step) else step.after,
            costs=self._costs(step) if is_main else None,
        )
        for tap in taps:
            self._edge(tap, box)
        body = step.nodes[-1].body
        outputs = ["", *(output.name for output in body.outputs)] if body is not None else [""]
        is_changed = step.after != step.before
        label = step.after if is_changed and (is_join or (is_main and self.level == "layers")) else ""
        return dict.fromkeys(outputs, _Tap(box, label))

    def _opened(self, step: Step, frame: Frame, name: str, taps: Sequence[_Tap], place: _Place) -> dict[str, _Tap]:
        values = self._steps(frame, step.steps, taps, self._inside(step, name, place))
        named = {output.name: values[output.value] for output in frame.graph.outputs}
        return {"": values[frame.graph.main], **named}

    def _inside(self, step: Step, name: str, place: _Place) -> _Place:
        """Frame an opened body; one of few operators in a row is told by its boxes' names alone."""
        path = place.join(f"{name}.")
        if self._is_short(step, place):
            return _Place(place.group, path, f"{place.prefix}{name}." if step.names else place.prefix)
        title = self._title(step, name, place)
        return _Place(self._group(title, place.group) if title else place.group, path)

    def _is_short(self, step: Step, place: _Place) -> bool:
        """Tell whether an opened level is a few boxes in a row, and applied once.

        In the main flow they are operators: calls in a row are a stage, which gets its frame.
        """
        inside = step.steps
        if step.calls or step.count > 1 or len(inside) > _SHORT or any(s.frame or s.kind == "join" for s in inside):
            return False
        if place.path is not None and any(s.calls for s in inside):
            return False
        return all(after.inputs == (Value(before.result),) for before, after in pairwise(inside))

    def _title(self, step: Step, name: str, place: _Place) -> str:
        """Name an opened body; a branch that nobody named gets no frame."""
        repeated = f" ×{step.count}" if step.count > 1 and self.level != "layers" else ""
        shown = place.join(name) if self.level == "layers" else "".join(step.names)
        if self.level == "layers" and step.calls:
            return f"{shown}: {step.calls}"
        return f"{shown}{repeated}" if step.names or repeated else ""

    def _name(self, step: Step, place: _Place) -> str:
        if step.kind == "join":
            return ""
        names = step.names or ((step.head,) if place.prefix else ())
        ends = (names[0], names[-1]) if len(names) > 1 else names[:1]
        return " – ".join(f"{place.prefix}{name}" for name in ends)

    def _lines(self, step: Step) -> tuple[str, ...]:
        if step.kind == "join" or step.count == 1 or self.level == "layers":
            return step.lines
        first, *rest = step.lines
        return (f"{step.count} × {first}" if step.calls else f"{step.count} × ({first})", *rest)

    def _is_told(self, step: Step) -> bool:
        """Tell whether the box's description gives the shape already, or at this level the edge does."""
        return f"{step.after}-d fc" in step.lines or self.level == "layers"

    def _costs(self, step: Step) -> Total:
        """Give what one box costs: at the level of layers, each of several equal steps has a box of its own."""
        if self.level != "layers" or step.count == 1:
            return step.costs
        count = step.count
        return Total(
            parameters=step.costs.parameters // count,
            macs=step.costs.macs // count,
            activations=step.costs.activations // count,
        )

    def _paths(self, nodes: Sequence[Node], place: _Place, name: str = "") -> tuple[str, ...]:
        if place.path is None:
            return ()
        names = (name,) if name and self.level == "layers" and len(nodes) == 1 else None
        return tuple(path for node in nodes for path in self._paths_of(node, names or node.names, place.path))

    def _paths_of(self, node: Node, names: Sequence[str], prefix: str) -> Iterator[str]:
        for name in names:
            if node.body is not None and self.outline.variants.is_simple(node.body):
                for inner in node.body.topological():
                    if not inner.is_input:
                        yield from self._paths_of(inner, inner.names, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}"

    def _box(
        self,
        kind: Kind,
        lines: tuple[str, ...],
        group: str | None,
        paths: tuple[str, ...],
        *,
        name: str = "",
        shape: str = "",
        costs: Total | None = None,
    ) -> str:
        said = tuple(line for line in lines if line != name)  # a call named as its block says so once
        box = Box(f"n{len(self.boxes)}", kind, said, group, paths, name, shape, costs)
        self.boxes.append(box)
        return box.id

    def _group(self, title: str, parent: str | None, is_detail: bool = False) -> str:
        name = f"g{len(self.groups)}"
        self.groups.append(Group(name, title, parent, is_detail))
        return name

    def _edge(self, tap: _Tap, target: str) -> None:
        label = tap.label if tap.box not in self._labelled else ""
        self._labelled.add(tap.box)
        self.edges.append(Edge(tap.box, target, label))


def _detail_title(variant: Variant, frame: Frame) -> str:
    """Name a block and the values that its parameters take, as far as the picture uses them."""
    bindings = frame.symbols.bindings
    values = [f"{name} = {listed(bindings[name])}" for name in frame.symbols.names]
    return f"{variant.title}: {'; '.join(values)}" if values else variant.title
