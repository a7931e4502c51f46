"""With what a run is carried out. Importing this imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Means:
    """What a run is carried out with, which has no part in what comes of it."""

    device: str = "auto"
    workers: int = 0
    """Processes that prepare images; 0 lets the run do it itself."""
    skip_bad: int = 0
    """How many images that cannot be read are left out; one more ends the run."""
    checkpoint_every: int = 0
    """Steps; 0 saves after each epoch, and within one every ten minutes."""
    cache_features: bool = False
    """Whether what is frozen before all that learns runs once, and what it gives is kept."""
