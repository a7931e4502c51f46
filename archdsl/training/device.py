"""Where a network is run."""

from __future__ import annotations

import torch

from archdsl.training.error import TrainingError


def find_device(name: str = "auto") -> torch.device:
    """Return the device of a name; `auto` takes the GPU that torch can use, else the CPU.

    Errors: TrainingError with E368 if torch has no such device here
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # what only has shapes, such as `meta`, has no values
    except (RuntimeError, AssertionError, NotImplementedError):
        raise TrainingError(f"torch cannot use a device `{name}` here", "use `--device auto`", "E368") from None
    return device
