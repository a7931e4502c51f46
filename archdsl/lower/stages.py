"""What `stages` says: how deep each stage is, its stride, and the values of the names that its clauses bind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.ir.trouble import Trouble
from archdsl.semantics.evaluate import Env, evaluate, evaluate_int, evaluate_list
from archdsl.semantics.functions import MAX_BITS
from archdsl.semantics.values import Setting, describe
from archdsl.syntax import tree

MAX_REPEAT = 10_000


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its number from 1, the blocks before it, its own, their total over all stages, and what it binds."""

    number: int
    index: int
    depth: int
    total: int
    stride: int
    names: Mapping[str, Setting]


def plan_stages(node: tree.Stages, env: Env) -> list[Stage]:
    """Work out the stages, or raise Trouble."""
    listed = evaluate_list(node.depths, env, "the depth of `stages`")
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


def _clauses(node: tree.Stages, count: int, env: Env) -> tuple[list[int], dict[str, tuple[Setting, ...]]]:
    """Give each stage's stride, and the values of the names that the clauses bind, stage by stage."""
    strides = [1] * count
    values: dict[str, tuple[Setting, ...]] = {}
    for clause in node.clauses:
        if isinstance(clause, tree.Doubled):
            first = evaluate_int(clause.first, env, f"`{clause.name.text}`")
            if first.bit_length() + count > MAX_BITS:
                raise Trouble(
                    "E116",
                    f"`{clause.name.text}` is doubled {count - 1} times: the result is too large",
                    clause.span,
                )
            values[clause.name.text] = tuple(first * 2**i for i in range(count))
            strides = [1, *[2] * (count - 1)][:count]
    for clause in node.clauses:
        if isinstance(clause, tree.Doubled) or clause.key is None:
            continue
        listed = evaluate(clause.value, env)
        if not isinstance(listed, tuple):
            listed = (listed,) * count
        if len(listed) != count:
            message = f"{len(listed)} values of `{clause.key.text}` for {count} stages"
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
