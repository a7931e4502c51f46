"""W418: rules of name maps that hold for no weight, and those whose arithmetic fails for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
_MOST_TRIALS = 1_000_000
"""Rules times keys."""
_MOST_HELPED = 20
"""Rules that are told with what is near them."""
_KEYS_OF_STEP = 5
_NUMBERS = re.compile(r"\{[^{}]*\}|[0-9]+")


def lint_keys(source: Source, built: Sequence[tuple[tuple[KeyMap, ...], Shapes]], report: Reporter) -> None:
    """Report the source's own rules that hold for no weight of any of its models.

    Requires: `built` has the name maps and shapes of all the models.
    """
    if sum(_count(shapes) for _, shapes in built) > _MOST_KEYS:
        return
    models = [_Mapped(maps, [key for key, _ in list_state(shapes)], list_adaptable(shapes)) for maps, shapes in built]
    if sum(len(model.keys) * len([*model.rules()]) for model in models) > _MOST_TRIALS:
        return
    try:
        for model in models:
            for key_map in model.maps:
                applied = {key: key_map.apply(key) for key in model.keys}
                model.taken.append(applied)
                _lint_shared(key_map, applied, source, report)
        used = {span for model in models for span in model.held()}
    except SpecError as error:
        for diagnostic in error.diagnostics:
            report.add(diagnostic)
        return
    rules = {rule.span: rule for model in models for rule in model.rules() if rule.span.source is source}
    unused = [rule for span, rule in rules.items() if span not in used]
    for index, rule in enumerate(unused):
        _report(rule, models, report, is_helped=index < _MOST_HELPED)


@dataclass(frozen=True, slots=True)
class _Mapped:
    maps: tuple[KeyMap, ...]
    keys: Sequence[str]
    adaptable: frozenset[str]
    """The keys of the weights that can be fitted to other input channels."""
    taken: list[dict[str, tuple[KeyRenaming | None, str | None]]] = field(
        default_factory=list[dict[str, tuple[KeyRenaming | None, str | None]]]
    )
    """For each map, the rule that takes each key, and what it makes of it."""

    def rules(self) -> Iterator[KeyRenaming | KeyPattern]:
        for key_map in self.maps:
            yield from (*key_map.rules, *key_map.adapts)

    def held(self) -> Iterator[Span]:
        """Yield the places of what holds for some key."""
        for key_map, applied in zip(self.maps, self.taken, strict=True):
            yield from (rule.span for rule, _ in applied.values() if rule is not None)
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
        for key_map, applied in zip(model.maps, model.taken, strict=True):
            if not any(rule is other for other in key_map.rules):
                continue
            key = next((key for key in model.keys if rule.pattern.match(key)), None)
            if key is not None:
                return applied[key][0]
    return None


def _report(rule: KeyRenaming | KeyPattern, models: Sequence[_Mapped], report: Reporter, *, is_helped: bool) -> None:
    text = rule.span.text[1:-1]
    shadow = _find_shadow(rule, models) if isinstance(rule, KeyRenaming) else None
    if shadow is not None:
        labels = [Label(shadow.span, "takes them before it")]
        help = "put it before that rule, or remove it"
        message = f"all keys that begin with `{text}` are named by an earlier rule"
        report.warning("W418", message, rule.span, labels=labels, help=help)
        return
    wanted = (
        () if not is_helped else model.keys if isinstance(rule, KeyRenaming) else sorted(model.adaptable)
        for model in models
    )
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


def _lint_shared(
    key_map: KeyMap, applied: Mapping[str, tuple[KeyRenaming | None, str | None]], source: Source, report: Reporter
) -> None:
    """Report rules that give two keys one name, of which only one can have the weight."""
    owners: dict[str, tuple[str, KeyRenaming | None]] = {}
    said: set[Span] = set()
    for key, (rule, renamed) in applied.items():
        name = renamed if renamed is not None or key_map.is_ordered else key
        if name is None:
            continue
        other, earlier = owners.setdefault(name, (key, rule))
        blamed = rule or earlier
        if other == key or blamed is None or blamed.span.source is not source or blamed.span in said:
            continue
        said.add(blamed.span)
        message = f"`{other}` and `{key}` are both called `{name}` there"
        report.warning("W418", message, blamed.span, help="give them different names: a file's weight goes to one key")
