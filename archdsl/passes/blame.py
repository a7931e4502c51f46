"""Why shapes do not fit: where channels and sizes came from, and where in the network the step stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from archdsl.ir.graph import Graph, Node
from archdsl.ir.symbols import open_sizes
from archdsl.ops.axes import axis_of
from archdsl.ops.shape import Dim, Shape, Size
from archdsl.passes.meant import meant_otherwise
from archdsl.passes.shapes import Misfit, Shapes, Trail, infer_shapes
from archdsl.passes.spots import Spot, spots_read, upstream
from archdsl.semantics.values import describe, turns_in_words
from archdsl.text.diagnostic import Diagnostic, Label

MOST_LABELS = 5
_MOST_CHANGES = 2
_MOST_CALLS = 2
_LONGEST_CALL = 60
_STAGES = "stages"
# Attributes that say what a step gives, in the order in which they are looked for.
_SETS_CHANNELS = ("channels", "features", "shape", "sizes", "size")
_SETS_SIZES = ("stride", "size", "factor", "kernel", "padding")


def explain(misfits: Sequence[Misfit]) -> Iterator[Diagnostic]:
    """Yield what is wrong with each step, where what it objects to came from, and where in the network it stands.

    Requires: the misfits of one inference.
    """
    if misfits:
        model = misfits[0].trail[0]
        symbolic = infer_shapes(model.graph, open_sizes(model.inputs)).shapes
        yield from (_explained(misfit, symbolic) for misfit in misfits)


def _explained(misfit: Misfit, symbolic: Shapes) -> Diagnostic:
    """Explain a misfit; `symbolic` are the model's shapes for an image of any size, as far as mistakes leave them."""
    trouble, trail, node = misfit
    if (meant := meant_otherwise(misfit)) is not None:
        return meant
    read = [trail[-1].results[value.node][value.output] for value in node.inputs]
    shown = [label for label in labels_for(trouble.code, trail, node) if label.span != trouble.span]
    # A call that holds another mark is seen anyway.
    marks = [trouble.span, *(label.span for label in shown)]
    calls = [label for label in calls_of(node) if not any(label.span.holds(span) for span in marks)]
    labels = [*shown[: MOST_LABELS - len(calls)], *calls]
    notes = [place_of(trail, node), symbols_of(trail, node, symbolic)]
    told = trouble.diagnostic([*dict.fromkeys(labels)], [note for note in notes if note])
    return told if trouble.restate is None else replace(told, message=trouble.restate(read))


# Where a size or a count came from.


def labels_for(code: str, trail: Trail, node: Node) -> list[Label]:
    """Return the places that set what a step objects to, the most telling first."""
    spots = spots_read(trail, node)
    if code in ("E213", "E220") and len(spots) > 1:
        shapes = [spot.shape for spot in spots]
        is_stack = node.op is not None and node.op.stacked_axis(shapes) is not None
        return _of_pair(*_unequal(spots), by_axis=node.op is None or node.op.is_pointwise() or is_stack)
    if not spots:
        return []
    if code == "E225":
        return list(dict.fromkeys(label for spot in spots for label in _of_axis(spot)))
    if code in ("E210", "E214", "E216"):
        return _of_count(spots[0], _axis_taken(node, spots[0].shape))
    if code in ("E211", "E217", "E224", "E215"):
        return _of_sizes(spots[0], frozenset())
    if code == "E212":
        return _of_axis(spots[0]) or _made(spots[0], len)
    return []


def _unequal(spots: Sequence[Spot]) -> tuple[Spot, Spot]:
    """Return the first of the branches, and the first that differs from it beyond what concat or stretching takes."""
    first = spots[0]
    by_size = (s for s in spots[1:] if len(s.shape) != len(first.shape) or s.shape.positions != first.shape.positions)
    other = next(by_size, None) or next((s for s in spots[1:] if s.shape != first.shape), spots[-1])
    return first, other


def _of_pair(first: Spot, other: Spot, *, by_axis: bool) -> list[Label]:
    if not by_axis:
        return [*_made(first, tuple), *_made(other, tuple)]
    if len(first.shape) != len(other.shape):
        return [*_made(first, len), *_made(other, len)]
    found: list[Label] = []
    if _count(first.shape) != _count(other.shape):
        found += [*_of_channels(first), *_of_channels(other)]
    if first.shape.positions != other.shape.positions:
        common = {spot.key for spot in upstream(first)} & {spot.key for spot in upstream(other)}
        found += [*_of_sizes(first, common), *_of_sizes(other, common)]
    return found


def _axis_taken(node: Node, shape: Shape) -> int:
    """Return the axis that a step shares out."""
    if node.op is None or not node.op.follows_channels:
        return 0
    return axis_of(shape, getattr(node.op, "axis", None), node.op.keyword)


def _of_count(spot: Spot, axis: int) -> list[Label]:
    """Label what set the size of an axis: the channels, or another one."""
    if spot.shape.axis == axis:
        return _of_channels(spot)
    return _made(spot, lambda shape: shape[axis] if axis < len(shape) else None)


def _of_axis(spot: Spot) -> list[Label]:
    """Label the step that put a value's channels where they are."""
    if not spot.shape.axis and not spot.shape.is_named:
        return []
    while sources := spot.sources():
        kept = next((s for s in sources if (s.shape.axis, s.shape.is_named) != (0, False)), None)
        if kept is None or kept.shape.axis != spot.shape.axis:
            break
        spot = kept
    where = "no axis is the channels" if spot.shape.axis is None else f"the channels are axis {spot.shape.axis}"
    return [Label(spot.node.span, f"{where} from here on")]


def _count(shape: Shape) -> Size:
    return shape[0] if shape.axis is None else shape.channels


def _of_channels(spot: Spot) -> list[Label]:
    """Label the step that set a value's channels, and the argument of a block that said how many."""
    count = _count(spot.shape)
    while not _sets_channels(spot):
        kept = next((source for source in spot.sources() if _count(source.shape) == count), None)
        if kept is None:
            break
        spot = kept
    node = spot.node
    if node.is_input:
        return [Label(node.span, f"{count} channels of the input")]
    sources = spot.sources()
    if (
        node.op is not None
        and node.op.stacked_axis([source.shape for source in sources]) == spot.shape.axis is not None
    ):
        parts = " + ".join(str(_count(source.shape)) for source in sources)
        return [Label(node.span, f"{count} channels come from here: {parts}")]
    span = next((node.attribute_spans[name] for name in _SETS_CHANNELS if name in node.attribute_spans), node.span)
    written = span.text.partition("=")[2] or span.text
    is_plain = written.isdigit() or span is node.span
    message = f"{count} channels come from here" + ("" if is_plain else f": `{written}` is {count}")
    return [Label(span, message), *_given(spot.trail, written)]


def _sets_channels(spot: Spot) -> bool:
    op = spot.node.op
    return op is None or not {"channels", "features"}.isdisjoint(op.attribute_names())


def _given(trail: Trail, written: str) -> list[Label]:
    """Label the argument that gave a block's parameter its value, where that is all that was written."""
    for frame in reversed(trail):
        if frame.call is not None and frame.graph.kind == "block":
            span = frame.call.attribute_spans.get(written)
            if span is None or written not in frame.graph.bindings:
                return []
            value = describe(frame.graph.bindings[written])  # pyright: ignore[reportArgumentType] -- a block's parameters are settings
            return [Label(span, f"`{written}` of `{frame.graph.name}` is {value} here")]
    return []


def _of_sizes(spot: Spot, common: frozenset[tuple[str, ...]] | set[tuple[str, ...]]) -> list[Label]:
    """Label the last steps that changed the image's size, up to those that other branches share."""
    found: list[Label] = []
    for here in upstream(spot):
        if here.key in common or len(found) == _MOST_CHANGES:
            break
        sources = here.sources()
        before = (
            next((s for s in sources if s.shape.positions == here.shape.positions), sources[0]) if sources else None
        )
        if before is None or len(before.shape) != len(here.shape) or before.shape.positions == here.shape.positions:
            continue
        spans = here.node.attribute_spans
        span = next((spans[name] for name in _SETS_SIZES if name in spans), here.node.span)
        found.append(Label(span, f"{_size(before.shape)} becomes {_size(here.shape)} here"))
    return found


def _size(shape: Shape) -> str:
    return "x".join(map(str, shape.positions))


def _made(spot: Spot, key: Callable[[Shape], object]) -> list[Label]:
    """Label the step that gave a shape what `key` sees of it."""
    wanted = key(spot.shape)
    while sources := spot.sources():
        kept = next((source for source in sources if key(source.shape) == wanted), None)
        if kept is None:
            return [Label(spot.node.span, f"{sources[0].shape} becomes {spot.shape} here")]
        spot = kept
    return [Label(spot.node.span, f"the input is {spot.shape}")]


# Where the step stands.


def calls_of(node: Node) -> list[Label]:
    """Label the calls that a step stands in, the nearest first."""
    calls = [*dict.fromkeys(reversed(node.calls))][:_MOST_CALLS]
    return [Label(span, f"in `{name}`, called here") for name, span in calls]


def place_of(trail: Trail, node: Node) -> str:
    """Say where a step is: its path, the blocks around it with their arguments, and which repeat; "" if it is plain."""
    path = ".".join([*(frame.call.id for frame in trail if frame.call is not None), node.id])
    around: list[str] = []
    step, is_repeat = node, False
    for frame in reversed(trail):
        if told := _repeat(frame.graph, step):
            is_stage = step.word == _STAGES
            if is_stage and is_repeat:
                around[-1] += f" of {told}"
            else:
                around.append(told)
            is_repeat = not is_stage
        if frame.call is not None and frame.graph.kind == "block":
            around.append(f"in `{_signature(frame.graph)}`")
            is_repeat = False
        step = frame.call or step
    if not around:
        return f"at {path}" if len(trail) > 1 else ""
    return f"at {path}, {', '.join(around)}"


def _signature(graph: Graph) -> str:
    bound = [(name, value) for name, value in graph.bindings.items() if _is_shown(value)]
    text = f"{graph.name}({', '.join(f'{name}={describe(value)}' for name, value in bound)})"  # pyright: ignore[reportArgumentType] -- a block's parameters are settings
    return text if len(text) <= _LONGEST_CALL else graph.name


def _is_shown(value: object) -> bool:
    return isinstance(value, bool | int | float | str | tuple)


def _repeat(graph: Graph, node: Node) -> str:
    """Say which of several times a step of a graph is, as it stands in the text once; "" if it is there once."""
    same = (other for other in graph.nodes.values() if other.span == node.span and not other.is_input)
    alike = [other for other in same if other.turns == node.turns]
    total = sum(other.repeat for other in alike)
    turns = turns_in_words(node.turns)
    if total < 2:
        return turns
    number = 1 + sum(other.repeat for other in alike[: alike.index(node)])
    which = f"stage {number} of {total}" if node.word == _STAGES else f"the {_ordinal(number)} of {total} repeats"
    return f"{which} at {turns}" if turns else which


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def symbols_of(trail: Trail, node: Node, symbolic: Shapes) -> str:
    """Say what a step reads for an image of any size, from the model's symbolic shapes; "" if sizes are fixed."""
    table: Shapes | None = symbolic
    for frame in trail[1:]:
        assert frame.call is not None
        table = table.inner.get(frame.call.id) if table is not None else None
    if table is None:
        return ""
    shapes = [table.results.get(value.node, {}).get(value.output) for value in node.inputs]
    known = [shape for shape in shapes if shape is not None]
    # What still has the input's size is told by its numbers.
    given = {size for shape in symbolic.inputs for size in shape[1:]}
    if len(known) < len(shapes) or not any(isinstance(s, Dim) and s not in given for shape in known for s in shape):
        return ""
    listed = " and ".join(dict.fromkeys(map(str, known)))
    return f"{listed} for an input of {' and '.join(map(str, symbolic.inputs))}"
