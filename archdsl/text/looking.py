"""How a file's parts are looked at one by one, so that somebody may remember what was said of each."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from archdsl.text.diagnostic import Reporter

T = TypeVar("T")


class Looking:
    """Looks at each part of a file anew; who remembers what was said of parts is a kind of it."""

    def __init__(self) -> None:
        self.visited: set[int] = set()
        """Identities of the bodies that were gone through so far."""

    def at(
        self, part: object, what: Callable[..., T], report: Reporter, look: Callable[[Reporter], T], *inputs: Hashable
    ) -> T:
        """Return what `look` finds out about a part, which reports to what it is given.

        `what` names the question, and the answer depends on the part's own text and on `inputs` alone.
        """
        return look(report)

    def into(
        self,
        part: object,
        what: Callable[..., T],
        report: Reporter,
        look: Callable[[Reporter], T],
        *inputs: Hashable,
        beside_errors: Callable[[T, Reporter], T | None] | None = None,
    ) -> T:
        """Return what `look` finds out about a declaration, which may depend on all that its words can mean.

        It may also depend on whether there are errors so far, and on what was visited. `beside_errors` makes, of an
        answer without errors and with nothing reported, the one where there are errors, if it can.
        """
        return look(report)
