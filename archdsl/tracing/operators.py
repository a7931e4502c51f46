"""Operators whose attributes are traced: made of this run's numbers, which says what holds of others."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import ge, gt, le, lt
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, BaseModel, BeforeValidator

from archdsl.lower.arguments import Arguments, Operators
from archdsl.lower.inputs import Inputs
from archdsl.ops.base import Op, Pair, as_tuple
from archdsl.ops.shape import LARGEST_TENSOR, Shape
from archdsl.text.source import Span
from archdsl.tracing.recorder import Recorder, Traced, TracedFloat, TracedFraction, TracedInt, Untraceable, plain
from archdsl.tracing.skeleton import holds_traced, rebuilt

_SHAPING = (as_tuple, *(item.func for item in get_args(Pair)[1:] if isinstance(item, BeforeValidator)))
"""What only makes a tuple of what is given."""
_SIGNS = {Ge: (">=", "ge", ge), Gt: (">", "gt", gt), Le: ("<=", "le", le), Lt: ("<", "lt", lt)}
"""How the program writes a bound, where pydantic keeps it, and what it asks."""


class TracedOperators(Operators):
    """Makes operators, of which equal ones in one run need not be equal in another."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def make(self, target: type[Op], arguments: Arguments, call: Span, reads: int = 1) -> Op:
        """Make an operator of its attributes' values; what is checked of a traced one is held."""
        traced = {name: value for name, value in arguments.values.items() if holds_traced(value)}
        if not traced:
            return super().make(target, arguments, call, reads)
        now = Arguments({name: rebuilt(value, plain) for name, value in arguments.values.items()}, arguments.spans)
        now.flowing, now.origins, now.unknown, now.parts = (
            arguments.flowing, arguments.origins, arguments.unknown, arguments.parts,
        )  # fmt: skip
        made = super().make(target, now, call, reads)
        changed: dict[str, Any] = {}
        for name, value in traced.items():
            if name not in target.model_fields:
                raise Untraceable(f"`{name}` of `{target.keyword}`")
            changed[name] = self._attribute(target, name, value, getattr(made, name))
        return made.model_copy(update=changed)

    def _attribute(self, target: type[Op], name: str, given: Any, made: Any) -> Any:
        """Return an attribute in which what was given is traced, as far as checking left it what it is."""
        if isinstance(given, Traced):
            if type(made) is type(given.value) and made == given.value:
                self._hold_bounds(target, name, given)
                return given
            if type(made) is tuple and made == (given.value, given.value) and isinstance(given, TracedInt):  # a `Pair`
                self._hold_bounds(target, name, given)
                return (given, given)
            if type(made) is float and isinstance(given, TracedFraction):
                recorder = self._recorder
                number = recorder.compute(f"float(v{given.place})", (given.place,), made)
                self._hold_bounds(target, name, number)
                return number
            given.settle()
            return made
        if type(given) is tuple and type(made) is tuple and len(given) == len(made):
            return tuple([self._attribute(target, name, item, part) for item, part in zip(given, made, strict=True)])
        rebuilt(given, lambda traced: traced.settle())
        return made

    def _hold_bounds(self, target: type[Op], name: str, number: Traced) -> None:
        """Hold how a number compares with all the bounds that an attribute's type names."""
        if isinstance(number, TracedInt):
            self._recorder.decide(f"v{number.place} > {LARGEST_TENSOR}", (number.place,), False)
            if number.value < 0:
                self._recorder.hold(f"v{number.place} >= -{LARGEST_TENSOR}", (number.place,))
            else:
                self._recorder.decide(f"v{number.place} < 0", (number.place,), False)
        elif not isinstance(number, TracedFloat):
            number.settle()
            return
        bounds = _bounds(target, name)
        if bounds is None:
            number.settle()
            return
        for sign, bound, compare in bounds:
            self._recorder.decide(f"{number.name} {sign} {bound!r}", (number.place,), compare(number.value, bound))


def _bounds(target: type[Op], name: str) -> list[tuple[str, float, Callable[[Any, Any], bool]]] | None:
    """List the bounds that an attribute's type names; None where it checks in another way, which is not known."""
    if target.__pydantic_decorators__.field_validators or target.__pydantic_decorators__.model_validators:
        return None
    field = target.model_fields[name]
    found: list[tuple[str, float, Callable[[Any, Any], bool]]] = []
    for item in (*field.metadata, *_metadata(field.annotation)):
        kind = type(item)
        if isinstance(item, BeforeValidator) and item.func not in _SHAPING:
            return None
        if isinstance(item, AfterValidator | int):  # a number is one of several words
            return None
        if kind in _SIGNS:
            sign, attribute, compare = _SIGNS[kind]
            found.append((sign, getattr(item, attribute), compare))
    return found


def _metadata(annotation: Any) -> Iterator[Any]:
    """Yield all that an annotation says of its parts."""
    for part in getattr(annotation, "__metadata__", ()):
        yield part
        yield from getattr(part, "metadata", ())
    arguments = getattr(annotation, "__args__", ())
    if get_origin(annotation) is Literal:
        yield from (word for word in arguments if isinstance(word, int) and not isinstance(word, bool))
        return
    origin = getattr(annotation, "__origin__", None)
    if origin is not None and hasattr(annotation, "__metadata__"):
        yield from _metadata(origin)
    for argument in arguments:
        if not (isinstance(argument, type) and issubclass(argument, BaseModel)):
            yield from _metadata(argument)


class TracedInputs(Inputs):
    """A model's inputs, of sizes that are traced."""

    _sizes_traced = False

    def add(self, op: Op, span: Span) -> tuple[Op, Shape]:
        """Take one more input; give its operator and what it is to the steps behind it."""
        if self._count and (self._sizes_traced or holds_traced(tuple(op.infer_shape([])))):
            raise Untraceable("several inputs, one of a size that is traced")
        if self._image is not None and holds_traced(self._image):
            image, own = self._image, op.infer_shape([])
            if len(own) != len(image):
                raise Untraceable("an input of another number of axes")
            op = type(op).unchecked(shape=image)
            self._image, self._sizes_traced = None, True
            self._count += 1
            return op, self._symbols.open(op.infer_shape([]))
        self._sizes_traced = self._sizes_traced or holds_traced(tuple(op.infer_shape([])))
        return super().add(op, span)
