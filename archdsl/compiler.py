"""The pipeline in one place: a spec's source to a network's graph, facts and diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.model import Lowered, lower_model
from archdsl.lower.plan import Plan, complete_models, plan_model
from archdsl.lower.settings import UserValue, with_settings
from archdsl.lower.survey import survey
from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.ops.sugar import norm_of_one_group
from archdsl.passes.bounds import check_weights
from archdsl.passes.costs import Costs, count_costs
from archdsl.passes.groups import misfit, name_divisors
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import FACTS, Budget, Env
from archdsl.semantics.evaluate import bind_defaults, evaluate_bool
from archdsl.semantics.keymap import KeyMap, build_key_maps
from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.semantics.refute import refute
from archdsl.semantics.values import UNKNOWN, Partial, Setting, Unknown
from archdsl.syntax import tree
from archdsl.syntax.allowances import report_unused
from archdsl.text.allow import Allowances
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.source import Source, Span

MAX_STEPS_OF_FILE = 100_000
# What checking a model costs beside its steps.
_STEPS_OF_MODEL = 50


@dataclass(frozen=True, slots=True)
class Compilation:
    """One model of a spec, compiled: its graph and facts as far as the spec's mistakes leave any."""

    name: str
    graph: Graph | None
    shapes: Shapes | None
    costs: Costs | None
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    source: Source
    key_maps: tuple[KeyMap, ...] = ()
    allowances: Allowances | None = None
    """Which warnings the source wants left out; None where it has no tree."""
    again: Callable[[Mapping[str, UserValue]], Compilation] | None = field(default=None, compare=False, repr=False)
    """Compiles the same model once more, with some of the settings changed."""

    def find_warnings(self) -> tuple[Diagnostic, ...]:
        """Give what is suspicious about the model, as far as it stands in the source's own text; none with mistakes."""
        report = Reporter()
        if self.allowances is not None and self.shapes is not None and self.costs is not None:
            report.leave_out(self.allowances.drops)
            _lint(self.shapes, self.costs, self.allowances.source, report)
        return report.diagnostics


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
    report = Reporter()
    graph = shapes = costs = None
    key_maps: tuple[KeyMap, ...] = ()
    name = model or ""
    library = Library(report)
    module = library.load(source, folder)
    if module is not None:
        report.leave_out(module.allowances.drops)
    digest = _digest(library.texts(source), model, settings, image)
    _check_image(image, report)
    plan = _plan(module, model, settings or {}, report) if module is not None else None
    if (
        plan is not None
        and module is not None
        and not any(d.span.source.name == "<settings>" for d in report.diagnostics)
    ):
        name = plan.name
        lowered = lower_model(plan, report, image)
        graph = lowered.graph
        if graph is not None:
            key_maps = _key_maps(plan, module, report)
            shapes, costs = _analyse(lowered, report)

    def again(changed: Mapping[str, UserValue]) -> Compilation:
        return compile(source, model, {**(settings or {}), **changed}, image, folder)

    allowances = module.allowances if module is not None else None
    found = report.diagnostics if plan is None else _with_divisors(report.diagnostics, plan, image)
    return Compilation(name, graph, shapes, costs, found, digest, source, key_maps, allowances, again)


def _check_image(image: object, report: Reporter) -> None:
    """Report an input size that is none."""
    if image is None:
        return
    sizes: list[object] = [*image] if isinstance(image, list | tuple) else []  # pyright: ignore[reportUnknownArgumentType] -- tested below
    is_size = all(type(size) is int and 0 < size <= LARGEST_TENSOR for size in sizes)
    if not is_size or not 1 <= len(sizes) <= _MOST_AXES:
        written = Source(f"input={image!r}", "<settings>")
        help = "give channels, height and width: (3, 224, 224)"
        report.error(
            "E104", "an input size is 1 to 4 positive whole numbers", Span(0, len(written.text), written), help=help
        )


_MOST_AXES = 4


def _digest(
    texts: Sequence[str], model: str | None, settings: Mapping[str, UserValue] | None, image: Sequence[int] | None
) -> str:
    parts = (*texts, model, sorted((settings or {}).items()), tuple(image) if image is not None else None)
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _key_maps(plan: Plan, module: Module, report: Reporter) -> tuple[KeyMap, ...]:
    """Give the name maps of the file compiled and of the one that the model stands in, with those that they use."""
    homes = list(dict.fromkeys([*module.key_homes(), *plan.module.key_homes()]))
    if report.has_errors or not homes:
        return ()
    budget, declaration = Budget(), plan.declaration
    env = Env(plan.module, file_context(plan.module, plan.context, budget), budget)
    env = bind_defaults(env, declaration.parameters, plan.values, declaration.name)
    return build_key_maps([(home.keys, replace(env, module=home)) for home in homes], report)


def _analyse(lowered: Lowered, report: Reporter) -> tuple[Shapes | None, Costs | None]:
    """Run the passes over a lowered model, shapes and assertions as far as mistakes leave anything of it."""
    if lowered.graph is None:
        return None, None
    inputs = [node.op.infer_shape([]) for node in lowered.graph.inputs if node.op is not None]
    shapes, misfits = infer_shapes(lowered.graph, inputs)
    if misfits:
        from archdsl.passes.blame import explain  # only where something is wrong

        for diagnostic in explain(misfits):
            report.add(diagnostic)
    for diagnostic in lowered.deferred:
        report.add(diagnostic)
    if report.has_errors:
        _check_assertions(lowered, dict.fromkeys(FACTS, UNKNOWN), report)
        return None, None
    costs = count_costs(shapes)
    total = costs.total
    if total.parameters > LARGEST_TENSOR:
        check_weights(shapes, report)
        if report.has_errors:
            return None, None
    facts = (total.parameters, total.macs, total.flops, total.activation_bytes)
    _check_assertions(lowered, dict(zip(FACTS, facts, strict=True)), report)
    return shapes, costs


def _lint(shapes: Shapes, costs: Costs, file: Source, report: Reporter) -> None:
    from archdsl.passes.lint import lint_network  # only checking needs it
    from archdsl.passes.lint.facts import Facts

    lint_network(Facts(shapes, costs, file), report)


def _with_divisors(
    diagnostics: tuple[Diagnostic, ...], plan: Plan, image: Sequence[int] | None = None
) -> tuple[Diagnostic, ...]:
    """Say which numbers of groups would do where one that a setting or default gives the norms does not."""
    groups = misfit(diagnostics)
    if groups is None:
        return diagnostics
    norm = norm_of_one_group()
    context = plan.context.order(
        {"norm": Partial(norm.keyword, type(norm), tuple(norm.model_dump(exclude_unset=True).items()))}
    )
    report = Reporter()
    lowered = lower_model(replace(plan, context=context), report, image)
    shapes, _ = _analyse(lowered, report)
    return name_divisors(diagnostics, groups, shapes) if shapes is not None else diagnostics


def _check_assertions(lowered: Lowered, facts: Mapping[str, Setting | Unknown], report: Reporter) -> None:
    for condition, env in lowered.assertions:
        try:
            if not evaluate_bool(condition, env.bind(**facts)):
                span, message = refute(condition, env.bind(**facts))
                report.error("E119", message, span)
        except Trouble as trouble:
            _tell(trouble, report)
        except Reported:
            pass


def _tell(trouble: Trouble, report: Reporter) -> None:
    for one in trouble.all():
        report.add(one.diagnostic())


def _plan(module: Module, model: str | None, settings: Mapping[str, UserValue], report: Reporter) -> Plan | None:
    try:
        return with_settings(plan_model(module, model), settings)
    except Trouble as trouble:
        _tell(trouble, report)
    except Reported:
        pass
    return None


def check(source: Source, folder: Path | None = None, model: str | None = None) -> tuple[Diagnostic, ...]:
    """Give the diagnostics of a model, or of every model and the rest of a file."""
    report = Reporter()
    module = Library(report).load(source, folder)
    if module is None:
        return report.diagnostics
    report.leave_out(module.allowances.drops)
    loading = report.diagnostics
    steps = 0
    built: set[Span] = set()
    visited: set[int] = set()
    for name in (model,) if model is not None else tuple(complete_models(module)):
        own = Reporter()
        own.leave_out(module.allowances.drops)
        for diagnostic in loading:
            own.add(diagnostic)
        plan = _plan(module, name, {}, own)
        lowered = lower_model(plan, own, visited=visited) if plan is not None else None
        if plan is not None and lowered is not None:
            steps += lowered.steps
            if lowered.graph is not None:
                _key_maps(plan, module, own)
                shapes, costs = _analyse(lowered, own)
                if shapes is not None and costs is not None and not own.has_errors:
                    _lint(shapes, costs, module.file.source, own)
                built |= lowered.built
        for diagnostic in own.diagnostics if plan is None else _with_divisors(own.diagnostics, plan):
            report.add(diagnostic)
        steps += _STEPS_OF_MODEL
        if steps > MAX_STEPS_OF_FILE:
            message = f"the models of this spec have more than {MAX_STEPS_OF_FILE:,} distinct steps together"
            report.error("E109", message, Span(0, 0, source), help="check them one by one, or split the spec")
            break
    else:
        if model is None:
            survey(module, visited, report)
    if not (module.file.declarations or report.has_errors):
        help = "declare a model: `model name { input [3, 224, 224]; … }`"
        report.error("E120", "this spec is empty", Span(0, 0, module.file.source), help=help)
    if model is None and not report.has_errors:
        _lint_names(module, report)
        bodies = {d.span for d in module.file.declarations if isinstance(d, tree.Block | tree.Model)}
        report_unused(module.allowances, built, is_complete=bool(built) and bodies <= built, report=report)
    return report.diagnostics


def _lint_names(module: Module, report: Reporter) -> None:
    from archdsl.passes.lint.names import lint_names

    lint_names(module, report)
