"""A network with its optimizer and schedule: what one step changes, and what a checkpoint is taken from."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.training.data import Batch, fit
from archdsl.training.error import TrainingError
from archdsl.training.recipe import Recipe
from archdsl.training.schedule import learning_rate, schedule_of

Logits = Tensor | tuple[Tensor, ...]


class Update(NamedTuple):
    """What one step measured, still on the device: reading it waits for the step to end.

    `loss` is what was minimised; `entropy` the plain cross-entropy, which can be compared with a test's.
    """

    loss: Tensor
    entropy: Tensor
    correct: Tensor
    images: int
    lr: float


class Score(NamedTuple):
    """Mean cross-entropy, without label smoothing, and accuracy from 0 to 1."""

    loss: float
    accuracy: float


class Learner:
    """Train a module by SGD with momentum on batches of a data set."""

    def __init__(
        self,
        module: nn.Module,
        recipe: Recipe,
        size: tuple[int, int, int],
        steps_per_epoch: int,
        auxiliary: Sequence[int] = (),
    ) -> None:
        """Begin a run; `auxiliary` are the places of auxiliary classifiers among what the module gives in training."""
        self.recipe, self.size, self.steps_per_epoch = recipe, size, steps_per_epoch
        self.auxiliary = auxiliary
        self.device = device_of(recipe)
        self.layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.module = cast(Callable[..., nn.Module], module.to)(device=self.device, memory_format=self.layout)
        # Compiled last, for the memory layout is part of what is compiled; the module keeps the plain names.
        self.forward = cast(Callable[[Tensor], Logits], torch.compile(self.module) if recipe.compile else self.module)
        self.optimizer = torch.optim.SGD(
            parameter_groups(self.module, recipe),
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
        )
        self.schedule = schedule_of(recipe)
        self.step = 0

    def update(self, batch: Batch) -> Update:
        """Take one step on a batch."""
        lr = learning_rate(self.recipe, self.schedule, self.step, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        images, labels = self._load(batch)
        self.optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            logits, *others = _as_tuple(self.forward(images))
            loss = self._loss(logits, labels)
            for place in self.auxiliary:
                loss = loss + self.recipe.aux_weight * self._loss(others[place - 1], labels)
        cast(Callable[[], None], loss.backward)()
        self.optimizer.step()
        self.step += 1
        logits = logits.detach().float()
        entropy = functional.cross_entropy(logits, labels)
        return Update(loss.detach(), entropy, (logits.argmax(1) == labels).sum(), len(labels), lr)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Measure the network on unseen images; its mode is put back to training."""
        self.module.eval()
        loss = torch.zeros((), device=self.device, dtype=torch.float64)
        correct = torch.zeros((), device=self.device, dtype=torch.int64)
        count = 0
        for batch in batches:
            images, labels = self._load(batch)
            with self._autocast():
                logits = _as_tuple(self.forward(images))[0]
            loss += functional.cross_entropy(logits.float(), labels, reduction="sum")
            correct += (logits.argmax(1) == labels).sum()
            count += len(labels)
        self.module.train()
        return Score(loss.item() / count, correct.item() / count)

    def _load(self, batch: Batch) -> Batch:
        images, labels = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        return Batch(fit(images, self.size).contiguous(memory_format=self.layout), labels)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.amp)


def parameter_groups(module: nn.Module, recipe: Recipe) -> list[dict[str, object]]:
    """Part the parameters by whether weight decay reaches them."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if recipe.decay_norms:
        return [{"params": trained, "weight_decay": recipe.weight_decay}]
    weights = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [(weights, recipe.weight_decay), (vectors, 0.0)]
    return [{"params": members, "weight_decay": decay} for members, decay in groups if members]


def device_of(recipe: Recipe) -> torch.device:
    """Find the device that a recipe names.

    Errors: TrainingError if torch has no such device here
    """
    if recipe.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(recipe.device)
        torch.zeros(1, device=device).item()  # what only has shapes, such as `meta`, has no values
    except (RuntimeError, AssertionError):
        message = f"torch cannot use a device `{recipe.device}` here"
        raise TrainingError(message, "use `device=auto`") from None
    return device


def _as_tuple(output: Logits) -> Sequence[Tensor]:
    return (output,) if isinstance(output, Tensor) else output
