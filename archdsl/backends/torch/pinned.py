"""What is frozen, in code: classes that stay in evaluation, and the parameters that take no gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.backends.torch.code import PyList, PyLiteral
from archdsl.backends.torch.layout import layout
from archdsl.ir.graph import Node
from archdsl.passes.frozen import outermost_parameters
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_state

PINNED = "Pinned"
"""The helper class that keeps a module in evaluation, and what the names of such classes begin with."""
_TORCH = "nn."


class PinnedName(str):
    """The name of a class whose modules stay in evaluation; `target` is the class that it is made of."""

    target: str

    def __new__(cls, target: str) -> PinnedName:
        made = super().__new__(cls, f"{PINNED}{target.removeprefix(_TORCH)}")
        made.target = target
        return made


def pinned(node: Node, target: str) -> str:
    """Return the class of a node's module: where it is frozen and training would change it, one that stays as it is."""
    is_pinned = node.is_frozen and node.op is not None and node.op.differs_in_training()
    return PinnedName(target) if is_pinned else target


def plain(function: str) -> str:
    """Return the class that a pinned one is made of; any other name as it is.

    >>> plain(PinnedName("nn.Dropout")), plain("Bottleneck")
    ('nn.Dropout', 'Bottleneck')
    """
    return function.target if isinstance(function, PinnedName) else function


def pinned_targets(shapes: Shapes) -> dict[str, str]:
    """Map the pinned classes that a network needs to the classes that they are made of, in the order of the text."""
    found: dict[str, str] = {}
    for table in shapes.tables():
        for node in table.graph.topological():
            if node.is_frozen and node.op is not None:
                call = node.op.to_torch(table.inputs_of(node))
                name = pinned(node, call.target)
                if name != call.target:
                    found[name] = call.target
    return found


def pinned_lines(name: str, target: str) -> list[str]:
    """Write the class that keeps another one's modules in evaluation."""
    doc = f'    """{target.removeprefix(_TORCH)} that acts as in evaluation while the network trains."""'
    return ["", "", f"class {name}({PINNED}, {target}):", doc]


def frozen_lines(shapes: Shapes) -> list[str]:
    """Write the statements of the network's constructor that leave frozen parameters without gradients."""
    # Asked first, since what follows looks at every repetition.
    if not any(node.is_frozen for table in shapes.tables() for node in table.graph.topological()):
        return []
    found = outermost_parameters(shapes)
    if not found.frozen:
        return []
    owned = {key for key, _ in list_state(shapes)}
    if not found.trainable:
        return ["self.requires_grad_(False)"]
    if len(found.trainable) < len(found.frozen):
        return ["self.requires_grad_(False)", *_set(found.trainable, owned, "True")]
    return [*_set(found.frozen, owned, "False")]


def _set(paths: Sequence[str], owned: set[str], value: str) -> Iterator[str]:
    """Write what sets `requires_grad` of modules, and of parameters that the levels own themselves."""
    for getter, group in (
        ("get_submodule", [path for path in paths if path not in owned]),
        ("get_parameter", [path for path in paths if path in owned]),
    ):
        if len(group) == 1:
            found = f"self.{group[0]}" if group[0].isidentifier() else f'self.{getter}("{group[0]}")'
            yield f"{found}.requires_grad_({value})"
        elif group:
            yield from (line[8:] for line in layout("for name in ", PyList(tuple(map(PyLiteral, group))), ":", 8))
            yield f"    self.{getter}(name).requires_grad_({value})"
