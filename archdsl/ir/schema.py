"""What the attributes of a networkx graph may be, where they are read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TypeAlias, cast

from archdsl.ir.freezing import Freezing
from archdsl.ir.listing import is_graph, shown
from archdsl.ir.start import ADAPTIONS, WeightsSource
from archdsl.ir.value import Output, Value
from archdsl.ops import OPS
from archdsl.ops.base import Op
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

AttributeRules: TypeAlias = "Mapping[str, tuple[Callable[[object], bool], str]]"
"""By an attribute's name, what tells a legal value, and the words for one."""

FACTS = ("path", "shapes", "costs", "tensors", "content", "digest", "key_maps", "again")


def complaints(where: str, rules: AttributeRules, data: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return what is wrong with the attributes of a node or graph at a path, as messages with help.

    Attributes of other names are the user's own, unless they are nearly one of ours.
    """
    found: list[tuple[str, str]] = []
    for key, value in islice(data.items(), _MOST_READ):
        rule = rules.get(key)
        if rule is not None and value is not None and not rule[0](value):
            found.append((f"`{key}` of {where} is {_quoted(value)}", f"it is {rule[1]}"))
        elif rule is None and key not in FACTS and (near := nearest(str(key), list(rules))):
            found.append(
                (f"{where} has an attribute `{key}`, which nothing reads", f"the nearest that is read is `{near}`")
            )
    if data.get("op") is not None and data.get("body") is not None:
        found.append((f"{where} has both `op` and `body`", "remove one of the two"))
    return found


_MOST_READ = 1000
_LONGEST_SHOWN = 60


def _quoted(value: object) -> str:
    text = repr(value) if isinstance(value, str) else shown(value)
    return f"{text[:_LONGEST_SHOWN]}…" if len(text) > _LONGEST_SHOWN else text


def _is_op(value: object) -> bool:
    """Return whether something is one of our operators with legal attributes, however it was made."""
    if not isinstance(value, Op) or OPS.get(value.keyword) is not type(value):
        return False
    try:
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return bool(type(value)(**fields) == value)
    except Exception:  # noqa: BLE001 -- the fields may be anything, and comparing them may raise anything
        return False


def _is_word(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _items(value: object) -> Sequence[object] | None:
    return cast("Sequence[object]", value) if isinstance(value, tuple | list) else None


def _are_names(value: object) -> bool:
    items = _items(value)
    return items is not None and all(isinstance(item, str) for item in items)


def _is_mapping(rule: Callable[[object], bool] | None) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, Mapping):
            return False
        items = cast("Mapping[object, object]", value).items()
        return all(isinstance(key, str) and (rule is None or rule(item)) for key, item in items)

    return check


def _is_span(value: object) -> bool:
    if not isinstance(value, Span):
        return False
    begin, stop, origin = cast("tuple[object, object, object]", value)
    if not (isinstance(origin, Source) and _is_word(origin.text) and _is_word(origin.name)):
        return False
    return type(begin) is int and type(stop) is int and 0 <= begin <= stop <= len(origin.text)


def _are_calls(value: object) -> bool:
    items = _items(value)
    return items is not None and all(
        (pair := _items(item)) is not None and len(pair) == 2 and _is_word(pair[0]) and _is_span(pair[1])
        for item in items
    )


def _are_outputs(value: object) -> bool:
    items = _items(value)
    return items is not None and all(map(_is_output, items))


def _is_output(item: object) -> bool:
    if not isinstance(item, Output):
        return False
    name, value, is_training = cast("tuple[object, object, object]", item)
    parts = cast("tuple[object, ...]", value) if isinstance(value, Value) else ()
    return _is_word(name) and _is_flag(is_training) and len(parts) == 2 and all(map(_is_word, parts))


def _is_kind(value: object) -> bool:
    return isinstance(value, str) and value in ("model", "block", "group")


def _is_freezing(value: object) -> bool:
    return value is None or isinstance(value, Freezing)


def _is_weights(value: object) -> bool:
    if not isinstance(value, WeightsSource):
        return False
    origin = value.origin is None or (_is_word(value.origin) and value.origin.isidentifier())
    if value.adapt not in (None, *ADAPTIONS) or not _is_freezing(value.anew):
        return False
    return origin and _is_word(value.file) and not set(value.file) & set('"{}\n\r') and _is_span(value.span)


NODE: AttributeRules = {
    "op": (_is_op, "an operator of `archdsl.ops.OPS` with legal attributes"),
    "body": (is_graph, "a directed graph of networkx"),
    "repeats": (_are_names, "a tuple of the further names"),
    "reuses": (_is_word, "the name of a node"),
    "frozen": (_is_flag, "True or False"),
    "labelled": (_is_flag, "True or False"),
    "span": (_is_span, "a place in a text, a `Span`"),
    "arguments": (_is_mapping(_is_span), "a mapping of names to places in a text"),
    "calls": (_are_calls, "a tuple of names and places in a text"),
}
GRAPH: AttributeRules = {
    "name": (_is_word, "a name"),
    "kind": (_is_kind, 'one of "model", "block" and "group"'),
    "outputs": (_are_outputs, "a sequence of `Output`s"),
    "bindings": (_is_mapping(None), "a mapping of names to values"),
    "doc": (_is_word, "a text"),
    "weights": (_is_weights, "an `archdsl.ir.start.WeightsSource`"),
    "span": (_is_span, "a place in a text, a `Span`"),
}
