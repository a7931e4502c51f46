"""The one import of torchvision, from where its address book of weights and its images are used."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

import torch

_OPERATORS = ("nms", "qnms")
_DECLARED: list[torch.library.Library] = []
"""Declarations, which last as long as these objects."""


@cache
def import_torchvision() -> ModuleType:
    """Import torchvision, also where its compiled operators do not load, as beside a torch of another build.

    There the import describes two operators to torch that torch does not know, and fails. Nothing here runs them, so
    they are declared, and the import is tried again. Where the compiled library loads it declares them itself, and a
    second declaration would end the process: so the plain import comes first.
    Raises whatever else the import raises.
    """
    try:
        return import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error) or "does not exist" not in str(error):
            raise
    declared = torch.library.Library("torchvision", "FRAGMENT")
    _DECLARED.append(declared)
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return import_module("torchvision")
