"""Where weights come from: a file, or a name under which torchvision or timm knows their address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archdsl.weights.preprocessing import Preprocessing

LIBRARIES = ("torchvision", "timm")
"""What may stand before a name and a colon."""


@dataclass(frozen=True, slots=True)
class FoundWeights:
    """A file of weights, what the user called it, and how images reached its network, where that is known."""

    name: str
    path: Path
    preprocessing: Preprocessing | None = None


def is_published(text: str) -> bool:
    """Return whether a text names weights of a library, and no file."""
    library, sign, _ = text.partition(":")
    return bool(sign) and library in LIBRARIES and not Path(text).exists()


def resolve_weights(text: str | Path) -> FoundWeights:
    """Find weights by a file's path, `torchvision:NAME` or `timm:NAME`; those of a library are fetched if need be.

    A file is not looked at, so that it need not be there.
    Errors: WeightsError where a library has none of that name, or they are neither in its cache nor reached; Failure
    where the library is not installed
    """
    if isinstance(text, Path) or not is_published(text):
        return FoundWeights(str(text), Path(text))
    from archdsl.weights.published import timm_weights, torchvision_weights

    library, _, name = text.partition(":")
    found = (torchvision_weights if library == "torchvision" else timm_weights)(name.strip())
    return FoundWeights(text, found.path, found.preprocessing)
