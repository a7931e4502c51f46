"""EfficientDet's neck, against the paper's formulas written in torch, on torchvision's body."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what torch users call it)
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from tests.peers import torchvision

pytestmark = pytest.mark.torch

# Where the maps of strides 8, 16 and 32 come from in the body's list of stages.
TAPS = (3, 5, 7)


class Neck:
    """The formulas of Tan et al. 2020, section 3, on the weights of one of our networks."""

    def __init__(self, state: dict[str, Tensor], layers: int) -> None:
        """Read the weights by their keys; the norms use what they saw in training."""
        self.state, self.layers = state, layers

    def __call__(self, maps: list[Tensor]) -> list[Tensor]:
        """Return five levels for the body's three maps."""
        levels = [self.normed(self.conv(x, f"in{i}.0"), f"in{i}.1") for i, x in zip((3, 4, 5), maps, strict=True)]
        sixth = self.normed(self.conv(maps[-1], "in6.0.0"), "in6.0.1")
        levels += [F.max_pool2d(sixth, 3, 2, 1)]
        levels += [F.max_pool2d(levels[-1], 3, 2, 1)]
        for layer in range(1, self.layers + 1):
            levels = self.layer(levels, f"layer{layer}")
        return levels

    def layer(self, levels: list[Tensor], path: str) -> list[Tensor]:
        """Go down the pyramid, then up; the middle levels see their input once more (figure 2 d)."""
        top = len(levels) - 1
        middle = {top: levels[top]}
        for i in range(top - 1, -1, -1):
            above = F.interpolate(middle[i + 1], size=levels[i].shape[-2:])
            middle[i] = self.node([levels[i], above], f"{path}.down{i}")
        found = [middle[0]]
        for i in range(1, top + 1):
            below = F.max_pool2d(found[-1], 3, 2, 1)
            seen = [levels[i], below, middle[i]] if i < top else [levels[i], below]
            found.append(self.node(seen, f"{path}.up{i}"))
        return found

    def node(self, maps: list[Tensor], path: str) -> Tensor:
        """Fuse, O = sum of w_i * I_i / (e + sum of w_j) with w >= 0, and convolve."""
        weights = [w.clamp(min=0) for w in self.state[f"{path}.fuse.weights"].flatten()]
        total = torch.stack(weights).sum() + 1e-4
        fused = torch.stack([w / total * x for w, x in zip(weights, maps, strict=True)]).sum(0)
        filtered = F.conv2d(fused, self.state[f"{path}.dw.weight"], padding=1, groups=fused.shape[1])
        x = self.normed(self.conv(filtered, f"{path}.conv"), f"{path}.bn")
        return x * torch.sigmoid(x)

    def conv(self, x: Tensor, path: str) -> Tensor:
        """Mix channels."""
        return F.conv2d(x, self.state[f"{path}.weight"])

    def normed(self, x: Tensor, path: str) -> Tensor:
        """Normalise with the running statistics."""
        mean, var, weight, bias = (
            self.state[f"{path}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, var, weight, bias, eps=0.001)


def shaken(module: nn.Module) -> nn.Module:
    """Give shares and norms values of their own; some shares are below zero."""
    torch.manual_seed(0)
    for key, tensor in module.state_dict().items():
        if key.endswith("fuse.weights"):
            tensor.normal_(0.5, 0.7)
        elif key.endswith("running_var") or (key.endswith("weight") and tensor.dim() == 1):
            tensor.uniform_(0.5, 1.5)
        elif key.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.1)
    return module


def body(state: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """Return what three stages of torchvision's EfficientNet make of an image, with our weights."""
    features = torchvision.models.efficientnet_b0().features[: TAPS[-1] + 1].to(x.dtype).eval()
    features.load_state_dict(
        {key.removeprefix("features."): tensor for key, tensor in state.items() if key.startswith("features.")}
    )
    for part in features.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = 0.001
    maps: list[Tensor] = []
    for i, stage in enumerate(features):
        x = stage(x)
        if i in TAPS:
            maps.append(x)
    return maps


@pytest.mark.parametrize("size", [(128, 128), (256, 128), (97, 150)])
def test_the_neck_is_what_the_papers_formulas_say(size: tuple[int, int]) -> None:
    module = shaken(archdsl.load("bifpn_d0").module()).eval()
    x = torch.randn(2, 3, *size)
    with torch.no_grad():
        maps = body(module.state_dict(), x)
        expected = Neck(module.state_dict(), layers=3)(maps)
        found = module(x)
    assert found._fields == ("p3", "p4", "p5", "p6", "p7")
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_the_papers_formulas() -> None:
    module = shaken(archdsl.load("bifpn_d0").module()).double().eval()
    x = torch.randn(1, 3, 128, 128, dtype=torch.float64)
    learned = {key for key, _ in module.named_parameters()}
    leaves = {
        key: tensor.detach().clone().requires_grad_(key in learned) for key, tensor in module.state_dict().items()
    }
    with torch.no_grad():
        maps = body(module.state_dict(), x)
    torch.stack([level.square().mean() for level in Neck(leaves, layers=3)(maps)]).sum().backward()
    torch.stack([level.square().mean() for level in module(x)]).sum().backward()
    checked = 0
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None, key
        if not key.startswith("features."):
            torch.testing.assert_close(parameter.grad, leaves[key].grad, rtol=1e-6, atol=1e-12, msg=key)
            checked += 1
    # Per node: shares, two convolutions and a norm; four convolutions with norms lead to the neck.
    assert checked == 3 * 8 * 5 + 4 * 3


def test_macs_are_what_torch_counts_in_the_formulas() -> None:
    network = archdsl.load("bifpn_d0", input=[3, 128, 256])
    state = network.module().state_dict()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        Neck(state, layers=3)(body(state, torch.zeros(1, 3, 128, 256)))
    assert network.costs.macs == counter.get_total_flops() // 2


@pytest.mark.parametrize(("name", "channels", "layers", "size"), [
    ("bifpn_d0", 64, 3, 512), ("bifpn_d1", 88, 4, 640), ("bifpn_d2", 112, 5, 768),
])  # fmt: skip
def test_necks_grow_as_table_1_says(name: str, channels: int, layers: int, size: int) -> None:
    network = archdsl.load(name)
    assert network.outputs == {f"p{i}": (channels, size >> i, size >> i) for i in range(3, 8)}
    named = {key.partition(".")[0] for key, _ in network.state}
    assert {key for key in named if key.startswith("layer")} == {f"layer{i}" for i in range(1, layers + 1)}
