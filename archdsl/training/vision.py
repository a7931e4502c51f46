"""torchvision, and what it does to images: `from archdsl.training.vision import functional, torchvision`."""

# torchvision has no types of its own.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from archdsl.weights.vision import import_torchvision

torchvision = import_torchvision()

from torchvision.transforms.v2 import functional  # noqa: E402  (it cannot come before what makes it possible)

__all__ = ["functional", "torchvision"]
