"""Signals that ask a run to end: it saves first, and leaves with the command that goes on."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class StopSignals:
    """Takes note of the signals that ask to end, from the thread that runs the program; a second one ends at once.

    What is ignored already, as SIGHUP is under nohup, stays so.

    Not tried on Windows, which has no SIGHUP.
    """

    def __init__(self) -> None:
        self.received = ""
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup, and a shell in the background, ask that a program outlives these
            try:
                self._before[number] = signal.signal(number, self._take)
            except ValueError:  # in another thread than the main one nobody gets signals
                return self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType] -- it came from there

    def _take(self, number: int, _: FrameType | None) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name
