"""Labels of steps: what is interpolated in them, and which may stand where."""

from __future__ import annotations

from archdsl.ir import labels
from archdsl.ir.trouble import Trouble
from archdsl.lower.place import Place
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.values import describe
from archdsl.syntax import tree
from archdsl.text.diagnostic import Label


def label_text(label: tree.LabelText, place: Place) -> str:
    """Return a label's text with the values of what is interpolated."""
    if len(label.pieces) == 1 and isinstance(label.pieces[0], str):
        return label.pieces[0]
    pieces = [piece if isinstance(piece, str) else describe(evaluate(piece, place.env)) for piece in label.pieces]
    return "".join(pieces)


def new_label(label: tree.LabelText, place: Place) -> str:
    """Return the text of a label that a step of this level gets, or raise why it cannot have it."""
    text = label_text(label, place)
    problem = labels.objection(text)
    if problem:
        help = "write a level inside the other: `outer: { inner: … }`" if "." in text else "choose another label"
        raise Trouble("E112", f"`{text}` cannot be a label: {problem}", label.span, help=help)
    if text in place.level.labels:
        earlier = Label(place.level.labels[text][1], "used here first")
        message = f"label `{text}` is used twice at this level"
        if earlier.span == label.span:
            help = f"make it another each time, with what `for` goes through: `{text}{{i}}`"
            raise Trouble("E106", message, label.span, help=help)
        raise Trouble("E106", message, label.span, labels=(earlier,), help="rename one of the two")
    return text
