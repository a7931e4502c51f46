"""Runs a graph operator by operator, in the order of the text: what emitted code is compared with.

It shares the operators' TorchCalls with the emitter and nothing else: no in-place activations, no classes, no
variables that are used twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from archdsl import Network
from archdsl.ir.graph import Node, Value
from archdsl.passes.shapes import Shapes
from tests.ops.execute import build


class Interpreter(nn.Module):
    """A network whose operators are modules, held by their paths."""

    def __init__(self, net: Network, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.net = net
        self.operators = nn.ModuleDict()
        self._add(net.shapes, "", state)

    def _add(self, shapes: Shapes, prefix: str, state: Mapping[str, Tensor]) -> None:
        for node in shapes.graph.topological():
            if node.is_input or node.reuses is not None:
                continue
            for name in node.names:
                if node.body is not None:
                    self._add(shapes.inner[node.id], f"{prefix}{name}.", state)
                else:
                    self._add_operator(node, shapes, f"{prefix}{name}", state)

    def _add_operator(self, node: Node, shapes: Shapes, path: str, state: Mapping[str, Tensor]) -> None:
        assert node.op is not None
        module = build(node.op.to_torch(shapes.inputs_of(node)))
        own = {key.removeprefix(f"{path}."): value for key, value in state.items() if key.startswith(f"{path}.")}
        module.load_state_dict({"tensor": state[path]} if path in state else own)
        self.operators[_slot(path)] = module

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        """Return the outputs by name, the unnamed main one as "output"; training-only ones in training alone."""
        values = self._run(self.net.shapes, "", inputs)
        outputs = [o for o in self.net.graph.outputs if self.training or not o.is_training_only]
        return {output.name or "output": values[output.value] for output in outputs}

    def _run(self, shapes: Shapes, prefix: str, inputs: Sequence[Tensor]) -> dict[Value, Tensor]:
        arriving = iter(inputs)
        values: dict[Value, Tensor] = {}
        for node in shapes.graph.topological():
            if node.is_input:
                values[Value(node.id)] = next(arriving)
                continue
            sources = [values[value] for value in node.inputs]
            results: dict[str, Tensor] = {}
            for name in (node.reuses,) if node.reuses is not None else node.names:
                results = self._step(node, shapes, f"{prefix}{name}", sources)
                sources = [results[""], *sources[1:]]
            values |= {Value(node.id, output): result for output, result in results.items()}
        return values

    def _step(self, node: Node, shapes: Shapes, path: str, sources: Sequence[Tensor]) -> dict[str, Tensor]:
        if node.body is not None:
            values = self._run(shapes.inner[node.id], f"{path}.", sources)
            named = {output.name: values[output.value] for output in node.body.outputs}
            return {"": values[node.body.main], **named}
        assert node.op is not None
        result = self.operators[_slot(path)](*sources)
        # What no image reaches has no axis for them yet.
        is_bare = node.op.is_source and result.dim() == len(shapes.results[node.id][""])
        return {"": result.unsqueeze(0) if is_bare else result}

    def state(self) -> dict[str, Tensor]:
        """Return the state by the keys that the network's module has."""
        return {_key(name): value for name, value in self.operators.state_dict().items()}

    def gradients(self) -> dict[str, Tensor]:
        """Return the parameters' gradients by the same keys."""
        named = self.operators.named_parameters()
        return {_key(name): p.grad for name, p in named if p.grad is not None}


def _slot(path: str) -> str:
    """Return the name under which nn.ModuleDict holds a path: without dots, and like none of its methods."""
    return "/" + path.replace(".", "/")


def _key(name: str) -> str:
    return name.removesuffix(".tensor").removeprefix("/").replace("/", ".")


def images(net: Network, batch: int = 2) -> list[Tensor]:
    """Draw inputs in float64 that want gradients."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(batch, *shape.numbers()) for shape in net.inputs.values()]
    return [torch.randn(size, generator=generator, dtype=torch.float64).requires_grad_() for size in sizes]


def named(net: Network, result: object, *, in_training: bool) -> dict[str, Tensor]:
    """Name what a module gives as the network's outputs are named."""
    outputs = net.graph.outputs
    names = [o.name or "output" for o in outputs if not o.is_training_only]
    names += [o.name for o in outputs if o.is_training_only and in_training]
    tensors = result if isinstance(result, tuple) else (result,)
    return dict(zip(names, cast("tuple[Tensor, ...]", tensors), strict=True))


def agree(net: Network) -> None:
    """Compare a network's module with the interpreter: results, gradients and state, in training and evaluation."""
    torch.manual_seed(0)
    ours = net.module().double()
    reference = Interpreter(net, ours.state_dict()).double()
    runs: list[dict[str, Tensor]] = []
    for module in (ours, reference):
        inputs = images(net)
        torch.manual_seed(1)
        result = module.train()(*inputs)
        results = result if isinstance(result, dict) else named(net, result, in_training=True)
        sum(tensor.square().sum() for tensor in results.values()).backward()  # pyright: ignore[reportAttributeAccessIssue] -- tensors
        gradients = {f"input {i}": x.grad for i, x in enumerate(inputs) if x.grad is not None}
        if isinstance(module, Interpreter):
            found, state = module.gradients(), module.state()
        else:
            found = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
            state = module.state_dict()
        kept = {f"{key} afterwards": value.clone() for key, value in state.items()}
        with torch.no_grad():
            result = module.eval()(*inputs)
        evaluated = result if isinstance(result, dict) else named(net, result, in_training=False)
        later = {f"{name} in evaluation": tensor for name, tensor in evaluated.items()}
        runs.append({**results, **gradients, **{f"{k}.grad": g for k, g in found.items()}, **kept, **later})
    mine, wanted = runs
    assert mine.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(mine[key], value, rtol=1e-9, atol=1e-9, msg=lambda text, key=key: f"{key}: {text}")
