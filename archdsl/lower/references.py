"""Steps that name others: `@label`, and `reuse label`."""

from __future__ import annotations

from dataclasses import replace

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.labels import label_text
from archdsl.lower.level import Draft, Flow, Level, Ref
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.syntax import tree
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest


def lower_reference(node: tree.Reference, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Take up what flows from a labelled step, or from one of its named outputs."""
    place.level.is_numbered = False
    name = label_text(node.label, place)
    help = "a label is known after its step, on its own level"
    index = _find(name, node.label.span, place.level, help)
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
        near = nearest(output, list(draft.shapes))
        help = f"the nearest output is `{near}`" if near else ""
        raise Trouble("E113", f"`{name}` has no output `{output}`", node.span, help=help)
    return Flow(Ref(index, output), draft.shapes[output])


def lower_reuse(node: tree.Reuse, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Apply a labelled step's module once more."""
    place.level.is_numbered = False
    again = _draft_again(node, place.label, flow, place.level)
    if again.trouble is not None:
        lowering.defer(again.trouble)
    return place.level.add(again)


def _draft_again(node: tree.Reuse, label: str | None, flow: Flow, level: Level) -> Draft:
    if label is not None:
        message = "a reused step keeps its first label"
        raise Trouble("E112", message, node.span, help="remove the label; name the result with `output`")
    index = _find(node.name.text, node.name.span, level)
    if flow.ref is None or flow.shape is None:
        raise Reported
    draft = level.drafts[index]
    if draft.is_input:
        message = f"`{node.name.text}` is an input, and no module to reuse"
        raise Trouble("E113", message, node.name.span, help=f"write `@{node.name.text}` to take it up")
    if draft.is_unfed or draft.trouble is not None:
        raise Reported
    again = replace(draft, inputs=(flow.ref,), span=node.span, label=None, reuses=index, hint=node.name.text, repeat=1)
    first = [level.drafts[ref.index].shapes.get(ref.output) for ref in draft.inputs]
    if first != [flow.shape]:
        shown = ", ".join(map(str, first))
        message = f"`{node.name.text}` took {shown} and is handed {flow.shape}"
        help = f"reuse it where {shown} flows in, or write a step with weights of its own"
        again.trouble = Trouble("E213", message, node.name.span, help=help)
        again.shapes = {"": None}
    return again


def _find(name: str, span: Span, level: Level, help: str = "") -> int:
    """Return the place of a labelled step, or raise Trouble; Reported where what it stands for is not known."""
    found = level.labels.get(name)
    if found is not None and found[0] is not None:
        return found[0]
    if found is not None or level.is_open or name in level.possible:
        raise Reported
    near = nearest(name, list(level.labels))
    help = f"the nearest label is `{near}`" if near else help
    own = Span(span.start + span.text.startswith("@"), span.end, span.source)
    fix = renamed(own, name, near)
    raise Trouble("E113", f"no step before this one is labelled `{name}`", span, help=help, fix=fix)
