"""How fast a run goes, how long it has left, and what memory it takes."""

from __future__ import annotations

import sys
from collections import deque
from time import monotonic

_STEPS = 50
"""The last steps, whose rate is shown."""


class Clock:
    """Follows the steps of a run."""

    def __init__(self) -> None:
        self._total = 0
        self._ticks: deque[tuple[float, int]] = deque(maxlen=_STEPS)

    def begin(self, step: int, total: int) -> None:
        """Begin at a step."""
        self._total = total
        self._ticks.append((monotonic(), step))

    def tick(self, step: int) -> tuple[float, float]:
        """Return the steps a second, and the seconds that the steps to come take at that rate."""
        self._ticks.append((monotonic(), step))
        (first, start), (last, end) = self._ticks[0], self._ticks[-1]
        rate = (end - start) / max(last - first, 1e-9)
        return rate, (self._total - step) / max(rate, 1e-9)

    def memory(self, device: str) -> str:
        """Return what the device's memory, or else the process's, came to at most."""
        torch = sys.modules.get("torch")
        if device.startswith("cuda") and torch is not None:
            return f"  {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB"
        try:
            import resource
        except ImportError:  # Windows has none
            return ""
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return f"  {used / (2**20 if sys.platform != 'darwin' else 2**30):.1f} GiB"


def duration(seconds: float) -> str:
    """Write a time.

    >>> duration(3.25), duration(61), duration(7300)
    ('3.2 s', '1 min 1 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
