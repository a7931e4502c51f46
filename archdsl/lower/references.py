"""Steps that name others: `@label`, and `reuse label`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from archdsl.ir.graph import Graph
from archdsl.ir.outputs import output_shapes
from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.labels import label_text
from archdsl.lower.level import Draft, Flow, Level, Ref
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.ops.base import OpError
from archdsl.ops.shape import Shape
from archdsl.syntax import tree
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest


def lower_reference(node: tree.Reference, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Take up what flows from a labelled step, or from one of its named outputs."""
    place.level.is_numbered = False
    name = label_text(node.label, place)
    index = _find(name, node.label.span, place.level)
    if len(node.outputs) > 1:
        message = "a reference names a label and at most one of its outputs"
        raise Trouble("E113", message, node.span, help=f"give it out by `output` in `{name}` too")
    output = node.outputs[0].text if node.outputs else ""
    draft = place.level.drafts[index]
    named = draft.body.outputs if draft.body is not None else ()
    if not place.is_training and any(other.name == output and other.is_training_only for other in named):
        help = "read it in `output NAME training { … }`"
        raise Trouble("E113", f"output `{output}` of `{name}` exists in training alone", node.span, help=help)
    if output not in draft.shapes:
        if draft.is_unfed:
            raise Reported
        raise Trouble("E113", f"`{name}` has no output `{output}`", node.span, help=_way_to(output, name, draft))
    return Flow(Ref(index, output), draft.shapes[output])


def lower_reuse(node: tree.Reuse, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Apply a labelled step's module once more."""
    place.level.is_numbered = False
    again = _draft_again(node, label_text(node.label, place), place, flow)
    lowering.place_draft(again, place.level)
    if again.trouble is not None:
        lowering.defer(again.trouble)
    return place.level.add(again)


def _draft_again(node: tree.Reuse, name: str, place: Place, flow: Flow) -> Draft:
    level = place.level
    if place.label is not None:
        message = "a reused step keeps its first label"
        raise Trouble("E112", message, node.span, help="remove the label; name the result with `output`")
    index = _find(name, node.label.span, level, is_reuse=True)
    if flow.ref is None or flow.shape is None:
        raise Reported
    draft = level.drafts[index]
    if draft.is_input:
        message = f"`{name}` is an input, and no module to reuse"
        raise Trouble("E113", message, node.label.span, help=f"write `@{name}` to take it up")
    if draft.is_unfed or draft.trouble is not None:
        raise Reported
    spans = {**draft.attribute_spans, "reuse": node.label.span}
    again = replace(draft, inputs=(flow.ref,), span=node.span, label=None, reuses=index, hint=name, repeat=1)
    again.attribute_spans = spans
    first = [level.drafts[ref.index].shapes.get(ref.output) for ref in draft.inputs]
    if first != [flow.shape]:
        _reshape(again, node, first, flow.shape)
    return again


def _reshape(again: Draft, node: tree.Reuse, first: Sequence[Shape | None], shape: Shape) -> None:
    """Settle what a module gives for another shape than the first time; whether it is the same, the sizes will tell."""
    try:
        if again.body is not None:
            again.shapes = output_shapes(again.body, [shape])
        elif again.op is not None:
            again.shapes = {"": again.op.infer_shape([shape])}
    except OpError:
        again.shapes = {"": None}
        if again.body is not None and not _takes(again.body, first):
            return
        shown = ", ".join(map(str, first))
        message = f"`{again.hint}` took {shown} and is handed {shape}"
        help = f"reuse it where {shown} flows in, or write a step with weights of its own"
        again.trouble = Trouble("E213", message, node.label.span, help=help)


def _takes(body: Graph, shapes: Sequence[Shape | None]) -> bool:
    """Return whether a body has no mistake of its own, which is told where it stands."""
    try:
        output_shapes(body, shapes)
    except OpError:
        return False
    return True


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


def _find(name: str, span: Span, level: Level, *, is_reuse: bool = False) -> int:
    """Return the place of a labelled step, or raise Trouble; Reported where what it stands for is not known."""
    found = level.labels.get(name)
    if found is not None and found[0] is not None:
        return found[0]
    if found is not None or level.is_open or name in level.possible:
        raise Reported
    if (elsewhere := _elsewhere(name, level, is_reuse=is_reuse)) is not None:
        raise Trouble("E113", elsewhere[0], span, help=_labelled_join(span) or elsewhere[1])
    near = nearest(name, list(level.labels))
    help = f"the nearest label is `{near}`" if near else "a label is known after its step, on its own level"
    own = Span(span.start + span.text.startswith("@"), span.end, span.source)
    fix = renamed(own, name, near, own=level.labels)
    raise Trouble("E113", f"no step before this one is labelled `{name}`", span, help=help, fix=fix)


_JOIN = re.compile(r"(?P<label>[A-Za-z_]\w*)[ \t]*:[ \t]*(?P<join>add|concat|mul|sub|maximum|matmul)[ \t]*\{[^{}\n]*\Z")


def _labelled_join(span: Span) -> str:
    """Say how the result of a join is labelled that takes up steps around it: with its label it is a level itself."""
    text = span.source.text
    join = _JOIN.search(text, text.rfind("\n", 0, span.start) + 1, span.start)
    if join is None:
        return ""
    return (
        f"a labelled join is a level of its own: label its result, `{join['join']} {{ \u2026 }}; {join['label']}: pass`"
    )


def _elsewhere(name: str, level: Level, *, is_reuse: bool) -> tuple[str, str] | None:
    """Say where a label that is out of reach stands, and what brings its step's result here."""
    if name.isdigit():
        return f"`{name}` is the number of a step, and no label", "label the step that is meant, and write that label"
    outer, around = level.outer, "the call of this block" if level.is_block else "the braces around this"
    while outer is not None:
        if name in outer.labels:
            what = f"write `reuse {name}`" if is_reuse else f"take `@{name}` up"
            help = f"a level reaches its own labels alone: {what} on that level, behind {around}"
            return f"`{name}` labels a step of an outer level", help
        outer = outer.outer
    head, dot, _ = name.partition(".")
    if dot and head in level.labels:
        help = f"write `@{head}.name` for what `output name` gives out inside `{head}`"
        return f"`{name}` is a path; a reference names a label and at most one of its outputs", help
    path = next((path for draft in level.drafts if (path := _path_inside(name, draft))), None)
    return None if path is None else _inside(name, path, is_reuse=is_reuse)


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
