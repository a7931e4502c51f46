"""Finding experiments: in a file, or among those that come with archdsl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archdsl.compiler import compile
from archdsl.ir.experiment import Experiment
from archdsl.lower.experiments import build_experiment
from archdsl.semantics.files import SUFFIX, experiment_folder, read_source
from archdsl.semantics.library import load_module
from archdsl.semantics.module import Module
from archdsl.specs import read_spec
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source
from archdsl.text.suggest import nearest


@dataclass(frozen=True, slots=True)
class ListedExperiment:
    """An experiment that can be named, with its documentation."""

    name: str
    doc: str


@dataclass(frozen=True, slots=True)
class FoundExperiment:
    """An experiment, with the file that it stands in, which may have models and recipes of its own."""

    experiment: Experiment
    source: Source
    folder: Path | None


def find_experiment(text: str) -> FoundExperiment:
    """Find an experiment by bundled name, by the file that has one, or as `FILE:NAME`.

    Errors: SpecError where the text or the experiment has mistakes; Failure with E134 where none is called that, and
    where a file cannot be read
    """
    head, _, name = text.rpartition(":")
    is_file = text.endswith(SUFFIX) or Path(text).is_file() or (not head and "/" in text)
    if is_file or head:
        file, name = (text, "") if is_file else (head, name)
        try:
            source, folder, _ = read_spec(Path(file))
        except SpecError as error:  # there is no text that it could be told at
            raise Failure(error.diagnostics[0].message, error.diagnostics[0].help, error.diagnostics[0].code) from None
        module = load_module(source, folder)
        known = [*module.experiments]
        if not name and len(known) != 1:
            listed = ", ".join(f"`{file}:{other}`" for other in known) or "it declares none"
            raise Failure(f"`{file}` declares {len(known)} experiments", listed, "E134")
        return _found(name or known[0], module, f"`{file}` declares no experiment `{name}`")
    for module in _bundled():
        if text in module.experiments:
            return _found(text, module, "")
    raise _unknown(
        text, [*(name for module in _bundled() for name in module.experiments)], f"no experiment is called `{text}`"
    )


def bundled_experiments() -> Iterator[ListedExperiment]:
    """Yield the experiments that come with archdsl, by their files and in the order of the text."""
    for module in _bundled():
        for name, declaration in module.experiments.items():
            yield ListedExperiment(name, module.doc(declaration))


def _bundled() -> Iterator[Module]:
    folder = experiment_folder()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield load_module(read_source(path, path.name), folder)


def _found(name: str, module: Module, fact: str) -> FoundExperiment:
    declaration = module.experiments.get(name)
    if declaration is None:
        raise _unknown(name, [*module.experiments], fact)
    report = Reporter()
    experiment = build_experiment(declaration, module, report, compile)
    if experiment is None:
        raise SpecError(report.diagnostics)
    return FoundExperiment(experiment, module.file.source, module.folder)


def _unknown(name: str, known: list[str], fact: str) -> Failure:
    near = nearest(name, known)
    help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{other}`' for other in known) or 'none'}"
    return Failure(fact, help, "E134")
