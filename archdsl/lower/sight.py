"""What `@` reaches at a place: labels of the level at hand, values that names hold, labels of the levels around it."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.level import Draft, Level
from archdsl.semantics.values import LevelValue, Setting, Unknown, describe, is_value, kind_of
from archdsl.syntax import tree
from archdsl.text.edits import renamed
from archdsl.text.record import record
from archdsl.text.source import Span
from archdsl.text.suggest import nearest


@record
class LevelSight:
    """What `@` reaches in a level; outside of training's own outputs, nothing that only training has."""

    level: Level
    is_training: bool
    before: int = 0
    """How many steps of the level stand before the body at hand, which comes from elsewhere if there are any."""

    def take(
        self, node: tree.Reference, name: str, outputs: tuple[str, ...], names: Mapping[str, Setting | Unknown]
    ) -> Setting:
        """Return the value that a reference means, or raise Trouble; `names` are the local ones, which may hold it.

        In this order: a label of this level, a name that holds values, a label of the nearest level around it, up to
        the body of the block or model. What a body from elsewhere was handed goes before its caller's labels.
        """
        level, held = self.level, names.get(name)
        if not level.knows(name) or (held is not None and self._is_callers(name)):
            if isinstance(held, Unknown):
                raise Reported
            if held is not None and is_value(held):
                if outputs:
                    message = f"`{name}` holds a value, which has no output `{outputs[0]}`"
                    raise Trouble("E113", message, node.span, help=f"write `@{name}`")
                return held
        found = _level_with(name, level)
        if found is None:
            raise unreachable(name, node.label.span, level, names)
        return self._wire(node, name, outputs, found)

    def _is_callers(self, name: str) -> bool:
        index = self.level.labels[name][0]
        return index is not None and index < self.before

    def _wire(self, node: tree.Reference, name: str, outputs: tuple[str, ...], level: Level) -> LevelValue:
        index = _labelled(name, level)
        if len(outputs) > 1:
            message = "a reference names a label and at most one of its outputs"
            raise Trouble("E113", message, node.span, help=f"give it out by `output` in `{name}` too")
        output = outputs[0] if outputs else ""
        draft = level.drafts[index]
        named = draft.body.outputs if draft.body is not None else ()
        if not self.is_training and any(other.name == output and other.is_training_only for other in named):
            help = "read it in `output NAME training { … }`"
            raise Trouble("E113", f"output `{output}` of `{name}` exists in training alone", node.span, help=help)
        if output not in draft.shapes:
            if draft.is_unfed:
                raise Reported
            raise Trouble("E113", f"`{name}` has no output `{output}`", node.span, help=_way_to(output, name, draft))
        return LevelValue(level, index, output, f"{name}.{output}" if output else name, draft.shapes[output])


def _level_with(name: str, level: Level) -> Level | None:
    """Return the nearest level of a body that has a label; Reported where lines that are not known may have it."""
    around: Level | None = level
    while around is not None:
        if around.knows(name):
            return around
        if around.is_open or name in around.possible:
            raise Reported
        around = None if around.is_block else around.outer
    return None


def _labelled(name: str, level: Level) -> int:
    """Return the place of a step that a level labels; Reported where a mistake leaves it unknown."""
    index = level.labels[name][0]
    if index is None:
        raise Reported
    return index


def own_label(name: str, span: Span, level: Level) -> int:
    """Return the place of a step that `reuse` names, which stands in the same level, or raise Trouble."""
    if level.knows(name):
        return _labelled(name, level)
    if level.is_open or name in level.possible:
        raise Reported
    raise unreachable(name, span, level, {}, is_reuse=True)


def unreachable(
    name: str, span: Span, level: Level, names: Mapping[str, Setting | Unknown], *, is_reuse: bool = False
) -> Trouble:
    """Say that a reference reaches nothing, and where what it may mean stands."""
    if (elsewhere := _elsewhere(name, span, level, is_reuse=is_reuse)) is not None:
        return Trouble("E113", elsewhere[0], span, help=elsewhere[1])
    message = f"no step before this one is labelled `{name}`"
    held = names.get(name)
    if held is not None and not isinstance(held, Unknown):
        help = f"`{name}` is {describe(held)}, {kind_of(held)}: it is written without `@`"
        return Trouble("E113", message, span, help=help)
    around: Level | None = level
    known: list[str] = []
    while around is not None:
        if name in around.removed:
            help = f'a variant removes that step: `replace "{name}" {{ pass }}` keeps its place'
            return Trouble("E113", f"no step is labelled `{name}` any more", span, help=help)
        known += [label for label in around.labels if around.knows(label)]
        around = None if around.is_block or is_reuse else around.outer
    known += [key for key, value in names.items() if not isinstance(value, Unknown) and is_value(value)]
    near = nearest(name, list(dict.fromkeys(known)))
    what = "label" if near in level.labels else "value"
    help = f"the nearest {what} is `{near}`" if near else "a label is known after its step, on its own level"
    own = Span(span.start + span.text.startswith("@"), span.end, span.source)
    fix = renamed(own, name, near, own=known)
    return Trouble("E113", message, span, help=help, fix=fix)


def _elsewhere(name: str, span: Span, level: Level, *, is_reuse: bool) -> tuple[str, str] | None:
    """Say where a label that is out of reach stands, and what brings its step's result here."""
    if name.isdigit():
        return f"`{name}` is the number of a step, and no label", "label the step that is meant, and write that label"
    around, outer, block = level, level.outer, None
    while outer is not None:
        block = block or around.block
        if outer.knows(name):
            return _outside(name, span, block, is_reuse=is_reuse)
        around, outer = outer, outer.outer
    inside = next((path for path in level.labels if path.startswith(f"{name}.") and level.knows(path)), None)
    if inside is not None:
        return f"`{name}` is a level that paths name, and no step", f'take up a step in it, such as `@"{inside}"`'
    head, dot, _ = name.partition(".")
    if dot and head in level.labels:
        help = f"write `@{head}.name` for what `output name` gives out inside `{head}`"
        return f"`{name}` is a path; a reference names a label and at most one of its outputs", help
    path = next((path for draft in level.drafts if (path := _path_inside(name, draft))), None)
    return None if path is None else _inside(name, path, is_reuse=is_reuse)


def _outside(name: str, span: Span, block: tree.Block | None, *, is_reuse: bool) -> tuple[str, str]:
    """Say what to do about a step around the level at hand, or around the call of the block that it is in."""
    if is_reuse:
        message = f"`{name}` labels a step of an outer level"
        behind = f"the call of `{block.name.text}`" if block is not None else "the braces around this"
        return message, f"a step is used again on its own level: write `reuse {name}` there, behind {behind}"
    assert block is not None, "a level reads the labels around it, up to its block's"
    called = block.name.text
    if not block.span.holds(span):
        message = f"`{name}` labels a step around this body, which runs in `{called}`"
        help = f"bind it before the call, as in `let {name}_here = @{name}`, and write `@{name}_here` in the body"
        return message, help
    message = f"`{name}` labels a step outside of `{called}`"
    return message, f"hand it to the block: declare `block {called}(value {name}, …)`, and call `{called} @{name}`"


def _inside(name: str, path: str, *, is_reuse: bool) -> tuple[str, str]:
    """Say what to do about a step inside another one, whose path from here on is given."""
    around = path.removesuffix(name).removesuffix(".")
    message = f"`{name}` labels a step inside " + (f"`{around}`" if around else "braces")
    if is_reuse:
        return message, "a step is used again on its own level: move the `reuse` there, or label what stands here"
    if not around:
        return (
            message,
            f"label the braces, as in `outer: {{ … }}`, write `output {name}` in them, and `@outer.{name}` here",
        )
    if "." in around:
        return message, f"give it out by `output {name}` on each level of `{around}`"
    return message, f"write `output {name}` behind that step, and `@{path}` here"


def _path_inside(name: str, draft: Draft) -> str | None:
    """Return the path of a step that is labelled so inside another one, from that one's label on."""
    found = [(draft.label or "", draft.body)]
    while found:
        path, body = found.pop()
        for node in body.nodes.values() if body is not None else ():
            if node.is_labelled and node.id == name:
                return f"{path}.{name}".removeprefix(".")
            if node.body is not None:
                found.append((f"{path}.{node.id}", node.body))
    return None


def _way_to(output: str, name: str, draft: Draft) -> str:
    """Say how a step of another level is taken up, or what else is near the name of an output."""
    inner = draft.body.nodes.get(output) if draft.body is not None else None
    if inner is not None and inner.is_labelled:
        return f"write `output {output}` behind the step `{output}` of `{name}`, which gives it out"
    near = nearest(output, [known for known in draft.shapes if known])
    if near is not None:
        return f"the nearest output is `{near}`"
    if draft.body is None:
        return f"it has one result: write `@{name}`"
    return f"`output {output}` inside `{name}` gives out what flows there"
