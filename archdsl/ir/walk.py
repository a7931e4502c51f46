"""Each distinct body once: equal calls share one object, so what holds for it once holds for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

# A graph, or a table of one for certain input shapes: both are compared by identity.
B = TypeVar("B", bound=Hashable)
R = TypeVar("R")
Below: TypeAlias = Callable[[B], Iterable[B]]
"""Lists the bodies that a body calls, in the order of the text."""


def inner_first(root: B, below: Below[B]) -> Iterator[B]:
    """Yield each distinct body once, those that it calls before it, the root last.

    >>> calls = {"model": ["stage", "head"], "stage": ["block", "block"], "head": ["block"], "block": []}
    >>> list(inner_first("model", calls.__getitem__))
    ['block', 'stage', 'head', 'model']
    """
    seen: set[B] = set()
    stack = [(root, False)]
    while stack:
        body, is_done = stack.pop()
        if is_done:
            yield body
        elif body not in seen:
            seen.add(body)
            stack.append((body, True))
            stack.extend((inner, False) for inner in reversed(list(below(body))))


def outer_first(root: B, below: Below[B]) -> Iterator[B]:
    """Yield each distinct body once, in the order in which the text first comes to it, the root first.

    >>> calls = {"model": ["stage", "head"], "stage": ["block", "block"], "head": ["block"], "block": []}
    >>> list(outer_first("model", calls.__getitem__))
    ['model', 'stage', 'block', 'head']
    """
    seen: set[B] = set()
    stack = [root]
    while stack:
        body = stack.pop()
        if body not in seen:
            seen.add(body)
            yield body
            stack.extend(reversed(list(below(body))))


class PerBody(Generic[B, R]):
    """Works something out for each distinct body once.

    `work` is handed the body, and this again to ask for the bodies inside it. Where a result depends on more than the
    body, such as on which of its outputs are read, the two together are what is asked for.

    >>> calls = {"model": ["block", "block"], "block": []}
    >>> sizes = PerBody[str, int](lambda body, size: 1 + sum(map(size, calls[body])))
    >>> sizes("model")
    3
    """

    def __init__(self, work: Callable[[B, Callable[[B], R]], R]) -> None:
        self._work = work
        self._known: dict[B, R] = {}

    def __call__(self, body: B) -> R:
        if body not in self._known:
            self._known[body] = self._work(body, self)
        return self._known[body]
