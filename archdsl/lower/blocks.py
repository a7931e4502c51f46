"""Calls of blocks: a body that is lowered once for each distinct call, or one that stands in its caller's level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from archdsl.ir.again import Again
from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.arguments import Arguments, match_parameters
from archdsl.lower.dispatch import lower_body
from archdsl.lower.level import NOTHING, Draft, Flow, Level
from archdsl.lower.levels import main_flow, output_shapes, spliced
from archdsl.lower.lowering import MAX_SIZE, EnoughMistakes, Instance, Lowering
from archdsl.lower.place import Place
from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import bind_defaults
from archdsl.semantics.values import UNKNOWN, Closure, DeclaredBlock, Setting, identity
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
        _bind_body(declaration, node.body, arguments, place)
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
    instance = _instance(block, node, values, env, flow.shape, place, lowering)
    draft = Draft(node.name.text, node.span, (flow.ref,), instance.shapes, place.label, body=instance.graph)
    draft.attribute_spans, draft.is_unfed = arguments.spans, flow.shape is None
    lowering.place_draft(draft, place.level)
    return place.level.add(draft)


def _bind_body(declaration: tree.Block, body: tree.Body, arguments: Arguments, place: Place) -> None:
    """Return the braces behind a call to the parameter that takes them."""
    for parameter in declaration.parameters:
        if parameter.type is not None and parameter.type.text == "body":
            names = tuple(place.env.names.items())
            arguments.values[parameter.name.text] = Closure(body, place.env.module, names)
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
        context = context.fallback(file_context(block.module, Context(), lowering.budget))
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
            return lower_body(declaration.body, place._replace(env=inner, stride=None, is_repeat=False), flow, lowering)
        finally:
            lowering.leave()

    return spliced(node.span, place, flow, lowering, fill)


def _instance(
    block: DeclaredBlock,
    node: tree.Call,
    values: Mapping[str, Setting],
    env: Env,
    shape: Shape | None,
    place: Place,
    lowering: Lowering,
) -> Instance:
    """Return the lowered body for these values and what flows in, lowered once."""
    given = tuple(sorted(((name, identity(value)) for name, value in values.items()), key=_first))
    key = (id(block.declaration), given, env.context, shape, place.edits)
    instance = lowering.instances.get(key)
    if instance is None:
        instance = lowering.instances[key] = _instantiate(block, node, values, env, shape, place, lowering)
    return instance


def _first(item: tuple[str, Any]) -> str:
    return item[0]


def _instantiate(
    block: DeclaredBlock,
    node: tree.Call,
    values: Mapping[str, Setting],
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
        level.is_block = True
        entry = level.arrive(shape, name.span)
        env = _bind(declaration, node, values, env.at(entry.ref, shape), lowering)
        flow = lower_body(declaration.body, Place(env, level, place.edits), entry, lowering)
        if len(level.drafts) == 1 and flow.shape is None:
            raise Reported
        if len(level.drafts) == 1 and shape is not None:
            raise Trouble("E122", f"`{name.text}` has no step for {shape}", name.span, help="give it a step")
        main = main_flow(declaration.body, flow)
        graph = level.finish(name.text, "block", main, declaration.span, env.names, block.module.doc(declaration))
        graph.again = Again(partial(_lower_again, block, node, values, before, shape, place, lowering))
    except Reported:
        return Instance(_EMPTY, {"": None})
    finally:
        lowering.leave()
    if graph.size > MAX_SIZE:
        message = f"`{name.text}` has {graph.size:,} steps, more than {MAX_SIZE:,}"
        help = "repeat less: blocks that call each other multiply"
        raise Trouble("E109", message, node.span, help=help, is_fatal=True)
    return Instance(graph, output_shapes(level, main))


def _lower_again(
    block: DeclaredBlock,
    node: tree.Call,
    values: Mapping[str, Setting],
    env: Env,
    shape: Shape | None,
    place: Place,
    lowering: Lowering,
    changed: Mapping[str, Any],
    entering: Shape,
) -> Graph | None:
    """Lower a block's body with some parameters changed, as a call would that the spec does not have."""
    if shape is None:
        return None
    trial, entered = lowering.trial(), Shape(entering[0], *shape[1:])
    inside = replace(env, budget=trial.budget, entry=entered)
    try:
        made = _instantiate(block, node, {**values, **changed}, inside, entered, place, trial)
    except (Trouble, Reported, EnoughMistakes, RecursionError, ValueError):  # no operator takes such numbers
        return None
    is_whole = not any(body.unfed or body.mistakes or not body.outputs for body in made.graph.bodies())
    return made.graph if is_whole and not trial.is_broken else None
