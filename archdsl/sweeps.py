"""Many settings of one network: what each costs, without compiling the spec for each."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Settings are whatever a caller gives, and are looked at here.

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from archdsl.compiler import FACTS, compile
from archdsl.lower.dispatch import lower_body
from archdsl.lower.level import NOTHING
from archdsl.lower.levels import main_flow
from archdsl.lower.lowering import MAX_SIZE
from archdsl.lower.model import edits_of
from archdsl.lower.place import Place
from archdsl.lower.plan import Plan, plan_model
from archdsl.lower.settings import UserValue, check_taken, with_settings
from archdsl.network import Network
from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.passes.costs import Total
from archdsl.semantics.context import Outside
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import bind_defaults, evaluate_bool
from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.specs import read_spec
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.source import Source
from archdsl.tracing.operators import TracedInputs
from archdsl.tracing.parts import PartNotes
from archdsl.tracing.passages import MISTAKES, Drawn, SpecPart, Structure
from archdsl.tracing.recorder import Recorder, Untraceable, plain
from archdsl.tracing.runs import EFFORT, SIZE_EFFORT, Notes, Run

_LARGEST = 2**53
"""Numbers in settings up to here are computed with as they are."""
_MOST_DEEP = 40
_MOST_ROOTS, _MOST_PARTS = 256, 10_000
"""For how many kinds of settings, such as those with other texts, notes are kept, and of how many parts."""


@dataclass(frozen=True)
class SweepPoint:
    """One setting of a swept network, and what it costs for one image."""

    settings: Mapping[str, UserValue]
    input: tuple[int, ...] | None
    costs: Total | None
    """None where the spec refuses the setting."""
    error: SpecError | None
    """What is wrong with the setting."""
    _sweep: Sweep

    @cached_property
    def network(self) -> Network:
        """The network itself, compiled, with its tables and warnings. Errors: SpecError where it is refused."""
        return self._sweep.load(self.settings, self.input)


class Sweep:
    """A model of a spec as a function from settings to costs.

    What is computed for the first settings is noted, and computed again for others without compiling the spec; what
    decides otherwise is compiled and noted too. Memories are bounded.

    >>> Sweep("resnet50")(width=32).macs, Sweep("resnet50")((3, 64, 64), width=32).macs
    (1052311552, 86843392)
    """

    def __init__(self, spec: str | Path | Source, model: str | None = None) -> None:
        self._source, self._folder, named = read_spec(spec)
        self._model = model or named
        report = Reporter()
        library = Library(report)
        module = library.load(self._source, self._folder)
        self._module = module if module is not None and not report.has_errors else None
        self._roots: dict[Any, SpecPart | None] = {}
        self.compiled = 0
        """For how many settings the spec was compiled, since they are refused or cannot be noted."""
        if self._module is not None:
            self._modules = library.every()
            self._parts = PartNotes(self._modules)

    def __call__(self, input: Sequence[int] | None = None, /, **settings: UserValue) -> Total:
        """Return what a setting costs, as `load` counts it.

        Errors: SpecError where the spec refuses it
        """
        return self.costs(settings, input)

    def costs(self, settings: Mapping[str, UserValue], input: Sequence[int] | None = None) -> Total:
        """Return what a setting costs, as `load` counts it.

        Errors: SpecError where the spec refuses it
        """
        leaves: list[Any] = []
        try:
            key = (tuple([(name, _open(value, leaves)) for name, value in settings.items()]), _opened(input, leaves))
            root = self._root(key, settings, input)
            if root is not None:
                made = root(*leaves)
                if made.effort + SIZE_EFFORT * made.size < EFFORT and made.depth < _MOST_DEEP:
                    return Total(*made.costs())
        except (Untraceable, ArithmeticError):  # compiling tells what it is
            pass
        self.compiled += 1
        return self.load(settings, input).tables.costs.total

    def points(
        self, settings: Iterable[Mapping[str, UserValue]], input: Sequence[int] | None = None
    ) -> Iterator[SweepPoint]:
        """Yield each setting with its costs; what the spec refuses has an error instead."""
        image = tuple(input) if input is not None else None
        for one in settings:
            try:
                yield SweepPoint(one, image, self.costs(one, input), None, self)
            except SpecError as error:
                yield SweepPoint(one, image, None, error, self)

    def load(self, settings: Mapping[str, UserValue], input: Sequence[int] | None = None) -> Network:
        """Compile the spec with a setting, as `load` does."""
        return Network(compile(self._source, self._model, settings, input, self._folder))

    def _root(self, key: Any, settings: Mapping[str, UserValue], input: Sequence[int] | None) -> SpecPart | None:
        if key in self._roots:
            return self._roots[key]
        if self._module is None:
            return None
        given, image = dict(settings), None if input is None else tuple(input)
        if len(self._roots) >= _MOST_ROOTS or self._parts.count >= _MOST_PARTS:
            self._roots, self._parts = {}, PartNotes(self._modules)
        module, notes = self._module, self._parts.notes
        root = self._roots[key] = SpecPart(
            lambda recorder, leaves: self._draw(recorder, leaves, module, notes, given, image), notes.structures
        )
        return root

    def _draw(
        self,
        recorder: Recorder,
        leaves: Sequence[Any],
        module: Module,
        notes: Notes,
        settings: Mapping[str, UserValue],
        image: tuple[int, ...] | None,
    ) -> Drawn:
        """Lower the model for the numbers of a recorder."""
        left = iter(leaves)
        now = {name: _closed(value, left) for name, value in settings.items()}
        sizes = None if image is None else tuple([next(left) for _ in image])
        of_run = {name: _plain(value) for name, value in now.items()}
        plan = _traced(with_settings(plan_model(module, self._model), of_run), now)
        if plan.freezings or plan.weights is not None:
            raise Untraceable("frozen parts")
        run = Run(recorder, notes, inputs=TracedInputs(sizes))
        if plan.edits:  # which find steps by their labels
            run.tracer.open_labels = ()
        main = run.level
        with run.underway(notes, plan.declaration) as lowering:
            env = Env(plan.module, file_context(plan.module, plan.context, run.budget), run.budget)
            paths = edits_of(plan, env)
            env = bind_defaults(env, plan.declaration.parameters, plan.values, plan.declaration.name)
            flow = lower_body(plan.declaration.body, Place(env, main, paths), NOTHING, lowering)
        run.settle()
        if lowering.said.freezings or lowering.said.weights is not None:
            raise Untraceable("frozen parts")
        if any(id(edit) not in lowering.matched for edit, _ in plan.edits) or not any(d.is_input for d in main.drafts):
            raise Untraceable("a mistake")
        graph = main.finish(plan.name, "model", main_flow(plan.declaration.body, flow, main), plan.declaration.span)
        if graph.size > MAX_SIZE:
            raise Untraceable("a mistake")
        report = Reporter()
        check_taken(plan, report)
        if report.has_errors:
            raise Untraceable("a mistake")

        def check(total: Total) -> None:
            if total.parameters > LARGEST_TENSOR:
                raise Untraceable("weights that may be too large")
            counted = (total.parameters, total.macs, total.flops, total.activation_bytes)
            facts: dict[str, Any] = dict(zip(FACTS, counted, strict=True))
            try:
                for condition, there in lowering.assertions:
                    if not evaluate_bool(condition, there.bind(**facts)):
                        raise Untraceable("an assertion does not hold")
            except MISTAKES as error:
                raise Untraceable("a mistake") from error

        return Drawn(Structure(()), (), graph, (), run.effort(), run.depth(), check)


def sweep(
    spec: str | Path | Source,
    settings: Iterable[Mapping[str, UserValue]],
    model: str | None = None,
    *,
    input: Sequence[int] | None = None,
) -> Iterator[SweepPoint]:
    """Yield what many settings of a model cost, one by one, as `load` counts it; refused ones have their error.

    Errors: SpecError where the spec is not found

    >>> [point.costs.parameters for point in sweep("resnet18", [{"width": 32}, {"width": 64}])]
    [3055880, 11689512]
    """
    return Sweep(spec, model).points(settings, input)


def _open(value: UserValue, leaves: list[Any]) -> Any:
    """Return what a setting looks like without its numbers, which are added to `leaves`."""
    # By exact types: others may be anything, and are left to the compiler.
    if (type(value) is int and -_LARGEST < value < _LARGEST) or (type(value) is float and math.isfinite(value)):
        leaves.append(value)
        return type(value)
    if type(value) is list or type(value) is tuple:
        return tuple([_open(item, leaves) for item in value])
    if type(value) is str or type(value) is bool:
        return value, type(value)
    raise Untraceable(f"a setting of type {type(value).__name__}")


def _opened(image: object, leaves: list[Any]) -> Any:
    if image is None:
        return None
    if not isinstance(image, list | tuple) or not 1 <= len(image) <= 4:
        raise Untraceable("no size of an input")
    for size in image:
        if type(size) is not int or not 0 < size < 2**31:
            raise Untraceable("no size of an input")
        leaves.append(size)
    return len(image)


def _closed(value: Any, leaves: Iterator[Any]) -> Any:
    """Return a setting with other numbers, which are the next of `leaves`."""
    if isinstance(value, list | tuple):
        return tuple([_closed(item, leaves) for item in value])
    return value if isinstance(value, str | bool) else next(leaves)


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if type(value) is tuple else plain(value)


def _traced(plan: Plan, settings: Mapping[str, Any]) -> Plan:
    """Return a plan with traced numbers in place of those that settings gave it."""
    outside = plan.context.outside
    if outside is None:
        return plan
    texts = {name: settings[place.text] for name, place in outside.places.items()}
    made = {name: value if isinstance(texts[name], str) else texts[name] for name, value in outside.values.items()}

    def swap(name: str, value: Any) -> Any:
        return made[name] if name in made and outside.values[name] is value else value

    context = replace(
        plan.context,
        orders=tuple((name, swap(name, value)) for name, value in plan.context.orders),
        argument_orders=tuple(
            ((target, key), swap(f"{target}.{key}", value)) for (target, key), value in plan.context.argument_orders
        ),
        outside=Outside(made, outside.places),
    )
    return replace(plan, values={name: swap(name, value) for name, value in plan.values.items()}, context=context)
