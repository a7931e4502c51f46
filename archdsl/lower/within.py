"""`within PATTERN { … }`: steps between a rearrangement and the one that undoes it, so that neither can be wrong."""

from __future__ import annotations

from archdsl.ir.trouble import Trouble
from archdsl.lower.arguments import gather
from archdsl.lower.dispatch import lower_body
from archdsl.lower.level import Draft, Flow
from archdsl.lower.levels import spliced
from archdsl.lower.lowering import Lowering
from archdsl.lower.operators import add_operator
from archdsl.lower.place import Place
from archdsl.ops.sugar import rearrangement, undone
from archdsl.semantics.values import Partial
from archdsl.syntax import tree

WORD = "within"


def lower_within(node: tree.Call, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower a body between a rearrangement and its inverse, which reads sizes that are not known from what came in."""
    body = node.body
    if body is None or not body.statements:
        help = 'write `within "c h w -> h w c" { … }`, with `pass` for a step that does nothing'
        raise Trouble("E103", "`within` has no steps to run on what it rearranges", node.span, help=help)
    if flow.ref is None:
        raise lowering.no_input(node.span)
    target = rearrangement()
    arguments = gather(Partial(WORD, target), node.arguments, place.env)
    if "like" in arguments.values:
        message, help = "`within` takes no `like`", "give sizes by their names: `p=7`"
        raise Trouble("E107", message, arguments.spans["like"], help=help)
    there = lowering.operators.make(target, arguments, node.name.span)

    def fill(place: Place, flow: Flow) -> Flow:
        place.level.is_numbered = False
        first = Draft(there.keyword, node.name.span, op=there, attribute_spans=arguments.spans)
        inside = lower_body(body, place, add_operator(there, first, [flow], place, lowering), lowering)
        back = undone(there)
        last = Draft(back.keyword, node.span, op=back, attribute_spans=arguments.spans)
        return add_operator(back, last, [inside, flow], place, lowering)

    return spliced(node.span, place, flow, lowering, fill)
