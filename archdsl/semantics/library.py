"""Where names of a file come from: its own declarations, the files it uses, and the prelude."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.ops import OPS
from archdsl.semantics.context import Context, Value
from archdsl.semantics.evaluate import Budget, Env, argument_keys, evaluate, find_callable, unknown_argument
from archdsl.semantics.types import check_stays_callable
from archdsl.semantics.values import UNKNOWN, Block, Partial, Setting
from archdsl.syntax import tree
from archdsl.syntax.allowances import find_allowances
from archdsl.syntax.parser import MAX_CHARACTERS, Parsed, parse
from archdsl.text.allow import Allowances
from archdsl.text.diagnostic import Diagnostic, Label, Reporter
from archdsl.text.edits import renamed
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest, suggestion

Named: TypeAlias = tree.Function | tree.Block | tree.Model | tree.Variant | tree.Let

SUFFIX = ".arch"
_PRELUDE = "prelude"
_DECLARES = re.compile(r"^(?:model|variant)[ \t]+([A-Za-z_]\w*)", re.M)


def bundled_folder() -> Path:
    """Give the folder of the specs that come with archdsl."""
    # A wheel carries the specs inside the package; a checkout has them beside the package.
    packaged = Path(__file__).parents[1] / "_specs"
    return packaged if packaged.exists() else Path(__file__).parents[2] / "specs"


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a spec's text. Raises OSError, or UnicodeDecodeError for what is no UTF-8 text."""
    with path.open("rb") as file:
        content = file.read(4 * MAX_CHARACTERS + 4)
    if len(content) > 4 * MAX_CHARACTERS:
        content = content[: MAX_CHARACTERS + 1]
        return Source(content.decode("utf-8", errors="replace"), name or str(path))
    return Source(content.decode("utf-8-sig").replace("\r\n", "\n"), name or str(path))


@lru_cache(maxsize=64)
def _parse_text(text: str, name: str) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
    report = Reporter()
    parsed = parse(Source(text, name), report)
    return parsed, report.diagnostics


def declared_models(text: str) -> list[str]:
    """List the names of a spec's models without parsing it."""
    return _DECLARES.findall(text)


class Module:
    """One file's names. Its `defaults` and `let` values are worked out when first asked for."""

    def __init__(self, parsed: Parsed, folder: Path | None, prelude: Module | None) -> None:
        self.file, self.folder, self.prelude = parsed.file, folder, prelude
        self.docs = _docs(parsed)
        self.declarations: dict[str, tuple[Named, Module]] = {}
        self.wishes: list[tree.Defaults] = []
        self.missing: set[str] = set()
        """Names that a `use` promises and does not bring, which has been reported."""
        self.misses_a_file = False
        self.allowances = Allowances(parsed.file.source)
        self.keys: list[tree.Keys] = []
        self.key_lenders: list[Module] = []
        """The files used whose `keys` hold for this one's models too."""
        self.damaged = parsed.damaged
        """Offsets of syntax mistakes inside statements that were kept."""
        self.broken = set(parsed.broken)
        """Names whose declarations hold mistakes that are reported already."""
        self.is_known = True
        """Whether all names that the file may have are declared here or broken."""
        self._lets: dict[tuple[int, Context], Setting | Trouble] = {}

    def find(self, name: str) -> tuple[Named, Module] | None:
        """Give what a name declares, and the file it stands in; raise Reported if its declaration does not parse."""
        if name in self.broken and name not in self.declarations:
            raise Reported
        return self.declarations.get(name) or (self.prelude.find(name) if self.prelude else None)

    def expects(self, name: str) -> bool:
        """Tell whether a name's absence follows from a `use` that failed."""
        return name in self.missing or self.misses_a_file

    def key_homes(self) -> list[Module]:
        """Give the files whose `keys` hold for this one's models: itself first, then those that it uses."""
        return [module for module in (self, *self.key_lenders) if module.keys]

    def declares_models(self) -> bool:
        return any(isinstance(declaration, tree.Model | tree.Variant) for declaration in self.file.declarations)

    def names(self) -> list[str]:
        return [*self.declarations, *(self.prelude.names() if self.prelude else ())]

    def doc(self, declaration: Named) -> str:
        """Give the `##` comment above a declaration."""
        return self.docs.get(declaration.span.start, "")

    def value_of(self, let: tree.Let, env: Env) -> Setting:
        """Give the value of a `let` outside any block; raise Trouble, each time anew, if it has none."""
        key = (let.span.start, env.context)
        if key not in self._lets:
            self._lets[key] = Trouble(
                "E108", f"`{let.name.text}` depends on itself", let.name.span, help="give it a value"
            )
            try:
                self._lets[key] = evaluate(let.value, Env(self, env.context, env.budget))
            except Trouble as trouble:
                self._lets[key] = trouble
            except Reported:
                del self._lets[key]
                raise
        value = self._lets[key]
        if isinstance(value, Trouble):
            raise value
        return value


def _docs(parsed: Parsed) -> Mapping[int, str]:
    """Map each declaration's start to the `##` comment that ends on the line above it."""
    lines: dict[int, str] = {}
    for comment in parsed.comments:
        if comment.text.startswith("##"):
            line, _ = comment.source.position(comment.start)
            lines[line] = comment.text.lstrip("#").strip()
    docs: dict[int, str] = {}
    for declaration in parsed.file.declarations:
        line, _ = parsed.file.source.position(declaration.span.start)
        above: list[str] = []
        while (line := line - 1) in lines:
            above.append(lines[line])
        docs[declaration.span.start] = "\n".join(reversed(above)).strip()
    return docs


class Library:
    """Loads files for one compilation and reports what is wrong with them as a whole."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self._modules: dict[Path, Module | None] = {}
        self._loading: list[Path] = []
        self._home = Path()
        """Where the spec that is compiled lies, as its name says; the files that it uses are named from there."""
        self._prelude: Module | None = None

    def load(self, source: Source, folder: Path | None) -> Module | None:
        """Make a module of a source; None where it has no tree."""
        if not self._loading:
            self._home = Path(source.name).parent
        module = self._module(source, folder, self.prelude())
        if module is not None:
            self._check_wishes(module)
        return module

    def texts(self, source: Source) -> list[str]:
        """Give the texts that a compilation of a source reads, the prelude's included."""
        used = [module.file.source.text for module in self._modules.values() if module is not None]
        return [source.text, *used, self.prelude().file.source.text]

    def _check_wishes(self, module: Module) -> None:
        """Report names that a file's `defaults` give a value and nothing reads, since they are misspelt."""
        known = {key.text for wish in self.prelude().wishes for key in _keys(wish)}
        texts = [other.file.source.text for other in (module, *self._modules.values()) if other is not None]
        for key in (key for wish in module.wishes for key in _keys(wish) if key.text not in known):
            uses = sum(len(re.findall(rf"\b{key.text}\b", text)) for text in texts)
            if uses == 1 and not module.misses_a_file:
                near = nearest(key.text, known)
                help = f"the nearest name is `{near}`" if near else "remove it, or let a block read it"
                message = f"nothing reads the default `{key.text}`"
                self.report.error("E101", message, key.span, help=help, fix=renamed(key.span, key.text, near))

    def prelude(self) -> Module:
        """Give the blocks and functions that every spec knows."""
        if self._prelude is None:
            source = read_source(bundled_folder() / f"{_PRELUDE}{SUFFIX}", f"{_PRELUDE}{SUFFIX}")
            prelude = self._module(source, bundled_folder(), None)
            assert prelude is not None, "the prelude does not parse"
            self._prelude = prelude
        return self._prelude

    def _module(self, source: Source, folder: Path | None, prelude: Module | None) -> Module | None:
        parsed, diagnostics = _parse_text(source.text, source.name)
        for diagnostic in diagnostics:
            self.report.add(diagnostic)
        if parsed is None:
            return None
        module = Module(parsed, folder, prelude)
        module.allowances = Allowances(parsed.file.source, find_allowances(parsed.file, self.report))
        for declaration in parsed.file.declarations:
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
        name = declaration.name
        if name.text in module.declarations:
            earlier, home = module.declarations[name.text]
            if home is module:
                labels = [Label(earlier.name.span, "defined here first")]
                message = f"`{name.text}` is defined twice"
                self.report.error("E106", message, name.span, labels=labels, help="rename one of the two")
        module.declarations[name.text] = (declaration, module)

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
        if use.names is None:
            module.broken |= other.broken
            module.declarations.update({k: v for k, v in other.declarations.items() if k not in module.declarations})
            # The keys of a file with models are about those, and may name their parameters.
            if not other.declares_models():
                module.key_lenders += other.key_homes()
            return
        for name in use.names:
            found = other.declarations.get(name.text)
            if found is None and name.text in other.broken:
                module.broken.add(name.text)
            elif found is None:
                near = nearest(name.text, list(other.declarations))
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
                is_here = path.is_relative_to(folder.resolve()) and path.is_file()
            except (
                OSError,
                RuntimeError,
                ValueError,
            ) as error:  # RuntimeError for links in a circle, before Python 3.13
                raise Trouble("E114", f"`{target}` is no path: {error}", span) from None
            if is_here:
                shown = relative if folder == bundled_folder() else self._home / relative
                return self._load_used(path, folder, span, str(shown))
        known = [*_specs_in(module.folder), *_specs_in(bundled_folder())]
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
                self._modules[path] = self.load(read_source(path, shown), folder)
            except UnicodeDecodeError as error:
                message = f"`{path.name}` is no UTF-8 text: {error.reason} at byte {error.start}"
                raise Trouble("E114", message, span, help="save it as UTF-8") from None
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise Trouble("E114", f"`{path.name}` cannot be read: {reason}", span) from None
            finally:
                self._loading.pop()
        return self._modules[path]


def _specs_in(folder: Path | None) -> set[str]:
    """List the specs in a folder by the names that `use` has for them."""
    try:
        return {path.stem for path in folder.glob(f"*{SUFFIX}")} - {_PRELUDE} if folder is not None else set()
    except OSError:
        return set()


def _keys(wish: tree.Defaults) -> list[tree.Name]:
    return [argument.key for argument in wish.values if argument.key is not None]


def file_context(module: Module, context: Context, budget: Budget, parts: Parts | None = None) -> Context:
    """Give the context that the prelude's `defaults` and then a file's own make of one.

    Mistakes are left in `parts` where these are given, and what they concern is unknown; else they are raised.
    """
    if module.prelude is not None:
        context = context.over(file_context(module.prelude, Context(), budget))
    for wish in module.wishes:
        context = apply_defaults(wish, Env(module, context, budget), parts)
    return context


def apply_defaults(node: tree.Defaults, env: Env, parts: Parts | None = None) -> Context:
    """Give the context after a `defaults`, its mistakes left in `parts` if given, and else raised."""
    own = parts if parts is not None else Parts()
    values: dict[str, Value] = {}
    for argument in node.values:
        assert argument.key is not None
        values[argument.key.text] = UNKNOWN
        with own:
            value = evaluate(argument.value, env)
            if (usual := env.context.get(argument.key.text)) is not None:
                check_stays_callable(argument.key.text, usual, value, argument.span)
            values[argument.key.text] = value
    arguments: dict[tuple[str, str], Value] = {}
    for name, given in node.arguments:
        target = None
        with own:
            target = find_callable(name.text, env.module)
            if target is None:
                help = suggestion(name.text, [*env.module.names(), *OPS]) or "declare it with `block`"
                raise Trouble("E101", f"no operator or block is called `{name.text}`", name.span, help=help)
        for argument in given:
            assert argument.key is not None
            value: Value = UNKNOWN
            with own:
                value = evaluate(argument.value, env)
            with own:
                if target is not None:
                    arguments[(name.text, _argument_name(target, argument.key))] = value
    if parts is None:
        own.settle()
    return env.context.wish(values, arguments)


def _argument_name(target: Partial, key: tree.Name) -> str:
    full = key.text if isinstance(target.target, Block) else target.target.resolve(key.text) or key.text
    if full not in argument_keys(target):
        raise unknown_argument(target.name, key.text, argument_keys(target), key.span)
    return full
