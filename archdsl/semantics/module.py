"""One file's names, and the files that they come from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TypeAlias

from archdsl.ir.trouble import Reported
from archdsl.syntax import tree
from archdsl.syntax.damage import Parsed
from archdsl.text.allow import Allowances
from archdsl.text.source import Span

Named: TypeAlias = tree.Function | tree.Block | tree.Model | tree.Variant | tree.Let


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
        self.recipes: dict[str, tuple[tree.RecipeText, Module]] = {}
        self.experiments: dict[str, tree.ExperimentText] = {}
        """The file's own."""
        self.used: dict[tree.Use, Module] = {}
        """The file that each `use` brings, where it can be read."""
        self.key_lenders: list[Module] = []
        """The files used whose `keys` hold for this one's models too."""
        self.damaged = parsed.damaged
        """Offsets of syntax mistakes inside statements that were kept."""
        self.broken = set(parsed.broken)
        """Names whose declarations hold mistakes that are reported already."""
        self.values: dict[Hashable, object] = {}
        """What evaluation keeps of the `let`s outside any block, so that each is worked out once in each context."""
        self.is_known = True
        """Whether all names that the file may have are declared here or broken."""

    def find(self, name: str) -> tuple[Named, Module] | None:
        """Return what a name declares, and the file it stands in; raise Reported if its declaration does not parse."""
        if name in self.broken and name not in self.declarations:
            raise Reported
        return self.declarations.get(name) or (self.prelude.find(name) if self.prelude else None)

    def expects(self, name: str) -> bool:
        """Return whether a name's absence follows from a `use` that failed."""
        return name in self.missing or self.misses_a_file

    def key_homes(self) -> list[Module]:
        """Return the files whose `keys` hold for this one's models: itself first, then those that it uses."""
        return [module for module in (self, *self.key_lenders) if module.keys]

    def declares_models(self) -> bool:
        return any(isinstance(declaration, tree.Model | tree.Variant) for declaration in self.file.declarations)

    def declares_recipes(self) -> bool:
        return any(isinstance(declaration, tree.RecipeText) for declaration in self.file.declarations)

    def declares_experiments(self) -> bool:
        return bool(self.experiments)

    def names(self) -> list[str]:
        return [*self.declarations, *(self.prelude.names() if self.prelude else ())]

    def doc(self, declaration: Named | tree.RecipeText | tree.ExperimentText) -> str:
        """Return the `##` comment above a declaration."""
        return self.docs.get(declaration.span, "")


def _docs(parsed: Parsed) -> Mapping[Span, str]:
    """Map each declaration's place to the `##` comment that ends on the line above it."""
    lines: dict[int, str] = {}
    for comment in parsed.comments:
        if comment.text.startswith("##"):
            line, _ = comment.source.position(comment.start)
            lines[line] = comment.text.lstrip("#").strip()
    docs: dict[Span, str] = {}
    for declaration in parsed.file.declarations:
        line, _ = parsed.file.source.position(declaration.span.start)
        above: list[str] = []
        while (line := line - 1) in lines:
            above.append(lines[line])
        docs[declaration.span] = "\n".join(reversed(above)).strip()
    return docs
