"""What was said of a file's parts when it was checked last, for as long as nothing that it depends on changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.looking import Looking
from archdsl.workspace.reach import ChangesOfFiles, FilesRead, WordsReached

T = TypeVar("T")


class SettlingReporter(Reporter):
    """A reporter for texts that change: all places are those in the latest texts, by which they are compared."""

    def add(self, diagnostic: Diagnostic) -> None:
        super().add(diagnostic.now())


class _Recorder(Reporter):
    """Hands on what it is told, and remembers it."""

    def __init__(self, target: Reporter) -> None:
        super().__init__(target.limit)
        self._target = target
        self.told: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        diagnostic = diagnostic.now()
        self.told.append(diagnostic)
        self._target.add(diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self._target.diagnostics

    @property
    def is_full(self) -> bool:
        return self._target.is_full

    @property
    def has_errors(self) -> bool:
        return self._target.has_errors


class _Visited(set[int]):
    """The bodies that were gone through, and what was asked about those that others had gone through before."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[int, bool] = {}
        self.added: set[int] = set()

    def __contains__(self, item: object) -> bool:
        found = super().__contains__(item)
        if item not in self.added:
            self.asked[cast("int", item)] = found
        return found

    def add(self, item: int) -> None:
        self.added.add(item)
        super().add(item)

    def watch(self) -> None:
        """Forget what was asked and added so far."""
        self.asked, self.added = {}, set()


@dataclass(slots=True)
class _Said:
    """What was found out about a part."""

    part: object
    """Held so that nothing else takes its identity."""
    answer: object
    told: list[Diagnostic]
    asked: dict[int, bool]
    added: set[int]
    words: WordsReached


class CheckMemory(Looking):
    """Answers what it was asked at an earlier check of a file, where the answer can be no other one."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = _Visited()
        self._said: dict[tuple[Hashable, ...], _Said] = {}
        self._reach: FilesRead | None = None
        self.reports: dict[int, Reporter] = {}
        """What was reported at this check to look into a declaration, by the declaration's identity."""

    def begin(self, module: Module, library: Library) -> None:
        """Begin another check: forget what may be otherwise now."""
        reach, earlier = FilesRead(module, library), self._reach
        parts = {id(part) for part in module.file.declarations}
        changes = ChangesOfFiles.between(earlier.states, reach.states) if earlier is not None else None
        for key, said in [*self._said.items()]:
            is_gone = id(said.part) not in parts or changes is None
            if is_gone or (said.words and changes is not None and changes.concern(said.words, bool(said.told))):
                del self._said[key]
        self._reach, self.reports = reach, {}
        self.visited = self._seen = _Visited()

    def at(
        self, part: object, what: Callable[..., T], report: Reporter, look: Callable[[Reporter], T], *inputs: Hashable
    ) -> T:
        """Return what `look` finds out, or found out when it was asked before."""
        return self._answer((id(part), what, inputs), part, report, look, {})

    def into(
        self,
        part: object,
        what: Callable[..., T],
        report: Reporter,
        look: Callable[[Reporter], T],
        *inputs: Hashable,
        beside_errors: Callable[[T, Reporter], T | None] | None = None,
    ) -> T:
        """Return what `look` finds out, or found out before anything that its words can mean changed."""
        self.reports[id(part)] = report
        key = (id(part), what, inputs, report.has_errors)
        sound = self._said.get((id(part), what, inputs, False))
        if beside_errors is not None and key not in self._said and sound is not None and not sound.told:
            recorder = _Recorder(report)
            answer = beside_errors(cast("T", sound.answer), recorder) if self._holds(sound) else None
            if answer is not None:
                self._seen.update(sound.added)
                self._said[key] = replace(sound, answer=answer, told=recorder.told)
                return answer
        return self._answer(key, part, report, look, None)

    def _answer(
        self,
        key: tuple[Hashable, ...],
        part: object,
        report: Reporter,
        look: Callable[[Reporter], T],
        words: WordsReached | None,
    ) -> T:
        said = self._said.get(key)
        # Who looks may stop at the limit of errors.
        is_far_from_full = len(report.diagnostics) + (len(said.told) if said is not None else 0) < report.limit
        if said is not None and is_far_from_full and self._holds(said):
            for diagnostic in said.told:
                report.add(diagnostic.now())
            self._seen.update(said.added)
            return cast("Any", said.answer)
        recorder = _Recorder(report)
        self._seen.watch()
        answer = look(recorder)
        reach = self._reach
        if reach is not None and part is not None and not recorder.is_full:
            found = words if words is not None else reach.of(cast("tree.Declaration", part))
            self._said[key] = _Said(part, answer, recorder.told, self._seen.asked, self._seen.added, found)
        return answer

    def _holds(self, said: _Said) -> bool:
        """Return whether others have gone through the same bodies before, and all places are known."""
        is_seen_alike = not said.asked or all((body in self._seen) is found for body, found in said.asked.items())
        return is_seen_alike and not any(diagnostic.is_lost for diagnostic in said.told)
