"""The libraries that archdsl is compared with: `from tests.peers import timm, torchvision`."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch


def _declare_operators() -> torch.library.Library | None:
    """Declare nms and qnms where torchvision's compiled library does not load.

    That is so beside a torch of another build. The import describes these two to torch and fails when they
    are unknown. Where the library loads it declares them itself, and a second declaration ends the process: so
    torch is asked, since the library's name differs between versions (`_C.so`, `_C_stable.so`).
    """
    spec = find_spec("torchvision")
    assert spec is not None, "torchvision is missing: run `make setup`"
    assert spec.origin is not None
    for library in sorted(Path(spec.origin).parent.glob("_C*.so")):
        with suppress(OSError):
            torch.ops.load_library(library)
    operators = torch.library.Library("torchvision", "FRAGMENT")
    unknown = [name for name in ("nms", "qnms") if not hasattr(torch.ops.torchvision, name)]
    for name in unknown:
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return operators if unknown else None


# The declarations last as long as this object.
_OPERATORS = _declare_operators()

import timm  # noqa: E402  (the declarations come first)
import torchvision  # noqa: E402

__all__ = ["timm", "torchvision"]
