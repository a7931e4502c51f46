"""Calls of blocks: a body that is lowered once for each distinct call, or one that stands in its caller's level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from archdsl.ir.again import Again
from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.arguments import Arguments, match_parameters
from archdsl.lower.dispatch import lower_body
from archdsl.lower.level import NOTHING, Draft, Flow, Level
from archdsl.lower.levels import add_pass, main_flow, output_shapes, spliced
from archdsl.lower.lowering import MAX_SIZE, EnoughMistakes, Instance, Lowering
from archdsl.lower.operators import add_operator
from archdsl.lower.place import Place
from archdsl.lower.references import refs_of
from archdsl.ops.shape import Shape
from archdsl.ops.sugar import nothing
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import bind_defaults
from archdsl.semantics.values import UNKNOWN, Closure, DeclaredBlock, LevelValue, Partial, Setting, flowing_in, identity
from archdsl.syntax import tree
from archdsl.text.source import Span

MAX_CALL_DEPTH = 40
_EMPTY = Level().finish("", "block", NOTHING, Span(0, 0))


def call_block(
    block: DeclaredBlock, node: tree.Call, arguments: Arguments, place: Place, flow: Flow, lowering: Lowering
) -> Flow:
    """Lower a call of a block."""
    declaration = block.declaration
    lowering.built.add(declaration.span)
    if node.body is not None:
        _bind_body(declaration, node.body, arguments, place, lowering)
    if id(declaration) in lowering.endless:
        raise Reported
    values, orders = match_parameters(block, arguments, place.env)
    _bind_stride(declaration, values, place)
    if flow.ref is None:
        raise lowering.no_input(node.span)
    context = _context_inside(block, orders, place, lowering)
    _check_depth(node, lowering)
    entry = UNKNOWN if flow.shape is None else flow.shape
    env = Env(block.module, context, lowering.budget, entry=entry, origins=arguments.origins)
    if lowering.is_survey:
        _bind(declaration, node, values, env, lowering)
        raise Reported
    if declaration.is_inline:
        return _inline(declaration, node, values, env, place, flow, lowering)
    if lowering.parts is not None:
        apart = lowering.parts.call(block, node, values, env, place, flow, lowering)
        if apart is not None:
            return apart
    handed = Handed(declaration, values)
    lowering.budget.read(handed.count, node.span)
    instance = _instance(block, node, handed, env, flow.shape, place, lowering)
    read = [*handed.given, *(handed.kept[index] for index in instance.captured)]
    if instance.is_pass:
        step = Draft(node.name.text, node.span, label=place.label, op=nothing(), attribute_spans=arguments.spans)
        return add_operator(nothing(), step, [flow], place, lowering)
    inputs = (flow.ref, *refs_of(read, node.span, place))
    draft = Draft(node.name.text, node.span, inputs, instance.shapes, place.label, body=instance.graph)
    draft.attribute_spans = arguments.spans
    draft.is_unfed = flow.shape is None or any(wire.shape is None for wire in read)
    lowering.place_draft(draft, place.level)
    return place.level.add(draft)


class Handed:
    """What a call hands to a block: settings by parameter, and the values that flow among them.

    `given` are those that stand by themselves or in lists, in the order of the parameters: each is an input of the
    body. `kept` are those that operators, blocks and bodies bring along, which are inputs where they are used.
    """

    def __init__(self, declaration: tree.Block, settings: Mapping[str, Setting]) -> None:
        order = [parameter.name.text for parameter in declaration.parameters]
        self.settings = {name: settings[name] for name in order if name in settings}
        self.given: list[LevelValue] = []
        self.count = 0
        """How many values stand in them, each as often as it does."""
        found: dict[LevelValue, int] = {}
        for setting in self.settings.values():
            self._take(setting, found)
        self.kept = tuple(found)
        self.places = found

    def _take(self, setting: Setting, found: dict[LevelValue, int]) -> None:
        if isinstance(setting, LevelValue):
            self.given.append(setting)
            self.count += 1
        elif isinstance(setting, tuple):
            for item in setting:
                self._take(item, found)
        else:
            for wire in flowing_in(setting):
                found.setdefault(wire, len(found))
                self.count += 1

    def reshaped(self, shapes: Sequence[Shape], brought: Sequence[LevelValue]) -> dict[str, Setting]:
        """Return the settings with other shapes of what is given, and behind these of what is brought along."""
        given = iter(shapes)
        settings = {name: _reshaped(setting, given) for name, setting in self.settings.items()}
        kept = dict(zip(brought, given, strict=True))
        return {name: _kept_reshaped(setting, kept) for name, setting in settings.items()}

    def key(self) -> tuple[object, ...]:
        """Return what equal calls have in common."""
        return tuple((name, identity(setting, self.places)) for name, setting in self.settings.items())


def _reshaped(setting: Setting, given: Iterator[Shape]) -> Setting:
    """Return a setting in which the values that stand by themselves or in lists have the next of some shapes."""
    if isinstance(setting, LevelValue):
        return replace(setting, shape=next(given))
    return tuple([_reshaped(item, given) for item in setting]) if isinstance(setting, tuple) else setting


def _kept_reshaped(setting: Any, shapes: Mapping[LevelValue, Shape], *, is_kept: bool = False) -> Any:
    """Return a setting in which the values that operators, blocks and bodies bring along have other shapes."""
    match setting:
        case LevelValue() if is_kept:
            return replace(setting, shape=shapes.get(setting, setting.shape))
        case tuple():
            items = cast("tuple[object, ...]", setting)
            return tuple([_kept_reshaped(item, shapes, is_kept=is_kept) for item in items])
        case Partial(_, _, arguments):
            inner = [(key, _kept_reshaped(item, shapes, is_kept=True)) for key, item in arguments]
            return replace(setting, arguments=tuple(inner))
        case Closure(_, _, names, read):
            every = [
                tuple([(key, _kept_reshaped(item, shapes, is_kept=True)) for key, item in known])
                for known in (names, read)
            ]
            return replace(setting, names=every[0], read=every[1])
        case _:
            return setting


def _received(setting: Setting, hint: str, level: Level, span: Span) -> Setting:
    """Return a setting as a body has it, in which the values that flow arrive as inputs."""
    if isinstance(setting, LevelValue):
        return level.receive(hint, setting.shape, span)
    if isinstance(setting, tuple):
        return tuple(_received(item, f"{hint}_{index}", level, span) for index, item in enumerate(setting))
    return setting


def _bind_body(
    declaration: tree.Block, body: tree.Body, arguments: Arguments, place: Place, lowering: Lowering
) -> None:
    """Give the braces behind a call to the parameter that takes them."""
    for parameter in declaration.parameters:
        if parameter.type is not None and parameter.type.text == "body":
            names = tuple(place.env.names.items())
            mentioned = lowering.names_in(body)
            read = names if mentioned is None else tuple([item for item in names if item[0] in mentioned])
            arguments.values[parameter.name.text] = Closure(body, place.env.module, names, read)
            return
    message = f"`{declaration.name.text}` takes no body"
    raise Trouble("E107", message, body.span, help="a block takes one through a parameter of type `body`")


def _bind_stride(declaration: tree.Block, values: dict[str, Setting], place: Place) -> None:
    """Settle a `stride` parameter: 1 in later repetitions, else as given, else the stage's."""
    for parameter in declaration.parameters:
        if parameter.type is None or parameter.type.text != "stride":
            continue
        name = parameter.name.text
        if place.is_repeat:
            values[name] = 1
        elif name not in values and place.stride is not None and not place.stride.is_taken:
            values[name] = place.stride.value
        if place.stride is not None:
            place.stride.is_taken = True
        return


def _context_inside(block: DeclaredBlock, orders: Mapping[str, Setting], place: Place, lowering: Lowering) -> Context:
    """Return the context of a block's body: its caller's, then what the block's own file wishes."""
    context = place.env.context.order(orders) if orders else place.env.context
    if block.module is not place.env.module and block.module.wishes:
        # Equal contexts may have taken other settings from outside, and are then not the same.
        key = context, id(context.outside), id(block.module)
        if key not in lowering.contexts:
            wished = file_context(block.module, Context(), lowering.budget)
            lowering.contexts[key] = context.fallback(wished)
        return lowering.contexts[key]
    return context


def _check_depth(node: tree.Call, lowering: Lowering) -> None:
    if len(lowering.calls) < MAX_CALL_DEPTH:
        return
    lowering.endless |= {running for running in lowering.running if lowering.running.count(running) > 1}
    message = f"blocks call each other more than {MAX_CALL_DEPTH} levels deep"
    raise Trouble("E108", message, node.name.span, help="let a condition end the recursion")


def _bind(declaration: tree.Block, node: tree.Call, values: Mapping[str, Setting], env: Env, lowering: Lowering) -> Env:
    """Return what names mean in a block's body; defaults that are wrong are reported, and leave names unknown."""
    parts = Parts()
    inner = bind_defaults(env, declaration.parameters, values, node.name, parts)
    lowering.fail_all(parts)
    return inner


def _inline(
    declaration: tree.Block,
    node: tree.Call,
    values: Mapping[str, Setting],
    env: Env,
    place: Place,
    flow: Flow,
    lowering: Lowering,
) -> Flow:
    """Lower a block's body into the level of its caller, unless the step has a label."""

    def fill(place: Place, flow: Flow) -> Flow:
        lowering.enter(declaration, node.span)
        try:
            inner = _bind(declaration, node, values, env.at(flow.ref, flow.shape), lowering)
            place = place.spliced(inner)._replace(stride=None, is_repeat=False)
            return lower_body(declaration.body, place, flow, lowering)
        finally:
            lowering.leave()

    return spliced(node.span, place, flow, lowering, fill)


def _instance(
    block: DeclaredBlock,
    node: tree.Call,
    handed: Handed,
    env: Env,
    shape: Shape | None,
    place: Place,
    lowering: Lowering,
) -> Instance:
    """Return the lowered body for what is handed to it and what flows in, lowered once."""
    key = (id(block.declaration), handed.key(), env.context, shape, place.edits)
    instance = lowering.instances.get(key)
    if instance is None:
        instance = lowering.instances[key] = instantiate(block, node, handed, env, shape, place, lowering)
    return instance


def instantiate(
    block: DeclaredBlock,
    node: tree.Call,
    handed: Handed,
    env: Env,
    shape: Shape | None,
    place: Place,
    lowering: Lowering,
) -> Instance:
    """Lower a block's body. Behind a mistake the shape is unknown, and only the body's own mistakes count."""
    declaration, name, before = block.declaration, block.declaration.name, env
    lowering.enter(declaration, node.span)
    try:
        level = lowering.level_inside(place.level)
        level.block = declaration
        entry = level.arrive(shape, name.span)
        lowering.budget.read(len(handed.given), node.span)
        settings = {key: _received(item, key, level, name.span) for key, item in handed.settings.items()}
        env = _bind(declaration, node, settings, env.at(entry.ref, shape), lowering)
        flow = lower_body(declaration.body, Place(env, level, place.edits), entry, lowering)
        if level.is_empty and flow.shape is None:
            raise Reported
        if level.is_empty and (level.has_pass or flow.position > 0):
            if flow == entry and not level.outputs:
                return Instance(_EMPTY, {}, is_pass=True)
            flow = add_pass(level, flow, declaration.span, Place(env, level), lowering)
        if level.is_empty and shape is not None:
            help = "give it a step, or write `pass` where it is to do nothing"
            raise Trouble("E122", f"`{name.text}` has no step for {shape}", name.span, help=help)
        main = main_flow(declaration.body, flow, level)
        graph = level.finish(name.text, "block", main, declaration.span, env.names, block.module.doc(declaration))
        brought = tuple([wire for _, wire in level.captured.values()])
        graph.again = Again(partial(_lower_again, block, node, handed, brought, before, shape, place, lowering))
    except Reported:
        return Instance(_EMPTY, {"": None})
    finally:
        lowering.leave()
    if graph.size > MAX_SIZE:
        message = f"`{name.text}` has {graph.size:,} steps, more than {MAX_SIZE:,}"
        help = "repeat less: blocks that call each other multiply"
        raise Trouble("E109", message, node.span, help=help, is_fatal=True)
    captured = tuple(handed.places[wire] for wire in brought)
    return Instance(graph, output_shapes(level, main), captured)


def _lower_again(
    block: DeclaredBlock,
    node: tree.Call,
    handed: Handed,
    brought: Sequence[LevelValue],
    env: Env,
    shape: Shape | None,
    place: Place,
    lowering: Lowering,
    changed: Mapping[str, Any],
    entering: Sequence[Shape],
) -> Graph | None:
    """Lower a block's body with some parameters changed, as a call would that the spec does not have.

    `brought` are the kept values that it reads; what enters differs from what did so in its channels alone.
    """
    before = [shape, *(wire.shape for wire in (*handed.given, *brought))]
    if len(before) != len(entering) or any(own is None for own in before):
        return None
    entered, *others = [_with_channels(own, now) for own, now in zip(before, entering, strict=True) if own is not None]
    trial = lowering.trial()
    inside = replace(env, budget=trial.budget, entry=entered)
    try:
        again = Handed(block.declaration, {**handed.reshaped(others, brought), **changed})
        made = instantiate(block, node, again, inside, entered, place, trial)
    except (Trouble, Reported, EnoughMistakes, RecursionError, ValueError):  # no operator takes such numbers
        return None
    reads_same = [again.kept[index] for index in made.captured] == list(brought)
    is_whole = not any(body.unfed or body.mistakes or not body.outputs for body in made.graph.bodies())
    return made.graph if is_whole and reads_same and not trial.is_broken else None


def _with_channels(shape: Shape, other: Shape) -> Shape:
    return shape if shape.axis is None else shape.with_channels(other.channels)
