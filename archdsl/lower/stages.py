"""`stages`: how deep each stage is, its stride, the names that its clauses bind, and its blocks one after another."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from archdsl.ir.trouble import Trouble
from archdsl.lower.dispatch import lower_action, lower_body, lower_statement
from archdsl.lower.edits import edited, edits_below
from archdsl.lower.labels import new_label
from archdsl.lower.level import Flow
from archdsl.lower.levels import Fill, nested
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place, StageStride
from archdsl.lower.repeats import MAX_REPEAT, repeat_until_steady
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate, evaluate_int, evaluate_list
from archdsl.semantics.functions import MAX_BITS
from archdsl.semantics.values import Setting, describe
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.record import record


@record
class Stage:
    """One stage: its number from 1, the blocks before it, its own, their total over all stages, and what it binds."""

    number: int
    index: int
    depth: int
    total: int
    stride: int
    names: Mapping[str, Setting]


def _plan_stages(node: tree.Stages, env: Env) -> list[Stage]:
    """Work out the stages, or raise Trouble."""
    listed = evaluate_list(node.depths, env, "the depth of `stages`", lambda _, text: f"write `[{text}]`")
    depths = [_checked_depth(depth, node) for depth in listed]
    strides, clauses = _clauses(node, len(depths), env)
    total = sum(depths)
    return [
        Stage(
            position + 1,
            sum(depths[:position]),
            depth,
            total,
            strides[position],
            {name: values[position] for name, values in clauses.items()},
        )
        for position, depth in enumerate(depths)
    ]


def _checked_depth(depth: Setting, node: tree.Stages) -> int:
    if isinstance(depth, bool) or not isinstance(depth, int) or not 0 <= depth <= MAX_REPEAT:
        raise Trouble("E104", f"a stage's depth is 0 to {MAX_REPEAT:,} blocks, not {describe(depth)}", node.depths.span)
    return depth


def _clauses(node: tree.Stages, stages: int, env: Env) -> tuple[list[int], dict[str, tuple[Setting, ...]]]:
    """Return each stage's stride, and the values of the names that the clauses bind, stage by stage."""
    strides = [1] * stages
    values: dict[str, tuple[Setting, ...]] = {}
    for clause in node.clauses:
        if isinstance(clause, tree.Doubled):
            first = evaluate_int(clause.first, env, f"`{clause.name.text}`")
            if first.bit_length() + stages > MAX_BITS:
                raise Trouble(
                    "E116",
                    f"`{clause.name.text}` is doubled {stages - 1} times: the result is too large",
                    clause.span,
                )
            values[clause.name.text] = tuple(first * 2**i for i in range(stages))
            strides = [1, *[2] * (stages - 1)][:stages]
    for clause in node.clauses:
        if isinstance(clause, tree.Doubled) or clause.key is None:
            continue
        listed = evaluate(clause.value, env)
        if not isinstance(listed, tuple):
            listed = (listed,) * stages
        if len(listed) != stages:
            message = f"{len(listed)} values of `{clause.key.text}` for {stages} stages"
            raise Trouble("E111", message, clause.span, help="give one value a stage, or one for all")
        if clause.key.text == "stride":
            strides = [_checked_stride(value, clause) for value in listed]
        else:
            values[clause.key.text] = listed
    return strides, values


def _checked_stride(value: Setting, clause: tree.Argument) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Trouble("E104", f"a stride is a positive whole number, not {describe(value)}", clause.value.span)
    return value


def lower_stages(node: tree.Stages, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower stages that have no labels."""
    return lower_labelled_stages(node, None, place, flow, lowering)


def lower_labelled_stages(
    node: tree.Stages, label: tree.LabelText | None, place: Place, flow: Flow, lowering: Lowering
) -> Flow:
    """Lower stages, each a level called by the label, in which the stage's own names may stand."""
    place = place.labelled(None)
    for stage in _plan_stages(node, place.env):
        stride = StageStride(stage.stride)
        fill = _fill(node, stage, stride, lowering)
        inner = place._replace(env=place.env.bind(stage=stage.number, total=stage.total, **stage.names))
        flow = fill(inner, flow) if label is None else _level_of(node, label, stride, inner, flow, lowering, fill)
        if stride.value != 1 and not stride.is_taken and stage.depth and flow.shape is not None:
            message = f"nothing in stage {stage.number} takes its stride of {stride.value}"
            help = "give the block a `stride` parameter, or write `stride=1`"
            lowering.fail(Trouble("E110", message, node.body.span, help=help))
    return flow


def _level_of(
    node: tree.Stages,
    label: tree.LabelText,
    stride: StageStride,
    place: Place,
    flow: Flow,
    lowering: Lowering,
    fill: Fill,
) -> Flow:
    """Lower one stage as a level, or what a variant puts in its place."""
    text = new_label(label, place, lowering.way_in(place.level))
    group = tree.Group(node.body, node.body.span)
    action, _ = edited(group, place.labelled(text), lowering)
    if action is None:
        stride.is_taken = True
        place.level.removed.add(text)
        return flow
    place.level.labels[text] = (None, label.span)
    inner = place.labelled(text)._replace(edits=edits_below(text, place.edits))
    place.level.underway.add(text)
    try:
        if action is group:
            flow = nested(node.span, inner, flow, lowering, fill, "stages")
        else:
            flow = lower_action(action, inner, flow, lowering)
            stride.is_taken = True
    finally:
        place.level.underway.discard(text)
    place.level.labels[text] = (flow.position, label.span)
    return flow


def _fill(node: tree.Stages, stage: Stage, stride: StageStride, lowering: Lowering) -> Fill:
    """Return what fills one stage: its body, repeated."""
    lowering.visited.add(id(node.body))
    only = node.body.statements[0] if len(node.body.statements) == 1 else None
    is_simple = isinstance(only, tree.Step) and only.label is None
    uses_index = any(isinstance(part, tree.Variable) and part.name == "index" for part in nodes_of(node.body))

    def repetition(place: Place, flow: Flow, position: int) -> Flow:
        inner = place._replace(
            env=place.env.bind(index=stage.index + position),
            stride=stride if position == 0 else StageStride(1),
            is_repeat=place.is_repeat or position > 0,
        )
        if only is not None and is_simple:
            return lower_statement(only, inner, flow, lowering)[0]
        return nested(node.body.span, inner, flow, lowering, lambda p, f: lower_body(node.body, p, f, lowering))

    def fill(place: Place, flow: Flow) -> Flow:
        is_repeat = place.is_repeat
        if not uses_index:
            position = count()
            return repeat_until_steady(
                stage.depth, place, flow,
                lambda p, f: repetition(p._replace(is_repeat=is_repeat), f, next(position)),
            )  # fmt: skip
        for position in range(stage.depth):
            flow = repetition(place, flow, position)
        return flow

    return fill
