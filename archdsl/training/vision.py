"""The one import of torchvision: `from archdsl.training.vision import functional, torchvision`."""

# torchvision leaves much untyped, and torch some.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import torch

_OPERATORS = ("nms", "qnms")


def _import() -> tuple[ModuleType, torch.library.Library | None]:
    """Import torchvision, also where its compiled operators do not load, as beside a torch of another build.

    There the import describes two operators to torch that torch does not know, and fails. Nothing here runs them, so
    they are declared, and the import is tried again. Where the compiled library loads it declares them itself, and a
    second declaration would end the process: so the plain import comes first.
    """
    try:
        return import_module("torchvision"), None
    except RuntimeError as error:
        if "operator torchvision::" not in str(error) or "does not exist" not in str(error):
            raise
    declared = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return import_module("torchvision"), declared


# The declarations last as long as the second object.
torchvision, _declared = _import()

from torchvision.transforms.v2 import functional  # noqa: E402  (it cannot come before what makes it possible)

__all__ = ["functional", "torchvision"]
