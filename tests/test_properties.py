"""What holds for every legal spec: it compiles, and torch agrees with every number that is worked out without it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

import archdsl
from archdsl.network import Network
from archdsl.passes.receptive import receptive_fields
from tests.strategies import Spec, linear_specs, specs

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
SLOW = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
# Fields are measured by one backward pass for each place.
SLOW_FIELDS = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def check_compilation(spec: Spec) -> None:
    assert not [d for d in archdsl.check_text(spec.text) if d.severity == "error"]
    network = archdsl.load_text(spec.text, spec.model)
    costs = network.costs
    assert sum(node.parameters for node in costs.nodes) == costs.parameters
    assert sum(node.macs for node in costs.nodes) == costs.macs
    tensors = [tensor for _, tensor in network.state]
    assert sum(tensor.elements for tensor in tensors if tensor.kind == "parameter") == costs.parameters
    assert sum(tensor.elements for tensor in tensors if tensor.kind == "buffer") == costs.buffers
    flat = network.flatten()
    assert {node.path for node in costs.nodes} == set(flat) - set(network.inputs)
    again = archdsl.load_text(spec.text, spec.model)
    assert network.source() == again.source()
    assert len(network.summary().splitlines()) > len(network.graph.nodes) // 2


def check_shapes(network: Network, module: object) -> None:
    """Compare the shapes of all modules that the generated code calls, and of the outputs in both modes."""
    import torch
    from torch import nn

    assert isinstance(module, nn.Module)
    # Modules without state may serve several steps.
    seen: dict[str, set[tuple[int, ...]]] = {}

    def note(path: str) -> None:
        def hook(_: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, torch.Tensor):
                seen.setdefault(path, set()).add(tuple(output.shape[1:]))

        module.get_submodule(path).register_forward_hook(hook)

    for path, inner in module.named_modules():
        if not any(inner.children()):
            note(path)
    images = [torch.randn(2, *shape.numbers()) for shape in network.inputs.values()]
    training = [output.name for output in network.graph.outputs if output.is_training_only]
    for is_training in (True, False):
        with torch.no_grad():
            result = module.train(is_training)(*images)
        tensors = [result] if isinstance(result, torch.Tensor) else list(result)
        expected = [shape.numbers() for name, shape in network.outputs.items() if is_training or name not in training]
        assert [tuple(tensor.shape[1:]) for tensor in tensors] == expected
    inferred = {node.path: node.output.numbers() for node in network.costs.nodes}
    assert {path: inferred[path] for path in seen if path in inferred and inferred[path] not in seen[path]} == {}


@QUICK
@given(specs())
def test_a_legal_spec_compiles_without_an_error(spec: Spec) -> None:
    check_compilation(spec)


@pytest.mark.slow
@SLOW
@given(specs())
def test_every_legal_spec_compiles_without_an_error(spec: Spec) -> None:
    check_compilation(spec)


def check_fields(spec: Spec) -> None:
    from tests.passes.test_receptive import measured

    network = archdsl.load_text(spec.text, spec.model)
    seen = receptive_fields(network.shapes).results[network.graph.main.node][network.graph.main.output]
    (view,) = seen.views.values()
    assert seen.axes is not None
    _, height, width = network.shapes.outputs[""].numbers()
    for step in range(2):
        place = (height // 2 + step, width // 2 - step)
        along = (place[axis - 1] for axis in seen.axes)
        expected = [reach.interval(i, i) for reach, i in zip(view, along, strict=True) if reach is not None]
        found = measured(network, *place)
        inside = [(max(low, 0), min(high, 79)) for low, high in expected]
        assert found == inside


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@QUICK
@given(linear_specs())
def test_fields_are_those_that_back_propagation_measures(spec: Spec) -> None:
    check_fields(spec)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@SLOW_FIELDS
@given(linear_specs())
def test_fields_are_always_those_that_back_propagation_measures(spec: Spec) -> None:
    check_fields(spec)
