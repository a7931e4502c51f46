"""What a declaration can depend on: all that its words may mean, and what the words there may mean in turn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.parser import language_words

WhichFile: TypeAlias = Path | str
"""A file: the one that is checked is "", the prelude its own name, and another one its path."""
WordsReached: TypeAlias = Mapping[WhichFile, frozenset[str]]
"""The words that are looked up in each file."""
_WORD = re.compile(r"[A-Za-z_]\w*", re.A)


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text)) - language_words()


@dataclass(frozen=True, slots=True)
class _State:
    """What a file's words mean, and what holds for all of it. Nodes are compared by identity."""

    names: Mapping[str, tuple[object, ...]]
    order: tuple[tuple[str, type], ...]
    """The names in the order in which messages list them, and what they are."""
    whole: tuple[object, ...]

    def changed(self, other: _State) -> frozenset[str] | None:
        """Return the words that mean something else in another state; None where all of them may."""
        if len(self.whole) != len(other.whole) or any(a is not b for a, b in zip(self.whole, other.whole, strict=True)):
            return None
        words = self.names.keys() | other.names.keys()
        return frozenset(word for word in words if not _same(self.names.get(word), other.names.get(word)))


def _same(one: tuple[object, ...] | None, other: tuple[object, ...] | None) -> bool:
    if one is None or other is None:
        return one is other
    return one[0] is other[0] and one[1:] == other[1:]


class FilesRead:
    """The files that one check reads."""

    def __init__(self, module: Module, library: Library) -> None:
        prelude = library.prelude()
        self._modules: dict[WhichFile, Module] = {"": module, "prelude": prelude, **library.modules()}
        self._homes = {id(one): home for home, one in self._modules.items()}
        self.states: dict[WhichFile, _State] = {home: self._state(one) for home, one in self._modules.items()}

    def _state(self, module: Module) -> _State:
        names: dict[str, tuple[object, ...]] = {
            name: (node, self._homes.get(id(home)), home.doc(node), name in module.broken, name in module.missing)
            for name, (node, home) in module.declarations.items()
        }
        lost = (module.broken | module.missing) - names.keys() - language_words()
        names |= {name: (None, None, "", name in module.broken, name in module.missing) for name in lost}
        lenders = [keys for lender in module.key_lenders for keys in lender.keys]
        flags = (module.is_known, module.misses_a_file)
        whole = (*module.wishes, None, *module.keys, None, *lenders, None, *module.file.allows, *flags)
        if module.prelude is None:
            whole = (module,)  # the same object as long as its file says the same
        order = tuple((name, type(node)) for name, (node, _) in module.declarations.items())
        return _State(names, order, whole)

    def of(self, part: tree.Declaration) -> WordsReached:
        """Return the words that what is made of a declaration of the file that is checked may have been looked up."""
        seen: dict[WhichFile, set[str]] = {}
        expanded: set[int] = set()
        todo = [(self._modules[""], word) for word in _words(part.span.text)]
        while todo:
            module, word = todo.pop()
            home = self._homes[id(module)]
            if home not in seen:
                seen[home] = set()
                own = (*module.wishes, *(keys for lender in module.key_homes() for keys in lender.keys))
                todo += [(module, other) for node in own for other in _words(node.span.text)]
                todo += [(module.prelude, "norm")] if module.prelude is not None else []
            if word in seen[home]:
                continue
            seen[home].add(word)
            found = module.declarations.get(word)
            if found is None:
                todo += [(module.prelude, word)] if module.prelude is not None else []
            elif id(found[0]) not in expanded:
                expanded.add(id(found[0]))
                todo += [(found[1], other) for other in _words(found[0].span.text)]
        return {home: frozenset(words) for home, words in seen.items()}


@dataclass(frozen=True, slots=True)
class ChangesOfFiles:
    """What differs between two checks: words that mean something else, files of which anything may, and orders."""

    words: Mapping[WhichFile, frozenset[str]]
    whole: frozenset[WhichFile]
    orders: frozenset[WhichFile]

    @classmethod
    def between(cls, earlier: Mapping[WhichFile, _State], later: Mapping[WhichFile, _State]) -> ChangesOfFiles:
        """Compare the files of two checks."""
        both = earlier.keys() & later.keys()
        found = {home: earlier[home].changed(later[home]) for home in both}
        gone = (earlier.keys() | later.keys()) - both
        whole = frozenset({*gone, *(home for home, words in found.items() if words is None)})
        orders = frozenset(home for home in both if earlier[home].order != later[home].order)
        return cls({home: words for home, words in found.items() if words}, whole, orders)

    def concern(self, words: WordsReached, is_told: bool) -> bool:
        """Return whether what was made of these words may be another one now; messages list names in their order."""
        homes = words.keys()
        if homes & self.whole or (is_told and homes & self.orders):
            return True
        return any(not found.isdisjoint(words.get(home, ())) for home, found in self.words.items())
