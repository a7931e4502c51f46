"""What is said of a loss that is not finite: the step, the images, and the first module that gave such numbers."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from archdsl.recipes.recipe import Recipe
from archdsl.training.error import TrainingError

_MOST_NAMED = 3


class FirstNotFinite:
    """Finds the first module whose output holds NaN or infinity while all that it was given was finite."""

    def __init__(self, module: nn.Module) -> None:
        self.path: str | None = None
        self.images: list[int] = []
        """Whose outputs it concerns, by their places in the batch."""
        self._module = module

    def run(self, forward: Callable[[], object]) -> None:
        """Run a forward pass, looking at every module."""
        # Inner modules end before outer ones, so the first to be found is the innermost.
        modules: list[tuple[str, nn.Module]] = [*self._module.named_modules()]
        hooks = [inner.register_forward_hook(self._hook(path)) for path, inner in modules]
        try:
            with torch.no_grad():
                forward()
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(_: nn.Module, __: Any, output: Any) -> None:
            if self.path is not None:
                return
            for tensor in _tensors(output):
                bad = ~torch.isfinite(tensor)
                if bool(bad.any()):
                    self.path = path
                    found = bad.flatten(1).any(1).nonzero().flatten() if tensor.ndim > 1 else bad[:0]
                    self.images = cast("list[int]", found.tolist())
                    return

        return look


def _tensors(output: object) -> Iterable[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, tuple | list):
        for part in output:  # pyright: ignore[reportUnknownVariableType] -- whatever a module gives
            yield from _tensors(part)  # pyright: ignore[reportUnknownArgumentType]


def not_finite(
    what: str, recipe: Recipe, found: FirstNotFinite | None = None, names: Sequence[str] = ()
) -> TrainingError:
    """Return what to say of a number that is not finite; `names` are those of the batch's images."""
    if found is not None and found.path is not None:
        inside = f"`{found.path}`" if found.path else "the network itself"
        chosen = [names[place] for place in found.images] or list(names)
        shown = ", ".join(f"`{name}`" for name in chosen[:_MOST_NAMED])
        rest = f" and {len(chosen) - _MOST_NAMED} more" if len(chosen) > _MOST_NAMED else ""
        what += f"; the first output that is not finite is that of {inside}, for {shown}{rest}"
    elif found is not None:
        what += "; all modules give finite numbers, and the loss does not"
    advice = [f"lower the rate, now {recipe.optimizer.lr:g}", "clip gradients: `clip 1.0`"]
    if recipe.warmup.epochs < recipe.epochs.number:
        advice.insert(1, f"let it rise for longer, now `warmup {recipe.warmup.epochs:g}`")
    if recipe.precision.type != "float32":
        advice.append("compute in float32: `precision float32`")
    return TrainingError(what, "; ".join(advice), "E372")


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether all numbers are finite, waiting for the device once."""
    found = [torch.isfinite(tensor).all() for tensor in tensors if tensor.is_floating_point()]
    return not found or bool(torch.stack([flag.cpu() for flag in found]).all())
