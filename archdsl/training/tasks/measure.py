"""Measuring a network on a part of the data, without changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor

from archdsl.training.tasks.base import ModuleOutput, Task, as_outputs


class MeasuredBatch(Protocol):
    """What of a batch is measured."""

    @property
    def images(self) -> Any: ...

    @property
    def targets(self) -> Tensor: ...

    @property
    def indices(self) -> Tensor: ...


Watcher = Callable[[Tensor, Tensor, Tensor], None]
"""Takes the main output of a batch, its targets, and the images' places in the part."""


def measure(
    task: Task,
    forward: Callable[[Any], ModuleOutput],
    batches: Iterable[MeasuredBatch],
    normalise: Callable[[Any], Any],
    device: torch.device,
    *,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    watch: Watcher | None = None,
) -> dict[str, float]:
    """Return a network's figures on batches of images; none without a batch.

    `watch` sees each output, in float32 and on the device.
    Requires: what `forward` runs is on the device and in evaluation mode.
    """
    meter = task.meter()
    with torch.inference_mode():
        for batch in batches:
            images, targets = (t.to(device, non_blocking=True) for t in (batch.images, batch.targets))
            with autocast():
                output = as_outputs(forward(normalise(images)))[0]
            output = output.float()
            meter.add(output, targets)
            if watch is not None:
                watch(output, targets, batch.indices)
    return meter.read() if not meter.is_empty else {}
