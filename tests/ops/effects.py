"""What operators say of their effect on means, scales, constants and zeros: each claim beside what torch does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from archdsl.ops import OPS
from archdsl.ops.shape import Shape
from tests.ops.cases import CASES, COMPUTED, MAP, Case
from tests.ops.execute import build, random_inputs

Run = Callable[..., Tensor]
_RUNS = 8


def _module(case: Case, *, in_training: bool) -> Run:
    """Return torch's call in double precision; all that is random in it comes from one seed."""
    torch.manual_seed(0)
    module: nn.Module = build(case.op.to_torch(case.inputs), case.read).double().train(in_training)

    def run(*inputs: Tensor) -> Tensor:
        torch.manual_seed(1)
        with torch.no_grad():
            return module(*inputs)

    return run


def _inputs(case: Case, factor: float = 1.0) -> list[Tensor]:
    return [factor * x.double() for x in random_inputs(case.flowing, batch=4)]


def _per_channel(x: Tensor, axis: int = 0) -> Tensor:
    numbers = torch.linspace(-1.7, 2.3, x.shape[axis + 1], dtype=x.dtype)
    return numbers.reshape(-1, *(1 for _ in x.shape[axis + 2 :]))


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=1e-9)


def removes_channel_mean(case: Case) -> bool:
    run, (x,) = _module(case, in_training=True), _inputs(case)
    return _equal(run(x), run(x + _per_channel(x, case.inputs[0].axis or 0)))


def removes_scale(case: Case) -> bool:
    run, (x,) = _module(case, in_training=True), _inputs(case, factor=10)  # so large that `eps` is nothing
    result = run(x)
    return bool((run(3 * x) - result).abs().max() <= 1e-3 * result.abs().max())


def is_idempotent(case: Case) -> bool:
    run, (x,) = _module(case, in_training=False), _inputs(case, factor=2)
    once = run(x)
    return once.shape == x.shape and _equal(run(once), once)


def keeps_constants(case: Case) -> bool:
    run, (x,) = _module(case, in_training=False), _inputs(case)
    constant = _per_channel(x).expand_as(x)
    result = run(constant)
    return (
        result.shape[:2] == x.shape[:2]
        and result.dim() == x.dim()
        and _equal(result, constant[:, :, :1, :1].expand_as(result))
    )


def makes_zero(case: Case) -> tuple[bool, ...]:
    """Tell so of evaluation and of training."""
    modes = [build(case.op.to_torch(case.inputs), case.read).train(in_training) for in_training in (False, True)]
    return tuple(not any(module(*random_inputs(case.flowing)).any() for _ in range(_RUNS)) for module in modes)


def differs_in_training(case: Case) -> bool:
    """Return whether training gives other results than evaluation, or changes the state."""
    module = build(case.op.to_torch(case.inputs), case.read).double()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    for _ in range(_RUNS):
        inputs = _inputs(case)
        with torch.no_grad():
            expected = module.eval()(*inputs)
            if not torch.equal(module.train()(*inputs).nan_to_num(), expected.nan_to_num()):
                return True
    return any(not torch.equal(value, before[key]) for key, value in module.state_dict().items())


def is_bounded(case: Case) -> bool:
    run, (x,) = _module(case, in_training=False), _inputs(case)
    other = x.clone()
    other.view(-1)[3] += 0.3
    result = run(x)
    is_elementwise = result.shape == x.shape and int((run(other) != result).sum()) <= 1
    return is_elementwise and float(run(1e12 * x).abs().max()) < 100


def makes_probabilities(case: Case) -> bool:
    results = _module(case, in_training=False)(*_inputs(case, factor=5))
    return bool(((results >= 0) & (results <= 1)).all()) or bool((results <= 0).all())


def cancels_equals(case: Case) -> bool:
    run, (x, _) = _module(case, in_training=False), _inputs(case)
    return not run(x, x).any()


def repeats_border(case: Case) -> bool:
    """Return whether some row or column of the result sees one of the map's beyond its window."""
    windows = case.op.windows(case.inputs)
    assert windows
    (x,) = random_inputs(case.flowing, batch=1, requires_grad=True)
    result = build(case.op.to_torch(case.inputs), case.read).eval()(x.abs())
    for axis, (kernel, stride, padding, dilation, up, *_) in enumerate(windows, start=2):
        for index, line in enumerate(result.unbind(axis)):
            (gradient,) = torch.autograd.grad(line.square().sum(), x, retain_graph=True)
            seen = gradient.abs().sum([other for other in range(4) if other != axis]).nonzero().flatten().tolist()
            first = index // up * stride - padding
            if not set(seen) <= {first + tap * dilation for tap in range(kernel)}:
                return True
    return False


class Effect(NamedTuple):
    """What operators claim, what torch does, and which cases can tell."""

    claim: Callable[[Case], object]
    truth: Callable[[Case], object]
    cases: Sequence[Case]


ALONE = [case for case in COMPUTED if not case.op.is_join]
# Whether a view changes anything depends on the shape.
CHANGING = [case for case in ALONE if not case.op.shares_memory]
ON_MAPS = [case for case in CHANGING if len(case.inputs[0]) == 3]
MAYBE_ZERO = [
    *ALONE,
    Case(OPS["times"].model_validate({"factor": 0.0}), (MAP,)),
    *(
        Case(op.model_validate({"p": 1.0}), (MAP,))
        for op in OPS.values()
        if op.acts_in_training_only and "p" in op.model_fields
    ),
]
WINDOWED = [case for case in ON_MAPS if case.op.category in ("conv", "pool", "shape") and case.op.windows(case.inputs)]
SQUARE = Shape(8, 6, 6)
PAIRS = [Case(cases[0].op, (SQUARE, SQUARE)) for cases in CASES.values() if cases[0].op.is_join]

EFFECTS = {
    "removes_channel_mean": Effect(lambda case: case.op.removes_channel_mean(case.inputs), removes_channel_mean, ALONE),
    "removes_scale": Effect(lambda case: case.op.removes_scale, removes_scale, ALONE),
    "is_idempotent": Effect(lambda case: case.op.is_idempotent(), is_idempotent, CHANGING),
    "keeps_constants": Effect(lambda case: case.op.keeps_constants(), keeps_constants, ON_MAPS),
    "makes_zero": Effect(
        lambda case: tuple(case.op.makes_zero(in_training=mode) for mode in (False, True)), makes_zero, MAYBE_ZERO
    ),
    "differs_in_training": Effect(lambda case: case.op.differs_in_training(), differs_in_training, COMPUTED),
    "repeats_border": Effect(lambda case: case.op.repeats_border(), repeats_border, WINDOWED),
    "is_bounded": Effect(lambda case: case.op.is_bounded(), is_bounded, ALONE),
    "makes_probabilities": Effect(lambda case: case.op.makes_probabilities, makes_probabilities, ALONE),
    "cancels_equals": Effect(lambda case: case.op.cancels_equals, cancels_equals, PAIRS),
}
"""How each of them is held against torch. A new trait of `Op` needs an entry here or in `traits.py`."""
