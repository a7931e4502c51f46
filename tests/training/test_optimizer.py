"""Optimisers are torch's, over the parameters that they are to reach."""

from __future__ import annotations

import pytest
import torch

from archdsl.recipes.updates import WeightDecay
from archdsl.training.average import Average
from archdsl.training.memory import describe_shortage
from archdsl.training.optimizer import optimizer_of, parameter_groups
from tests.training.small import module, recipe

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("statement", "kind", "expected"),
    [
        ("sgd lr=0.3 momentum=0.5 nesterov=true", torch.optim.SGD, {"lr": 0.3, "momentum": 0.5, "nesterov": True}),
        ("adamw lr=0.01 beta1=0.8 beta2=0.9 eps=1e-6", torch.optim.AdamW, {"betas": (0.8, 0.9), "eps": 1e-6}),
        (
            "rmsprop lr=0.01 decay=0.8 momentum=0.7 eps=1",
            torch.optim.RMSprop,
            {"alpha": 0.8, "momentum": 0.7, "eps": 1},
        ),
    ],
)
def test_the_optimiser_is_the_named_one(statement: str, kind: type, expected: dict[str, object]) -> None:
    found = optimizer_of(module(), recipe(f"optimizer {statement}"), torch.device("cpu"))
    assert type(found) is kind
    assert expected.items() <= found.defaults.items()


def test_decay_reaches_norms_or_not() -> None:
    net = module()
    assert [(len(g["params"]), g["weight_decay"]) for g in parameter_groups(net, WeightDecay(rate=0.1))] == [(5, 0.1)]
    apart = parameter_groups(net, WeightDecay(rate=0.1, norms=False))
    assert [(len(g["params"]), g["weight_decay"]) for g in apart] == [(2, 0.1), (3, 0.0)]


def test_an_average_is_what_its_formula_says() -> None:
    net = module()
    weight, mean = net.get_parameter("0.weight"), net.get_buffer("1.running_mean")
    average = Average(net, 0.5)
    expected = weight.detach().clone()
    for step in range(1, 5):
        with torch.no_grad():
            weight += 1
            mean += 1
        average.update(net, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight.detach()
    torch.testing.assert_close(dict(average.module.named_parameters())["0.weight"].detach(), expected)
    torch.testing.assert_close(average.state()["1.running_mean"], mean)


def test_a_shortage_of_memory_tells_a_batch_that_fits() -> None:
    gib = 2**30
    message, help = describe_shortage(
        128, estimate=20 * gib, fixed=2 * gib, used=15 * gib, total=16 * gib, reason="CUDA out of memory"
    )
    assert "estimated 20.0 GiB" in message
    assert "15.0 of 16.0 GiB in use" in message
    assert "--batch-size 88" in help
    assert "smaller network" in describe_shortage(1, estimate=gib, fixed=gib, used=0, total=gib, reason="")[1]


def test_factors_part_what_decay_parts_and_what_is_frozen_is_in_no_group() -> None:
    net = module()
    net.get_parameter("5.bias").requires_grad_(False)
    groups = parameter_groups(net, WeightDecay(rate=0.1, norms=False), {"0.weight": 0.5, "1.bias": 0.5})
    told = [(len(g["params"]), g["weight_decay"], g.get("factor")) for g in groups]
    assert told == [(1, 0.1, 0.5), (1, 0.1, None), (1, 0.0, None), (1, 0.0, 0.5)]
    even = parameter_groups(net, WeightDecay(rate=0, norms=False))
    assert [len(group["params"]) for group in even] == [2, 2]  # as older checkpoints have them


def test_an_average_takes_over_what_is_frozen() -> None:
    net = module()
    average = Average(net, 0.5)
    kept = {key: value.clone() + 1 for key, value in average.state().items()}
    net.get_parameter("0.weight").requires_grad_(False)
    after = Average(net, 0.5)
    after.take(kept, {"0.weight"})
    assert torch.equal(after.state()["0.weight"], net.get_parameter("0.weight"))
    assert torch.equal(after.state()["5.weight"], kept["5.weight"])
    with torch.no_grad():
        after.module.get_parameter("0.weight").fill_(-0.0)
        net.get_parameter("0.weight").fill_(-0.0)
    after.update(net, 1)
    assert torch.signbit(after.state()["0.weight"]).all()
