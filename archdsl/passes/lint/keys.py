"""W418: rules of name maps that hold for no weight, and those whose arithmetic fails for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from archdsl.ir.walk import PerBody
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_adaptable, list_state
from archdsl.semantics.keymap import KeyMap, KeyPattern, KeyRenaming
from archdsl.text.diagnostic import Label, Reporter
from archdsl.text.error import SpecError
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

# Beyond them no map is checked: a short text can have as many.
_MOST_KEYS = 200_000
_KEYS_OF_STEP = 5
_NUMBERS = re.compile(r"\{[^{}]*\}|[0-9]+")


def lint_keys(source: Source, built: Sequence[tuple[tuple[KeyMap, ...], Shapes]], report: Reporter) -> None:
    """Report the source's own rules that hold for no weight of any of its models.

    Requires: `built` has the name maps and shapes of all the models.
    """
    if sum(_count(shapes) for _, shapes in built) > _MOST_KEYS:
        return
    models = [_Mapped(maps, [key for key, _ in list_state(shapes)], list_adaptable(shapes)) for maps, shapes in built]
    try:
        for model in models:
            for key_map in model.maps:
                _lint_shared(key_map, model.keys, source, report)
        used = {span for model in models for span in model.held()}
    except SpecError as error:
        for diagnostic in error.diagnostics:
            report.add(diagnostic)
        return
    rules = {rule.span: rule for model in models for rule in model.rules() if rule.span.source is source}
    for span, rule in rules.items():
        if span not in used:
            _report(rule, models, report)


@dataclass(frozen=True, slots=True)
class _Mapped:
    maps: tuple[KeyMap, ...]
    keys: Sequence[str]
    adaptable: frozenset[str]
    """The keys of the weights that can be fitted to other input channels."""

    def rules(self) -> Iterator[KeyRenaming | KeyPattern]:
        for key_map in self.maps:
            yield from (*key_map.rules, *key_map.adapts)

    def held(self) -> Iterator[Span]:
        """Yield the places of what holds for some key."""
        for key_map in self.maps:
            yield from (rule.span for key in self.keys if (rule := key_map.apply(key)[0]) is not None)
            yield from (rule.span for rule in key_map.adapts if any(map(rule.matches, self.adaptable)))


def _count(shapes: Shapes) -> int:
    """Return how many keys a network has at most, without listing them."""

    def count(shapes: Shapes, below: Callable[[Shapes], int]) -> int:
        nodes = shapes.graph.nodes.values()
        return sum(len(n.names) * (below(shapes.inner[n.id]) if n.body is not None else _KEYS_OF_STEP) for n in nodes)

    return PerBody[Shapes, int](count)(shapes)


def _find_shadow(rule: KeyRenaming, models: Iterable[_Mapped]) -> KeyRenaming | None:
    """Return a rule that takes a key before another does, which would match it."""
    for model in models:
        for key_map in model.maps:
            key = next((key for key in model.keys if rule.pattern.match(key)), None)
            if rule in key_map.rules and key is not None:
                return key_map.apply(key)[0]
    return None


def _report(rule: KeyRenaming | KeyPattern, models: Sequence[_Mapped], report: Reporter) -> None:
    text = rule.span.text[1:-1]
    shadow = _find_shadow(rule, models) if isinstance(rule, KeyRenaming) else None
    if shadow is not None:
        labels = [Label(shadow.span, "takes them before it")]
        help = "put it before that rule, or remove it"
        message = f"all keys that begin with `{text}` are named by an earlier rule"
        report.warning("W418", message, rule.span, labels=labels, help=help)
        return
    wanted = (model.keys if isinstance(rule, KeyRenaming) else sorted(model.adaptable) for model in models)
    known: dict[str, str] = {}
    for beginning in (beginning for keys in wanted for key in keys for beginning in _beginnings(key)):
        known.setdefault(_NUMBERS.sub("0", beginning), beginning)
    near = nearest(_NUMBERS.sub("0", text), known)
    what = "weight" if isinstance(rule, KeyRenaming) else "convolution without groups"
    help = f"the nearest is `{known[near]}`" if near else "remove it, or write a key's beginning in whole segments"
    report.warning("W418", f"no {what} of these models has a key that begins with `{text}`", rule.span, help=help)


def _beginnings(key: str) -> Iterator[str]:
    segments = key.split(".")
    return (".".join(segments[:count]) for count in range(1, len(segments) + 1))


def _lint_shared(key_map: KeyMap, keys: Iterable[str], source: Source, report: Reporter) -> None:
    """Report rules that give two keys one name, of which only one can have the weight."""
    owners: dict[str, tuple[str, KeyRenaming | None]] = {}
    said: set[Span] = set()
    for key in keys:
        rule, renamed = key_map.apply(key)
        name = renamed if renamed is not None else key_map.rename(key)
        if name is None:
            continue
        other, earlier = owners.setdefault(name, (key, rule))
        blamed = rule or earlier
        if other == key or blamed is None or blamed.span.source is not source or blamed.span in said:
            continue
        said.add(blamed.span)
        message = f"`{other}` and `{key}` are both called `{name}` there"
        report.warning("W418", message, blamed.span, help="give them different names: a file's weight goes to one key")
