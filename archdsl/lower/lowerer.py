"""Syntax tree to graph: run the spec's text as a program whose steps build the network.

Only channels and the ratio of image sizes are known here, never the image's size, so nothing that is built can
depend on it. A block's body is lowered once for each distinct set of arguments and input shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archdsl.ir import labels
from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.arguments import Arguments, Operators, gather, match_parameters, resolve
from archdsl.lower.branches import changes_shape, may_join, missing_shortcut, split_sizes
from archdsl.lower.edits import OwnArgument, apply_edits, edits_below
from archdsl.lower.inputs import Inputs
from archdsl.lower.level import NOTHING, Draft, Flow, Level, Ref
from archdsl.lower.place import PathEdit, Place, StageStride
from archdsl.lower.recovery import all_bodies, bodies_of, is_damaged, labels_in, mistake_alone, names_bound, names_in
from archdsl.lower.references import draft_again, label_text, refer
from archdsl.lower.stages import MAX_REPEAT, Stage, plan_stages
from archdsl.ops.base import Op, OpError
from archdsl.ops.shape import LARGEST_TENSOR, Shape
from archdsl.ops.sugar import part, total
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import (
    Budget,
    Env,
    beside,
    bind_defaults,
    evaluate,
    evaluate_bool,
    evaluate_int,
    evaluate_list,
    unpack,
)
from archdsl.semantics.library import Module, apply_defaults, file_context
from archdsl.semantics.values import UNKNOWN, Block, Closure, Partial, Setting, identity
from archdsl.syntax import tree
from archdsl.text.diagnostic import Diagnostic, Label, Reporter
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

MAX_STEPS = 20_000
MAX_CALL_DEPTH = 40
MAX_SIZE = 1_000_000
_MOST_CALLS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Instance:
    """A lowered block body and the shapes of its outputs."""

    graph: Graph
    shapes: Mapping[str, Shape | None]


@dataclass(frozen=True, slots=True)
class Lowered:
    """A model's graph, and its assertions with what their names mean."""

    graph: Graph
    assertions: tuple[tuple[tree.Expression, Env], ...]
    deferred: tuple[Diagnostic, ...] = ()
    """Mistakes in shapes, left to the shape pass, which knows more; those that it does not reach are told as here."""


class _EnoughMistakes(Exception):
    """The report is full, so that going on would tell no more."""


class Lowerer:
    """Lowers one model. Mistakes go to `report`; what depends on one is left out."""

    def __init__(self, report: Reporter, image: Sequence[int] | None = None, visited: set[int] | None = None) -> None:
        self.report = report
        self._inputs = Inputs(image)
        self._budget = Budget()
        self._operators = Operators()
        self._instances: dict[Any, Instance] = {}
        self._plain: dict[tuple[str, int, Context], Op] = {}
        """The operators that names without arguments stand for, such as `act`, by file and context."""
        self._calls: list[tuple[str, Span]] = []
        self._running: list[int] = []
        """The blocks that are being lowered, outer ones first."""
        self._endless: set[int] = set()
        """Blocks that were found to call themselves without end."""
        self.visited = visited if visited is not None else set[int]()
        """Bodies of which a statement was lowered, so that mistakes in them are found."""
        self._deferred: list[Diagnostic] = []
        self._is_survey = False
        self._matched: set[int] = set()
        self._assertions: list[tuple[tree.Expression, Env]] = []
        self.steps = 0
        """How many statements and actions were lowered."""
        self.built: set[Span] = set()
        """The blocks that were lowered, by where they are declared."""
        self._lacks_input = False
        self._inputs_written: list[int] = []
        """Where the model's inputs begin; after one that is wrong nothing flows, and that is told there."""
        self._main_level = Level()

    def model(
        self,
        module: Module,
        declaration: tree.Model,
        name: str,
        values: Mapping[str, Setting],
        context: Context,
        edits: Sequence[tuple[tree.Edit, Module]] = (),
        doc: str = "",
    ) -> Lowered | None:
        """Lower a model whose parameters have these values. None if nothing could be made of it."""
        level = self._main_level
        self._inputs_written = [
            statement.span.start
            for statement in declaration.body.statements
            if isinstance(statement, tree.Step)
            and isinstance(statement.action, tree.Call)
            and statement.action.name.text == "input"
        ]
        try:
            parts = Parts()
            env = Env(module, file_context(module, context, self._budget, parts), self._budget)
            paths = tuple(
                PathEdit(tuple(edit.pattern.text.split(".")), edit, Env(home, env.context, self._budget))
                for edit, home in edits
            )
            env = bind_defaults(env, declaration.parameters, values, declaration.name, parts)
            self._fail_all(parts)
            flow = self._chain(declaration.body, NOTHING, Place(env, level, paths))
        except Trouble as trouble:
            self._fail(trouble)
            self.tell_deferred()
            return None
        except (Reported, _EnoughMistakes):
            self.tell_deferred()
            return None
        except RecursionError:
            self.report.error("E003", "statements nest too deep", declaration.name.span, help="name parts with `block`")
            return None
        self._check_edits(edits)
        if not any(draft.is_input for draft in level.drafts):
            self.tell_deferred()
            if not self.report.has_errors:
                help = "begin its body with `input [3, 224, 224]`"
                self.report.error("E121", f"`{name}` has no input", declaration.name.span, help=help)
            return None
        graph = level.finish(name, "model", self._main(declaration.body, flow), declaration.span, env.names, doc)
        if graph.size > MAX_SIZE:
            message = f"`{name}` has {graph.size:,} steps, more than {MAX_SIZE:,}"
            self.report.error("E109", message, declaration.name.span)
            self.tell_deferred()
            return None
        return Lowered(graph, tuple(self._assertions), tuple(self._deferred))

    def _check_edits(self, edits: Sequence[tuple[tree.Edit, Module]]) -> None:
        for edit, _ in edits:
            if id(edit) not in self._matched and not self.is_broken:
                message = f"no step has the path `{edit.pattern.text}`"
                near = nearest(edit.pattern.text, self._main_level.labels)
                other = "`archdsl summary` lists the paths; `*` stands for any one segment"
                help = f"the nearest path is `{near}`" if near else other
                self.report.error("E115", message, edit.pattern.span, help=help)

    @staticmethod
    def _main(body: tree.Body, flow: Flow) -> Flow:
        """Give the flow at a body's end, unless it ends by naming its outputs."""
        last = body.statements[-1] if body.statements else None
        names_last = isinstance(last, tree.Output) and not last.is_training_only
        return NOTHING if names_last else flow

    @property
    def is_broken(self) -> bool:
        """Whether a mistake was found, be it told or left to the shape pass."""
        return self.report.has_errors or bool(self._deferred)

    def tell_deferred(self) -> None:
        """Report mistakes in shapes for which no pass knew more; one that is reported already stays as it is."""
        for diagnostic in self._deferred:
            self.report.add(diagnostic)

    def survey(self, declaration: tree.Block | tree.Model, module: Module, names: Iterable[str]) -> None:
        """Find the mistakes in a body that hold whatever its parameters, and the names given as well, may be."""
        self._is_survey = True
        env = Env(module, file_context(module, Context(), self._budget, Parts()), self._budget)
        parameters = [parameter.name.text for parameter in declaration.parameters]
        unknown = dict.fromkeys((*names, *env.context.names(), *parameters), UNKNOWN)
        level, flow = Level().aside()
        level.is_open = isinstance(declaration, tree.Block) and declaration.is_inline
        parts = Parts()
        bind_defaults(env, declaration.parameters, {}, declaration.name, parts)
        parts.troubles = [trouble for trouble in parts.troubles if trouble.code != "E103"]
        self._fail_all(parts)
        env = replace(env.bind(**unknown), entry=UNKNOWN)
        try:
            self._chain(declaration.body, flow, Place(env, level))
        except Trouble as trouble:
            self._fail(trouble)
        except (Reported, RecursionError, _EnoughMistakes):
            pass

    def _fail(self, trouble: Trouble) -> None:
        for one in trouble.all():
            self.report.add(self._diagnostic(one))

    def _fail_all(self, parts: Parts) -> None:
        for trouble in parts.troubles:
            self._fail(trouble)

    def _defer(self, trouble: Trouble) -> None:
        """Leave a mistake in shapes to the shape pass, which knows the sizes too and where the step stands."""
        self._deferred.append(self._diagnostic(trouble))

    def _diagnostic(self, trouble: Trouble) -> Diagnostic:
        """Give what to say of a mistake, with the calls that led to it."""
        calls = dict.fromkeys(reversed(self._calls))  # a block that calls itself stands in it many times
        shown = [Label(span, f"in `{name}`, called here") for name, span in [*calls][:_MOST_CALLS_SHOWN]]
        return trouble.diagnostic([label for label in shown if label.span[0] != trouble.span.start])

    def _no_input(self, span: Span) -> Trouble | Reported:
        """Say that no value flows in; once, since nothing can flow behind such a step either."""
        if self._lacks_input or any(start < span.start for start in self._inputs_written):
            return Reported()
        self._lacks_input = True
        return Trouble("E121", "nothing flows in here", span, help="begin the model with `input [3, 224, 224]`")

    # Statements.

    def _chain(self, body: tree.Body, flow: Flow, place: Place) -> Flow:
        self.visited.add(id(body))
        for statement in body.statements:
            flow, place = self._statement(statement, flow, place)
        return flow

    def _statement(self, statement: tree.Statement, flow: Flow, place: Place) -> tuple[Flow, Place]:
        """Lower one statement; a mistake in it is reported, and what flows on has no shape."""
        place = place.at(flow)
        try:
            self._count(statement.span)
            damaged = place.env.module.damaged
            if damaged and is_damaged(statement, damaged):
                statement = tree.Broken(statement.span)
            match statement:
                case tree.Step():
                    return self._step(statement, flow, place), place
                case tree.Let():
                    return flow, self._let(statement, place)
                case tree.Defaults():
                    parts = Parts()
                    context = apply_defaults(statement, place.env, parts)
                    self._fail_all(parts)
                    return flow, replace(place, env=replace(place.env, context=context))
                case tree.If():
                    return self._if(statement, flow, place), place
                case tree.For():
                    return self._for(statement, flow, place), place
                case tree.Assert():
                    self._assertions += [(condition, place.env) for condition in statement.conditions]
                    return flow, place
                case tree.Output():
                    self._output(statement, flow, place)
                    return flow, place
                case tree.Broken(span):
                    place.level.possible.update(labels_in(span.text))
                    unknown = dict.fromkeys(names_in(span.text), UNKNOWN)
                    return self._leave_out(statement, flow, place), replace(place, env=place.env.bind(**unknown))
        except OpError as error:
            self._fail(Trouble(error.code, error.message, statement.span, help=error.help, marker=error.marker))
        except Trouble as trouble:
            if trouble.is_fatal:
                raise
            self._fail(trouble)
        except Reported:
            pass
        self._look_aside(bodies_of(statement), names_bound(statement), place)
        if isinstance(statement, tree.Output):
            return flow, place
        return self._leave_out(statement, flow, place), place

    def _look_aside(self, bodies: Iterable[tree.Body], names: Iterable[str], place: Place) -> None:
        """Find the mistakes in bodies that one mistake kept from being lowered, with names that it leaves unknown."""
        for body in bodies:
            if all(id(inner) in self.visited for inner in all_bodies(body)):
                continue
            level, flow = place.level.aside()
            env = place.env.bind(**dict.fromkeys(names, UNKNOWN)).at(flow.ref, None)
            self._chain(body, flow, replace(place, env=env, level=level, edits=(), stride=None))
            place.level.possible.update(level.labels)

    @staticmethod
    def _leave_out(statement: tree.Statement, flow: Flow, place: Place) -> Flow:
        """Give what flows from a statement that a mistake leaves unknown."""
        label, hint = None, "group"
        if isinstance(statement, tree.Step):
            text = statement.label.span.text.rstrip(": ") if statement.label is not None else ""
            label = text if place.level.labels.get(text, (0,))[0] is None else None
            hint = statement.action.name.text if isinstance(statement.action, tree.Call) else hint
        return place.level.leave_out(hint, label, flow, statement.span)

    def _count(self, span: Span) -> None:
        if self.report.is_full:
            raise _EnoughMistakes
        self.steps += 1
        if self.steps > MAX_STEPS:
            message = f"this network has more than {MAX_STEPS:,} distinct steps"
            raise Trouble("E109", message, span, is_fatal=True)

    def _let(self, node: tree.Let, place: Place) -> Place:
        name = node.name.text
        try:
            value = evaluate(node.value, place.env)
        except Trouble as trouble:
            self._fail(trouble)
            value = UNKNOWN
        except Reported:
            value = UNKNOWN
        return replace(place, env=place.env.bind(**{name: value}))

    def _if(self, node: tree.If, flow: Flow, place: Place) -> Flow:
        chosen = node.then if evaluate_bool(node.condition, place.env) else node.otherwise
        if self._is_survey:
            raise Reported  # both ways are looked at, since the condition may hold elsewhere
        return self._chain(chosen, flow, place) if chosen is not None else flow

    def _for(self, node: tree.For, flow: Flow, place: Place) -> Flow:
        for item in evaluate_list(node.source, place.env, "what `for` goes through"):
            self._count(node.span)
            names = unpack(node.targets, item, node.source.span)
            flow = self._chain(node.body, flow, replace(place, env=place.env.bind(**names)))
        return flow

    def _output(self, node: tree.Output, flow: Flow, place: Place) -> None:
        if node.body is not None:
            place.level.is_numbered = False
            inner = replace(place, is_training=place.is_training or node.is_training_only)
            flow = self._chain(node.body, flow, inner)
        name = node.name.text
        if any(name == other for other, _, _ in place.level.outputs):
            raise Trouble("E106", f"output `{name}` is defined twice", node.name.span, help="rename one of the two")
        problem = labels.objection(name)
        if problem or not name.isidentifier():
            help = "choose another name"
            raise Trouble("E112", problem or "an output's name is a plain word", node.name.span, help=help)
        if flow.ref is not None:
            place.level.outputs.append((name, flow.ref, node.is_training_only))

    # Steps.

    def _step(self, step: tree.Step, flow: Flow, place: Place) -> Flow:
        label = None
        try:
            label = self._label(step, place)
        except Trouble as trouble:
            self._fail(trouble)
        if label is not None:
            place.level.labels[label] = (None, step.label.span if step.label else step.span)
        if label is None and step.repeat is not None and not isinstance(step.action, tree.Stages):
            return self._repeated(step, step.action, None, (), flow, place)
        action, own, place = self._edited(step.action, label, place)
        if action is None:
            return flow
        if isinstance(action, tree.Stages):
            return self._all_stages(step, action, flow, place)
        if step.repeat is None:
            result = self._action(action, label, own, flow, place)
        else:
            result = self._repeated(step, action, label, own, flow, place)
        if label is not None and result.ref is not None:
            place.level.labels[label] = (result.ref.index, place.level.labels[label][1])
        return result

    def _label(self, step: tree.Step, place: Place) -> str | None:
        """Give a step's label with its interpolations; stages' own labels are worked out stage by stage."""
        if step.label is None or isinstance(step.action, tree.Stages):
            return None
        return self._label_text(step.label, place)

    def _label_text(self, label: tree.LabelText, place: Place) -> str:
        text = label_text(label, place)
        problem = labels.objection(text)
        if problem:
            help = "write a level inside the other: `outer: { inner: … }`" if "." in text else "choose another label"
            raise Trouble("E112", f"`{text}` cannot be a label: {problem}", label.span, help=help)
        if text in place.level.labels:
            earlier = Label(place.level.labels[text][1], "used here first")
            message = f"label `{text}` is used twice at this level"
            if earlier.span == label.span:
                help = f"make it another each time, with what `for` goes through: `{text}{{i}}`"
                raise Trouble("E106", message, label.span, help=help)
            raise Trouble("E106", message, label.span, labels=(earlier,), help="rename one of the two")
        return text

    def _edited(
        self, action: tree.Action, label: str | None, place: Place
    ) -> tuple[tree.Action | None, tuple[OwnArgument, ...], Place]:
        """Apply a variant's edits, and remember which were of use."""
        edited = apply_edits(action, label, place)
        self._matched.update(map(id, edited.used))
        return edited.action, edited.arguments, edited.place

    def _repeated(
        self,
        step: tree.Step,
        action: tree.Action,
        label: str | None,
        own: tuple[OwnArgument, ...],
        flow: Flow,
        place: Place,
    ) -> Flow:
        assert step.repeat is not None
        try:
            count = self._repeat_count(step.repeat, place.env)
        except (Trouble, Reported) as error:
            result = self._action(action, label, own, flow, place)
            if isinstance(error, Trouble):
                self._fail(error)
            return Flow(result.ref, None)
        if label is None:
            return self._repetitions(count, flow, place, lambda f, p: self._repetition(action, own, f, p))
        return self._nested(
            label, label, step.span, flow, place,
            lambda f, p: self._repetitions(count, f, p, lambda g, q: self._repetition(action, own, g, q)),
        )  # fmt: skip

    def _repetition(self, action: tree.Action, own: tuple[OwnArgument, ...], flow: Flow, place: Place) -> Flow:
        """Lower one repetition, which has a path of its own."""
        edited, more, place = self._edited(action, None, place)
        return self._action(edited, None, (*own, *more), flow, place) if edited is not None else flow

    def _all_stages(self, step: tree.Step, action: tree.Stages, flow: Flow, place: Place) -> Flow:
        if step.repeat is not None:
            raise Trouble("E107", "`stages` repeats by its depths", step.repeat.span, help="remove the `x`")
        return self._stages(action, step.label, flow, place)

    def _repeat_count(self, expression: tree.Expression, env: Env) -> int:
        count = evaluate_int(expression, env, "a repeat")
        if not 0 <= count <= MAX_REPEAT:
            message = f"{count:,} repeats, where a step repeats 0 to {MAX_REPEAT:,} times"
            help = "repeat it less often" if count > 0 else "count from 0"
            raise Trouble("E109", message, expression.span, help=help)
        return count

    def _repetitions(self, count: int, flow: Flow, place: Place, lower: Callable[[Flow, Place], Flow]) -> Flow:
        """Lower repetitions until they no longer change: the rest are equal to the last, and join its node."""
        drafts = place.level.drafts
        for done in range(count):
            before, size = flow.shape, len(drafts)
            flow = lower(flow, replace(place, is_repeat=place.is_repeat or done > 0))
            if before is None or place.edits:
                continue
            is_steady = done > 0 and flow.shape == before and len(drafts) == size + 1 == _index(flow) + 1
            if is_steady and drafts[-1].reuses is None:
                drafts[-1].repeat += count - done - 1
                _merge_equal(drafts)
                return Flow(Ref(len(drafts) - 1), flow.shape)
        return flow

    # Actions.

    def _action(
        self,
        action: tree.Action,
        label: str | None,
        own: tuple[OwnArgument, ...],
        flow: Flow,
        place: Place,
    ) -> Flow:
        self._count(action.span)
        place = place.at(flow)
        match action:
            case tree.Call():
                return self._call(action, label, own, flow, place)
            case tree.Group():
                return self._nested(
                    label, "group", action.span, flow, place, lambda f, p: self._chain(action.body, f, p)
                )
            case tree.Residual():
                return self._residual(action, label, flow, place)
            case tree.Split():
                return self._split(action, label, flow, place)
            case tree.Stages():
                return self._stages(action, None, flow, place)
            case tree.Reference():
                place.level.is_numbered = False
                return refer(action, place)
            case tree.Reuse():
                place.level.is_numbered = False
                again = draft_again(action, label, flow, place.level)
                if again.trouble is not None:
                    self._defer(again.trouble)
                return place.level.add(again)

    def _nested(
        self,
        label: str | None,
        hint: str,
        span: Span,
        flow: Flow,
        place: Place,
        fill: Callable[[Flow, Place], Flow],
    ) -> Flow:
        """Add a level of its own that `fill` fills."""
        if flow.ref is None:
            raise self._no_input(span)
        inner = Level()
        entry = inner.arrive(flow.shape, span)
        result = fill(entry, replace(place, level=inner))
        if len(inner.drafts) == 1 and result.shape is None:
            raise Reported
        if len(inner.drafts) == 1:
            raise Trouble("E122", "this group has no step", span, help="remove it, or write `pass` in a branch")
        graph = inner.finish(label or hint, "group", result, span)
        shapes = _output_shapes(inner, result)
        calls = tuple(self._calls)
        draft = Draft(hint, (flow.ref,), span, shapes, label, None, graph, calls=calls, is_unfed=flow.shape is None)
        return place.level.add(draft)

    def _residual(self, node: tree.Residual, label: str | None, flow: Flow, place: Place) -> Flow:
        if label is not None:
            return self._nested(label, label, node.span, flow, place, lambda f, p: self._residual(node, None, f, p))
        if flow.ref is None:
            raise self._no_input(node.span)
        place.level.is_numbered = False
        parts, is_wanted = Parts(), True
        with parts:
            is_wanted = node.condition is None or evaluate_bool(node.condition, place.env)
        self._fail_all(parts)
        main = self._chain(node.body, flow, place)
        if not is_wanted:
            return main
        if not parts.are_known:
            raise Reported
        skip = flow
        if main.shape is not None and flow.shape is not None and changes_shape(flow.shape, main.shape):
            if node.shortcut is not None:
                skip = self._shortcut(node, flow, place)
            elif not may_join(flow.shape, main.shape):
                return self._mistaken(total(), [main, skip], missing_shortcut(node, flow.shape, main.shape), place)
        if node.shortcut is not None and (main.shape is None or flow.shape is None):
            self._look_aside([node.shortcut], (), place)
        return self._join(type(total()), Arguments({}, {}), [main, skip], node.span, None, place)

    def _shortcut(self, node: tree.Residual, flow: Flow, place: Place) -> Flow:
        assert node.shortcut is not None
        body = node.shortcut
        if node.shortcut_label is None:
            return self._chain(body, flow, place)
        text = tree.LabelText((node.shortcut_label.text,), node.shortcut_label.span)
        step = tree.Step(text, tree.Group(body, body.span), None, body.span)
        return self._step(step, flow, place.at(flow))

    def _split(self, node: tree.Split, label: str | None, flow: Flow, place: Place) -> Flow:
        if label is not None:
            return self._nested(label, label, node.span, flow, place, lambda f, p: self._split(node, None, f, p))
        place.level.is_numbered = False
        target = resolve(node.join.name, place.env)
        if not (isinstance(target, Partial) and _is_join(target)) or node.join.body is None:
            help = "write `split 2 concat { …; … }`"
            raise Trouble("E104", "`split` hands its parts to a join", node.join.name.span, help=help)
        if flow.shape is None:
            raise beside(Reported(), [node.parts], place.env)
        try:
            sizes = split_sizes(node, flow.shape, place.env)
        except Trouble as trouble:
            if trouble.code == "E214":
                self._mistaken(part(start=0, size=1), [flow], trouble, place)
                raise Reported from None
            raise
        parts: list[Flow] = []
        start = 0
        for size in sizes:
            op = part(start, size)
            parts.append(self._apply(op, op.keyword, None, [flow], {}, node.span, place))
            start += size
        branches = self._branches(node.join.body, parts, place)
        if len(branches) != len(parts):
            if any(isinstance(statement, tree.Broken) for statement in node.join.body.statements):
                raise Reported
            message = f"{len(parts)} parts go to {len(branches)} branches"
            raise Trouble("E111", message, node.parts.span, help="give each part one branch; `pass` hands it on")
        return self._join(
            target.target, gather(target, node.join.arguments, place.env), branches, node.span, None, place
        )

    def _branches(self, body: tree.Body, starts: Flow | list[Flow], place: Place, before: int = 0) -> list[Flow]:
        """Lower each statement of a join's body as a branch of its own; `before` of them stand further out."""
        self.visited.add(id(body))
        results: list[Flow] = []
        for statement in body.statements:
            index = before + len(results)
            start = starts if isinstance(starts, Flow) else starts[min(index, len(starts) - 1)]
            inner = place.at(start)
            match statement:
                case tree.Step(label=None, action=tree.Group(inside), repeat=None):
                    results.append(self._chain(inside, start, inner))
                case tree.If():
                    chosen = statement.then if evaluate_bool(statement.condition, inner.env) else statement.otherwise
                    results += self._branches(chosen, starts, inner, index) if chosen else []
                case tree.For():
                    for item in evaluate_list(statement.source, inner.env, "what `for` goes through"):
                        self._count(statement.span)
                        names = unpack(statement.targets, item, statement.source.span)
                        bound = replace(inner, env=inner.env.bind(**names))
                        results += self._branches(statement.body, starts, bound, before + len(results))
                case tree.Step() | tree.Broken():
                    results.append(self._statement(statement, start, inner)[0])
                case _:
                    _, place = self._statement(statement, start, inner)
        return results

    def _stages(self, node: tree.Stages, label: tree.LabelText | None, flow: Flow, place: Place) -> Flow:
        for stage in plan_stages(node, place.env):
            stride = StageStride(stage.stride)
            fill = self._stage(node, stage, stride)
            inner = replace(place, env=place.env.bind(stage=stage.number, total=stage.total, **stage.names))
            if label is None:
                flow = fill(flow, inner)
            else:
                text = self._label_text(label, inner)
                group = tree.Group(node.body, node.body.span)
                action, _, _ = self._edited(group, text, inner)
                if action is None:
                    continue
                place.level.labels[text] = (None, label.span)
                inner = replace(inner, edits=edits_below(text, place.edits))
                if action is group:
                    flow = self._nested(text, text, node.span, flow, inner, fill)
                else:
                    flow = self._action(action, text, (), flow, inner)
                    stride.is_taken = True
                place.level.labels[text] = (_index(flow), label.span)
            if stride.value != 1 and not stride.is_taken and stage.depth and flow.shape is not None:
                message = f"nothing in stage {stage.number} takes its stride of {stride.value}"
                help = "give the block a `stride` parameter, or write `stride=1`"
                self._fail(Trouble("E110", message, node.body.span, help=help))
        return flow

    def _stage(self, node: tree.Stages, stage: Stage, stride: StageStride) -> Callable[[Flow, Place], Flow]:
        """Give what fills one stage: its body, repeated."""
        statements = node.body.statements
        action = statements[0].action if len(statements) == 1 and isinstance(statements[0], tree.Step) else None
        is_simple = action is not None and isinstance(statements[0], tree.Step) and statements[0].label is None
        self.visited.add(id(node.body))
        uses_index = re.search(r"\bindex\b", re.sub(r"#[^\n]*", "", node.body.span.text)) is not None

        def repetition(flow: Flow, place: Place, position: int) -> Flow:
            inner = replace(
                place,
                env=place.env.bind(index=stage.index + position),
                stride=stride if position == 0 else StageStride(1),
                is_repeat=place.is_repeat or position > 0,
            )
            if is_simple:
                return self._statement(statements[0], flow, inner)[0]
            return self._nested(None, "group", node.body.span, flow, inner, lambda f, p: self._chain(node.body, f, p))

        def fill(flow: Flow, place: Place) -> Flow:
            is_repeat = place.is_repeat
            if not uses_index:
                position = iter(range(stage.depth))
                return self._repetitions(
                    stage.depth,
                    flow,
                    place,
                    lambda f, p: repetition(f, replace(p, is_repeat=is_repeat), next(position)),
                )
            for position in range(stage.depth):
                flow = repetition(flow, place, position)
            return flow

        return fill

    # Calls.

    def _call(
        self,
        node: tree.Call,
        label: str | None,
        own: tuple[OwnArgument, ...],
        flow: Flow,
        place: Place,
    ) -> Flow:
        name = node.name
        if name.text == "pass" and name.text not in place.env.names:
            if node.arguments or node.body:
                first = node.arguments[0] if node.arguments else node.body
                assert first is not None
                raise Trouble("E107", "`pass` takes no arguments", first.span, help="remove it")
            return flow
        is_plain = not (node.arguments or node.body or own or name.text in place.env.names)
        key = (name.text, id(place.env.module), place.env.context)
        if is_plain and flow.ref is not None and (op := self._plain.get(key)) is not None:
            return self._apply(op, name.text, label, [flow], {}, node.span, place)
        try:
            target = resolve(name, place.env)
        except Reported as error:
            raise beside(error, [argument.value for argument in node.arguments], place.env) from None
        if isinstance(target, Closure):
            names = dict(target.names)
            env = replace(place.env, module=target.module, names=names)  # pyright: ignore[reportArgumentType] -- what a closure was made of
            return self._chain(target.body, flow, replace(place, env=env))
        arguments = gather(target, node.arguments, place.env)
        for argument, env in own:
            given = gather(Partial(target.name, target.target), [argument], replace(env, context=Context()))
            arguments.values.update(given.values)
            arguments.spans.update(given.spans)
            arguments.parts.troubles += given.parts.troubles
            arguments.parts.are_known &= given.parts.are_known
        if isinstance(target.target, Block):
            return self._call_block(target.target, node, label, arguments, flow, place)
        if is_plain and not target.target.is_join and target.target.category != "input":
            self._plain[key] = self._operators.make(target.target, arguments, name.span)
        return self._call_op(target, node, label, arguments, flow, place)

    def _call_op(
        self, target: Partial, node: tree.Call, label: str | None, arguments: Arguments, flow: Flow, place: Place
    ) -> Flow:
        assert not isinstance(target.target, Block)
        op = target.target
        if op.is_join:
            if node.body is None:
                help = f"write `{node.name.text} {{ …; … }}`"
                raise Trouble("E103", f"`{node.name.text}` joins branches, and none are given", node.span, help=help)
            if label is not None:
                return self._nested(
                    label, label, node.span, flow, place,
                    lambda f, p: self._call_op(target, node, None, arguments, f, p),
                )  # fmt: skip
            place.level.is_numbered = False
            return self._join(op, arguments, self._branches(node.body, flow, place), node.span, None, place)
        if node.body is not None:
            help = "put a new line or `;` before the brace, where it is a group of steps; else remove it"
            raise Trouble("E107", f"`{node.name.text}` takes no body", node.body.span, help=help)
        made = self._operators.make(op, arguments, node.name.span)
        if op.category == "input":
            return self._input(made, label, node, place)
        if flow.ref is None:
            raise self._no_input(node.span)
        return self._apply(made, node.name.text, label, [flow], arguments.spans, node.span, place)

    def _join(
        self,
        op: type[Op] | Block,
        arguments: Arguments,
        branches: list[Flow],
        span: Span,
        label: str | None,
        place: Place,
    ) -> Flow:
        assert not isinstance(op, Block)
        if not branches:
            raise Trouble("E222", f"`{op.keyword}` has no branches", span, help="give it at least two")
        made = self._operators.make(op, arguments, span)
        keyword = Span(span.start, min(span.end, span.start + len(_first_word(span))), span.source)
        return self._apply(made, op.keyword, label, branches, arguments.spans, keyword, place)

    def _apply(
        self,
        op: Op,
        hint: str,
        label: str | None,
        flows: Sequence[Flow],
        spans: Mapping[str, Span],
        span: Span,
        place: Place,
    ) -> Flow:
        """Add an operator, checking what its shape rule says of channels."""
        if op.is_parameter:
            place.level.is_numbered = False
        refs = tuple(flow.ref for flow in flows if flow.ref is not None)
        shapes = [flow.shape for flow in flows if flow.shape is not None]
        shape, trouble = None, None
        is_unfed = len(shapes) < len(flows) or len(refs) < len(flows)
        try:
            if is_unfed:
                self._check_alone(op, spans, span)
            else:
                shape = op.infer_shape(shapes)
                if any(isinstance(size, int) and size > LARGEST_TENSOR for size in shape):
                    raise OpError("E109", f"{shape} is larger than a tensor can be")
        except OpError as error:
            shape, where = None, spans.get(error.attribute, span)
            trouble = Trouble(error.code, error.message, where, help=error.help, marker=error.marker)
            self._defer(trouble)
        calls = tuple(self._calls)
        draft = Draft(hint, refs, span, {"": shape}, label, op, None, 1, None, spans, calls, is_unfed, trouble)
        return place.level.add(draft)

    def _check_alone(self, op: Op, spans: Mapping[str, Span], span: Span) -> None:
        """Report what is wrong with an operator whatever flows into it."""
        error = mistake_alone(op)
        if error is not None:
            where = spans.get(error.attribute, span)
            self._fail(Trouble(error.code, error.message, where, help=error.help, marker=error.marker))

    def _mistaken(self, op: Op, flows: Sequence[Flow], trouble: Trouble, place: Place) -> Flow:
        """Add a node for a mistake that lowering itself finds in shapes."""
        self._defer(trouble)
        refs = tuple(flow.ref for flow in flows if flow.ref is not None)
        calls = tuple(self._calls)
        draft = Draft(op.keyword, refs, trouble.span, {"": None}, op=op, calls=calls, trouble=trouble)
        return place.level.add(draft)

    def _input(self, op: Op, label: str | None, node: tree.Call, place: Place) -> Flow:
        if place.level.is_aside and not self._calls:
            raise Reported
        if self._calls or place.level is not self._main_level or place.is_repeat:
            help = "write it in the model's own body, outside groups, blocks and repeats"
            raise Trouble("E121", "`input` is a step of the model itself", node.span, help=help)
        op, shape = self._inputs.add(op, node.span)
        return place.level.add(Draft("input", (), node.span, {"": shape}, label=label, op=op))

    def _call_block(
        self, block: Block, node: tree.Call, label: str | None, arguments: Arguments, flow: Flow, place: Place
    ) -> Flow:
        declaration = block.declaration
        self.built.add(declaration.span)
        if node.body is not None:
            self._bind_body(declaration, node.body, arguments, place)
        if id(declaration) in self._endless:
            raise Reported
        values, orders = match_parameters(block, arguments, place.env)
        self._bind_stride(declaration, values, place)
        if flow.ref is None:
            raise self._no_input(node.span)
        context = place.env.context.order(orders) if orders else place.env.context
        if block.module is not place.env.module and block.module.wishes:
            context = context.fallback(file_context(block.module, Context(), self._budget))
        if len(self._calls) >= MAX_CALL_DEPTH:
            self._endless |= {running for running in self._running if self._running.count(running) > 1}
            message = f"blocks call each other more than {MAX_CALL_DEPTH} levels deep"
            raise Trouble("E108", message, node.name.span, help="let a condition end the recursion")
        entry = UNKNOWN if flow.shape is None else flow.shape
        env = Env(block.module, context, self._budget, entry=entry)
        if self._is_survey:
            parts = Parts()
            bind_defaults(env, declaration.parameters, values, node.name, parts)
            self._fail_all(parts)
            raise Reported
        if declaration.is_inline:
            return self._inline(declaration, node, label, values, env, flow, place)
        given = tuple(sorted(((name, identity(value)) for name, value in values.items()), key=_first))
        key = (id(declaration), given, context, flow.shape, place.edits)
        instance = self._instances.get(key)
        if instance is None:
            instance = self._instances[key] = self._instantiate(block, node, values, env, flow.shape, place.edits)
        draft = Draft(
            node.name.text,
            (flow.ref,),
            node.span,
            instance.shapes,
            label=label,
            body=instance.graph,
            attribute_spans=arguments.spans,
            calls=tuple(self._calls),
            is_unfed=flow.shape is None,
        )
        return place.level.add(draft)

    @staticmethod
    def _bind_body(declaration: tree.Block, body: tree.Body, arguments: Arguments, place: Place) -> None:
        for parameter in declaration.parameters:
            if parameter.type is not None and parameter.type.text == "body":
                names = tuple(place.env.names.items())
                arguments.values[parameter.name.text] = Closure(body, place.env.module, names)
                return
        message = f"`{declaration.name.text}` takes no body"
        raise Trouble("E107", message, body.span, help="a block takes one through a parameter of type `body`")

    @staticmethod
    def _bind_stride(declaration: tree.Block, values: dict[str, Setting], place: Place) -> None:
        """Settle a `stride` parameter: 1 in later repetitions, else as given, else the stage's."""
        for parameter in declaration.parameters:
            if parameter.type is None or parameter.type.text != "stride":
                continue
            name = parameter.name.text
            if place.is_repeat:
                values[name] = 1
            elif name not in values and place.stride is not None and not place.stride.is_taken:
                values[name] = place.stride.value
            if place.stride is not None:
                place.stride.is_taken = True
            return

    def _instantiate(
        self,
        block: Block,
        node: tree.Call,
        values: Mapping[str, Setting],
        env: Env,
        shape: Shape | None,
        edits: tuple[PathEdit, ...],
    ) -> Instance:
        """Lower a block's body. Behind a mistake the shape is unknown, and only the body's own mistakes count."""
        declaration = block.declaration
        self._enter(declaration, node)
        try:
            level = Level()
            entry = level.arrive(shape, declaration.name.span)
            parts = Parts()
            env = bind_defaults(env.at(entry.ref, shape), declaration.parameters, values, node.name, parts)
            self._fail_all(parts)
            flow = self._chain(declaration.body, entry, Place(env, level, edits))
            if len(level.drafts) == 1 and flow.shape is None:
                raise Reported
            if len(level.drafts) == 1 and shape is not None:
                name = declaration.name
                raise Trouble("E122", f"`{name.text}` has no step for {shape}", name.span, help="give it a step")
            main = self._main(declaration.body, flow)
            doc = block.module.doc(declaration)
            graph = level.finish(declaration.name.text, "block", main, declaration.span, env.names, doc)
        except Reported:
            return Instance(_EMPTY, {"": None})
        finally:
            self._leave()
        if graph.size > MAX_SIZE:
            message = f"`{declaration.name.text}` has {graph.size:,} steps, more than {MAX_SIZE:,}"
            help = "repeat less: blocks that call each other multiply"
            raise Trouble("E109", message, node.span, help=help, is_fatal=True)
        return Instance(graph, _output_shapes(level, main))

    def _enter(self, declaration: tree.Block, node: tree.Call) -> None:
        self._calls.append((declaration.name.text, node.span))
        self._running.append(id(declaration))

    def _leave(self) -> None:
        self._calls.pop()
        self._running.pop()

    def _inline(
        self,
        declaration: tree.Block,
        node: tree.Call,
        label: str | None,
        values: Mapping[str, Setting],
        env: Env,
        flow: Flow,
        place: Place,
    ) -> Flow:
        if label is not None:
            return self._nested(
                label, label, node.span, flow, place,
                lambda f, p: self._inline(declaration, node, None, values, env, f, p),
            )  # fmt: skip
        self._enter(declaration, node)
        try:
            parts = Parts()
            inner = bind_defaults(env.at(flow.ref, flow.shape), declaration.parameters, values, node.name, parts)
            self._fail_all(parts)
            return self._chain(declaration.body, flow, replace(place, env=inner, stride=None, is_repeat=False))
        finally:
            self._leave()


def _first(item: tuple[str, Any]) -> str:
    return item[0]


def _first_word(span: Span) -> str:
    return span.text.split(maxsplit=1)[0] if span.text.strip() else ""


def _index(flow: Flow) -> int:
    return flow.ref.index if flow.ref is not None else -1


def _is_join(target: Partial) -> bool:
    return not isinstance(target.target, Block) and target.target.is_join


def _output_shapes(level: Level, main: Flow) -> dict[str, Shape | None]:
    named = {name: level.drafts[ref.index].shapes.get(ref.output) for name, ref, _ in level.ordered_outputs()}
    first = main.shape if main.ref is not None else next(iter(named.values()), None)
    return {"": first, **named}


def _merge_equal(drafts: list[Draft]) -> None:
    """Join the last draft with the one before it where both are the same call."""
    if len(drafts) < 2:
        return
    before, last = drafts[-2], drafts[-1]
    is_chained = last.inputs == (Ref(len(drafts) - 2),) and before.label is None and not before.is_input
    same = before.op == last.op and before.body is last.body and before.shapes == last.shapes
    if is_chained and same and before.reuses is None and last.label is None:
        before.repeat += last.repeat
        drafts.pop()


_EMPTY = Level().finish("", "block", NOTHING, Span(0, 0))
