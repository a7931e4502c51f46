"""A variant's edits: which steps they reach, and what they make of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from archdsl.ir.labels import unlabelled_name
from archdsl.ir.trouble import Trouble
from archdsl.lower.arguments import resolve
from archdsl.lower.level import Level
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import OwnArgument, PathEdit, Place
from archdsl.semantics.env import Env
from archdsl.semantics.values import Closure, DeclaredBlock, Partial
from archdsl.syntax import tree

_WILD = re.compile(r"[*?[]")
_MOST_COMPARISONS = 300_000


def edited(action: tree.Action, place: Place, lowering: Lowering) -> tuple[tree.Action | None, Place]:
    """Return what edits leave of a step, None if nothing, and its place; those of `stages` reach its stages one by one.

    The arguments that edits set on the step come to those which its place has already.
    """
    if not place.edits or isinstance(action, tree.Stages):
        return action, place
    edits, label = _at_end(place.label, place.edits, lowering)
    if edits is None:
        return None, place
    is_join = label is None and _is_join_of_values(action, place.env)
    is_spliced = label is None and not is_join and _is_spliced(action, place.env)
    names = (label,) if label is not None else _names(action, place.level)
    if is_join:
        names = names[1:]
    elif label is None and names and not is_spliced:
        place.level.passed.append(unlabelled_name(_hint(action)))
    here = _reaching(edits, names, action, lowering)
    below = tuple(replace(e, segments=e.segments[1:]) for e in here if len(e.segments) > 1)
    arguments: list[OwnArgument] = []
    result: tree.Action | None = action
    final = [path for path in here if len(path.segments) == 1]
    for path in final:
        if path.edit.arguments:
            arguments += [(argument, path.env) for argument in path.edit.arguments]
        elif path.edit.body is None:
            result = None
        else:
            result = _replacement(path.edit.body)
    if arguments and not isinstance(result, tree.Call):
        span = here[-1].edit.pattern.span
        help = f"name a step inside: `{here[-1].edit.pattern.text}.…`" if isinstance(action, tree.Group) else ""
        raise Trouble("E115", "this step takes no arguments", span, help=help or "`replace` puts another in its place")
    lowering.matched.update(id(path.edit) for path in final)
    left = place._replace(own=(*place.own, *arguments), edits=place.edits if is_spliced else below)
    if result is not None and result is not action:
        left = left._replace(env=replace(left.env, module=final[-1].env.module))
    return result, left


def _at_end(
    label: str | None, edits: tuple[PathEdit, ...], lowering: Lowering
) -> tuple[tuple[PathEdit, ...] | None, str | None]:
    """Return the edits that reach the level that the last segment of a label stands in, None if one removes it."""
    if label is None or "." not in label:
        return edits, label
    *outer, last = label.split(".")
    for head in outer:
        ending = [path for path in edits if len(path.segments) == 1 and fnmatchcase(head, path.segments[0])]
        lowering.matched.update(id(path.edit) for path in ending)
        for path in ending:
            if path.edit.arguments or path.edit.body is not None:
                message = f"`{path.edit.pattern.text}` stands in several pieces, and is no one module"
                raise Trouble("E131", message, path.edit.pattern.span, help="name its steps one by one")
        if ending:
            return None, last
        edits = edits_below(head, edits)
    return edits, last


def _reaching(
    edits: tuple[PathEdit, ...], names: Sequence[str], action: tree.Action, lowering: Lowering
) -> list[PathEdit]:
    """Return the edits whose next segment is one of a step's names; plain segments are looked up."""
    known, plain, patterns = lowering.edits_by_name.get(id(edits), ((), {}, []))
    if known is not edits:
        plain, patterns = dict[str, list[int]](), list[int]()
        for index, edit in enumerate(edits):
            segment = edit.segments[0]
            (patterns if _WILD.search(segment) else plain.setdefault(segment, [])).append(index)
        lowering.edits_by_name[id(edits)] = edits, plain, patterns
    lowering.comparisons += len(patterns)
    if lowering.comparisons > _MOST_COMPARISONS:
        message = f"patterns of edits are compared with steps more than {_MOST_COMPARISONS:,} times"
        raise Trouble("E109", message, action.span, help="name the steps without `*`", is_fatal=True)
    found = {index for name in names for index in plain.get(name, ())}
    found |= {i for i in patterns if any(fnmatchcase(name, edits[i].segments[0]) for name in names)}
    return [edits[index] for index in sorted(found)]


def _hint(action: tree.Action) -> str:
    return action.name.text if isinstance(action, tree.Call) else "group"


def _names(action: tree.Action, level: Level) -> tuple[str, ...]:
    """Return the names that an unlabelled step may go by; an input or a `pass` is no step of the network's."""
    if isinstance(action, tree.Reference | tree.Index):
        return ()
    hint = _hint(action)
    return () if hint in ("input", "pass") else level.next_names(hint)


def edits_below(label: str, edits: tuple[PathEdit, ...]) -> tuple[PathEdit, ...]:
    """Return the edits for what is inside a level, from those that reach it."""
    return tuple(
        replace(edit, segments=edit.segments[1:])
        for edit in edits
        if len(edit.segments) > 1 and fnmatchcase(label, edit.segments[0])
    )


def _is_spliced(action: tree.Action, env: Env) -> bool:
    """Return whether the parts of an unlabelled step belong to the level it stands in, so that paths pass it by."""
    if isinstance(action, tree.Residual | tree.Split):
        return True
    if not isinstance(action, tree.Call) or action.name.text == "pass":
        return False
    target = resolve(action, env)
    if isinstance(target, Closure):
        return True
    return target.target.declaration.is_inline if isinstance(target.target, DeclaredBlock) else target.target.is_join


def _is_join_of_values(action: tree.Action, env: Env) -> bool:
    """Return whether a step joins values, so that it is one by itself, which goes by its word."""
    if not isinstance(action, tree.Call) or action.body is not None or action.name.text == "pass":
        return False
    target = resolve(action, env)
    return isinstance(target, Partial) and isinstance(target.target, type) and target.target.is_join


def _replacement(body: tree.Body) -> tree.Action:
    """Return what a body puts into a step's place: its one unlabelled step, or a level of its own."""
    if len(body.statements) == 1:
        (only,) = body.statements
        if isinstance(only, tree.Step) and only.label is None and only.repeat is None:
            return only.action
    return tree.Group(body, body.span)
