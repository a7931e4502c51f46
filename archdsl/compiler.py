"""The pipeline in one place: a spec's source to a network's graph, facts and diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING, cast

from archdsl.ir.freezing import Freezing
from archdsl.ir.graph import Graph
from archdsl.ir.start import WeightsSource
from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.model import Lowered, lower_model
from archdsl.lower.plan import Plan, plan_model
from archdsl.lower.settings import UserValue, check_image, check_taken, with_settings
from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.ops.sugar import norm_of_one_group
from archdsl.passes.bounds import check_weights
from archdsl.passes.costs import count_costs
from archdsl.passes.groups import name_divisors, refused_groups
from archdsl.passes.shapes import Misfit, Shapes, infer_shapes
from archdsl.passes.steady import check_steady
from archdsl.passes.tables import Tables
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import FACTS, Budget, Env
from archdsl.semantics.evaluate import bind_defaults, evaluate_bool
from archdsl.semantics.keymap import KeyMap, build_key_maps
from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.semantics.refute import refute
from archdsl.semantics.values import UNKNOWN, Partial, Setting, Unknown
from archdsl.text.diagnostic import Diagnostic, Reporter, Severity
from archdsl.text.error import SpecError
from archdsl.text.garbage import without_collecting
from archdsl.text.record import record
from archdsl.text.source import Source, Span

if TYPE_CHECKING:
    from archdsl.backends.spec.said import SaidOfWeights


@record
class Compilation:
    """One model of a spec, compiled: its graph and facts as far as the spec's mistakes leave any."""

    name: str
    graph: Graph | None
    tables: Tables | None
    """The graph's shapes and costs."""
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    source: Source
    key_maps: tuple[KeyMap, ...] = ()
    freezings: tuple[Freezing, ...] = ()
    """What of it stays as it is in training."""
    weights: WeightsSource | None = None
    """The file that its weights start from, if it names one."""
    module: Module | None = field(default=None, compare=False, repr=False)
    """The source's names, with the warnings that it wants left out; None where it has no tree."""
    again: Callable[[Mapping[str, UserValue]], Compilation] | None = field(default=None, compare=False, repr=False)
    """Compiles the same model once more, with some of the settings changed."""
    files: tuple[Path, ...] = field(default=(), compare=False, repr=False)
    """The files that were read for it."""

    def find_warnings(self) -> tuple[Diagnostic, ...]:
        """Return what is suspicious about a sound model, as far as it stands in the source's own text."""
        report = Reporter()
        if self.module is not None and self.tables is not None:
            report.leave_out(self.module.allowances.drops)
            _lint_network(self.tables, self.module, report)
        return report.diagnostics


@dataclass(slots=True, eq=False)
class Work:
    """One model on its way through the pipeline: what was asked for, and what the steps have made of it so far."""

    module: Module
    """The file that is compiled, which may take the model from another."""
    report: Reporter
    model: str | None = None
    settings: Mapping[str, UserValue] = field(default_factory=dict[str, UserValue])
    image: Sequence[int] | None = None
    visited: set[int] = field(default_factory=set[int])
    """The bodies that were gone through, also for models before this one."""
    plan: Plan | None = None
    lowered: Lowered | None = None
    key_maps: tuple[KeyMap, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    """Steps whose inputs do not fit."""
    shapes: Shapes | None = None
    """None where there are mistakes."""
    tables: Tables | None = None
    """The shapes with their costs."""

    @property
    def graph(self) -> Graph | None:
        """The model's graph, with its sound part where there are mistakes."""
        return self.lowered.graph if self.lowered is not None else None

    def run(self, steps: Sequence[Callable[[Work], None]]) -> Work:
        """Take the steps, one after another."""
        for step in steps:
            try:
                step(self)
            except RecursionError:
                span = self.plan.declaration.name.span if self.plan is not None else Span(0, 0, self.module.file.source)
                help = "name parts of its expressions with `let`"
                self.report.error("E003", "expressions nest too deep", span, help=help)
        return self


def plan(work: Work) -> None:
    """Find the model meant, and apply its variants and the settings."""
    is_size = False
    with _told(work.report):
        check_image(work.image)
        is_size = True
    with _told(work.report):
        found = with_settings(plan_model(work.module, work.model), work.settings)
        work.plan = found if is_size else None


def lower(work: Work) -> None:
    """Make the graph, as far as mistakes leave anything of it."""
    if work.plan is not None:
        work.lowered = lower_model(work.plan, work.report, work.image, work.visited)


def map_keys(work: Work) -> None:
    """Read the name maps of the file compiled and of the one that the model stands in, with those that they use."""
    if work.plan is None or work.graph is None or work.report.has_errors:
        return
    plan, homes = work.plan, list(dict.fromkeys([*work.module.key_homes(), *work.plan.module.key_homes()]))
    if homes:
        budget, declaration = Budget(), plan.declaration
        env = Env(plan.module, file_context(plan.module, plan.context, budget), budget)
        env = bind_defaults(env, declaration.parameters, plan.values, declaration.name)
        work.key_maps = build_key_maps([(home.keys, replace(env, module=home)) for home in homes], work.report)


def infer(work: Work) -> None:
    """Infer the shapes."""
    if work.lowered is None or work.graph is None:
        return
    inputs = [node.op.infer_shape([]) for node in work.graph.inputs if node.op is not None]
    shapes, work.misfits = infer_shapes(work.graph, inputs)
    if not (work.misfits or work.lowered.deferred or work.report.has_errors):
        work.shapes = shapes


def freeze(work: Work) -> None:
    """Freeze what the spec says, and see that there is what it draws anew."""
    if work.shapes is None or work.lowered is None:
        return
    anew = work.lowered.weights.anew if work.lowered.weights is not None else None
    if not work.lowered.freezings and anew is None:
        return
    from archdsl.passes.freeze import covered_keys, freeze  # few specs say any

    shapes, work.shapes = work.shapes, None
    with _told(work.report):
        if anew is not None:
            covered_keys(shapes, anew)
        work.shapes = freeze(shapes, work.lowered.freezings) if work.lowered.freezings else shapes
        work.lowered = replace(work.lowered, graph=work.shapes.graph)


def explain(work: Work) -> None:
    """Say why shapes do not fit, and which groups would do where a norm that the context gives is refused."""
    if work.misfits:
        from archdsl.passes.blame import explain  # only where something is wrong

        explained = list(zip(work.misfits, explain(work.misfits), strict=True))
        groups = refused_groups(work.misfits)
        # With mistakes elsewhere the other network would lack what they leave out.
        if groups is not None and work.plan is not None and not work.report.has_errors:
            norm = norm_of_one_group()
            value = Partial(norm.keyword, type(norm), tuple(norm.model_dump(exclude_unset=True).items()))
            changed = replace(work.plan, context=work.plan.context.order({"norm": value}))
            other = Work(work.module, Reporter(), image=work.image, plan=changed).run((lower, infer))
            if other.shapes is not None:
                explained = name_divisors(explained, groups, other.shapes)
        for _, diagnostic in explained:
            work.report.add(diagnostic)
    told = {(misfit.trouble.code, misfit.trouble.span) for misfit in work.misfits}
    for diagnostic in work.lowered.deferred if work.lowered is not None and work.graph is not None else ():
        if (diagnostic.code, diagnostic.span) not in told:  # explained, perhaps at another place
            work.report.add(diagnostic)


def count(work: Work) -> None:
    """Count the costs."""
    if work.shapes is None:
        return
    work.tables = Tables(work.shapes, count_costs(work.shapes))
    if work.tables.costs.total.parameters > LARGEST_TENSOR:
        check_weights(work.shapes, work.report)
        if work.report.has_errors:
            work.shapes = work.tables = None


def check_assertions(work: Work) -> None:
    """Hold the costs against what the spec says of them; without costs, find what else is wrong with assertions."""
    facts: dict[str, Setting | Unknown] = dict.fromkeys(FACTS, UNKNOWN)
    if work.tables is not None:
        total = work.tables.costs.total
        counted = (total.parameters, total.macs, total.flops, total.activation_bytes)
        facts = dict(zip(FACTS, counted, strict=True))
    for condition, env in work.lowered.assertions if work.lowered is not None and work.graph is not None else ():
        with _told(work.report):
            if not evaluate_bool(condition, env.bind(**facts)):
                span, message = refute(condition, env.bind(**facts))
                work.report.error("E119", message, span)


def check_settings(work: Work) -> None:
    """Find the settings that have no effect on a sound model."""
    if work.plan is not None and work.tables is not None and not work.report.has_errors:
        check_taken(work.plan, work.report)


def lint(work: Work) -> None:
    """Find what is suspicious about a sound model, as far as it stands in the file's own text."""
    if work.tables is not None and not work.report.has_errors:
        _lint_network(work.tables, work.module, work.report)


STEPS: tuple[Callable[[Work], None], ...] = (
    plan, lower, map_keys, infer, explain, freeze, count, check_assertions, check_settings,
)  # fmt: skip
"""From a file to a model's graph and facts, each step as far as the ones before left something to work on."""


@contextmanager
def _told(report: Reporter) -> Generator[None]:
    """Report what goes wrong."""
    try:
        yield
    except Trouble as trouble:
        trouble.tell(report)
    except Reported:
        pass


def _lint_network(tables: Tables, module: Module, report: Reporter) -> None:
    from archdsl.passes.lint import lint_network  # only checking needs it
    from archdsl.passes.lint.facts import Facts

    prelude = module.prelude.file.source if module.prelude is not None else None
    lint_network(Facts(tables, module.file.source, prelude), report)


def compile_networkx(graph: object) -> Compilation:
    """Compile a networkx graph. Never raises for what it holds: mistakes are in `diagnostics`, by the nodes' paths.

    The digest is that which the graph brings along as long as nothing in it is changed, else one of its own.
    """
    from archdsl.ir.content import content_of
    from archdsl.ir.from_networkx import read_networkx
    from archdsl.ir.listing import NAME, is_graph
    from archdsl.ir.verify import verify
    from archdsl.passes.frozen import describe_frozen

    report = Reporter()
    made = read_networkx(graph, report)
    if made is None or not is_graph(graph):
        return Compilation("", None, None, report.diagnostics, "", Source("", NAME))
    verify(made)
    tables = _measure(made, report)
    if report.has_errors:  # said again of paths: the places in a text that nodes bring along tell what once stood there
        by_path = read_networkx(graph, Reporter(), by_path=True)
        report = Reporter()
        _measure(by_path or made, report)
    content, earlier = content_of(made), graph.graph.get("content")
    given: object = graph.graph.get("digest")
    digest = given if isinstance(given, str) and fullmatch("[0-9a-f]{16}", given) else ""
    if not digest or not isinstance(earlier, str) or earlier != content:
        digest = sha256(f"{digest} {content}".encode()).hexdigest()[:16]
    found: object = graph.graph.get("key_maps")
    maps = cast("tuple[object, ...]", found) if isinstance(found, tuple) else ()
    maps = tuple(item for item in maps if isinstance(item, KeyMap))
    freezings = describe_frozen(tables.shapes) if tables is not None else ()
    start: object = graph.graph.get("weights")
    weights = start if isinstance(start, WeightsSource) else None
    return Compilation(made.name, made, tables, report.diagnostics, digest, made.span.source, maps, freezings, weights)


def write_text(shapes: Shapes, weights: WeightsSource | None = None) -> str:
    """Return the text of a spec that compiles to the same graph, as the formatter would have it.

    Errors: SpecError with E314 where the language cannot say the graph
    """
    from archdsl.backends.spec.said import SaidOfWeights
    from archdsl.passes.frozen import describe_frozen
    from archdsl.passes.nest import Obstacle, nest

    graph, said = shapes.graph, SaidOfWeights(describe_frozen(shapes), weights)
    nested = nest(graph)
    # What no braces can hold is said by labels that are paths.
    text, reason = _text(graph if isinstance(nested, Obstacle) else nested, said)
    if text is None and isinstance(nested, Obstacle):
        raise _unsayable(graph, f"`{nested.path}`, {nested.reason}", nested.node.span)
    if text is None:
        raise _unsayable(graph, reason, graph.span)
    return text


def _text(graph: Graph, said: SaidOfWeights) -> tuple[str | None, str]:
    """Return the text of a hierarchical graph, None where there is none, and the reason."""
    from archdsl.backends.spec.spec import spec_text
    from archdsl.backends.spec.steps import Unsayable
    from archdsl.ir.content import content_of

    reason = "its steps in another order"
    for is_plain in (False, True):
        try:
            text = spec_text(graph, said, is_plain=is_plain)
        except Unsayable as error:
            return None, str(error)
        again = compile(Source(text, f"{graph.name}.arch"), graph.name)
        if again.tables is not None and content_of(again.tables.graph, is_bare=True) == content_of(graph, is_bare=True):
            return text, ""
        reason = next((found.message for found in again.diagnostics if found.severity is Severity.ERROR), reason)
    return None, reason


def _unsayable(graph: Graph, reason: str, span: Span) -> SpecError:
    report = Reporter()
    help = "rewrite that part of the graph, or keep the graph itself"
    report.error("E314", f"the language cannot say `{graph.name}`: {reason}", span, help=help)
    return SpecError(report.diagnostics)


def _measure(graph: Graph, report: Reporter) -> Tables | None:
    """Work out shapes and costs of a graph that no text is the source of."""
    inputs = [node.op.infer_shape([]) for node in graph.inputs if node.op is not None]
    shapes, misfits = infer_shapes(graph, inputs)
    if misfits:
        from archdsl.passes.blame import explain  # only where something is wrong

        for diagnostic in explain(misfits):
            report.add(diagnostic)
        return None
    check_steady(shapes, report)
    if report.has_errors:
        return None
    costs = count_costs(shapes)
    if costs.total.parameters > LARGEST_TENSOR:
        check_weights(shapes, report)
    return Tables(shapes, costs)


def compile(
    source: Source,
    model: str | None = None,
    settings: Mapping[str, UserValue] | None = None,
    image: Sequence[int] | None = None,
    folder: Path | None = None,
) -> Compilation:
    """Compile one model of a spec. Never raises for what the spec says: mistakes are in `diagnostics`.

    `settings` give the model's parameters, context names such as `norm`, or arguments such as `conv.bias` other values;
    `image` replaces the input's shape. Files that the spec uses are looked for in `folder` and among the bundled ones.
    """

    def again(changed: Mapping[str, UserValue]) -> Compilation:
        return compile(source, model, {**(settings or {}), **changed}, image, folder)

    with without_collecting():
        return _compile(source, model, settings, image, folder, again)


def _compile(
    source: Source,
    model: str | None,
    settings: Mapping[str, UserValue] | None,
    image: Sequence[int] | None,
    folder: Path | None,
    again: Callable[[Mapping[str, UserValue]], Compilation],
) -> Compilation:
    report = Reporter()
    library = Library(report)
    module = library.load(source, folder)
    digest = digest_of(library.texts(source), model, settings, image)
    if module is None:
        return Compilation(model or "", None, None, report.diagnostics, digest, source, again=again)
    report.leave_out(module.allowances.drops)
    work = Work(module, report, model, settings or {}, image).run(STEPS)
    return compilation_of(work, source, digest, again, library.files(source))


def compilation_of(
    work: Work,
    source: Source,
    digest: str,
    again: Callable[[Mapping[str, UserValue]], Compilation],
    files: Sequence[Path],
) -> Compilation:
    """Return what the pipeline made of a model."""
    return Compilation(
        work.plan.name if work.plan is not None else work.model or "",
        work.graph,
        work.tables,
        work.report.diagnostics,
        digest,
        source,
        work.key_maps,
        work.lowered.freezings if work.lowered is not None else (),
        work.lowered.weights if work.lowered is not None else None,
        module=work.module,
        again=again,
        files=tuple(files),
    )


def digest_of(
    texts: Sequence[str],
    model: str | None,
    settings: Mapping[str, UserValue] | None = None,
    image: Sequence[int] | None = None,
) -> str:
    """Return the first 16 digits of a hash of all that a compilation depends on."""
    sizes: object = tuple(image) if isinstance(image, list | tuple) else image
    parts = (*texts, model, sorted((settings or {}).items()), sizes)
    try:
        written = repr(parts)
    except ValueError:  # a whole number of more digits than Python writes, which is refused
        written = repr(texts)
    return sha256(written.encode()).hexdigest()[:16]
