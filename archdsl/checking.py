"""What is wrong with a file: with all of its models, and with the rest of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from archdsl.compiler import STEPS, Work, check_assertions, compile, lint
from archdsl.lower.lowering import MOST_AFTER_MISTAKE
from archdsl.lower.plan import complete_models
from archdsl.lower.survey import survey
from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.looking import Looking
from archdsl.text.source import Source, Span

MAX_STEPS_OF_FILE = 100_000
# What checking a model costs beside its steps.
_STEPS_OF_MODEL = 50


def check(source: Source, folder: Path | None = None, model: str | None = None) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of a model, or of every model and the rest of a file."""
    report = Reporter()
    module = Library(report).load(source, folder)
    if module is not None:
        check_module(module, model, report, Looking())
    return report.diagnostics


def check_module(module: Module, model: str | None, report: Reporter, looking: Looking) -> Mapping[str, Work]:
    """Report what is wrong with a model of a file, or with every model and the rest of it; return the models."""
    report.leave_out(module.allowances.drops)
    models = [model] if model is not None else list(complete_models(module))
    works: dict[str, Work] = {}
    built = _check_models(module, models, works, report, looking)
    if model is None and built is not None:
        survey(module, report, looking)
    if model is None and module.declares_recipes():
        from archdsl.lower.recipes import check_recipes  # few files have any

        check_recipes(module, report)
    if model is None and module.declares_experiments():
        from archdsl.lower.experiments import check_experiments

        check_experiments(module, report, compile)
    if not (module.file.declarations or report.has_errors):
        help = "declare a model: `model name { input [3, 224, 224]; … }`"
        report.error("E120", "this spec is empty", Span(0, 0, module.file.source), help=help)
    if model is None and not report.has_errors:
        from archdsl.passes.lint.beside import lint_file  # only where nothing is wrong

        mapped = [(work.key_maps, work.shapes) for work in works.values() if module.keys and work.shapes is not None]
        lint_file(module, built or set(), mapped, report, looking)
    return works


def _check_models(
    module: Module, models: Sequence[str], works: dict[str, Work], report: Reporter, looking: Looking
) -> set[Span] | None:
    """Report what is wrong with each model; return where what they built is declared, None if it is too much.

    The models are put into `works`.
    """
    loading = report.diagnostics
    built: set[Span] = set()
    steps = 0
    for model in models:
        if report.is_full:
            return None
        own = Reporter()
        own.leave_out(module.allowances.drops)
        for diagnostic in loading:
            own.add(diagnostic)
        part, _ = module.declarations.get(model, (None, None))
        look = partial(_check_model, module, model, looking.visited)
        work = works[model] = looking.into(part, _check_model, own, look, model, beside_errors=_beside_errors)
        for diagnostic in own.diagnostics:
            report.add(diagnostic)
        if work.lowered is not None:
            steps += work.lowered.steps
            built |= work.lowered.built if work.graph is not None else set()
        steps += _STEPS_OF_MODEL
        if steps > MAX_STEPS_OF_FILE:
            message = f"the models of this spec have more than {MAX_STEPS_OF_FILE:,} distinct steps together"
            report.error(
                "E109", message, Span(0, 0, module.file.source), help="check them one by one, or split the spec"
            )
            return None
    return built


def _check_model(module: Module, model: str, visited: set[int], report: Reporter) -> Work:
    return Work(module, report, model, visited=visited).run((*STEPS, lint))


def _beside_errors(work: Work, report: Reporter) -> Work | None:
    """Return what a model of which nothing is said becomes where there are errors elsewhere; None if that is unknown.

    What lowering and shapes leave is the same; costs are not counted, so that assertions are held against unknown ones.
    """
    lowered = work.lowered
    if lowered is None or lowered.freezings or lowered.weights is not None or lowered.steps > MOST_AFTER_MISTAKE:
        return None
    beside = Work(work.module, report, work.model, plan=work.plan, lowered=lowered)
    check_assertions(beside)
    return beside
