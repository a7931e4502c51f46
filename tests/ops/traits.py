"""What torch does of what an operator claims: a check for each trait of `Op`, which fails where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from archdsl.ops import OPS
from archdsl.ops.base import Op, OpError, TorchCall, Window
from archdsl.ops.shape import Shape
from tests.ops.cases import MAP, Case
from tests.ops.execute import build, random_inputs

PLACES = 6
"""How many elements are changed to see what depends on them."""


def module_of(case: Case, *, in_training: bool, seed: int = 0) -> nn.Module:
    """Build an operator's module in float64, with weights and statistics that are like no other's."""
    module = build(case.op.to_torch(case.inputs), case.read).double().train(in_training)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=torch.float64) + 0.5)
    return module


def inputs_of(case: Case) -> list[Tensor]:
    return [x.double() for x in random_inputs(case.flowing)]


def alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-9, atol=1e-9)


def everywhere(case: Case, holds: Callable[[Case], bool]) -> bool:
    """Return whether something holds for the case's shapes, and for larger ones and a map where rules allow them."""
    larger = tuple(x.with_sizes(2 * size if size != 1 else 3 for size in x) for x in case.inputs)
    others = [Case(case.op, inputs) for inputs in (larger, (MAP,)) if _fits(case, inputs)]
    return all(map(holds, (case, *others)))


def _fits(case: Case, inputs: tuple[Shape, ...]) -> bool:
    if len(inputs) != len(case.inputs):
        return False
    try:
        case.op.infer_shape(inputs)
    except OpError:
        return False
    return True


def hands_on(case: Case, *, in_training: bool) -> bool:
    """Return whether the result is the input, whatever the seed."""
    if case.op.is_join:
        return False
    (x,) = inputs_of(case)
    module = module_of(case, in_training=in_training)
    results: list[Tensor] = []
    for seed in range(3):
        torch.manual_seed(seed)
        results.append(module(x.clone()))
    return all(result.shape == x.shape and torch.equal(result, x) for result in results)


def acts_in_training_only(case: Case) -> None:
    is_noise = hands_on(case, in_training=False) and not hands_on(case, in_training=True)
    assert (case.op.acts_in_training_only and not case.op.changes_nothing()) == is_noise


def changes_nothing(case: Case) -> None:
    assert case.op.changes_nothing() == everywhere(case, lambda c: hands_on(c, in_training=True))


def shares_memory(case: Case) -> None:
    for in_training in (False, True):
        inputs = inputs_of(case)
        output = module_of(case, in_training=in_training)(*inputs)
        is_shared = any(x.untyped_storage().data_ptr() == output.untyped_storage().data_ptr() for x in inputs)
        if is_shared:
            assert case.op.is_view(in_training=in_training)
        assert is_shared or not case.op.shares_memory


def can_run_in_place(case: Case) -> None:
    """Hold `inplace=True` to giving the same results and gradients, in the memory of what comes in."""
    if case.op.changes_nothing():
        return
    call = case.op.to_torch(case.inputs)
    found = call.kind == "module" and _overwrites(TorchCall(call.target, call.args, {**call.kwargs, "inplace": True}))
    assert case.op.can_run_in_place == found
    if not found:
        return
    for in_training in (False, True):
        results: list[tuple[Tensor, ...]] = []
        for options in ({}, {"inplace": True}):
            module = build(TorchCall(call.target, call.args, {**call.kwargs, **options})).double().train(in_training)
            (x,) = inputs_of(case)
            leaf = x.requires_grad_()
            torch.manual_seed(0)
            output = module(leaf + 0)
            results.append((output, *torch.autograd.grad(output.square().sum(), leaf)))
        assert all(map(alike, *results))


def _overwrites(call: TorchCall) -> bool:
    try:
        module = build(call).train()
    except TypeError:
        return False
    before = torch.linspace(-7, 7, 288).reshape(2, 4, 6, 6)
    x = before.clone()
    return module(x).data_ptr() == x.data_ptr() and not torch.equal(x, before)


def is_affine(case: Case) -> None:
    assert case.op.is_affine() == everywhere(case, lambda c: not c.op.is_join and _is_pointwise(c) and _is_additive(c))


def is_pointwise(case: Case) -> None:
    is_one_of_many = case.op.is_join and len(case.inputs) == 1
    assert case.op.is_pointwise() == (not is_one_of_many and everywhere(case, _is_pointwise))


def _is_additive(case: Case) -> bool:
    """Return whether the result is linear in the input but for a constant."""
    module, inputs = module_of(case, in_training=False), inputs_of(case)
    others = [x.flip(0) * 3 for x in inputs]
    zero = module(*(torch.zeros_like(x) for x in inputs))
    both = module(*(x + y for x, y in zip(inputs, others, strict=True)))
    return alike(both - zero, (module(*inputs) - zero) + (module(*others) - zero))


def _is_pointwise(case: Case) -> bool:
    module, inputs = module_of(case, in_training=False), inputs_of(case)
    before = module(*(x.clone() for x in inputs))
    sizes = torch.broadcast_shapes(*(x.shape for x in inputs)) if _broadcast(inputs) else None
    if sizes != before.shape:
        return False
    generator = torch.Generator().manual_seed(0)
    for index, x in enumerate(inputs):
        for _ in range(PLACES):
            place = [int(torch.randint(size, (), generator=generator)) for size in x.shape]
            changed = [y.clone() for y in inputs]
            changed[index][tuple(place)] += 1
            now = module(*changed)
            moved = ((now != before) & ~(now.isnan() & before.isnan())).nonzero()
            fixed = [axis for axis, size in enumerate(x.shape) if size == before.shape[axis]]
            if any(int(row[axis]) != place[axis] for row in moved for axis in fixed):
                return False
    return True


def _broadcast(inputs: Sequence[Tensor]) -> bool:
    sizes = zip(*(x.shape for x in inputs), strict=False)
    return len({x.dim() for x in inputs}) == 1 and all(len({*axis} - {1}) <= 1 for axis in sizes)


def axis_order(case: Case) -> None:
    order = case.op.axis_order()
    inputs = inputs_of(case)
    output = module_of(case, in_training=False)(*inputs)
    if order is not None:
        assert len(order) == len(case.inputs[0])
        assert torch.equal(output, inputs[0].permute(0, *(axis + 1 for axis in order)))
        return
    if len(inputs) == 1 and not case.op.is_identity(in_training=False):
        x, rank = inputs[0], inputs[0].dim()
        swaps = (x.transpose(a, b) for a in range(1, rank) for b in range(a + 1, rank))
        assert not any(output.shape == swapped.shape and torch.equal(output, swapped) for swapped in swaps)


def kept_part(case: Case) -> None:
    kept = case.op.kept_part(case.inputs)
    inputs = inputs_of(case)
    output = module_of(case, in_training=False)(*inputs)
    x = inputs[0]
    if kept is not None:
        assert torch.equal(output, x.narrow(kept.axis + 1, kept.places.start, len(kept.places)))
    elif len(inputs) == 1 and output.dim() == x.dim():
        smaller = [axis for axis in range(1, x.dim()) if output.shape[axis] < x.shape[axis]]
        for axis in smaller if len(smaller) == 1 else []:
            parts = x.unfold(axis, output.shape[axis], 1).unbind(axis)
            assert not any(alike(output, part.movedim(-1, axis)) for part in parts)


def stacked_axis(case: Case) -> None:
    inputs = inputs_of(case)
    output = module_of(case, in_training=False)(*inputs)
    found = [axis for axis in range(inputs[0].dim() - 1) if case.op.is_join and _is_stack(output, inputs, axis + 1)]
    axis = case.op.stacked_axis(case.inputs)
    assert axis in found if axis is not None else not found


def _is_stack(output: Tensor, inputs: Sequence[Tensor], axis: int) -> bool:
    others = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in inputs}
    return len(others) == 1 and alike(output, torch.cat(list(inputs), axis))


def follows_channels(case: Case) -> None:
    """Hold it to another call where a pattern named the last axis the channels, the one that `axis=last` makes."""
    named = tuple(Shape(*x, axis=len(x) - 1, is_named=True) for x in case.inputs)
    if len(named[0]) == 1 or getattr(case.op, "axis", None) is not None:
        return
    call, plain = (_call(case.op, inputs) for inputs in (named, tuple(Shape(*x) for x in case.inputs)))
    assert case.op.follows_channels == (call is not None and call != plain)
    if call is not None and case.op.follows_channels and len({x[:-1] for x in named}) == 1:
        last = case.op.model_copy(update={"axis": "last"}).to_torch(named)
        same = [build(one).eval()(*random_inputs(named)) for one in (call, last)]
        assert alike(*same)


def _call(op: Op, inputs: tuple[Shape, ...]) -> TorchCall | None:
    try:
        return op.to_torch(inputs)
    except OpError:
        return None


def channel_groups(case: Case) -> None:
    """Hold it against the shape rule: a number of sets that does not divide the channels is refused."""
    assert case.op.channel_groups() == getattr(case.op, "groups", None)
    if case.op.channel_groups() is not None:
        channels = case.inputs[0].numbers()[0]
        try:
            case.op.model_copy(update={"groups": channels + 1}).infer_shape(case.inputs)
        except OpError as error:
            assert error.attribute == "groups"  # noqa: PT017
        else:
            raise AssertionError(f"{channels + 1} sets of {channels} channels")


def linear_map(case: Case) -> None:
    """Scale one channel's slice of the weight: what comes of that channel scales alike, and nothing else changes."""
    linear = case.op.linear_map(case.inputs)
    module = module_of(case, in_training=False)
    weight = dict(module.named_parameters()).get("weight")
    if linear is None:
        assert weight is None or not _is_additive(case) or _is_pointwise(case)
        return
    assert weight is not None and _is_additive(case)  # noqa: PT018
    assert "bias" in type(case.op).model_fields
    (x,) = inputs_of(case)
    axis = linear.axis + 1
    zero, before = module(torch.zeros_like(x)), module(x)
    made, read = before.shape[axis], x.shape[axis]
    for channel in {0, made // 2, made - 1}:
        wanted = before.clone()
        wanted.select(axis, channel).mul_(2).sub_(zero.select(axis, channel))
        with _scaled(weight, linear.outputs, linear.groups, made, channel):
            assert alike(module(x), wanted)
    for channel in {0, read // 2, read - 1}:
        scaled = x.clone()
        scaled.select(axis, channel).mul_(2)
        wanted = module(scaled)
        with _scaled(weight, linear.inputs, linear.groups, read, channel):
            assert alike(module(x), wanted)


@contextmanager
def _scaled(weight: Tensor, axis: int, groups: int, channels: int, channel: int) -> Iterator[None]:
    """Double a channel's slice of a weight for a while."""
    kept = weight.detach().clone()
    group, within = divmod(channel, channels // groups)
    size = weight.shape[0] // groups
    with torch.no_grad():
        weight[group * size : (group + 1) * size].select(axis, within).mul_(2)
    yield
    with torch.no_grad():
        weight.copy_(kept)


def running_norm(case: Case) -> None:
    norm = case.op.running_norm()
    state = module_of(case, in_training=False).state_dict()
    assert (norm is not None) == ("running_mean" in state)
    if norm is None:
        return
    (x,) = inputs_of(case)
    shape = (-1, *(1,) * (x.dim() - 2))
    mean, variance = (state[name].reshape(shape) for name in ("running_mean", "running_var"))
    wanted = (x - mean) / (variance + norm.eps).sqrt()
    assert norm.is_affine == ("weight" in state)
    if norm.is_affine:
        wanted = wanted * state["weight"].reshape(shape) + state["bias"].reshape(shape)
    assert alike(module_of(case, in_training=False)(x), wanted)


def _kept(case: Case) -> tuple[dict[int, Tensor], list[Tensor], Tensor]:
    """Return what autograd keeps of a forward pass, by where it lies, with the inputs and the output."""
    module, inputs = (
        build(case.op.to_torch(case.inputs), case.read).train(),
        random_inputs(case.flowing, requires_grad=True),
    )
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        output = module(*inputs)
    return kept, inputs, output


def saves(case: Case) -> None:
    if _keeps_otherwise(case):
        return
    kept, inputs, output = _kept(case)
    keeps_input = any(x.untyped_storage().data_ptr() in kept for x in inputs)
    keeps_output = output.untyped_storage().data_ptr() in kept
    found = "input" if keeps_input else "output" if keeps_output else "none"
    if found == "none" and case.op.saves != "none":  # a copy: padded, or within the operator
        sizes = [tensor.numel() for tensor in kept.values()]
        assert max(sizes, default=0) >= (inputs[0] if case.op.saves == "input" else output).numel()
        return
    assert case.op.saves == found


def _keeps_otherwise(case: Case) -> bool:
    """Return whether a setting makes torch take another path than the operator's usual one."""
    settings = (case.op.keyword, getattr(case.op, "mode", ""), getattr(case.op, "size", ()))
    return settings[:2] in (("pad", "reflect"), ("pad", "replicate")) or settings == ("adaptive_avgpool", "", (1, 1))


def saves_places(case: Case) -> None:
    kept, _, output = _kept(case)
    found = any(tensor.dtype == torch.int64 and tensor.numel() == output.numel() for tensor in kept.values())
    assert case.op.saves_places == found


def windows(case: Case) -> None:
    """Hold each output row and column to the inputs that its window, or its phase of it, has."""
    if not _sees_near_positions(case):
        return
    found = case.op.windows(case.inputs)
    assert found is not None
    (x,) = random_inputs(case.flowing, batch=1, requires_grad=True)
    output = build(case.op.to_torch(case.inputs), case.read).eval()(x.abs())
    for axis, window in enumerate(found, start=2):
        others = tuple(other for other in range(4) if other != axis)
        for i, slice_ in enumerate(output.unbind(axis)):
            (gradient,) = torch.autograd.grad(slice_.square().sum(), x, retain_graph=True)
            seen = set(gradient.abs().sum(others).nonzero().flatten().tolist())
            allowed = _allowed(window, i)
            assert seen <= allowed
            is_inside = min(allowed) >= 0 and max(allowed) < x.shape[axis]
            if seen and is_inside and (case.op.linear_map(case.inputs) is not None or window.ends):
                assert {min(allowed), max(allowed)} <= seen
            if is_inside and case.op.category == "conv" and not window.ends:
                assert seen == allowed


def _allowed(window: Window, i: int) -> set[int]:
    step, phase = divmod(i, window.up)
    if window.ends:
        first, last = window.ends[phase]
        return set(range(step + first, step + last + 1))
    first = step * window.stride - window.padding
    return {first + tap * window.dilation for tap in range(window.kernel)}


def _sees_near_positions(case: Case) -> bool:
    """Return whether an operator promises windows on maps and keeps to them.

    Those of norms leave their statistics out, and those of padding that repeats the map take it for outside.
    """
    x, *others = case.inputs
    if others or len(x) != 3 or len(case.op.infer_shape([x])) != 3 or case.op.windows([x]) is None:
        return False
    linear = case.op.linear_map([x])
    axis = getattr(case.op, "axis", "channels")
    is_elsewhere = axis not in ("channels", "sample", None) or (axis is None and x.is_named)
    mixes_an_axis = is_elsewhere or (linear is not None and linear.axis > 0)
    modes = {getattr(case.op, name, "") for name in ("mode", "padding_mode")}
    is_repeating = not modes.isdisjoint(("reflect", "replicate", "circular"))
    return not (mixes_an_axis or is_repeating or case.op.category == "norm" or case.op.axis_order() is not None)


def is_parameter(case: Case) -> None:
    assert case.op.is_parameter == case.op.to_torch(case.inputs).is_owned
    assert case.op.is_parameter or all(tensor.name for tensor in case.op.state(case.inputs))


def joins_as(case: Case) -> None:
    """Check that the join does among values what the operator does along the axis in which they are stacked."""
    if not case.op.joins_as:
        return
    stack, parts = Shape(2, 4, 5), (Shape(4, 5),) * 2
    values = random_inputs(parts)
    along = build(OPS[case.op.keyword].model_validate({"axis": 0}).to_torch([stack]))(torch.stack(values, 1))
    assert torch.equal(along, build(OPS[case.op.joins_as]().to_torch(parts))(*values))


CHECKS: Mapping[str, Callable[[Case], None]] = {
    "joins_as": joins_as,
    "acts_in_training_only": acts_in_training_only,
    "changes_nothing": changes_nothing,
    "shares_memory": shares_memory,
    "can_run_in_place": can_run_in_place,
    "is_affine": is_affine,
    "is_pointwise": is_pointwise,
    "is_parameter": is_parameter,
    "axis_order": axis_order,
    "kept_part": kept_part,
    "stacked_axis": stacked_axis,
    "follows_channels": follows_channels,
    "channel_groups": channel_groups,
    "linear_map": linear_map,
    "running_norm": running_norm,
    "saves": saves,
    "saves_places": saves_places,
    "windows": windows,
}
"""How each trait is held against torch. A new trait of `Op` needs an entry here or in `effects.py`."""

ELSEWHERE: Mapping[str, str] = {
    "keyword": "test_conformance", "category": "test_conformance", "aliases": "test_conformance",
    "is_join": "test_conformance", "is_source": "test_sources",
    "edition": "test_lints", "infer_shape": "test_conformance", "state": "test_conformance",
    "macs": "test_conformance", "elementwise": "test_conformance", "cost": "test_conformance",
    "initial": "test_errors", "to_torch": "test_conformance",
    "is_identity": "made of others", "is_view": "made of others",
    "short_name": "test_traits", "sign": "test_traits", "is_aside": "test_traits", "describe": "test_traits",
    "values_read": "test_conformance", "value_attributes": "of the class",
    "open_attribute": "test_pattern", "open_names": "test_pattern",
    "unchecked": "test_conformance",
    "attribute_names": "of the class", "words": "of the class", "resolve": "of the class",
}  # fmt: skip
"""What else `Op` has, and where it is tested."""
