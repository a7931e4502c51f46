"""One level of a network while it is being built: steps as they come, which get their names when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from archdsl.ir.graph import Graph, Node, Output, Value
from archdsl.ir.labels import UnlabelledNames, unlabelled_name
from archdsl.ir.trouble import Reported, Trouble, Turns
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.semantics.env import Budget, Sight
from archdsl.semantics.values import LevelValue, flowing_in
from archdsl.syntax import tree
from archdsl.text.source import Span


class Ref(NamedTuple):
    """A value in a level: a draft's result, or a named one of several."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride] -- nothing searches a Ref
    output: str = ""


class Flow(NamedTuple):
    """What flows from step to step: a value and its shape, None after a mistake."""

    ref: Ref | None
    shape: Shape | None

    @property
    def position(self) -> int:
        """Where the value's draft stands in its level; -1 where nothing flows."""
        return self.ref.index if self.ref is not None else -1


NOTHING = Flow(None, None)


class Way(NamedTuple):
    """The calls of inline blocks and the turns of `for` that lead to a place in a level, outer ones first."""

    calls: tuple[tuple[str, Span], ...]
    turns: Turns


@dataclass(slots=True, eq=False)
class PathUse:
    """What stands at a labelled path of a body: a step, or braces whose steps stand below it."""

    span: Span
    way: Way
    """How lowering came to it, inside its level."""
    is_level: bool
    is_open: bool = False
    """Whether its steps stand in several places of the text, and so in the outer level of the graph."""
    parts: list[Level] = field(default_factory=list["Level"])
    """The braces that make it up, as far as they are lowered."""
    reused: Span | None = None
    """Where it is applied again."""


@dataclass(slots=True)
class Draft:
    """A node whose name is not settled. `hint` is the word that made it, by which it goes where it has no label."""

    hint: str
    span: Span
    inputs: tuple[Ref, ...] = ()
    shapes: Mapping[str, Shape | None] = field(default_factory=dict[str, "Shape | None"])
    label: str | None = None
    op: Op | None = None
    body: Graph | None = None
    inner: Level | None = None
    """The level that `body` was made of, where that stands in braces."""
    repeat: int = 1
    reuses: int | None = None
    attribute_spans: Mapping[str, Span] = field(default_factory=dict[str, Span])
    calls: tuple[tuple[str, Span], ...] = ()
    turns: Turns = ()
    """The turns of the `for` around it, inside its level."""
    is_unfed: bool = False
    """Whether it is, or reads, what a mistake left unknown."""
    trouble: Trouble | None = None
    """What is wrong with it, though all that it reads is known."""
    is_brought: bool = False
    """Whether it is the place where a further value arrives in the level, beside what flows in."""

    @property
    def is_input(self) -> bool:
        if self.op is not None:
            return self.op.category == "input"
        return self.body is None and not self.inputs

    @property
    def is_source(self) -> bool:
        """Whether it reads nothing, and is no input either."""
        return self.op is not None and self.op.is_source


class Level:
    """The drafts of one body, its labels and its named outputs.

    `outer` is the level that it stands in, or whose step calls it; `depth` is how many calls and turns of `for` are
    around it.
    """

    def __init__(self, outer: Level | None = None, depth: tuple[int, int] = (0, 0)) -> None:
        self.outer, self.depth = outer, depth
        self.drafts: list[Draft] = []
        self.labels: dict[str, tuple[int | None, Span]] = {}
        self.paths: dict[str, PathUse] = {}
        """What stands at the labelled paths of a body; the labelled levels in it share this."""
        self.results: dict[str, Ref] = {}
        """Its outputs by name, once it is complete."""
        self.prefix = ""
        """The path of this level in that body, with a dot behind it."""
        self.outputs: list[tuple[str, Ref, bool]] = []
        self.said: set[int] = set()
        """By identity, steps of the text that only say something of the weights."""
        self.passed: list[str] = []
        """What the unlabelled steps so far go by, before any edit; kept where there are edits."""
        self.joins: list[str] = []
        """What the unlabelled joins so far go by, which have no numbers."""
        self.is_numbered = True
        """Whether steps are numbered as in nn.Sequential: a plain chain in which nothing is labelled."""
        self.possible: set[str] = set()
        """Labels of statements that a mistake kept from being lowered."""
        self._brought: dict[LevelValue, Ref] = {}
        self.block: tree.Block | None = None
        """The block whose body it is; None where it is that of braces in its outer level."""
        self.sights: dict[tuple[bool, int], Sight] = {}
        """What `@` reaches in it, by whether that is for an output of training alone and by where its body begins."""
        self.is_aside = False
        """Whether only the own mistakes of its statements count."""
        self.has_pass = False
        """Whether `pass` says somewhere in it that a value goes through as it is."""
        self.is_open = False
        """Whether labels may stand where the lines before are not known."""
        self.removed: set[str] = set()
        """The labels of steps that a variant removes."""
        self.underway: set[str] = set()
        """The labels of the steps that are being lowered, which nothing can refer to yet."""
        self.captured: dict[Ref, tuple[int, LevelValue]] = {}
        """The values of the outer level that are read here, in order of first use, each with where it arrives."""

    def add(self, draft: Draft) -> Flow:
        self.drafts.append(draft)
        return Flow(Ref(len(self.drafts) - 1), draft.shapes.get(""))

    @property
    def is_block(self) -> bool:
        return self.block is not None

    def knows(self, label: str) -> bool:
        """Whether a step that is behind is labelled so, be it with a mistake in it."""
        return label in self.labels and label not in self.underway

    def forget(self, label: str | None) -> None:
        """Take note that a variant removes the step with this label."""
        if label is not None:
            del self.labels[label]
            self.removed.add(label)

    def arrive(self, shape: Shape | None, span: Span) -> Flow:
        """Add the place where a body's input arrives."""
        return self.add(Draft("input", span, (), {"": shape}, is_unfed=shape is None))

    def receive(self, hint: str, shape: Shape | None, span: Span) -> LevelValue:
        """Add the place where a further value arrives, and return the value as it is known here."""
        self.is_numbered = False
        flow = self.add(Draft(hint, span, (), {"": shape}, is_unfed=shape is None, is_brought=True))
        return LevelValue(self, flow.position, "", hint, shape)

    def bring(self, wire: LevelValue, span: Span, budget: Budget) -> Ref:
        """Return a value where it is known in this level; one of a level around it arrives here as an input.

        Errors: Reported where it is a value of statements of which only their own mistakes count, or beside such
        """
        if wire.level is self:
            return Ref(wire.index, wire.output)
        if (known := self._brought.get(wire)) is not None:
            return known
        if self.outer is None or self.is_aside:
            raise Reported
        origin = self.outer.bring(wire, span, budget)
        if origin not in self.captured:
            budget.read(1, span)
            hint = wire.output or wire.name.rpartition(".")[2]
            self.captured[origin] = self.receive(hint, wire.shape, span).index, wire
        self._brought[wire] = found = Ref(self.captured[origin][0])
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it but the places where values arrive."""
        return len(self.drafts) == 1 + sum(draft.is_brought for draft in self.drafts)

    def leave_out(self, hint: str, label: str | None, flow: Flow, span: Span) -> Flow:
        """Keep the place of a step that a mistake leaves unknown."""
        inputs = (flow.ref,) if flow.ref is not None else ()
        return self.add(Draft(hint, span, inputs, {"": None}, label=label, is_unfed=True))

    def aside(self) -> tuple[Level, Flow]:
        """Return a level for statements of which only their own mistakes count, and what flows into it."""
        level = Level(self.outer, self.depth)
        level.possible = self.possible | self.labels.keys()
        level.is_open, level.is_aside, level.block = self.is_open, True, self.block
        return level, level.arrive(None, Span(0, 0))

    def ordered_outputs(self) -> list[tuple[str, Ref, bool]]:
        """Return the named outputs in the order of the text, those of training only behind all others."""
        return sorted(self.outputs, key=lambda output: output[2])

    def next_names(self, hint: str) -> tuple[str, str]:
        """Return the two names that the next unlabelled step may get, numbered or by its hint, if nothing is edited."""
        hint = unlabelled_name(hint)
        count = self.passed.count(hint) + self.joins.count(hint)
        return str(len(self.passed)), hint if not count else f"{hint}_{count + 1}"

    def go_on(self, use: PathUse) -> None:
        """Be one more piece of a level, whose unlabelled steps are counted on."""
        if use.parts:
            self.passed, self.joins = list(use.parts[-1].passed), list(use.parts[-1].joins)
        use.parts.append(self)

    def opened(self, draft: Draft) -> Level | None:
        """Return the level of a draft's braces where its steps stand in this one, since there are more of them."""
        use = self.paths.get(f"{self.prefix}{draft.label}") if draft.inner is not None and draft.label else None
        return draft.inner if use is not None and use.is_open and draft.inner in use.parts else None

    def settle_outputs(self, main: Flow) -> list[tuple[str, Ref, bool]]:
        """Settle its results, and return its outputs; `main` is the flow at the end, if it has one."""
        given = self.ordered_outputs()
        if main.ref is not None:
            given.insert(0, ("", main.ref, False))
        self.results = {"": given[0][1], **{label: ref for label, ref, _ in given}} if given else {}
        return given

    def finish(
        self,
        name: str,
        kind: Literal["model", "block", "group"],
        main: Flow,
        span: Span,
        bindings: Mapping[str, object] | None = None,
        doc: str = "",
    ) -> Graph:
        """Settle the names and make the graph. `main` is the flow at the end; without one the first output is main."""
        given = self.settle_outputs(main)
        written = WrittenOut(self)
        names = written.names()
        values = [Value(own[0], "") for own in names]
        outputs = [Output(label, _value(written.at(ref), values), flag) for label, ref, flag in given]
        kept = {name: value for name, value in (bindings or {}).items() if next(flowing_in(value), None) is None}
        drafts = written.drafts
        nodes = {names[index][0]: _node(draft, names[index], values) for index, draft in enumerate(drafts)}
        graph = Graph(name, kind, nodes, tuple(outputs), span, kept, doc)
        if any(draft.is_unfed or draft.trouble is not None for draft in drafts):
            graph.unfed = frozenset(names[i][0] for i, draft in enumerate(drafts) if draft.is_unfed)
            graph.mistakes = {names[i][0]: draft.trouble for i, draft in enumerate(drafts) if draft.trouble}
        return graph


def _value(ref: Ref, values: Sequence[Value]) -> Value:
    own = values[ref.index]
    return own if not ref.output else Value(own.node, ref.output)


def _node(draft: Draft, own: tuple[str, ...], values: Sequence[Value]) -> Node:
    return Node(
        names=own,
        inputs=tuple([_value(ref, values) for ref in draft.inputs]),
        span=draft.span,
        op=draft.op,
        body=draft.body,
        is_labelled=draft.label is not None,
        reuses=None if draft.reuses is None else values[draft.reuses].node,
        attribute_spans=draft.attribute_spans,
        calls=draft.calls,
        turns=draft.turns,
        word=draft.hint,
    )


class WrittenOut:
    """The drafts of a level, with those of its open levels in their place, and what all of them are called.

    A home is the path of the braces, or of the beginning of a label, that a step stands in, with a dot behind it.
    """

    def __init__(self, level: Level) -> None:
        self.drafts, self.homes = level.drafts, [""] * len(level.drafts)
        self._numbered: dict[str, bool] = {"": level.is_numbered and not level.labels}
        self._taken: dict[str, set[str]] = {"": {draft.label for draft in level.drafts if draft.label is not None}}
        self.at: Callable[[Ref], Ref] = _itself
        if any("." in label for label in self._taken[""]) or any(map(level.opened, level.drafts)):
            self.drafts, self.homes = list[Draft](), list[str]()
            self._taken[""] = set()
            self.at = self._add(level, "", None, ())

    def _add(self, level: Level, home: str, arriving: Iterator[Ref] | None, turns: Turns) -> Callable[[Ref], Ref]:
        """Add a level's drafts, into which these values flow; return where its values are found then."""
        is_numbered = level.is_numbered and not level.labels
        self._numbered[home] = self._numbered.get(home, True) and is_numbered
        found: dict[int, Ref | dict[str, Ref]] = {}

        def at(ref: Ref) -> Ref:
            known = found[ref.index]
            return known[ref.output] if isinstance(known, dict) else Ref(known.index, ref.output)

        for index, draft in enumerate(level.drafts):
            if arriving is not None and draft.is_input:
                found[index] = {"": next(arriving)}
            elif (inner := level.opened(draft)) is not None:
                self._take(f"{home}{draft.label}")
                read = iter([at(ref) for ref in draft.inputs])
                below = self._add(inner, f"{home}{draft.label}.", read, (*turns, *draft.turns))
                found[index] = {name: below(ref) for name, ref in inner.results.items()}
            else:
                found[index] = Ref(len(self.drafts))
                self.homes.append(self._take(f"{home}{draft.label}") if draft.label else home)
                label = draft.label.rpartition(".")[2] if draft.label else None
                inputs = tuple([at(ref) for ref in draft.inputs])
                reuses = None if draft.reuses is None else at(Ref(draft.reuses)).index
                made = replace(draft, label=label, inputs=inputs, reuses=reuses, turns=(*turns, *draft.turns))
                self.drafts.append(made)
        return at

    def _take(self, path: str) -> str:
        """Take a path, and those of the levels that it lies in; return its home."""
        outer, dot, last = path.rpartition(".")
        home = f"{outer}{dot}"
        if home and home not in self._taken:
            self._take(outer)
        self._taken.setdefault(home, set()).add(last)
        return home

    def names(self) -> list[tuple[str, ...]]:
        """Return what each draft is called: its label, its number, or the word that made it, behind its home."""
        unlabelled: dict[str, UnlabelledNames] = {}
        positions: dict[str, int] = {}
        names: list[tuple[str, ...]] = []
        for draft, home in zip(self.drafts, self.homes, strict=True):
            if home not in unlabelled:
                unlabelled[home] = UnlabelledNames(self._taken.get(home, ()))
            if draft.is_brought:
                names.append(())  # below, so that no step has another name because of a value
            elif draft.label is not None:
                names.append((f"{home}{draft.label}",))
            elif self._numbered.get(home) and not self._taken.get(home) and not draft.is_input:
                first = positions.get(home, 0)
                names.append(tuple(f"{home}{first + i}" for i in range(draft.repeat)))
                positions[home] = first + draft.repeat
            else:
                names.append(tuple(f"{home}{unlabelled[home].next(draft.hint)}" for _ in range(draft.repeat)))
        return [own or (unlabelled[""].next(draft.hint),) for own, draft in zip(names, self.drafts, strict=True)]


def _itself(ref: Ref) -> Ref:
    return ref
