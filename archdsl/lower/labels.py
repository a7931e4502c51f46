"""Labels of steps: what is interpolated in them, and which may stand where."""

from __future__ import annotations

from archdsl.ir.trouble import Trouble
from archdsl.lower.level import Level, PathUse, Way
from archdsl.lower.place import Place
from archdsl.semantics.evaluate import interpolated
from archdsl.syntax import tree
from archdsl.text import labels
from archdsl.text.diagnostic import Label
from archdsl.text.source import Span

_LONGEST_SHOWN = 40


def new_label(label: tree.LabelText, place: Place, way: Way, *, is_level: bool = False) -> str:
    """Return the text of a label that a step of this level gets, or raise why it cannot have it.

    With `is_level` braces stand behind it, which may take up a level again.
    """
    tracer = place.env.budget.tracer
    text = (tracer.label(label, place.env) if tracer is not None else None) or interpolated(label, place.env)
    problem = labels.path_objection(text)
    if problem:
        raise Trouble("E112", f"`{text}` cannot be a label: {problem}", label.span, help="choose another label")
    level = place.level
    path = f"{level.prefix}{text}"
    use = level.paths.get(path)
    if use is not None:
        if not use.is_level or not is_level:
            raise (
                _used_twice(text, label, use, way) if not _is_implied(use) else _level_already(text, path, label, level)
            )
        _open(text, use, label)
    _enter(text, label, level, way)
    if use is None:
        level.paths[path] = PathUse(label.span, way, is_level)
    return text


def _enter(text: str, label: tree.LabelText, level: Level, way: Way) -> None:
    """Open the levels that a label's first segments name."""
    segments = text.split(".")
    for count in range(1, len(segments)):
        head = ".".join(segments[:count])
        use = level.paths.get(f"{level.prefix}{head}")
        if use is None:
            level.paths[f"{level.prefix}{head}"] = PathUse(label.span, way, is_level=True, is_open=True)
        elif use.is_level:
            _open(head, use, label)
        else:
            found = (Label(use.span, f"the step `{head}`"),)
            message = f"`{text}` cannot stand in `{head}`, which is a step and no level in braces"
            raise Trouble("E130", message, label.span, labels=found, help=f"choose another path than one in `{head}`")


def _open(name: str, use: PathUse, label: tree.LabelText) -> None:
    """Take up a level again, unless it is a module that is used again."""
    if use.reused is not None:
        found = (Label(use.reused, "used again here"),)
        message = f"`{name}` is used again as it is, and takes no more steps"
        raise Trouble("E131", message, label.span, labels=found, help="write all of its steps in one pair of braces")
    use.is_open = True


def check_whole(name: str, level: Level, span: Span) -> None:
    """Raise Trouble where a level stands in several pieces, of which none can be put elsewhere or used again alone."""
    use = level.paths.get(f"{level.prefix}{name}")
    if use is not None and use.is_open:
        message = f"`{name}` stands in several pieces, and is no one module"
        others = (Label(use.span, "a piece of it"),) if use.span != span else ()
        raise Trouble("E131", message, span, labels=others, help="name its steps one by one, or write it in one piece")


def _is_implied(use: PathUse) -> bool:
    """Return whether only labels that are paths say that there is such a level."""
    return use.is_level and use.is_open and not use.parts


def _level_already(text: str, path: str, label: tree.LabelText, level: Level) -> Trouble:
    inside = next(other for other in level.paths if other.startswith(f"{path}."))
    found = (Label(level.paths[inside].span, "a step in it"),)
    message = f"`{text}` is a level already, in which `{inside.removeprefix(level.prefix)}` stands"
    return Trouble(
        "E130", message, label.span, labels=found, help="choose another label, or put braces around the step"
    )


def _used_twice(text: str, label: tree.LabelText, use: PathUse, way: Way) -> Trouble:
    """Say that two steps have one label, and what makes the second one another: where the text has it once, its cause.

    An inline block's steps belong to the level of its call, which a label of the call makes a level of its own.
    """
    span = label.span
    earlier, before = use.span, use.way
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
        plain = span.text.strip('": \t')
        own = _turned(plain, way)
        help = f"make it another each time, with what `for` goes through: `{own}`"
        if own == plain:
            help = "make it another each time, with a number that `for` goes through: `for i in 0..1 { part{i}: … }`"
        return Trouble("E106", message, span, help=help)
    help = "put braces around what is repeated, which give each a level of its own, or remove the label"
    return Trouble("E106", message, span, help=help)


def _turned(label: str, way: Way) -> str:
    """Put the names that every `for` of a level binds into a label, but for those that stand in it."""
    names = dict.fromkeys(name for name, value in way.turns if isinstance(value, int | str))
    more = "_".join(f"{{{name}}}" for name in names if f"{{{name}" not in label)
    return f"{label}_{more}" if label.endswith("}") else f"{label}{more}"
