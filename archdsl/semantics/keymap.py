"""Name maps: how files of another origin name a network's weights, as `keys` declarations say it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Literal, cast

from archdsl.ir.trouble import Reported, Trouble
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate_int
from archdsl.semantics.functions import FUNCTIONS
from archdsl.semantics.values import Setting
from archdsl.syntax import tree
from archdsl.text.diagnostic import Label, Reporter
from archdsl.text.error import SpecError
from archdsl.text.record import record
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

_NUMBER = "(0|[1-9][0-9]*)"


@record
class KeyRenaming:
    """Renames the keys that begin, in whole segments, with a template; `names` are its numbers in order."""

    pattern: re.Pattern[str]
    names: tuple[str, ...]
    theirs: tree.LabelText
    env: Env
    span: Span

    def rename(self, key: str) -> str | None:
        """Return their key for one of ours; None where the template does not match. Raises Trouble."""
        match = self.pattern.match(key)
        if match is None:
            return None
        numbers: dict[str, Setting] = {name: int(text) for name, text in zip(self.names, match.groups(), strict=True)}
        env = replace(self.env.bind(**numbers), budget=Budget())
        beginning = "".join(p if isinstance(p, str) else str(_number(p, env)) for p in self.theirs.pieces)
        return ".".join(part for part in (beginning, key[match.end() :].removeprefix(".")) if part) or None


@record
class KeyPattern:
    """Keys that `drop` lets be left over, or whose weights `adapt` fits to other input channels."""

    pattern: re.Pattern[str]
    span: Span

    def matches(self, key: str) -> bool:
        return self.pattern.search(key) is not None


@record
class KeyMap:
    """What files of one origin call a network's weights.

    With `is_ordered`, keys that no rule names correspond in the order of the two state_dicts. `drops` match keys of
    theirs, `adapts` keys of ours.
    """

    origin: str
    rules: tuple[KeyRenaming, ...]
    is_ordered: bool
    drops: tuple[KeyPattern, ...] = ()
    adapts: tuple[KeyPattern, ...] = ()

    def rename(self, key: str) -> str | None:
        """Return their key for one of ours, by the first rule that matches; without one it is the same in both.

        None where only the order of the two state_dicts says what it corresponds to.
        Errors: SpecError where a template's arithmetic has no whole value for this key
        """
        _, renamed = self.apply(key)
        return renamed if renamed is not None or self.is_ordered else key

    def apply(self, key: str) -> tuple[KeyRenaming | None, str | None]:
        """Return the first rule that matches a key of ours, and what it makes of it; None and None without one.

        Errors: SpecError where a template's arithmetic has no whole value for this key
        """
        try:
            return next(((rule, name) for rule in self.rules if (name := rule.rename(key)) is not None), (None, None))
        except Trouble as trouble:
            report = Reporter()
            notes = [f"this is worked out for `{key}`"]
            report.error(trouble.code, trouble.message, trouble.span, help=trouble.help, notes=notes)
            raise SpecError(report.diagnostics) from None


def _number(piece: tree.Expression, env: Env) -> int:
    value = evaluate_int(piece, env, "a number in a key")
    if value < 0:
        raise Trouble("E104", f"a number in a key is {value}, less than 0", piece.span)
    return value


def build_key_maps(homes: Sequence[tuple[Sequence[tree.Keys], Env]], report: Reporter) -> tuple[KeyMap, ...]:
    """Check the `keys` declarations that hold for a model, and put those of one origin together, by origin.

    `homes` are the files they stand in, the one that counts most first, and what names mean there: the file's own, and
    the model's parameters.
    """
    found: dict[str, KeyMap] = {}
    for declarations, env in homes:
        seen: dict[str, tree.Keys] = {}
        for keys in declarations:
            origin = keys.origin.text
            if origin in seen:
                labels = [Label(seen[origin].origin.span, "declared here first")]
                message = f"the keys of `{origin}` are declared twice"
                help = "put the rules into one of them"
                report.error("E106", message, keys.origin.span, labels=labels, help=help)
            seen.setdefault(origin, keys)
            _check_order(keys, report)
            _check_words(keys, report)
            before = found.get(origin, KeyMap(origin, (), False))
            found[origin] = KeyMap(
                origin,
                before.rules + tuple(_rules(keys, env, report)),
                before.is_ordered or keys.order is not None,
                before.drops + tuple(_patterns(keys, "drop", report)),
                before.adapts + tuple(_patterns(keys, "adapt", report)),
            )
    return tuple(found.values())


def _check_words(keys: tree.Keys, report: Reporter) -> None:
    for rule in keys.rules:
        if isinstance(rule, tree.KeyWord) and rule.word.text not in ("drop", "adapt"):
            help = 'write `drop "theirs"`, `adapt "ours"`, or a rule, `"ours" = "theirs"`'
            report.error("E123", f"`{rule.word.text}` is no word of a name map", rule.word.span, help=help)


def _check_order(keys: tree.Keys, report: Reporter) -> None:
    if keys.order is not None and keys.order.text != "order":
        report.error("E123", f"keys cannot be in `{keys.order.text}`", keys.order.span, help="write `in order`")
    if keys.order is None and not keys.rules:
        help = 'give rules, `{ "ours" = "theirs" }`, or `in order`'
        report.error("E123", f"nothing says what `{keys.origin.text}` calls the weights", keys.origin.span, help=help)


def _rules(keys: tree.Keys, env: Env, report: Reporter) -> Iterator[KeyRenaming]:
    for rule in keys.rules:
        if isinstance(rule, tree.KeyRule):
            with _told(report):
                names = _check_ours(rule.ours)
                _check_theirs(rule.theirs, names, env)
                if not (rule.ours.pieces or rule.theirs.pieces):
                    raise Trouble("E123", "this rule says nothing", rule.span, help='remove it: `""` names no segment')
                yield KeyRenaming(_beginning(rule.ours), tuple(dict.fromkeys(names)), rule.theirs, env, rule.ours.span)


def _patterns(keys: tree.Keys, word: Literal["drop", "adapt"], report: Reporter) -> Iterator[KeyPattern]:
    for rule in keys.rules:
        if isinstance(rule, tree.KeyWord) and rule.word.text == word:
            with _told(report):
                _check_ours(rule.text)
                if not rule.text.pieces:
                    raise Trouble("E123", f"`{word}` names no segment of a key", rule.text.span, help="name one")
                pattern = _beginning(rule.text) if word == "adapt" else re.compile(rf"(?:\A|\.){_segments(rule.text)}")
                yield KeyPattern(pattern, rule.text.span)


@contextmanager
def _told(report: Reporter) -> Generator[None]:
    try:
        yield
    except Trouble as trouble:
        report.error(trouble.code, trouble.message, trouble.span, help=trouble.help)
    except Reported:
        pass


def _check_ours(text: tree.LabelText) -> list[str]:
    """Return the names in a template of ours, in order."""
    names: list[str] = []
    was_number = False
    _check_text(text)
    for piece in text.pieces:
        if not isinstance(piece, str | tree.Variable) or (isinstance(piece, tree.Variable) and piece.name == "in"):
            message = f"`{piece.span.text}` stands for no number of a key"
            raise Trouble("E123", message, piece.span, help="put a name here, and arithmetic on the right: `{i}`")
        if isinstance(piece, tree.Variable):
            if was_number:
                help = "put a text between them, such as the dot of two segments"
                raise Trouble("E123", f"where `{piece.name}` begins is not clear", piece.span, help=help)
            names.append(piece.name)
        was_number = isinstance(piece, tree.Variable)
    return names


def _check_theirs(text: tree.LabelText, names: Sequence[str], env: Env) -> None:
    _check_text(text)
    for piece in text.pieces:
        if not isinstance(piece, str):
            _check_names(piece, {*names, *env.names}, env)


def _check_text(text: tree.LabelText) -> None:
    literal = "".join(piece if isinstance(piece, str) else "0" for piece in text.pieces)
    if "{" in literal or "}" in literal:
        raise Trouble("E123", "the braces of this key do not match", text.span, help="close what is opened: `{i}`")
    if literal and not all(literal.split(".")):
        raise Trouble("E123", "a segment of this key is empty", text.span, help="segments stand between single dots")


def _check_names(expression: tree.Expression, known: set[str], env: Env) -> None:
    """Raise Trouble at a name that an expression may not use."""
    if isinstance(expression, tree.Comprehension):
        known = known | {target.text for clause in expression.clauses for target in clause.targets}
    if isinstance(expression, tree.Variable) and expression.name not in known:
        declared = env.module.find(expression.name)
        if declared is None or not isinstance(declared[0], tree.Let):
            near = nearest(expression.name, known)
            help = f"the nearest is `{near}`" if near else "name it in braces on the left"
            message = f"`{expression.name}` is no number of this key"
            raise Trouble("E101", message, expression.span, help=help)
    if isinstance(expression, tree.Apply) and expression.name.text not in FUNCTIONS:
        declared = env.module.find(expression.name.text)
        if declared is None or not isinstance(declared[0], tree.Function):
            message = f"no function is called `{expression.name.text}`"
            raise Trouble("E101", message, expression.name.span)
    for inner in _inner(expression):
        _check_names(inner, known, env)


def _inner(node: object) -> Iterator[tree.Expression]:
    """Yield the expressions directly inside a node."""
    if not is_dataclass(node):
        return
    for field in fields(node):
        value: object = getattr(node, field.name)
        items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        for item in items:
            if isinstance(item, tree.Argument):
                yield item.value
            elif isinstance(item, tree.ComprehensionFor):
                yield from (item.source, *item.conditions)
            elif isinstance(item, tree.Expression):
                yield item


def _beginning(text: tree.LabelText) -> re.Pattern[str]:
    return re.compile(rf"\A{_segments(text)}" if text.pieces else r"\A")


def _segments(text: tree.LabelText) -> str:
    """Return the regular expression of a template, up to the end of a segment."""
    groups: dict[str, int] = {}
    written = ""
    for piece in text.pieces:
        if isinstance(piece, str):
            written += re.escape(piece)
        else:
            assert isinstance(piece, tree.Variable)
            written += f"(?:\\{groups[piece.name]})" if piece.name in groups else _NUMBER
            groups.setdefault(piece.name, len(groups) + 1)
    return rf"{written}(?=\.|\Z)"
