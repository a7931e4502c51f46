"""Weights that stay as they are, and the mode of the modules that hold them."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from fnmatch import fnmatchcase

from torch import nn

from archdsl.network import Network
from archdsl.recipes.updates import Freeze
from archdsl.text.suggest import nearest
from archdsl.training.error import TrainingError

BACKBONE = "backbone"
"""The word for all but the last layer with weights before the main output."""


class Frozen:
    """What of a module is frozen: no gradient, and modules that stay in evaluation whatever the rest does."""

    def __init__(self, module: nn.Module, network: Network, freeze: Freeze | None) -> None:
        """Freeze what a recipe names.

        Errors: TrainingError with E371 where a path names nothing, or nothing is left to train
        """
        self.modules: list[nn.Module] = []
        for part in freeze.parts if freeze is not None else ():
            self._freeze(module, network, part)
        if freeze is not None and not any(parameter.requires_grad for parameter in module.parameters()):
            raise TrainingError("`freeze` leaves nothing to train", "name fewer paths in the recipe's `freeze`", "E371")

    def _freeze(self, module: nn.Module, network: Network, part: str) -> None:
        modules: list[tuple[str, nn.Module]] = [*module.named_modules()]
        named = {name: inner for name, inner in modules if name}
        parameters = dict(module.named_parameters())
        if part == BACKBONE:
            head = head_of(network)
            around = {".".join(head.split(".")[:depth]) for depth in range(head.count(".") + 1)} | {head}
            beside = head.rpartition(".")[0]
            frozen = [name for name in parameters if not _is_below(name, (head,))]
            # What stands in one sequence with the head, such as its dropout, goes on as in training.
            still = [n for n in named if n not in around and not (beside and n.rpartition(".")[0] == beside)]
            still = [name for name in still if not _is_below(name, (head,))]
        else:
            still = [name for name in named if fnmatchcase(name, part)]
            frozen = [n for n in parameters if _is_below(n, still) or fnmatchcase(n, part)]
        if not frozen and not still:
            near = nearest(part, [BACKBONE, *named, *parameters])
            help = (
                f"the nearest is `{near}`" if near else "paths are those of `archdsl summary`, and `*` is any letters"
            )
            raise TrainingError(f"nothing in {network.name} is called `{part}`, which `freeze` names", help, "E371")
        for name in frozen:
            parameters[name].requires_grad_(False)
        self.modules += [named[name] for name in still]

    def train(self, module: nn.Module) -> None:
        """Put a module into training, and what is frozen of it back into evaluation."""
        module.train()
        for inner in self.modules:
            inner.eval()


def _is_below(name: str, paths: Iterable[str]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for path in paths)


def head_of(network: Network) -> str:
    """Return the path of the layer with weights that is nearest to the main output, norms left aside.

    Errors: TrainingError with E371 where there is none
    """
    graph = network.flatten()
    nodes, queue = graph.nodes, deque([graph.graph["outputs"][0].value.node])
    seen = {*queue}
    while queue:
        node = queue.popleft()
        op = nodes[node]["op"]
        if nodes[node]["costs"].parameters and op.category in ("linear", "conv"):
            return str(nodes[node]["path"])
        for before in graph.predecessors(node):
            if before not in seen:
                seen.add(before)
                queue.append(before)
    message = f"{network.name} has no layer with weights that `{BACKBONE}` could leave to train"
    raise TrainingError(message, "name paths in the recipe's `freeze`", "E371")
