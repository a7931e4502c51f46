"""What a network's weights are, as statements of its model's own body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.backends.spec.steps import NOWHERE, name
from archdsl.ir.freezing import FreezePattern, Freezing
from archdsl.ir.start import WeightsSource
from archdsl.syntax import tree


@dataclass(frozen=True, slots=True)
class SaidOfWeights:
    """What a model's own body says of its weights: the statements that freeze parts of it, and the file."""

    freezings: tuple[Freezing, ...] = ()
    weights: WeightsSource | None = None

    def statements(self) -> tuple[tree.Statement, ...]:
        """Return the statements, the file's first."""
        return tuple(map(_said, self._calls()))

    def _calls(self) -> Iterator[tree.Call]:
        if self.weights is not None:
            origin, adapt, anew = self.weights.origin, self.weights.adapt, self.weights.anew
            words = [_text(self.weights.file), *([_word("from"), _word(origin)] if origin is not None else ())]
            excepts = [_word("except"), *map(_pattern, anew.patterns)] if anew is not None else []
            adapted = [tree.Argument(name("adapt"), _word(adapt), NOWHERE)] if adapt is not None else []
            yield tree.Call(name("weights"), (*_arguments(words), *adapted, *_arguments(excepts)), None, NOWHERE)
        for freezing in self.freezings:
            excepts = [_word("except"), *map(_pattern, freezing.excepts)] if freezing.excepts else []
            words = [*map(_pattern, freezing.patterns), *excepts]
            yield tree.Call(name("freeze"), _arguments(words), None, NOWHERE)


def _said(call: tree.Call) -> tree.Statement:
    return tree.Step(None, call, None, NOWHERE)


def _arguments(words: Sequence[tree.Expression]) -> tuple[tree.Argument, ...]:
    return tuple(tree.Argument(None, word, NOWHERE) for word in words)


def _pattern(pattern: FreezePattern) -> tree.Expression:
    return _text(pattern) if isinstance(pattern, str) else _word(str(pattern))


def _text(text: str) -> tree.Expression:
    return tree.Literal(text, NOWHERE)


def _word(text: str) -> tree.Expression:
    return tree.Variable(text, NOWHERE)
