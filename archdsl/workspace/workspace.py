"""Open texts that are checked again and again; what an edit does not touch is not worked out anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from archdsl.checking import check_module
from archdsl.compiler import Compilation, Work, compilation_of, compile, digest_of
from archdsl.lower.settings import UserValue
from archdsl.semantics.library import Library, Texts
from archdsl.semantics.module import Module
from archdsl.syntax.damage import Parsed
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.source import Source
from archdsl.workspace.document import Document
from archdsl.workspace.memory import CheckMemory, SettlingReporter


@dataclass(frozen=True)
class CheckedText:
    """What a check found out about a text."""

    diagnostics: tuple[Diagnostic, ...]
    """Those that `archdsl.check` gives."""
    _made: Callable[[], Mapping[str, Compilation]] = field(compare=False, repr=False)

    @cached_property
    def models(self) -> Mapping[str, Compilation]:
        """The text's models that need no arguments, compiled as far as mistakes leave anything, with their warnings.

        All places in them are in the text that was checked, and move on with it as it is edited.
        """
        return self._made()


class Workspace:
    """Texts that are open, each by its path: what is saved there does not count while it is open.

    What an edit does not touch is not parsed and not compiled again. One is used by one thread at a time.

    >>> workspace = Workspace()
    >>> workspace.open("net.arch", "model net { input [3, 8, 8]; conv 8 groups=3 }")
    >>> [found.code for found in workspace.check("net.arch").diagnostics]
    ['E210']
    >>> workspace.change("net.arch", "model net { input [3, 8, 8]; conv 9 groups=3 }")
    >>> checked = workspace.check("net.arch")
    >>> checked.diagnostics, checked.models["net"].tables.costs.total.parameters
    ((), 81)
    """

    def __init__(self) -> None:
        self._open: dict[Path, _Open] = {}

    def open(self, path: str | Path, text: str) -> None:
        """Open a text; its path need not be one of a file. Files that it uses are those beside it, and bundled ones."""
        self._open[Path(path).resolve()] = _Open(str(path), Path(path), text.replace("\r\n", "\n"))

    def change(self, path: str | Path, text: str) -> None:
        """Put another text in the place of an open one.

        Errors: KeyError where none is open
        """
        self._open[Path(path).resolve()].text = text.replace("\r\n", "\n")

    def close(self, path: str | Path) -> None:
        """Close a text, so that what is saved counts.

        Errors: KeyError where none is open
        """
        del self._open[Path(path).resolve()]

    def check(self, path: str | Path) -> CheckedText:
        """Check an open text, all of its models.

        Errors: KeyError where none is open
        """
        opened = self._open[Path(path).resolve()]
        source = Source(opened.text, opened.name, opened.path)
        report = SettlingReporter()
        library = Library(report, _Texts(self._open))
        module = library.load(source, opened.path.parent)
        if module is None:
            return CheckedText(report.diagnostics, dict)
        opened.memory.begin(module, library)
        works = check_module(module, None, report, opened.memory)
        reports = {name: opened.memory.reports[id(module.declarations[name][0])] for name in works}
        return CheckedText(report.diagnostics, partial(_compilations, module, library, source, works, reports))


@dataclass(slots=True)
class _Open:
    """A text that is open, and what is known of it, by the names that messages show for it."""

    name: str
    path: Path
    text: str
    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    memory: CheckMemory = field(default_factory=CheckMemory)


class _Texts(Texts):
    """Open texts before files."""

    def __init__(self, opened: Mapping[Path, _Open]) -> None:
        self._open = opened

    def is_file(self, path: Path) -> bool:
        return path in self._open or super().is_file(path)

    def read(self, path: Path, name: str) -> Source:
        opened = self._open.get(path)
        return Source(opened.text, name, path) if opened is not None else super().read(path, name)

    def parse(self, source: Source) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
        opened = self._open.get(source.path.resolve()) if source.path is not None else None
        if opened is None:
            return super().parse(source)
        return opened.documents.setdefault(source.name, Document(source.name)).read(source.text)


def _compilations(
    module: Module, library: Library, source: Source, works: Mapping[str, Work], reports: Mapping[str, Reporter]
) -> Mapping[str, Compilation]:
    texts, files, folder = library.texts(source), library.files(source), module.folder
    found: dict[str, Compilation] = {}
    for name, work in works.items():

        def again(changed: Mapping[str, UserValue], model: str = name) -> Compilation:
            return compile(source, model, changed, folder=folder)

        made = compilation_of(work, source, digest_of(texts, name), again, files)
        found[name] = replace(made, module=module, diagnostics=reports[name].diagnostics)
    return found
