"""What is said where a GPU's memory does not suffice."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any, cast

import torch

from archdsl.training.error import TrainingError
from archdsl.training.plan import RunPlan


def out_of_memory(plan: RunPlan, error: torch.OutOfMemoryError) -> TrainingError:
    """Return what was estimated, what was used, and the batch that fits, as far as both tell."""
    batch = min(plan.recipe.batch_size.images, len(plan.data.parts["train"]))
    total = 0
    if plan.device.type == "cuda":
        total = cast("Any", torch.cuda.get_device_properties(plan.device)).total_memory
    return TrainingError(
        *describe_shortage(
            batch,
            estimate=plan.network.memory(batch).training,
            fixed=plan.network.memory(0).training,
            used=torch.cuda.max_memory_allocated(plan.device) if plan.device.type == "cuda" else 0,
            total=total,
            reason=str(error).partition(".")[0],
        ),
        "E375",
    )


def describe_shortage(batch: int, *, estimate: int, fixed: int, used: int, total: int, reason: str) -> tuple[str, str]:
    """Return message and help. All sizes are in bytes; `fixed` is what needs no image.

    >>> describe_shortage(64, estimate=12 * 2**30, fixed=2**30, used=7 * 2**30, total=8 * 2**30, reason="")[1]
    'say `--batch-size 36`, which is estimated to fit, or `--set recipe.precision=bf16`'
    """
    gib = 2**30
    message = f"the device's memory does not suffice for {batch} images a step: estimated {estimate / gib:.1f} GiB"
    message += f", {used / gib:.1f} of {total / gib:.1f} GiB in use" if total else ""
    message += f" ({reason.lower()})" if reason else ""
    each = max((estimate - fixed) / max(batch, 1), 1)
    # Kernels' workspaces and the allocator's rounding take some, which no estimate has.
    fits = int((0.9 * total - fixed) / each) if total else batch // 2
    fits = min(fits, batch - 1)
    if fits < 1:
        return message, "take a smaller network or input, or say `--set recipe.precision=bf16`"
    return message, f"say `--batch-size {fits}`, which is estimated to fit, or `--set recipe.precision=bf16`"
