"""From parts to a picture: boxes, the edges between them, and the frames around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archdsl.backends.picture.levels import DiagramLevel, Outline
from archdsl.backends.picture.parts import Frame, Part
from archdsl.backends.picture.picture import Box, BoxGroup, Edge, Picture, mark_shortcuts
from archdsl.backends.picture.symbols import listed
from archdsl.backends.picture.variants import BlockVariant
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
    """Where parts go: the group around them, and their path; None inside a block shown for all its calls.

    `prefix` goes before their names: that of a level that gets no frame.
    """

    group: str | None
    path: str | None
    prefix: str = ""

    def join(self, name: str) -> str | None:
        return None if self.path is None else f"{self.path}{name}"


def sketch(root: Tables, level: DiagramLevel, name: str) -> Picture:
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
        self.groups: list[BoxGroup] = []
        self._labelled: set[str] = set()

    def picture(self, name: str, insides: Outline | None = None) -> Picture:
        """Draw the main flow; with `insides`, as many insides of blocks beside it as a page holds."""
        frame, parts = self.outline.main()
        place = _Place(None, "")
        values = self._parts(frame, parts, self._inputs(frame, place), place)
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

    def _detail(self, variant: BlockVariant) -> None:
        frame, parts = self.outline.detail(variant)
        place = _Place(self._group(_detail_title(variant, frame), None, is_detail=True), None)
        self._parts(frame, parts, self._inputs(frame, place), place)

    def _inputs(self, frame: Frame, place: _Place) -> list[_Tap]:
        """Draw where values come in: the network's inputs with their shapes, what flows into a block as `x`."""
        taps: list[_Tap] = []
        for node, shape in zip(frame.graph.inputs, frame.calls[0].shapes.inputs, strict=True):
            name = "x" if node.op is None and not taps else node.id
            shown = "" if node.op is None else shape_text(shape)
            taps.append(_Tap(self._box("input", (name,), place.group, self._paths((node,), place), shape=shown)))
        return taps

    def _outputs(self, frame: Frame, values: Mapping[Value, _Tap]) -> None:
        for output in frame.graph.outputs:
            when = ("in training",) if output.is_training_only else ()
            box = self._box("output", (output.name or "output", *when), None, ())
            self._edge(values[output.value], box)

    def _parts(self, frame: Frame, parts: Sequence[Part], arriving: Sequence[_Tap], place: _Place) -> dict[Value, _Tap]:
        """Draw a body's parts; give where each of its values leaves from."""
        values = {Value(node.id): tap for node, tap in zip(frame.graph.inputs, arriving, strict=True)}
        for part in parts:
            taps = [values[value] for value in part.inputs]
            for name in part.nodes[0].names if self.level == "layers" else part.nodes[0].names[:1]:
                results = self._part(part, name, taps, place)
                taps = [results[""], *taps[1:]]
                values.update({Value(part.result, output): tap for output, tap in results.items()})
        return values

    def _part(self, part: Part, name: str, taps: Sequence[_Tap], place: _Place) -> dict[str, _Tap]:
        if part.frame is not None:
            return self._opened(part, part.frame, name, taps, place)
        is_join, is_main = part.kind == "join", place.path is not None
        box = self._box(
            part.kind,
            self._lines(part),
            place.group,
            self._paths(part.nodes, place, name),
            name=self._name(part, place),
            shape="" if is_join or self._is_told(part) else part.after,
            costs=self._costs(part) if is_main else None,
            is_frozen=part.is_frozen,
        )
        for tap, argument in zip(taps, part.arguments, strict=True):
            self._edge(tap, box, argument)
        body = part.nodes[-1].body
        outputs = ["", *(output.name for output in body.outputs)] if body is not None else [""]
        is_changed = part.after != part.before
        label = part.after if is_changed and (is_join or (is_main and self.level == "layers")) else ""
        return dict.fromkeys(outputs, _Tap(box, label))

    def _opened(self, part: Part, frame: Frame, name: str, taps: Sequence[_Tap], place: _Place) -> dict[str, _Tap]:
        values = self._parts(frame, part.parts, taps, self._inside(part, name, place))
        named = {output.name: values[output.value] for output in frame.graph.outputs}
        return {"": values[frame.graph.main], **named}

    def _inside(self, part: Part, name: str, place: _Place) -> _Place:
        """Frame an opened body; one of few operators in a row is told by its boxes' names alone."""
        path = place.join(f"{name}.")
        if self._is_short(part, place):
            return _Place(place.group, path, f"{place.prefix}{name}." if part.names else place.prefix)
        title = self._title(part, name, place)
        return _Place(self._group(title, place.group) if title else place.group, path)

    def _is_short(self, part: Part, place: _Place) -> bool:
        """Return whether an opened level is a few boxes in a row, and applied once.

        In the main flow they are operators: calls in a row are a stage, which gets its frame.
        """
        inside = part.parts
        if part.calls or part.count > 1 or len(inside) > _SHORT or any(s.frame or s.kind == "join" for s in inside):
            return False
        if place.path is not None and any(s.calls for s in inside):
            return False
        return all(after.inputs == (Value(before.result),) for before, after in pairwise(inside))

    def _title(self, part: Part, name: str, place: _Place) -> str:
        """Name an opened body; a branch that nobody named gets no frame."""
        repeated = f" ×{part.count}" if part.count > 1 and self.level != "layers" else ""
        shown = place.join(name) if self.level == "layers" else "".join(part.names)
        if self.level == "layers" and part.calls:
            return f"{shown}: {part.calls}"
        return f"{shown}{repeated}" if part.names or repeated else ""

    def _name(self, part: Part, place: _Place) -> str:
        if part.kind == "join":
            return ""
        names = part.names or ((part.head,) if place.prefix else ())
        ends = (names[0], names[-1]) if len(names) > 1 else names[:1]
        return " – ".join(f"{place.prefix}{name}" for name in ends)

    def _lines(self, part: Part) -> tuple[str, ...]:
        if part.kind == "join" or part.count == 1 or self.level == "layers":
            return part.lines
        first, *rest = part.lines
        return (f"{part.count} × {first}" if part.calls else f"{part.count} × ({first})", *rest)

    def _is_told(self, part: Part) -> bool:
        """Return whether the box's description gives the shape already, or at this level the edge does."""
        return f"{part.after}-d fc" in part.lines or self.level == "layers"

    def _costs(self, part: Part) -> Total:
        """Return what one box costs: at the level of layers, each of several equal parts has a box of its own."""
        if self.level != "layers" or part.count == 1:
            return part.costs
        count = part.count
        return Total(
            parameters=part.costs.parameters // count,
            macs=part.costs.macs // count,
            activations=part.costs.activations // count,
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
        is_frozen: bool = False,
    ) -> str:
        said = tuple(line for line in lines if line != name)  # a call named as its block says so once
        box = Box(f"n{len(self.boxes)}", kind, said, group, paths, name, shape, costs, is_frozen)
        self.boxes.append(box)
        return box.id

    def _group(self, title: str, parent: str | None, is_detail: bool = False) -> str:
        name = f"g{len(self.groups)}"
        self.groups.append(BoxGroup(name, title, parent, is_detail))
        return name

    def _edge(self, tap: _Tap, target: str, argument: str = "") -> None:
        label = tap.label if tap.box not in self._labelled else ""
        self._labelled.add(tap.box)
        self.edges.append(Edge(tap.box, target, label, argument=argument))


def _detail_title(variant: BlockVariant, frame: Frame) -> str:
    """Name a block and the values that its parameters take, as far as the picture uses them."""
    bindings = frame.symbols.bindings
    values = [f"{name} = {listed(bindings[name])}" for name in frame.symbols.names]
    return f"{variant.title}: {'; '.join(values)}" if values else variant.title
