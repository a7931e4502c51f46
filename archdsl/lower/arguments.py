"""Calls: what a name stands for, its arguments, and the operators they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from archdsl.ir.trouble import Parts, Reported, Trouble, told
from archdsl.ops.base import Op, ValueAt
from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.semantics.callables import (
    JOINED,
    argument_key,
    find_callable,
    joined_by,
    kind_of_argument,
    positional_keys,
)
from archdsl.semantics.context import Evaluated
from archdsl.semantics.env import Env, Written
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.mistakes import given_twice, inexact, input_count, unknown_argument
from archdsl.semantics.origins import at_origin, is_elsewhere
from archdsl.semantics.types import check_settled, check_stays_callable, check_type
from archdsl.semantics.values import (
    Closure,
    DeclaredBlock,
    LevelValue,
    LocalFunction,
    Partial,
    Setting,
    Unknown,
    as_word,
    describe,
    flowing_in,
    identity,
    is_value,
    kind_of,
)
from archdsl.syntax import tree
from archdsl.text.diagnostic import Fix
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest, suggestion

COUNTERS = frozenset({"stage", "total", "index"})
"""Numbers that `stages` has names for, which hide no operator."""
_COUNTS = ("channels", "features", "c")
"""What an argument is called that says how many channels come out."""


def resolve(call: tree.Call, env: Env) -> Partial | Closure:
    """Return what a step calls: a local name's value, the context's, a block, or an operator."""
    name = call.name
    value = env.names.get(name.text)
    if name.text in COUNTERS and isinstance(value, int):
        value = None  # a step means the operator
    if value is None:
        value = env.context.get(name.text)
    env.context.take(name.text, value)
    if value is None:
        value = find_callable(name.text, env.module)
    if isinstance(value, Unknown):
        raise Reported
    if value is None:
        if env.module.expects(name.text):
            raise Reported
        # In repeats it is met many times, and looking for what was meant takes its time.
        known = env.budget.unknown
        if name.span not in known:
            known[name.span] = _unknown(call, env)
        raise known[name.span].beside(())
    if isinstance(value, LocalFunction):
        help = f"a function gives a value, for an argument: `conv {name.text}(…)`"
        raise Trouble("E104", f"`{name.text}` is a function, and no step", name.span, help=help)
    if not isinstance(value, Partial | Closure):
        message = f"`{name.text}` is {describe(value)}, {kind_of(value)}, and no step"
        hidden = find_callable(name.text, env.module) is not None
        help = (
            "rename it: it hides the operator or block of that name"
            if hidden
            else "a step calls an operator or a block"
        )
        raise Trouble("E104", message, name.span, help=help)
    return value


def _unknown(call: tree.Call, env: Env) -> Trouble:
    from archdsl.semantics.fitting import fitting  # what only mistakes need
    from archdsl.syntax.habits import names
    from archdsl.syntax.habits.layers import layer_of

    name = call.name
    message = f"no operator or block is called `{name.text}`"
    if (habit := names.unknown_step(name.span)) is not None:
        return told("E101", habit, message, name.span)
    known = [*fitting(call, env)]
    # Without its arguments it is a second mistake, which a fix would only bring to light.
    loosely = fitting(call, env, is_strict=False)
    help = suggestion(name.text, known) or suggestion(name.text, loosely) or "declare it with `block`"
    own = [*env.names, *env.module.declarations]
    fix = renamed(name.span, name.text, nearest(name.text, known), own=own)
    if fix is not None and layer_of(name.text) is not None:
        fix = replace(fix, is_safe=False)  # its arguments are another tool's
    return Trouble("E101", message, name.span, help=help, fix=fix)


class Arguments:
    """A call's arguments with full names, and where each was written.

    `parts` holds the mistakes in them; the values that these leave open are not in `values` but `unknown`.
    """

    __slots__ = ("flowing", "origins", "parts", "spans", "unknown", "values")

    def __init__(self, values: dict[str, Setting], spans: dict[str, Span]) -> None:
        self.values, self.spans = values, spans
        self.flowing: list[Setting] = []
        """The values, or lists of such, that a join is called with."""
        self.origins: dict[str, Written] = {}
        """What the values were written as, and what names mean there."""
        self.unknown: dict[str, bool] = {}
        """Arguments without a value, and whether it is their own mistake, after which no more is said of them."""
        self.parts = Parts()

    def wires(self, op: type[Op]) -> list[LevelValue]:
        """List the values that an operator's attributes are given, in the order in which it reads them."""
        given = [self.values.get(name) for name in op.value_attributes()]
        return [value for value in given if isinstance(value, LevelValue)]


def gather(target: Partial, arguments: Sequence[tree.Argument], env: Env) -> Arguments:
    """Evaluate a call's arguments over those that the context and the value called already give."""
    wished = env.context.arguments(target.name)
    given: dict[str, Evaluated] = {**wished, **dict(target.arguments)} if wished or target.arguments else {}
    bound = dict(target.arguments)
    free = [key for key in positional_keys(target) if key not in bound]
    spans: dict[str, Span] = {}
    found = Arguments({}, spans)
    found.flowing += joined_by(given)
    written = found.values
    is_over = False
    is_join = not isinstance(target.target, DeclaredBlock) and target.target.is_join
    for argument in arguments:
        if argument.key is None and not free and is_over:
            continue
        if is_join and argument.key is None and _take_flowing(argument, env, found):
            continue
        key = ""
        try:
            is_over = argument.key is None and not free
            key = argument_key(target, argument, free)
            if key in spans:
                counts = any(name in _COUNTS for name in positional_keys(target)[:1])
                raise given_twice(target.name, key, argument, arguments, spans[key], counts=counts)
            spans[key] = argument.span
            if key in free:
                free.remove(key)
            value = written[key] = _value_of(argument, target, key, env)
            found.origins[key] = argument.value, env
            if isinstance(value, tuple):
                env.budget.hold(value, argument.span)
        except (Trouble, Reported) as error:
            found.parts.take(error)
            if key and key not in written:
                found.unknown[key] = isinstance(error, Trouble)
    for key, value in given.items():
        if key == JOINED:
            continue
        if isinstance(value, Unknown):
            found.unknown[key] = False
            found.parts.are_known = False
        elif key not in found.unknown and key not in written:
            written[key] = value
            if key not in bound:
                env.context.take(f"{target.name}.{key}", value)
    return found


def _take_flowing(argument: tree.Argument, env: Env, found: Arguments) -> bool:
    """Take an argument of a join that is a value, or a list of such; return whether it is one, or not known."""
    if isinstance(argument.value, tree.Literal):
        return False
    try:
        value = evaluate(argument.value, env)
    except (Trouble, Reported) as error:
        found.parts.take(error)
        return True
    if is_value(value):
        found.flowing.append(value)
        if isinstance(value, tuple):
            env.budget.hold(value, argument.span)
        return True
    return False


def _value_of(argument: tree.Argument, target: Partial, key: str, env: Env) -> Setting:
    """Return an argument's value; where it is a word that nothing is called, say which words the operator takes."""
    try:
        return evaluate(argument.value, env)
    except Trouble as trouble:
        if isinstance(argument.value, tree.Variable) and trouble.code == "E101":
            _say_words(trouble, argument, target, key)
        raise


def _say_words(trouble: Trouble, argument: tree.Argument, target: Partial, key: str) -> None:
    """Say of a word that nothing is called which words an argument takes, or what stands for `None` in it."""
    from archdsl.syntax.habits import names, values  # what only mistakes need

    word, fields = argument.value.span.text, getattr(target.target, "model_fields", {})
    words = sorted(target.target.words(key)) if key in fields and isinstance(target.target, type) else []
    if word in values.NOTHING:
        habit = names.nothing(argument.span, argument.value.span, kind_of_argument(target, key))
        trouble.help, trouble.fix = habit.help, habit.fix(argument.span.source)
    elif words:
        near = nearest(word, words)
        listed = ", ".join(f"`{word}`" for word in words)
        trouble.help = f"the nearest word is `{near}`" if near else f"`{key}` takes {listed}"


class Operators:
    """Makes operators, each distinct one once."""

    def __init__(self) -> None:
        self._made: dict[object, Op] = {}

    def make(self, target: type[Op], arguments: Arguments, call: Span, reads: int = 1) -> Op:
        """Make an operator of its attributes' values, or raise Trouble at the attribute that does not fit.

        `reads` is how many inputs it has before the values of its attributes.
        """
        if not arguments.parts.are_known:
            _check_known(target, arguments, call, reads)
        key = (target, reads, tuple((name, identity(value)) for name, value in arguments.values.items()))
        op = self._made.get(key)
        if op is None:
            op = self._made[key] = _validate(target, arguments, call, reads)
        return op


def _check_known(target: type[Op], arguments: Arguments, call: Span, reads: int) -> NoReturn:
    """Raise the mistakes of a call of which some arguments are unknown, those of the others included."""
    # With one value too many, others may stand in places that they were not meant for.
    if not any(trouble.code == "E107" for trouble in arguments.parts.troubles):
        with arguments.parts:
            _validate(target, arguments, call, reads)
    arguments.parts.settle()
    raise AssertionError("what is unknown is a mistake or follows from one")


def _placed(op: type[Op], values: Mapping[str, Setting], reads: int) -> dict[str, Any]:
    """Return attributes with their values' places among what the operator reads."""
    placed: dict[str, Any] = dict(values)
    for name in op.value_attributes():
        if isinstance(placed.get(name), LevelValue):
            placed[name] = ValueAt(input=reads)
            reads += 1
    return placed


def _validate(target: type[Op], arguments: Arguments, call: Span, reads: int) -> Op:
    """Make an operator, or raise what is wrong with each of its arguments; unknown ones are not missing."""
    parts = Parts()
    fields = target.model_fields
    values: Mapping[str, Setting] = arguments.values
    named = [*values, *(name for name, is_told in arguments.unknown.items() if not is_told)]
    taken = {*target.attribute_names(), *target.open_names(values)}
    for name in [name for name in named if name not in taken][:_MOST_UNKNOWN]:
        span = arguments.spans.get(name, call)
        known = dict(zip(target.attribute_names(), _shown_keys(target), strict=True))
        known |= {own: own for own in target.open_names(values)}
        parts.take(unknown_argument(target.keyword, name, known, span, arguments.spans))
    values = _placed(target, {name: value for name, value in values.items() if name in taken}, reads)
    if target.open_attribute:
        own = [name for name in values if name not in fields]
        values[target.open_attribute] = tuple((name, _size(target, name, values.pop(name), arguments)) for name in own)
    try:
        made = _within_bounds(target(**values), arguments, call)
    except ValidationError as problem:
        error, objections = problem, problem.errors()
    else:
        parts.settle()
        return made
    converted = _converted(target, values, error)
    if converted is not None:
        try:
            made = _within_bounds(target(**converted), arguments, call)
        except ValidationError as again:
            # What was tried as a word was meant as what it is, so the first objection is the real one.
            is_number = any(
                isinstance(value, float | Fraction) and converted[name] is not value for name, value in values.items()
            )
            left = {problem["loc"][:1] for problem in again.errors()}
            objections = [problem for problem in (again if is_number else error).errors() if problem["loc"][:1] in left]
        else:
            parts.settle()
            return made
    problems = {str(problem["loc"][0]) if problem["loc"] else "": problem for problem in reversed(objections)}
    for name, problem in reversed(problems.items()):
        # A misspelt argument may be the missing one.
        is_open = problem["type"] == "missing" and (name in arguments.unknown or not parts.are_known)
        if not is_open:
            with parts:
                trouble = _trouble(target, values, problem, arguments.spans, call)
                written = arguments.origins.get(name)
                if isinstance(values.get(name), Partial) and written is not None and is_elsewhere(*written):
                    trouble.help, trouble.fix = "", None  # no step of its own, but what a name was bound to
                is_value = trouble.fix is None or trouble.code == "E105"
                raise at_origin(trouble, written if is_value else None, f"the `{name}` of `{target.keyword}` here")
    parts.settle()
    raise Reported


def _size(target: type[Op], name: str, value: Setting, arguments: Arguments) -> int:
    """Return the size that an argument gives to a name of its own."""
    size = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= LARGEST_TENSOR:
        message = f"`{name}` of `{target.keyword}` is {describe(value)}, but a whole number from 1 is needed"
        raise Trouble("E104", message, arguments.spans[name])
    return size


def _within_bounds(op: Op, arguments: Arguments, call: Span) -> Op:
    """Return the operator, or raise Trouble where torch's integers, of 64 bits, cannot hold one of its attributes."""
    for name in arguments.values:
        if _is_huge(getattr(op, name, None)):
            message = f"`{name}` of `{op.keyword}` is larger than torch's whole numbers, which have 64 bits"
            raise Trouble("E104", message, arguments.spans.get(name, call))
    return op


def _is_huge(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_is_huge, value))  # pyright: ignore[reportUnknownArgumentType] - tested by the call
    return isinstance(value, int) and not -LARGEST_TENSOR <= value <= LARGEST_TENSOR


def _converted(target: type[Op], values: Mapping[str, Setting], error: ValidationError) -> dict[str, Any] | None:
    """Return the values in the kind that the attributes want: 32.0 as 32, 1/4 as 0.25, an operator's name as a word."""
    changed: dict[str, Any] = dict(values)
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        value = values.get(name)
        if isinstance(value, float) and value.is_integer():
            changed[name] = int(value)
        elif isinstance(value, Fraction):
            changed[name] = float(value)
        elif value is not None:
            changed[name] = as_word(value)
    return changed if any(changed[name] is not value for name, value in values.items()) else None


def _trouble(
    target: type[Op], values: Mapping[str, Setting], problem: ErrorDetails, spans: Mapping[str, Span], call: Span
) -> Trouble:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    span = spans.get(name, call)
    if problem["type"] == "missing" and len(problem["loc"]) == 1:
        help = f"give it: `{target.keyword} {name}=…`"
        return Trouble("E103", f"`{target.keyword}` needs `{name}`", call, help=help)
    value = values.get(name)
    if value is not None and next(flowing_in(value), None) is not None:
        help = "an argument is a number, a word or the like; `@` is for blocks, joins and arguments that take values"
        raise Trouble("E128", f"`{name}` of `{target.keyword}` takes no value that flows", span, help=help)
    first, *later = target.attribute_names()
    if problem["type"] == "bool_type" and later[:1] == [name] and first in spans and isinstance(value, int):
        return input_count(target.keyword, spans[first], [span])
    if isinstance(value, Fraction):
        return inexact(f"`{name}`", value, span)
    shown = describe(value) if value is not None else "missing"
    is_quoted = isinstance(value, str) and span.text.endswith(f'"{value}"')
    shown = f'the text "{value}"' if is_quoted else shown
    is_input = target.category == "input"
    message = f"`{name}` of `{target.keyword}` is {shown}, but {reason(problem, is_input=is_input)}"
    if is_input:
        from archdsl.syntax.habits import names  # what only mistakes need

        fractions = [size for size in value if isinstance(size, Fraction)] if isinstance(value, tuple) else []
        if fractions:
            return inexact("a size of the input", fractions[0], span)
        return Trouble("E104", message, span, help=names.input_step(span))
    if isinstance(value, Partial) and "=" not in span.text and span != call:
        title = f"put `;` before `{span.text}`"
        fix = Fix.at(Span(_behind_word(span), span.start, span.source), "; ", title=title)
        return Trouble("E104", message, span, help=f"{title}, if it is a step of its own", fix=fix)
    return Trouble("E104", message, span)


def _behind_word(span: Span) -> int:
    """Return the place where the word before a span ends."""
    return len(span.source.text[: span.start].rstrip(" \t"))


_MOST_UNKNOWN = 100
"""How many unknown arguments of one call are told."""
_NEEDS = {
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "bool_type": "true or false is needed",
    "tuple_type": "a number or a list is needed",
    "string_type": "a word is needed",
    "model_type": "an initialisation such as `kaiming_normal` is needed",
}


_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "above"),
    "less_than": ("lt", "below"),
}


def reason(problem: ErrorDetails, *, is_input: bool) -> str:
    """Say in the language's words why a value does not fit; the sizes of an input are always a list."""
    kind, about = problem["type"], problem.get("ctx", {})
    if kind == "too_long":
        return f"at most {about.get('max_length', 2)} items are taken"
    if kind in ("missing", "too_short"):
        return "more items are needed"
    if kind == "tuple_type" and is_input:
        return "a list is needed"
    if kind == "model_type" and about.get("class_name") == ValueAt.__name__:
        return "a value such as `@name` is needed"
    if kind in _NEEDS:
        return _NEEDS[kind]
    if kind in _BOUNDS:
        key, relation = _BOUNDS[kind]
        return f"must be {relation} {about[key]:g}"
    if kind == "literal_error":
        return f"must be {about['expected']}".replace("'", "`")
    reason = str(about["error"]) if kind == "value_error" else problem["msg"]
    return reason[:1].lower() + reason[1:]


def _shown_keys(target: type[Op]) -> list[str]:
    short = {full: key for key, full in target.aliases.items()}
    return [short.get(name, name) for name in target.attribute_names()]


def match_parameters(
    block: DeclaredBlock, arguments: Arguments, env: Env
) -> tuple[dict[str, Setting], dict[str, Setting]]:
    """Split a block's arguments into those of its parameters and orders for the context inside."""
    names = {parameter.name.text: parameter for parameter in block.declaration.parameters}
    own: dict[str, Setting] = {}
    orders: dict[str, Setting] = {}
    for key, value in arguments.values.items():
        try:
            if key in names:
                check_type(names[key], value, arguments.spans.get(key, names[key].span))
                own[key] = value
            elif (usual := env.context.get(key)) is not None:
                check_settled(key, value, arguments.spans.get(key, block.declaration.name.span))
                check_stays_callable(key, usual, value, arguments.spans.get(key, block.declaration.name.span))
                orders[key] = value
            else:
                raise _no_parameter(block, key, arguments, env)
        except Trouble as trouble:
            is_callable = isinstance(value, Partial | Closure)
            written = arguments.origins.get(key) if trouble.code == "E104" and not is_callable else None
            arguments.parts.take(at_origin(trouble, written, f"the `{key}` of `{block.declaration.name.text}` here"))
    for key, is_told in arguments.unknown.items():
        with arguments.parts:
            if not is_told and key not in names and env.context.get(key) is None:
                raise _no_parameter(block, key, arguments, env)
    arguments.parts.settle()
    return own, orders


def _no_parameter(block: DeclaredBlock, key: str, arguments: Arguments, env: Env) -> Trouble:
    span = arguments.spans.get(key, block.declaration.name.span)
    known = [*(parameter.name.text for parameter in block.declaration.parameters), *env.context.names()]
    return unknown_argument(block.declaration.name.text, key, known, span, arguments.spans)
