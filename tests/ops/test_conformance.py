"""Every operator against torch: shapes, state, cost and memory; against symbols; and its documentation."""

from __future__ import annotations

import doctest
import sys
from itertools import product

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archdsl.ops import OPS
from archdsl.ops.base import Op, OpError, TorchCall, attribute_docs
from archdsl.ops.shape import Dim, Shape, Size
from archdsl.text.codes import CODES
from tests.ops.cases import ALL_CASES, CASES, COMPUTED, Case
from tests.ops.execute import build, random_inputs

# What torch says of a padding that differs between the sides.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")

every_op = pytest.mark.parametrize("op", OPS.values(), ids=OPS)
every_case = pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)
every_call = pytest.mark.parametrize("case", COMPUTED, ids=lambda case: case.name)


@every_op
def test_an_operator_is_compared_with_torch_in_a_case(op: type[Op]) -> None:
    assert CASES[op.keyword]


@every_op
def test_an_operator_documents_itself_and_each_attribute(op: type[Op]) -> None:
    text = op.__doc__ or ""
    first = text.splitlines()[0]
    assert first.endswith(".")
    assert first[0].isupper()
    headings = [line.strip().split(":")[0] for line in text.splitlines() if line.startswith("    ")]
    positions = [headings.index(heading) for heading in ("Shape", "Cost", "Errors", "Source")]
    assert positions == sorted(positions)
    docs = attribute_docs(op)
    assert [name for name in op.model_fields if not docs.get(name)] == []
    assert set(op.aliases.values()) <= set(op.model_fields)
    assert not set(op.aliases) & set(op.model_fields)


@every_op
def test_an_operators_example_runs(op: type[Op]) -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        op, globs={**vars(sys.modules[op.__module__]), "Shape": Shape}
    )
    assert example.examples
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0


@every_op
def test_an_operator_raises_only_codes_that_are_explained(op: type[Op]) -> None:
    codes = {word.strip(";:,") for word in (op.__doc__ or "").split() if word[:2] == "E2" and word[1:4].isdigit()}
    assert codes <= set(CODES)


@every_case
def test_costs_add_up_to_the_states_elements(case: Case) -> None:
    cost, tensors = case.op.cost(case.inputs), case.op.state(case.inputs)
    assert cost.parameters + cost.buffers == sum(tensor.elements for tensor in tensors)
    assert cost.flops == 2 * cost.macs
    assert cost.elementwise >= 0


@every_case
def test_symbolic_shapes_agree_with_numbers_at_every_size(case: Case) -> None:
    symbolic = case.op.infer_shape([_symbolic(shape) for shape in case.inputs])
    compared = 0
    for height, width in product((0, 1, 2, 3, 6, 13, 24), repeat=2):
        sized = [_resized(shape, height, width) for shape in case.inputs]
        try:
            expected = case.op.infer_shape(sized)
        except OpError:
            continue
        values = {"H": 13 + height, "W": 10 + width}
        assert _evaluated(symbolic, values) == expected
        compared += 1
    assert compared


@pytest.mark.torch
@every_call
def test_the_output_has_the_shape_that_torch_gives(case: Case) -> None:
    output = build(case.op.to_torch(case.inputs), case.read).eval()(*random_inputs(case.flowing))
    assert tuple(output.shape) == (2, *case.op.infer_shape(case.inputs))


@pytest.mark.torch
@every_call
def test_the_state_is_that_of_torch(case: Case) -> None:
    call = case.op.to_torch(case.inputs)
    module = build(call)
    parameters = dict(module.named_parameters())
    real = [
        (name, tuple(tensor.shape), "parameter" if name in parameters else "buffer", str(tensor.dtype))
        for name, tensor in module.state_dict().items()
    ]
    claimed = [
        (tensor.name or "tensor", tensor.shape, tensor.kind, f"torch.{tensor.dtype}")
        for tensor in case.op.state(case.inputs)
    ]
    assert claimed == real


@pytest.mark.torch
@every_call
def test_macs_are_half_the_operations_that_torch_counts(case: Case) -> None:
    module, inputs = build(case.op.to_torch(case.inputs), case.read).eval(), random_inputs(case.flowing, batch=2)
    with FlopCounterMode(display=False) as counter:
        module(*inputs)
    assert 2 * case.op.cost(case.inputs).flops == counter.get_total_flops()


@pytest.mark.torch
@every_call
def test_the_module_for_a_sequence_does_the_same(case: Case) -> None:
    call = case.op.to_torch(case.inputs)
    if call.stateless_module is None:
        assert call.kind in ("module", "operator") or call.is_owned or case.op.is_join or case.read
        return
    inputs = random_inputs(case.flowing)
    one, other = build(call.stateless_module)(*inputs), build(call)(*inputs)
    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@pytest.mark.torch
@every_call
def test_arguments_leave_out_what_equals_torchs_defaults(case: Case) -> None:
    call = case.op.to_torch(case.inputs)
    if call.kind == "module" and call.kwargs:
        for name in call.kwargs:
            rest = {key: value for key, value in call.kwargs.items() if key != name}
            assert _settings(TorchCall(call.target, call.args, rest)) != _settings(call), name


def _settings(call: TorchCall) -> tuple[dict[str, object], dict[str, list[float]], tuple[int, ...]]:
    module = build(call)
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    slopes = {name: tensor.tolist() for name, tensor in module.named_parameters() if call.target == "nn.PReLU"}
    return public, slopes, tuple(parameter.numel() for parameter in module.parameters())


def _symbolic(shape: Shape) -> Shape:
    return shape.with_sizes(_variable(size, axis) for axis, size in enumerate(shape))


def _variable(size: Size, axis: int) -> Size:
    # Sizes that the cases share become the image's; the offset from them stays.
    if axis == 0 or size == 1 or not isinstance(size, int):
        return size
    name, base = (("H", 13), ("W", 10))[axis - 1]
    return Dim.variable(name) + (size - base)


def _resized(shape: Shape, height: int, width: int) -> Shape:
    added = (0, height, width)
    return shape.with_sizes(size if axis == 0 or size == 1 else size + added[axis] for axis, size in enumerate(shape))


def _evaluated(shape: Shape, values: dict[str, int]) -> Shape:
    return shape.with_sizes(size.evaluate(values) if isinstance(size, Dim) else size for size in shape)
