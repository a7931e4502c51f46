"""What names mean at a place, and what evaluation may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol, TypeAlias

from archdsl.ir.trouble import Trouble
from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.functions import MAX_LENGTH
from archdsl.semantics.module import Module
from archdsl.semantics.values import UNKNOWN, Setting, Unknown
from archdsl.syntax import tree
from archdsl.text.record import record
from archdsl.text.source import Span

MAX_APPLICATIONS = 100_000
MAX_ITEMS = 1_000_000
MAX_LIST_DEPTH = 16
MAX_VALUES = 50_000
FACTS = ("parameters", "macs", "flops", "activation_bytes")
"""What an assertion may speak of: a network's total costs."""


class Tracer(Protocol):
    """What follows numbers that stand for those of many networks, and so takes part in evaluation."""

    def evaluate(self, expression: tree.Expression, env: Env) -> Setting | None:
        """Return an expression's value; None where evaluation may go on as it does without."""
        ...

    def label(self, label: tree.LabelText, env: Env) -> str | None:
        """Return the text of a label; None where it is put together as it is without."""
        ...


class Budget:
    """How much work a spec may still ask for; shared by everything that one compilation evaluates."""

    tracer: Tracer | None = None
    """What takes part in all evaluation; None but for `archdsl.tracing`."""

    def __init__(self) -> None:
        self.applications = 0
        self.items = 0
        self.values = 0
        self.endless: set[int] = set()
        """Functions that were found to call themselves without end."""
        self.unknown: dict[Span, Trouble] = {}
        """What is said of names that nothing is called, by where they stand."""
        self.depth = 0
        """How many calls of functions are under way."""

    def hold(self, items: tuple[Setting, ...], span: Span) -> None:
        """Count a list that is made or handed over, with the lists inside it, which may be one list many times over."""
        size = _count_items(items, MAX_LENGTH, MAX_LIST_DEPTH)
        if size > MAX_LENGTH:
            limits = f"{MAX_LENGTH:,} items with those of the lists inside it, {MAX_LIST_DEPTH} levels deep"
            raise Trouble("E116", f"a list has at most {limits}", span)
        self.items += size
        if self.items > MAX_ITEMS:
            message = f"this spec makes lists of more than {MAX_ITEMS:,} items"
            raise Trouble("E109", message, span, is_fatal=True)

    def read(self, count: int, span: Span) -> None:
        """Count values that a step reads, or that arrive in a level."""
        self.values += count
        if self.values > MAX_VALUES:
            message = f"this spec reads values by name, and hands them into levels, more than {MAX_VALUES:,} times"
            raise Trouble("E109", message, span, is_fatal=True)

    def apply(self, span: Span) -> None:
        self.applications += 1
        if self.applications > MAX_APPLICATIONS:
            message = f"this spec applies functions more than {MAX_APPLICATIONS:,} times"
            raise Trouble("E109", message, span, is_fatal=True)


def _count_items(items: tuple[Setting, ...], limit: int, depth: int) -> int:
    """Count the items of a list and of the lists inside it; give more than `limit` where it nests too deep."""
    total = len(items) if depth else limit + 1
    for item in items:
        if total > limit:
            break
        if isinstance(item, tuple):
            total += _count_items(item, limit - total, depth - 1)
    return total


# An expression, and what names mean where it was written.
Written: TypeAlias = "tuple[tree.Expression, Env]"


class Sight(Protocol):
    """What `@` reaches at a place."""

    def take(
        self, node: tree.Reference, name: str, outputs: tuple[str, ...], names: Mapping[str, Setting | Unknown]
    ) -> Setting:
        """Return the value that a reference means, or raise Trouble; `names` are the local ones, which may hold it."""
        ...


class Chooser(Protocol):
    """What decides between the options of a `choose`."""

    def pick(self, node: tree.Choose) -> tree.Expression:
        """Return the option that is taken."""
        ...

    def options(self) -> Mapping[int, tree.Expression]:
        """Map the choices that were asked for, by identity, to the options taken last."""
        ...


@record
class Env:
    """What names mean at a place: local names, then the context, then the file, then what is built in."""

    module: Module
    context: Context
    budget: Budget
    names: Mapping[str, Setting | Unknown] = field(default_factory=dict[str, "Setting | Unknown"])
    shape: Shape | Unknown | None = None
    """The shape that flows in here, for `in`; None where nothing does, unknown after a mistake."""
    entry: Shape | Unknown | None = None
    """The shape that entered the block, for `cin`, in the same way."""
    origins: Mapping[str, Written] = field(default_factory=dict[str, "Written"])
    """What the values of names were written as, as far as each was written once."""
    sight: Sight | None = None
    """What `@` reaches here; None where nothing flows, as outside of all bodies."""
    chooser: Chooser | None = None
    """What `choose` asks here; None where nothing is left open."""

    def bind(self, /, **names: Setting | Unknown) -> Env:
        left = self.origins
        if not left.keys().isdisjoint(names):
            left = {name: span for name, span in left.items() if name not in names}
        bound = {**self.names, **names}
        return Env(
            self.module, self.context, self.budget, bound, self.shape, self.entry, left, self.sight, self.chooser
        )

    def bind_written(self, name: str, value: Setting | Unknown, expression: tree.Expression) -> Env:
        """Bind a name to the value of an expression here."""
        names, origins = {**self.names, name: value}, {**self.origins, name: (expression, self)}
        shape, entry, sight, chooser = self.shape, self.entry, self.sight, self.chooser
        return Env(self.module, self.context, self.budget, names, shape, entry, origins, sight, chooser)

    def at(self, ref: object, shape: Shape | None, sight: Sight | None = None) -> Env:
        """Return what names mean where a value of this shape, unknown after a mistake, flows."""
        here = UNKNOWN if shape is None and ref is not None else shape
        sight = sight or self.sight
        if here is self.shape and sight is self.sight:
            return self
        return Env(
            self.module, self.context, self.budget, self.names, here, self.entry, self.origins, sight
        )  # no chooser: where values flow, nothing is left open
