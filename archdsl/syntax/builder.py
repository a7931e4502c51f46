"""Build syntax-tree nodes as the parser reduces. Method names are the grammar's rule names and aliases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from lark import Token, Transformer

from archdsl.syntax import tree
from archdsl.text.source import NOWHERE, Source, Span

# lark hands every rule a list of tokens, of what its inner rules returned, and None for what is absent.
Children: TypeAlias = list[Any]

_SUFFIXES = {"K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000}
_INTERPOLATION = re.compile(r"\{([^{}]*)\}")
# Far beyond what a label may have once its parts are put in.
_LONGEST_LABEL = 400
# Longer ones are beyond what is computed with; as floats they would be rounded in silence.
_LONGEST_NUMBER = 60


class Expressions(Transformer[Token, Any]):
    """Builds expressions, and gives every node its span in `source`.

    `parse_inner` parses an expression inside a text, given its own text and offset, and the code that a mistake has.
    """

    def __init__(self, parse_inner: Callable[[str, int, str], tree.Expression]) -> None:
        super().__init__()
        self._parse_inner = parse_inner
        self.source: Source = NOWHERE
        self.shift = 0
        """Where the tokens' text begins in the source, for a part that is parsed by itself."""
        self._around: dict[int, tuple[tree.Expression | tree.Argument, int, int]] = {}
        """What stands in parentheses, by identity, with their ends: they belong to what it is a part of."""

    def begin(self, source: Source) -> None:
        """Begin with another source, and forget all of the last one's."""
        self.source = source
        self._around.clear()

    def _span(self, first: Any, last: Any) -> Span:
        # Most parts are tokens, and nearly all of a parse's places are made here.
        begin = (first.start_pos or 0) + self.shift if isinstance(first, Token) else self._begin(first)
        stop = (last.end_pos or 0) + self.shift if isinstance(last, Token) else self._stop(last)
        return Span(begin, stop, self.source)

    def _begin(self, first: Any) -> int:
        if isinstance(first, Token):
            return (first.start_pos or 0) + self.shift
        return self._around[id(first)][1] if id(first) in self._around else first.span.begin

    def _stop(self, last: Any) -> int:
        if isinstance(last, Token):
            return (last.end_pos or 0) + self.shift
        return self._around[id(last)][2] if id(last) in self._around else last.span.stop

    def _keep_around(self, part: tree.Expression | tree.Argument, first: Any, last: Any) -> None:
        self._around[id(part)] = part, self._begin(first), self._stop(last)

    def _word(self, token: Token) -> tree.Name:
        return tree.Name(str(token), self._span(token, token))

    def number(self, children: Children) -> tree.Literal:
        (token,) = children
        text, factor = str(token), 1
        if text[-1] in _SUFFIXES:
            text, factor = text[:-1], _SUFFIXES[text[-1]]
        is_whole = text.isdigit() and len(text) <= _LONGEST_NUMBER
        scaled = (int(text) if is_whole else float(text)) * factor
        if factor > 1 and isinstance(scaled, float) and scaled.is_integer():
            scaled = int(scaled)
        return tree.Literal(scaled, self._span(token, token))

    def string(self, children: Children) -> tree.Literal | tree.Interpolated:
        (token,) = children
        span = self._span(token, token)
        if _INTERPOLATION.search(token) is not None:
            return tree.Interpolated(self._pieces(token, "E112"), span)
        return tree.Literal(str(token)[1:-1], span)

    def boolean(self, children: Children) -> tree.Literal:
        (token,) = children
        return tree.Literal(str(token) == "true", self._span(token, token))

    def variable(self, children: Children) -> tree.Variable:
        (token,) = children
        return tree.Variable(str(token), self._span(token, token))

    def apply(self, children: Children) -> tree.Apply:
        name, arguments, close = children
        return tree.Apply(self._word(name), arguments, self._span(name, close))

    def call_arguments(self, children: Children) -> tuple[tree.Argument, ...]:
        return tuple(children)

    arguments = call_arguments
    default_values = call_arguments

    def positional(self, children: Children) -> tree.Argument:
        (value,) = children
        argument = tree.Argument(None, value, value.span)
        if id(value) in self._around:
            self._keep_around(argument, value, value)
        return argument

    def named(self, children: Children) -> tree.Argument:
        key, value = children
        return tree.Argument(self._word(key), value, self._span(key, value))

    def named_inside(self, children: Children) -> tree.Argument:
        outer, inner, value = children
        key = tree.Name(f"{outer}.{inner}", self._span(outer, inner))
        return tree.Argument(key, value, self._span(outer, value))

    def parenthesised(self, children: Children) -> tree.Expression:
        open_, inner, close = children
        self._keep_around(inner, open_, close)
        return inner

    def list(self, children: Children) -> tree.ListOf:
        return tree.ListOf(tuple(children[1:-1]), self._span(children[0], children[-1]))

    def comprehension(self, children: Children) -> tree.Comprehension:
        open_, item, *clauses, close = children
        return tree.Comprehension(item, tuple(clauses), self._span(open_, close))

    def comprehension_for(self, children: Children) -> tree.ComprehensionFor:
        keyword, targets, _in, source, *rest = children
        conditions = tuple(rest[1::2])
        return tree.ComprehensionFor(targets, source, conditions, self._span(keyword, (source, *conditions)[-1]))

    def targets(self, children: Children) -> tuple[tree.Name, ...]:
        return tuple(map(self._word, children))

    def choose(self, children: Children) -> tree.Choose:
        return tree.Choose(tuple(children[2:-1]), self._span(children[0], children[-1]))

    def unary_operation(self, children: Children) -> tree.Unary:
        operator, operand = children
        return tree.Unary(str(operator), operand, self._span(operator, operand))

    def binary(self, children: Children) -> tree.Binary:
        left, operator, right = children
        return tree.Binary(str(operator), left, right, self._span(left, right))

    def conditional(self, children: Children) -> tree.Conditional:
        then, _if, condition, otherwise = children
        return tree.Conditional(then, condition, otherwise, self._span(then, otherwise))

    def index(self, children: Children) -> tree.Index:
        base, index, close = children
        return tree.Index(base, index, self._span(base, close))

    def range_operation(self, children: Children) -> tree.Range:
        first, last = children
        return tree.Range(first, last, self._span(first, last))

    def _pieces(self, token: Token, code: str) -> tree.LabelText:
        """Take the expressions out of a text; `code` is that of a mistake in one."""
        span = self._span(token, token)
        text, offset = str(token), span.start
        if text.startswith("@"):
            text, offset = text[1:], offset + 1
        if text.startswith('"'):
            text, offset = text[1:-1], offset + 1
        if len(text) > _LONGEST_LABEL:
            return tree.LabelText((text,), span)  # too long to be a label, whatever its parts give
        pieces: list[str | tree.Expression] = []
        end = 0
        for match in _INTERPOLATION.finditer(text):
            pieces += [text[end : match.start()], self._parse_inner(match.group(1), offset + match.start(1), code)]
            end = match.end()
        pieces.append(text[end:])
        return tree.LabelText(tuple(piece for piece in pieces if piece != ""), span)


class Builder(Expressions):
    """Builds statements, declarations and files of expressions."""

    def body(self, children: Children) -> tree.Body:
        statements, allows = _apart(children[1:-1])
        return tree.Body(statements, self._span(children[0], children[-1]), allows)

    def allow(self, children: Children) -> tree.Allow:
        keyword, *codes = children
        return tree.Allow(tuple(map(self._word, codes)), self._span(keyword, codes[-1]))

    def let(self, children: Children) -> tree.Let:
        keyword, name, value = children
        return tree.Let(self._word(name), value, self._span(keyword, value))

    def defaults(self, children: Children) -> tree.Defaults:
        items: list[tuple[tree.Name | tree.Argument, ...]] = children[2:-1]
        values = tuple(a for item in items for a in item if isinstance(item[0], tree.Argument))
        arguments = tuple((item[0], item[1:]) for item in items if isinstance(item[0], tree.Name))
        return tree.Defaults(values, arguments, self._span(children[0], children[-1]))  # pyright: ignore[reportArgumentType] -- the first item's type settles the others'

    def default_arguments(self, children: Children) -> tuple[tree.Name | tree.Argument, ...]:
        return (self._word(children[0]), *children[1:])

    def if_statement(self, children: Children) -> tree.If:
        keyword, condition, then, otherwise = children
        last = otherwise or then
        if isinstance(otherwise, tree.If):
            otherwise = tree.Body((otherwise,), otherwise.span)
        return tree.If(condition, then, otherwise, self._span(keyword, last))

    def for_statement(self, children: Children) -> tree.For:
        keyword, targets, _in, source, body = children
        return tree.For(targets, source, body, self._span(keyword, body))

    def assertion(self, children: Children) -> tree.Assert:
        return tree.Assert(tuple(children[1:]), self._span(children[0], children[-1]))

    def output(self, children: Children) -> tree.OutputStatement:
        keyword, name, training, condition, body = children
        span = self._span(keyword, body or condition or training or name)
        return tree.OutputStatement(self._pieces(name, "E112"), training is not None, condition, body, span)

    def broken(self, children: Children) -> tree.Broken:
        (token,) = children
        return tree.Broken(self._span(token, token))

    def label(self, children: Children) -> tree.LabelText:
        (token,) = children
        return self._pieces(token, "E112")

    def step(self, children: Children) -> tree.Step:
        label, action, repeat = children
        return tree.Step(label, action, repeat, self._span(label or action, repeat or action))

    def call(self, children: Children) -> tree.Call:
        name, arguments, body = children
        last = body or (arguments[-1] if arguments else name)
        return tree.Call(self._word(name), arguments, body, self._span(name, last))

    def group(self, children: Children) -> tree.Group:
        (body,) = children
        return tree.Group(body, body.span)

    def residual(self, children: Children) -> tree.Residual:
        keyword, condition, body, label, shortcut = children
        name = self._pieces(label, "E112") if label is not None else None
        return tree.Residual(condition, body, name, shortcut, self._span(keyword, shortcut or body))

    def split(self, children: Children) -> tree.Split:
        keyword, parts, *arguments, join = children
        return tree.Split(parts, tuple(arguments), join, self._span(keyword, join))

    def doubled(self, children: Children) -> tree.Doubled:
        keyword, name, value = children
        return tree.Doubled(self._word(name), value, self._span(keyword, value))

    def stages(self, children: Children) -> tree.Stages:
        keyword, depths, *clauses, body = children
        return tree.Stages(depths, tuple(clauses), body, self._span(keyword, body))

    def reference(self, children: Children) -> tree.Reference:
        label, *outputs = (self._pieces(token, "E113") for token in children)
        return tree.Reference(label, tuple(outputs), self._span(label, children[-1]))

    def reuse(self, children: Children) -> tree.Reuse:
        keyword, label = children
        return tree.Reuse(self._pieces(label, "E113"), self._span(keyword, label))

    def parameters(self, children: Children) -> tuple[tree.Parameter, ...]:
        return tuple(children[:-1])

    def parameter(self, children: Children) -> tree.Parameter:
        name, default = children
        return tree.Parameter(self._word(name), None, default, self._span(name, default or name))

    def typed_parameter(self, children: Children) -> tree.Parameter:
        type_, name, default = children
        return tree.Parameter(self._word(name), self._word(type_), default, self._span(type_, default or name))

    def function(self, children: Children) -> tree.Function:
        keyword, name, parameters, value = children
        return tree.Function(self._word(name), parameters, value, self._span(keyword, value))

    def block(self, children: Children) -> tree.Block:
        inline, keyword, name, parameters, body = children
        span = self._span(inline or keyword, body)
        return tree.Block(self._word(name), parameters or (), body, inline is not None, span)

    def model(self, children: Children) -> tree.Model:
        keyword, name, parameters, body = children
        return tree.Model(self._word(name), parameters or (), body, self._span(keyword, body))

    def variant(self, children: Children) -> tree.Variant:
        keyword, name, base, arguments, close, edits = children
        last = edits[-1] if edits else close or base
        return tree.Variant(
            self._word(name), self._word(base), arguments or (), edits[:-1] if edits else (), self._span(keyword, last)
        )

    def edits(self, children: Children) -> tuple[tree.Settings | tree.VariantEdit | tree.Call | Token, ...]:
        return tuple(children[1:])

    def edit_settings(self, children: Children) -> tree.Settings:
        return tree.Settings(tuple(children), self._span(children[0], children[-1]))

    def edit_set(self, children: Children) -> tree.VariantEdit:
        keyword, pattern, *arguments = children
        return self._edit(keyword, pattern, tuple(arguments), None)

    def edit_replace(self, children: Children) -> tree.VariantEdit:
        keyword, pattern, body = children
        return self._edit(keyword, pattern, (), body)

    def edit_remove(self, children: Children) -> tree.VariantEdit:
        keyword, pattern = children
        return self._edit(keyword, pattern, (), None)

    def edit_words(self, children: Children) -> tree.Call:
        name, *arguments = children
        return tree.Call(self._word(name), tuple(arguments), None, self._span(name, arguments[-1]))

    def _edit(
        self, keyword: Token, pattern: Token, arguments: tuple[tree.Argument, ...], body: tree.Body | None
    ) -> tree.VariantEdit:
        last = body or (arguments[-1] if arguments else pattern)
        path = tree.Name(str(pattern)[1:-1], self._span(pattern, pattern))
        return tree.VariantEdit(path, arguments, body, self._span(keyword, last))

    def recipe(self, children: Children) -> tree.RecipeText:
        keyword, name, base, body = children
        word = self._word(base) if base is not None else None
        return tree.RecipeText(self._word(name), word, body, self._span(keyword, body))

    def experiment(self, children: Children) -> tree.ExperimentText:
        keyword, name, body = children
        return tree.ExperimentText(self._word(name), body, self._span(keyword, body))

    def keys(self, children: Children) -> tree.Keys:
        keyword, origin, _in, order, rules = children
        last = rules[-1] if rules else order or origin
        word = self._word(order) if order is not None else None
        return tree.Keys(self._word(origin), word, rules[:-1] if rules else (), self._span(keyword, last))

    def key_rules(self, children: Children) -> tuple[tree.KeyRule | tree.KeyWord | Token, ...]:
        return tuple(children[1:])

    def key_rule(self, children: Children) -> tree.KeyRule:
        ours, theirs = (self._pieces(token, "E123") for token in children)
        return tree.KeyRule(ours, theirs, self._span(ours, theirs))

    def key_word(self, children: Children) -> tree.KeyWord:
        word, text = children
        return tree.KeyWord(self._word(word), self._pieces(text, "E123"), self._span(word, text))

    def use_all(self, children: Children) -> tree.Use:
        keyword, name = children
        return tree.Use(self._word(name), None, None, self._span(keyword, name))

    def use_some(self, children: Children) -> tree.Use:
        keyword, target, *names, close = children
        return tree.Use(self._word(target), tuple(map(self._word, names)), None, self._span(keyword, close))

    def use_path(self, children: Children) -> tree.Use:
        keyword, path = children
        return tree.Use(tree.Name(str(path)[1:-1], self._span(path, path)), None, None, self._span(keyword, path))

    def use_python(self, children: Children) -> tree.Use:
        keyword, first, *_, alias = children
        target = tree.Name(".".join(map(str, children[1:-1])), self._span(first, children[-2]))
        return tree.Use(target, None, self._word(alias), self._span(keyword, alias))

    def start(self, children: Children) -> tree.File:
        declarations, allows = _apart(children)
        return tree.File(self.source, declarations, allows)


def _apart(nodes: Children) -> tuple[tuple[Any, ...], tuple[tree.Allow, ...]]:
    """Split what builds something from the `allow`s beside it."""
    allows = tuple(node for node in nodes if isinstance(node, tree.Allow))
    return (tuple(node for node in nodes if not isinstance(node, tree.Allow)) if allows else tuple(nodes)), allows
