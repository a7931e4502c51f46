"""The libraries that archdsl is compared with: `from tests.peers import timm, torchvision`."""

from archdsl.training.vision import torchvision

# It imports torchvision, and so comes after.
import timm  # isort: skip

__all__ = ["timm", "torchvision"]
