"""Families that torchvision lacks: against timm's networks, their papers' figures, and what makes each special."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what torch users call it)
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.passes.state import list_state
from tests.bundled import tiered
from tests.conftest import ROOT
from tests.peers import timm

pytestmark = pytest.mark.torch

# Our name, timm's, and the settings that make ours timm's.
TIMM: dict[str, tuple[str, dict[str, Any]]] = {
    "mobilenet_v1": ("mobilenetv1_100", {"act": "relu6"}),
    **{
        name: (name, {})
        for name in (
            *(f"seresnet{depth}" for depth in (18, 34, 50, 101, 152)),
            *("seresnext50_32x4d", "seresnext101_32x4d", "inception_resnet_v2"),
            *("dpn68", "dpn68b", "dpn92", "dpn98", "dpn107", "dpn131"),
            *(f"repvgg_{kind}" for kind in ("a0", "a1", "a2", "b0", "b1", "b2", "b3", "b1g4", "b2g4", "b3g4")),
            *(f"xception{layers}" for layers in (41, 65, 71)),
            *("skresnet18", "skresnet34", "mixnet_s", "dla34", "dla60", "res2net50_26w_4s", "convnextv2_atto"),
            *("convnextv2_femto", "convnextv2_pico", "convnextv2_nano", "hrnet_w18_small", "hrnet_w18"),
            *("nasnetalarge", "mobileone_s0", "mobileone_s1", "mobileone_s2", "mobileone_s3"),
            *(f"fasternet_{kind}" for kind in ("t0", "t1", "t2", "s", "m", "l")),
        )
    },
    **{f"ghostnet_{width}": (f"ghostnet_{width}", {"drop": 0}) for width in ("050", "100", "130")},
}
# The smallest of each family, and images that leave the last norms several positions.
RUN: dict[str, tuple[tuple[int, int], ...]] = {
    "mobilenet_v1": ((64, 64),),
    "seresnet18": ((64, 64),),
    "seresnet50": ((64, 64),),
    "seresnext50_32x4d": ((64, 64),),
    "inception_resnet_v2": ((139, 139),),
    "dpn68": ((64, 64), (75, 65)),
    "dpn68b": ((64, 64),),
    "repvgg_a0": ((64, 64), (75, 65)),
    "ghostnet_100": ((64, 64), (75, 65)),
    "xception41": ((64, 64), (75, 65)),
    "skresnet18": ((64, 64), (75, 65)),
    "mixnet_s": ((64, 64), (75, 65)),
    "fasternet_t0": ((64, 64), (75, 65)),
    "dla34": ((64, 64), (96, 64)),
    "dla60": ((64, 64),),
    "res2net50_26w_4s": ((64, 64), (75, 65)),
    "convnextv2_atto": ((64, 64), (75, 65)),
    "hrnet_w18_small": ((64, 64), (96, 64)),
    "nasnetalarge": ((64, 64), (75, 88)),
    "mobileone_s0": ((64, 64), (75, 65)),
    "mobileone_s1": ((64, 64), (75, 65)),
}
# Narrower ones of what would take long: our settings and timm's.
NARROW: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {"nasnetalarge": ({"c": 24}, {"num_features": 24 * 24})}
every = pytest.mark.parametrize("name", tiered(TIMM, RUN, TIMM))
LIGHT = {"mobilenet_v1", "seresnet18", "ghostnet_100", "fasternet_t0", "mobileone_s0", "convnextv2_atto"}
every_run = pytest.mark.parametrize("name", tiered(RUN, LIGHT, RUN))
every_image = pytest.mark.parametrize(
    ("name", "size"),
    [
        pytest.param(name, size, id=f"{name}-{size[0]}x{size[1]}", marks=pytest.mark.slow if place else ())
        for name, sizes in RUN.items()
        for place, size in enumerate(sizes)
    ],
)

TABLES = tomllib.loads((ROOT / "tests/data/families.toml").read_text(encoding="utf-8"))["table"]
PUBLISHED = [(name, size, table) for table in TABLES for name, size in table["networks"].items()]


def reference(name: str, device: str = "cpu", **settings: Any) -> nn.Module:
    """Build timm's network of one of our names."""
    with torch.device(device):
        return timm.create_model(TIMM[name][0], drop_rate=0, **settings)


def named(name: str, **settings: Any) -> archdsl.Network:
    """Compile our network with the settings that make it timm's."""
    return archdsl.load(name, **TIMM[name][1], **settings)


def shaken(module: nn.Module) -> nn.Module:
    """Move the norms of a network away from the identity that they start as."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            continue
        own = {**dict(part.named_parameters(recurse=False)), **dict(part.named_buffers(recurse=False))}
        for key, tensor in own.items():
            if key in {"weight", "running_var"}:
                tensor.detach().uniform_(0.5, 1.5, generator=generator)
            elif key in {"bias", "running_mean"}:
                tensor.detach().normal_(std=0.1, generator=generator)
    return module


def pair(name: str) -> tuple[archdsl.Network, nn.Module]:
    """Return our network and timm's, of 10 classes, with norms that do something."""
    torch.manual_seed(0)
    ours, theirs = NARROW.get(name, ({}, {}))
    return named(name, classes=10, **ours), shaken(reference(name, num_classes=10, **theirs))


def timms_key(network: archdsl.Network, key: str) -> str:
    """Return what timm calls a tensor of ours."""
    if not network.key_maps:
        return key
    renamed = network.key_maps[0].rename(key)
    assert renamed is not None
    return renamed


def with_weights_of(network: archdsl.Network, theirs: nn.Module) -> nn.Module:
    """Build our module with the tensors of timm's."""
    module, state = network.module(), theirs.state_dict()
    module.load_state_dict(
        {key: state[timms_key(network, key)].reshape(tensor.shape) for key, tensor in module.state_dict().items()}
    )
    return module


def stored(key: str, shape: tuple[int, ...], dtype: str) -> tuple[tuple[int, ...], str]:
    """Return a tensor's shape and type; factors and offsets of channels lack the image's axes in timm."""
    return tuple(size for size in shape if size != 1) if ".grn." in key else shape, dtype


@every
def test_the_state_is_timms(name: str) -> None:
    network = named(name)
    ours = {
        timms_key(network, key): stored(key, tensor.shape, f"torch.{tensor.dtype}")
        for key, tensor in list_state(network.shapes)
    }
    theirs = {
        key: stored(key, tuple(tensor.shape), str(tensor.dtype))
        for key, tensor in reference(name, "meta").state_dict().items()
    }
    assert ours == theirs


@every
def test_costs_are_what_torch_counts_in_timms_network(name: str) -> None:
    network, theirs = named(name), reference(name, "meta").eval()
    (shape,) = network.inputs.values()
    with FlopCounterMode(display=False) as counter:
        theirs(torch.empty(1, *shape.numbers(), device="meta"))
    assert network.costs.macs == counter.get_total_flops() // 2
    assert network.costs.parameters == sum(parameter.numel() for parameter in theirs.parameters())


@every_image
def test_results_are_timms(name: str, size: tuple[int, int]) -> None:
    network, theirs = pair(name)
    ours = with_weights_of(network, theirs)
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected, found = theirs.eval()(images), ours.eval()(images)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize("name", ["mobileone_s0", "mobileone_s1"])
def test_sums_of_many_branches_are_timms_to_the_bit(name: str) -> None:
    network, theirs = pair(name)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(with_weights_of(network, theirs).eval()(images), theirs.eval()(images))


@every_run
def test_gradients_and_running_statistics_are_timms(name: str) -> None:
    network, theirs = pair(name)
    ours = with_weights_of(network, theirs.double()).double()
    images = torch.randn(2, 3, *RUN[name][0], dtype=torch.float64)
    for module in (theirs, ours):
        module.train()(images).square().mean().backward()
    expected = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        gradient = expected[timms_key(network, key)].grad
        assert parameter.grad is not None, key
        assert gradient is not None, key
        torch.testing.assert_close(parameter.grad, gradient.reshape(parameter.shape), rtol=1e-6, atol=1e-9, msg=key)
    state = theirs.state_dict()
    for key, tensor in ours.state_dict().items():
        torch.testing.assert_close(tensor, state[timms_key(network, key)].reshape(tensor.shape), msg=key)


# Images whose sizes do not fit together at a join.
REFUSED = {"dla34": (75, 65), "hrnet_w18_small": (75, 65)}


@pytest.mark.parametrize("name", REFUSED)
def test_an_image_that_timms_network_cannot_take_is_refused(name: str) -> None:
    height, width = REFUSED[name]
    with pytest.raises(RuntimeError, match="broadcast a dimension"):
        reference(name, "meta").eval()(torch.empty(1, 3, height, width, device="meta"))
    with pytest.raises(archdsl.SpecError, match="E21"):
        named(name, input=[3, height, width])


@pytest.mark.parametrize(("name", "size", "table"), PUBLISHED, ids=[f"{n}-{size}" for n, size, _ in PUBLISHED])
def test_a_network_is_of_the_size_that_its_paper_gives(name: str, size: str, table: dict[str, Any]) -> None:
    match = re.fullmatch(r"(\d+(?:\.(\d+))?)([MG])", size)
    assert match is not None
    unit = {"M": 1e6, "G": 1e9}[match[3]]
    image = [3, table["image"], table["image"]] if "image" in table else None
    network = archdsl.load(name, input=image, **table.get("settings", {}))
    counted = [node for node in network.costs.nodes if node.path != table.get("without")]
    found = sum(getattr(node, table["counts"]) for node in counted) / unit
    printed, step = float(match[1]), 10.0 ** -len(match[2] or "")
    if "within" in table:
        assert found == pytest.approx(printed, rel=table["within"])
    else:
        # Rounded, or cut off.
        assert -step / 2 <= found - printed < step


# Small forms of the networks that timm lacks.
OTHERS: dict[str, tuple[dict[str, Any], int]] = {
    "alexnet_original": ({"drop": 0, "input": [3, 95, 95]}, 2),
    "shufflenet_v1_g1": ({"input": [3, 64, 64]}, 8),
    "shufflenet_v1_g3": ({"input": [3, 64, 64]}, 8),
    "shufflenet_v1_g8_x0_25": ({"input": [3, 64, 64]}, 8),
    "pyramidnet110_a48_cifar": ({"n": 2}, 8),
    "pyramidnet164_a270_cifar": ({"n": 1, "alpha": 30}, 8),
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_weight_takes_part_in_a_training_step(name: str) -> None:
    settings, batch = OTHERS[name]
    torch.manual_seed(0)
    network = archdsl.load(name, classes=10, **settings)
    (shape,) = network.inputs.values()
    module = network.module()
    logits = module(torch.randn(batch, *shape.numbers()))
    assert logits.shape == (batch, 10)
    F.cross_entropy(logits, torch.arange(batch) % 10).backward()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.count_nonzero() > 0, key


def test_alexnets_layers_have_the_neurons_that_the_paper_lists() -> None:
    costs = {node.path: node for node in archdsl.load("alexnet_original").costs.nodes}
    # Section 3.5; the first layer's 253,440 does not agree with its own 96 maps of 55x55.
    neurons = [186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    for path, expected in zip(("conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"), neurons, strict=True):
        assert torch.Size(costs[path].output.numbers()).numel() == expected
    assert costs["conv1"].output == (96, 55, 55)


def test_alexnets_response_normalisation_is_the_papers_formula() -> None:
    """Section 3.3: a / (k + alpha * sum of a**2 over 5 neighbouring maps)**beta."""
    network = archdsl.load("alexnet_original")
    norms = [part for part in network.module().modules() if isinstance(part, nn.LocalResponseNorm)]
    a = 50 * torch.rand(1, 7, 3, 3)
    squares = F.pad(a, (0, 0, 0, 0, 2, 2)).square()
    sums = sum(squares[:, i : i + 7] for i in range(5))
    assert isinstance(sums, Tensor)
    assert [node.op for node in network.costs.nodes].count("lrn") == 2
    assert norms
    for norm in norms:
        torch.testing.assert_close(norm(a), a / (2 + 1e-4 * sums) ** 0.75)


def test_alexnets_two_halves_meet_in_the_third_layer_only() -> None:
    module = archdsl.load("alexnet_original").module()
    x = torch.zeros(1, 96, 27, 27)
    x[:, :48] = torch.rand(1, 48, 27, 27)
    conv2, conv3 = module.get_submodule("conv2"), module.get_submodule("conv3")
    quiet = torch.ones(1, 128, 27, 27)  # only the bias
    y = conv2(x)
    assert torch.equal(y[:, 128:], quiet)
    assert (y[:, :128] != 1).any()
    z = y.clone()
    z[:, 128:] += 1
    assert (conv3(z) != conv3(y)).flatten(2).any(2).all()


@pytest.mark.parametrize("name", ["shufflenet_v1_g1", "shufflenet_v1_g4"])
def test_shufflenet_shortens_its_shortcuts_and_concatenates_where_it_strides(name: str) -> None:
    network = archdsl.load(name)
    joins = [node for node in network.costs.nodes if node.op in {"add", "concat"}]
    assert [node.op for node in joins].count("concat") == 3
    assert [node.op for node in joins].count("add") == 3 + 7 + 3
    unit = network.module().eval().get_submodule("stage3.0")
    x = torch.rand(1, unit_channels(unit), 8, 8)
    pooled = F.avg_pool2d(x, 3, 2, 1)
    assert torch.equal(unit(x)[:, : x.shape[1]], pooled)


def unit_channels(unit: nn.Module) -> int:
    """Return the channels that a unit takes."""
    conv = next(part for part in unit.modules() if isinstance(part, nn.Conv2d))
    return conv.in_channels


def test_groups_that_do_not_divide_a_width_are_an_error() -> None:
    # A quarter of 136 channels is 34.
    with pytest.raises(archdsl.SpecError, match="divisible by 4"):
        archdsl.load("shufflenet_v1_g4", scale="1/2")


def test_pyramidnets_shortcuts_average_and_add_zero_channels() -> None:
    module = archdsl.load("pyramidnet110_a48_cifar", n=2).module().eval()
    block = module.get_submodule("layer2.0")
    last = next(part for key, part in block.named_modules() if key == "bn3")
    assert isinstance(last, nn.BatchNorm2d)
    nn.init.zeros_(last.weight)
    x = torch.rand(2, 32, 32, 32)
    y = block(x)
    assert torch.equal(y[:, :32], F.avg_pool2d(x, 2))
    assert not y[:, 32:].any()
    assert y.shape == (2, 40, 16, 16)


@pytest.mark.parametrize(
    ("name", "out", "last"), [("pyramidnet110_a84_cifar", 1, 16 + 84), ("pyramidnet200_a300", 4, 364)]
)
def test_pyramidnets_widths_grow_evenly_to_the_last(name: str, out: int, last: int) -> None:
    outputs = [node.output.numbers()[0] // out for node in archdsl.load(name).costs.nodes if node.op == "add"]
    steps = {b - a for a, b in pairwise(outputs)}
    assert outputs[-1] == last
    assert max(steps) - min(steps) == 1


def folded(state: dict[str, Tensor], norm: str, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the convolution and bias that equal a convolution without bias and the norm after it."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + 1e-5).sqrt()
    return weight * scale.view(-1, 1, 1, 1), state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale


def merged(state: dict[str, Tensor], unit: str) -> tuple[Tensor, Tensor]:
    """Do the work of a unit's branches with one 3x3 convolution (section 3.3 of the paper)."""
    wide = state[f"{unit}.conv_kxk.conv.weight"]
    parts = [folded(state, f"{unit}.conv_kxk.bn", wide)]
    parts.append(folded(state, f"{unit}.conv_1x1.bn", F.pad(state[f"{unit}.conv_1x1.conv.weight"], (1, 1, 1, 1))))
    if f"{unit}.identity.weight" in state:
        same = torch.zeros_like(wide)
        for channel in range(len(wide)):
            same[channel, channel % wide.shape[1], 1, 1] = 1
        parts.append(folded(state, f"{unit}.identity", same))
    weights, biases = zip(*parts, strict=True)
    return torch.stack(weights).sum(0), torch.stack(biases).sum(0)


@pytest.mark.parametrize("settings", [{}, {"groups": 4}])
def test_repvgg_gives_the_same_when_its_branches_are_merged(settings: dict[str, Any]) -> None:
    torch.manual_seed(0)
    trained = shaken(archdsl.load("repvgg_a0", classes=10, **settings).module()).double().eval()
    deployed = archdsl.load("repvgg_a0", classes=10, deploy=True, **settings).module().double().eval()
    state = dict(trained.state_dict())
    units = sorted({key.split(".conv_kxk")[0] for key in state if ".conv_kxk" in key})
    assert len(units) == 22
    new = {key: tensor for key, tensor in state.items() if key.startswith("head.")}
    for unit in units:
        new[f"{unit}.reparam_conv.weight"], new[f"{unit}.reparam_conv.bias"] = merged(state, unit)
    deployed.load_state_dict(new)
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(deployed(images), trained(images))
