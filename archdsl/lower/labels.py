"""Labels of steps: what is interpolated in them, and which may stand where."""

from __future__ import annotations

from archdsl.ir.trouble import Trouble
from archdsl.lower.level import Level, Way
from archdsl.lower.place import Place
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.values import describe
from archdsl.syntax import tree
from archdsl.text import labels
from archdsl.text.diagnostic import Label

_LONGEST_SHOWN = 40


def label_text(label: tree.LabelText, place: Place) -> str:
    """Return a label's text with the values of what is interpolated."""
    if len(label.pieces) == 1 and isinstance(label.pieces[0], str):
        return label.pieces[0]
    pieces = [piece if isinstance(piece, str) else describe(evaluate(piece, place.env)) for piece in label.pieces]
    return "".join(pieces)


def new_label(label: tree.LabelText, place: Place, way: Way) -> str:
    """Return the text of a label that a step of this level gets, or raise why it cannot have it."""
    text = label_text(label, place)
    problem = labels.objection(text)
    if problem:
        help = "write a level inside the other: `outer: { inner: … }`" if "." in text else "choose another label"
        raise Trouble("E112", f"`{text}` cannot be a label: {problem}", label.span, help=help)
    if text in place.level.labels:
        raise _used_twice(text, label, place.level, way)
    place.level.ways[text] = way
    return text


def _used_twice(text: str, label: tree.LabelText, level: Level, way: Way) -> Trouble:
    """Say that two steps have one label, and what makes the second one another: where the text has it once, its cause.

    An inline block's steps belong to the level of its call, which a label of the call makes a level of its own.
    """
    span = label.span
    earlier, before = level.labels[text][1], level.ways.get(text, Way((), ()))
    message = f"label `{text}` is used twice at this level"
    if earlier != span:
        labels = (Label(earlier, "used here first"),)
        return Trouble("E106", message, span, labels=labels, help="rename one of the two")
    if way.calls:
        (name, call), turn = way.calls[0], way.turns != before.turns
        labels = (Label(span, f"`{text}`, which stands in the level of each call"),)
        if before.calls and before.calls[0][1] != call:
            labels = (*labels, Label(before.calls[0][1], "called here first"))
        step = " ".join(call.text.split())
        own = _turned("again", way) if turn else "again"
        shown = f"`{own}: {step}`" if len(step) < _LONGEST_SHOWN else f"`{own}:`"
        help = f"give the call a label, and so a level of its own: {shown}"
        if not turn and len(labels) == 1:
            help = "repeat it in braces, which give each a level of its own"
        return Trouble(
            "E106", f"`{name}` is inline, and brings label `{text}` twice to this level", call, labels=labels, help=help
        )
    if way.turns != before.turns:
        own = _turned(span.text.strip('": \t'), way)
        help = f"make it another each time, with what `for` goes through: `{own}`"
        return Trouble("E106", message, span, help=help)
    help = "put braces around what is repeated, which give each a level of its own, or remove the label"
    return Trouble("E106", message, span, help=help)


def _turned(label: str, way: Way) -> str:
    """Put the names that every `for` of a level binds into a label, but for those that stand in it."""
    names = dict.fromkeys(name for name, value in way.turns if isinstance(value, int | str))
    more = "_".join(f"{{{name}}}" for name in names if f"{{{name}" not in label)
    return f"{label}_{more}" if label.endswith("}") else f"{label}{more}"
