"""Syntax tree to graph: run the spec's text as a program whose steps build the network.

Only channels and the ratio of image sizes are known here, never the image's size, so nothing that is built can
depend on it. A block's body is lowered once for each distinct set of arguments and input shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from archdsl.ir.freezing import Freezing
from archdsl.ir.graph import Graph
from archdsl.ir.start import WeightsSource
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.dispatch import lower_body
from archdsl.lower.inputs import Inputs
from archdsl.lower.level import NOTHING, Flow, Level
from archdsl.lower.levels import main_flow
from archdsl.lower.lowering import MAX_SIZE, EnoughMistakes, Lowering
from archdsl.lower.place import PathEdit, Place
from archdsl.lower.plan import Plan
from archdsl.lower.rules import RULES
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import bind_defaults
from archdsl.semantics.module import Module
from archdsl.semantics.values import UNKNOWN
from archdsl.syntax import tree
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.record import record
from archdsl.text.source import Span
from archdsl.text.suggest import nearest


@record
class Lowered:
    """A model's graph, None if nothing could be made of it, and its assertions with what their names mean."""

    graph: Graph | None
    assertions: tuple[tuple[tree.Expression, Env], ...]
    deferred: tuple[Diagnostic, ...]
    """Mistakes in shapes, left to the shape pass, which knows more; those that it does not reach are told as here."""
    steps: int
    """How many statements and actions were lowered."""
    built: frozenset[Span]
    """The model and the blocks that were lowered, by where they are declared."""
    freezings: tuple[Freezing, ...]
    """What of the network is frozen, by the model's own body and then by variants."""
    weights: WeightsSource | None
    """The file that its weights start from, if any."""


def lower_model(
    plan: Plan, report: Reporter, image: Sequence[int] | None = None, visited: set[int] | None = None
) -> Lowered:
    """Lower a planned model; `image` is a shape for its only input.

    Ensures: mistakes are in `report` or deferred; `visited` has the identities of the bodies that were gone through.
    """
    lowering = Lowering(RULES, report, Inputs(image), set() if visited is None else visited)
    graph = _lower(plan, lowering)
    if graph is None:
        lowering.tell_deferred()
    built = frozenset({*lowering.built, plan.declaration.span})
    said = lowering.said
    freezings, weights = (*said.freezings, *plan.freezings), plan.weights or said.weights
    return Lowered(
        graph, tuple(lowering.assertions), tuple(lowering.deferred), lowering.steps, built, freezings, weights
    )


def _lower(plan: Plan, lowering: Lowering) -> Graph | None:
    declaration, report = plan.declaration, lowering.report
    lowering.inputs_written = [step.span.start for step in declaration.body.statements if _is_input(step)]
    try:
        env, flow = _run(plan, lowering)
    except Trouble as trouble:
        lowering.fail(trouble)
        return None
    except (Reported, EnoughMistakes):
        return None
    except RecursionError:
        report.error("E003", "statements nest too deep", declaration.name.span, help="name parts with `block`")
        return None
    _check_edits(plan, lowering)
    if not any(draft.is_input for draft in lowering.main.drafts):
        lowering.tell_deferred()
        if not report.has_errors:
            help = "begin its body with `input [3, 224, 224]`"
            report.error("E121", f"`{plan.name}` has no input", declaration.name.span, help=help)
        return None
    main = main_flow(declaration.body, flow, lowering.main)
    graph = lowering.main.finish(plan.name, "model", main, declaration.span, env.names, plan.doc)
    if graph.size > MAX_SIZE:
        message = f"`{plan.name}` has {graph.size:,} steps, more than {MAX_SIZE:,}"
        report.error("E109", message, declaration.name.span)
        return None
    return graph


def _is_input(statement: tree.Statement) -> bool:
    return (
        isinstance(statement, tree.Step)
        and isinstance(statement.action, tree.Call)
        and statement.action.name.text == "input"
    )


def _run(plan: Plan, lowering: Lowering) -> tuple[Env, Flow]:
    """Lower the model's body; return what names mean in it, and what flows out of it."""
    parts, budget = Parts(), lowering.budget
    env = Env(plan.module, file_context(plan.module, plan.context, budget, parts), budget)
    paths = edits_of(plan, env)
    env = bind_defaults(env, plan.declaration.parameters, plan.values, plan.declaration.name, parts)
    lowering.fail_all(parts)
    return env, lower_body(plan.declaration.body, Place(env, lowering.main, paths), NOTHING, lowering)


def edits_of(plan: Plan, env: Env) -> tuple[PathEdit, ...]:
    """Return the edits of a model's variants, at the beginning of their way down; `env` is the model's own."""
    return tuple(
        PathEdit(tuple(edit.pattern.text.split(".")), edit, Env(home, env.context, env.budget))
        for edit, home in plan.edits
    )


def _check_edits(plan: Plan, lowering: Lowering) -> None:
    """Report edits that reach no step, unless a mistake may have kept the step from being lowered."""
    for edit, _ in plan.edits:
        if id(edit) not in lowering.matched and not lowering.is_broken:
            message = f"no step has the path `{edit.pattern.text}`"
            near = nearest(edit.pattern.text, lowering.main.labels)
            other = "`archdsl summary` lists the paths; `*` stands for any one segment"
            help = f"the nearest path is `{near}`" if near else other
            lowering.report.error("E115", message, edit.pattern.span, help=help)


def survey_body(
    declaration: tree.Block | tree.Model, module: Module, names: Iterable[str], visited: set[int], report: Reporter
) -> None:
    """Report the mistakes in a body that hold whatever its parameters, and the names given as well, may be."""
    lowering = Lowering(RULES, report, Inputs(None), visited, is_survey=True)
    env = Env(module, file_context(module, Context(), lowering.budget, Parts()), lowering.budget)
    parameters = [parameter.name.text for parameter in declaration.parameters]
    unknown = dict.fromkeys((*names, *env.context.names(), *parameters), UNKNOWN)
    level, flow = Level().aside()
    level.is_open = isinstance(declaration, tree.Block) and declaration.is_inline
    parts = Parts()
    bind_defaults(env, declaration.parameters, {}, declaration.name, parts)
    parts.troubles = [trouble for trouble in parts.troubles if trouble.code != "E103"]
    lowering.fail_all(parts)
    env = replace(env.bind(**unknown), entry=UNKNOWN)
    try:
        lower_body(declaration.body, Place(env, level), flow, lowering)
    except Trouble as trouble:
        lowering.fail(trouble)
    except (Reported, RecursionError, EnoughMistakes):
        pass
