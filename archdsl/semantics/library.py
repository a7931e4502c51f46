"""Make modules of files: their own declarations, the files they use, and the prelude."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from archdsl.ir.trouble import Trouble
from archdsl.semantics.files import PRELUDE, SUFFIX, bundled_folder, read_source, specs_in
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.allowances import find_allowances
from archdsl.syntax.damage import Parsed
from archdsl.syntax.parser import parse
from archdsl.text.allow import Allowances
from archdsl.text.diagnostic import Diagnostic, Label, Reporter
from archdsl.text.edits import renamed
from archdsl.text.error import SpecError
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest, suggestion


@lru_cache(maxsize=64)
def _parse_text(text: str, name: str) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
    report = Reporter()
    parsed = parse(Source(text, name), report)
    return parsed, report.diagnostics


def _parse_once(text: str, name: str) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
    """Parse a text, or return the tree that was made of it before, if its places are still those in this text."""
    parsed, diagnostics = _parse_text(text, name)
    if parsed is not None and parsed.file.source.moves is not None:
        return _parse_text.__wrapped__(text, name)
    return parsed, diagnostics


_preludes: list[Module] = []
"""The last prelude that was read, from where every later compilation takes it as long as its file says the same."""


def _kept_prelude(source: Source) -> Module | None:
    """Return the module that was made of the same text before."""
    for module in _preludes:
        file = module.file.source
        if file.text == source.text and module.folder == bundled_folder() and file.moves is None:
            return module
    return None


def _keep_prelude(module: Module) -> None:
    """Keep a prelude without mistakes; what it would look up or work out anew each time, it may not hold."""
    if not any(isinstance(declaration, tree.Use | tree.Let) for declaration in module.file.declarations):
        _preludes[:] = [module]


class Texts:
    """Where a library takes texts and their trees from: the files. An editor's open texts are a kind of it."""

    def is_file(self, path: Path) -> bool:
        """Return whether there is a spec at a path."""
        return path.is_file()

    def read(self, path: Path, name: str) -> Source:
        """Return the text of a path, which messages call by this name.

        Errors: those of `read_source`
        """
        return read_source(path, name)

    def parse(self, source: Source) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
        """Return a text's tree, as far as it has one, and the mistakes in it."""
        return _parse_once(source.text, source.name)


def load_module(source: Source, folder: Path | None) -> Module:
    """Make a module of a source that is to have no mistakes.

    Errors: SpecError
    """
    report = Reporter()
    module = Library(report).load(source, folder)
    if module is None or report.has_errors:
        raise SpecError(report.diagnostics)
    return module


_FEW_NAMES = 5


class Library:
    """Loads files for one compilation and reports what is wrong with them as a whole."""

    def __init__(self, report: Reporter, texts: Texts | None = None) -> None:
        self.report = report
        self._texts = texts or Texts()
        self._modules: dict[Path, Module | None] = {}
        self._loading: list[Path] = []
        self._home = Path()
        """Where the spec that is compiled lies, as its name says; the files that it uses are named from there."""
        self._prelude: Module | None = None
        self._own: list[Module] = []
        """The module of the source itself."""

    def load(self, source: Source, folder: Path | None) -> Module | None:
        """Make a module of a source; None where it has no tree."""
        if not self._loading:
            self._home = Path(source.name).parent
        module = self._module(source, folder, self.prelude())
        if module is not None:
            self._check_wishes(module)
            if not self._loading:
                self._own.append(module)
        return module

    def texts(self, source: Source) -> list[str]:
        """Return the texts that a compilation of a source reads, the prelude's included."""
        used = [module.file.source.text for module in self._modules.values() if module is not None]
        return [source.text, *used, self.prelude().file.source.text]

    def modules(self) -> Mapping[Path, Module]:
        """Map the files that are used to what was made of them, as far as they have a tree."""
        return {path: module for path, module in self._modules.items() if module is not None}

    def every(self) -> list[Module]:
        """Return all files that were read, the source itself and the prelude included."""
        return [*self._own, *self.modules().values(), self.prelude()]

    def files(self, source: Source) -> tuple[Path, ...]:
        """Return the files that a compilation of a source reads."""
        own = () if source.path is None else (source.path,)
        return (*own, *self._modules, bundled_folder() / f"{PRELUDE}{SUFFIX}")

    def _check_wishes(self, module: Module) -> None:
        """Report names that a file's `defaults` give a value and nothing reads, since they are misspelt."""
        known = {key.text for wish in self.prelude().wishes for key in _keys(wish)}
        texts = [other.file.source.text for other in (module, *self._modules.values()) if other is not None]
        keys = [key for wish in module.wishes for key in _keys(wish) if key.text not in known]
        # To look for a few names takes less time than to take the texts apart into all of their words.
        is_many = len(keys) > _FEW_NAMES
        words = Counter(word for text in texts if is_many for word in re.findall(r"\w+", text))
        for key in keys:
            name = key.text
            uses = words[name] if is_many else sum(len(re.findall(rf"\b{name}\b", text)) for text in texts)
            if uses == 1 and not module.misses_a_file and not self.report.is_full:
                near = nearest(key.text, known)
                help = f"the nearest name is `{near}`" if near else "remove it, or let a block read it"
                message = f"nothing reads the default `{key.text}`"
                self.report.error("E101", message, key.span, help=help, fix=renamed(key.span, key.text, near))

    def prelude(self) -> Module:
        """Return the blocks and functions that every spec knows."""
        if self._prelude is None:
            source = self._texts.read(bundled_folder() / f"{PRELUDE}{SUFFIX}", f"{PRELUDE}{SUFFIX}")
            self._prelude = _kept_prelude(source) or self._read_prelude(source)
        return self._prelude

    def _read_prelude(self, source: Source) -> Module:
        report, self.report = self.report, Reporter()
        prelude = self._module(source, bundled_folder(), None)
        assert prelude is not None, "the prelude does not parse"
        if not self.report.diagnostics:
            _keep_prelude(prelude)
        for diagnostic in self.report.diagnostics:
            report.add(diagnostic)
        self.report = report
        return prelude

    def _module(self, source: Source, folder: Path | None, prelude: Module | None) -> Module | None:
        parsed, diagnostics = self._texts.parse(source)
        for diagnostic in diagnostics:
            self.report.add(diagnostic)
        if parsed is None:
            return None
        module = Module(parsed, folder, prelude)
        module.allowances = Allowances(parsed.file.source, find_allowances(parsed.file, self.report))
        for declaration in parsed.file.declarations:
            if self.report.is_full:
                break
            self._declare(module, declaration)
        return module if module.is_known else None

    def _declare(self, module: Module, declaration: tree.Declaration) -> None:
        if isinstance(declaration, tree.Defaults):
            module.wishes.append(declaration)
            return
        if isinstance(declaration, tree.Use):
            self._use(module, declaration)
            return
        if isinstance(declaration, tree.Keys):
            module.keys.append(declaration)
            return
        if isinstance(declaration, tree.ExperimentText):
            self._declare_experiment(module, declaration)
            return
        name = declaration.name
        table = module.recipes if isinstance(declaration, tree.RecipeText) else module.declarations
        if name.text in table:
            earlier, home = table[name.text]
            if home is module:
                self._defined_twice(earlier.name, name)
        if isinstance(declaration, tree.RecipeText):
            module.recipes[name.text] = (declaration, module)
        else:
            module.declarations[name.text] = (declaration, module)

    def _declare_experiment(self, module: Module, declaration: tree.ExperimentText) -> None:
        earlier = module.experiments.setdefault(declaration.name.text, declaration)
        if earlier is not declaration:
            self._defined_twice(earlier.name, declaration.name)

    def _defined_twice(self, earlier: tree.Name, name: tree.Name) -> None:
        labels = [Label(earlier.span, "defined here first")]
        message = f"`{name.text}` is defined twice"
        self.report.error("E106", message, name.span, labels=labels, help="rename one of the two")

    def _use(self, module: Module, use: tree.Use) -> None:
        try:
            other = self._find(module, use)
        except Trouble as trouble:
            self.report.error(trouble.code, trouble.message, trouble.span, help=trouble.help, fix=trouble.fix)
            self._lose(module, use)
            return
        if other is None:
            self._lose(module, use)
            return
        module.used[use] = other
        if use.names is None:
            module.broken |= other.broken
            module.declarations.update({k: v for k, v in other.declarations.items() if k not in module.declarations})
            module.recipes.update({k: v for k, v in other.recipes.items() if k not in module.recipes})
            # The keys of a file with models are about those, and may name their parameters.
            if not other.declares_models():
                module.key_lenders += other.key_homes()
            return
        for name in use.names:
            found = other.declarations.get(name.text)
            recipe = other.recipes.get(name.text)
            if recipe is not None:
                module.recipes[name.text] = recipe
            if found is None and recipe is not None:
                continue
            if found is None and name.text in other.broken:
                module.broken.add(name.text)
            elif found is None:
                near = nearest(name.text, [*other.declarations, *other.recipes])
                help = f"the nearest name is `{near}`" if near else ""
                message = f"`{use.target.text}` declares no `{name.text}`"
                self.report.error("E101", message, name.span, help=help, fix=renamed(name.span, name.text, near))
                module.missing.add(name.text)
            else:
                module.declarations[name.text] = found

    @staticmethod
    def _lose(module: Module, use: tree.Use) -> None:
        """Take note that names of a file that cannot be used are missing."""
        if use.alias is not None:
            module.broken.add(use.alias.text)
        elif use.names is not None:
            module.broken |= {name.text for name in use.names}
        else:
            module.is_known = False

    def _find(self, module: Module, use: tree.Use) -> Module | None:
        target, span = use.target.text, use.target.span
        if use.alias is not None:
            raise Trouble(
                "E117", "Python modules are not in this version", span, help="write the block in the language"
            )
        relative = Path(target if target.endswith(SUFFIX) else target + SUFFIX)
        if relative.is_absolute() or ".." in relative.parts:
            help = "a spec uses files of its own folder or bundled ones"
            raise Trouble("E114", f"`{target}` lies outside the spec's folder", span, help=help)
        for folder in (module.folder, bundled_folder()):
            if folder is None:
                continue
            try:
                path = (folder / relative).resolve()
                is_here = path.is_relative_to(folder.resolve()) and self._texts.is_file(path)
            except (
                OSError,
                RuntimeError,
                ValueError,
            ) as error:  # RuntimeError for links in a circle, before Python 3.13
                raise Trouble("E114", f"`{target}` is no path: {error}", span) from None
            if is_here:
                shown = relative if folder == bundled_folder() else self._home / relative
                return self._load_used(path, folder, span, str(shown))
        known = [*specs_in(module.folder), *specs_in(bundled_folder())]
        help = suggestion(relative.stem, known, "spec") or "`archdsl list` shows the bundled ones"
        name = Span(span.start + 1, span.end - 1, span.source) if span.text.startswith('"') else span
        message = f"no spec `{target}` beside this one or among the bundled ones"
        raise Trouble("E114", message, span, help=help, fix=renamed(name, target, nearest(target, known)))

    def _load_used(self, path: Path, folder: Path, span: Span, shown: str) -> Module | None:
        if path in self._loading:
            raise Trouble("E114", f"`{path.stem}` uses itself", span, help="move what both need to a third file")
        if path not in self._modules:
            self._loading.append(path)
            try:
                self._modules[path] = self.load(self._texts.read(path, shown), folder)
            except UnicodeDecodeError as error:
                message = f"`{path.name}` is no UTF-8 text: {error.reason} at byte {error.start}"
                raise Trouble("E114", message, span, help="save it as UTF-8") from None
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise Trouble("E114", f"`{path.name}` cannot be read: {reason}", span) from None
            finally:
                self._loading.pop()
        return self._modules[path]


def _keys(wish: tree.Defaults) -> list[tree.Name]:
    return [argument.key for argument in wish.values if argument.key is not None]
