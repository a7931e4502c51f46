"""Files that timm's networks save load by the specs' name maps and give timm's results."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import archdsl
from tests.peers import timm

pytestmark = pytest.mark.torch

# Where timm's constants differ from torchvision's: its norms keep torch's own epsilon.
TORCHS_NORM = "batch(eps=1e-5)"


@dataclass(frozen=True)
class Pair:
    """A bundled network, timm's name of it, what to set so that the constants agree, and a size of images."""

    name: str
    theirs: str
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    size: int = 64

    def __str__(self) -> str:
        return self.name


NORM: dict[str, Any] = {"norm": TORCHS_NORM}
FAST = (
    Pair("mobilenet_v2", "mobilenetv2_100"),
    Pair("mobilenet_v3_large", "mobilenetv3_large_100", NORM),
    Pair("mobilenet_v3_small", "mobilenetv3_small_100", NORM),
    Pair("efficientnet_b0", "efficientnet_b0"),
    Pair("efficientnet_v2_s", "efficientnetv2_s", NORM),
    Pair("mnasnet1_0", "mnasnet_100"),
    Pair("regnet_x_400mf", "regnetx_004_tv"),
    Pair("regnet_y_400mf", "regnety_004"),
    Pair("convnext_tiny", "convnext_tiny"),
    Pair("inception_v3", "inception_v3", {"aux": False}, size=107),
    Pair("resnet18", "resnet18"),
    Pair("densenet121", "densenet121"),
    Pair("mobilenet_v1_x1_0", "mobilenetv1_100", {"act": "relu6"}),
    Pair("vgg11_bn", "vgg11_bn", size=224),
)
# Those of the same families that a map has to fit too; their results would say nothing new.
OTHERS = (
    *(Pair(f"efficientnet_b{i}", f"efficientnet_b{i}") for i in range(1, 8)),
    *(Pair(f"efficientnet_v2_{size}", f"efficientnetv2_{size}") for size in "ml"),
    *(Pair(f"convnext_{size}", f"convnext_{size}") for size in ("small", "base", "large")),
    Pair("mnasnet0_5", "mnasnet_050"),
    Pair("mnasnet0_75", "mnasnet_075"),
    Pair("regnet_x_800mf", "regnetx_008"),
    Pair("regnet_x_1_6gf", "regnetx_016"),
    Pair("regnet_x_3_2gf", "regnetx_032"),
    Pair("regnet_x_8gf", "regnetx_080"),
    Pair("regnet_x_16gf", "regnetx_160"),
    Pair("regnet_x_32gf", "regnetx_320"),
    Pair("regnet_y_800mf", "regnety_008_tv"),
    Pair("regnet_y_1_6gf", "regnety_016"),
    Pair("regnet_y_3_2gf", "regnety_032"),
    Pair("regnet_y_8gf", "regnety_080_tv"),
    Pair("regnet_y_16gf", "regnety_160"),
    Pair("regnet_y_32gf", "regnety_320"),
    Pair("regnet_y_128gf", "regnety_1280"),
    Pair("vgg16", "vgg16"),
    Pair("vgg19", "vgg19"),
)


def as_if_trained(module: nn.Module) -> nn.Module:
    """Give every tensor values that a mix-up of two would show, and keep the activations of a size."""
    torch.manual_seed(0)
    for key, tensor in module.state_dict().items():
        if key.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif not tensor.is_floating_point():
            tensor.fill_(7)
        elif tensor.dim() > 1:
            # The gain of rectifiers keeps the variance from layer to layer.
            tensor.normal_(0, math.sqrt(2 / tensor[0].numel()))
        else:
            tensor.uniform_(0.5, 1.5)
    return module.eval()


@pytest.mark.parametrize("pair", FAST, ids=str)
def test_a_file_of_timms_loads_and_gives_timms_results(pair: Pair, tmp_path: Path) -> None:
    theirs = as_if_trained(timm.create_model(pair.theirs))
    path = tmp_path / "model.safetensors"
    save_file(theirs.state_dict(), path)
    network = archdsl.load(pair.name, **pair.settings)
    ours = network.module(path).eval()
    images = torch.randn(2, 3, pair.size, pair.size)
    with torch.inference_mode():
        expected, found = theirs(images), ours(images)
    assert expected.std() > 0.01
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 9])
def test_input_channels_are_adapted_as_timm_does(channels: int) -> None:
    weight = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(channels))
    expected = timm.models.adapt_input_conv(channels, weight.clone())
    spec = f'keys mine {{ adapt "conv1" }}\nmodel m {{ input [{channels}, 8, 8]; conv1: conv 4 k=5 }}'
    module = archdsl.load_text(spec).module({"conv1.weight": weight})
    assert torch.allclose(module.state_dict()["conv1.weight"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pair", OTHERS, ids=str)
def test_the_map_fits_the_whole_family(pair: Pair) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(pair.theirs)
    transfer = archdsl.load(pair.name, **pair.settings).compare_weights(theirs.state_dict())
    assert transfer.fits
    assert transfer.origin == "timm"


def test_the_wrong_epsilon_shows() -> None:
    theirs = as_if_trained(timm.create_model("mobilenetv3_small_100"))
    ours = archdsl.load("mobilenet_v3_small").module(theirs.state_dict()).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected, found = theirs(images), ours(images)
    assert float((found - expected).abs().max()) > 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize("name", ["densenet121", "densenet161"])
def test_torchvisions_older_names_of_densenet_are_those_that_its_own_code_renames(name: str) -> None:
    import re

    # The pattern of torchvision.models.densenet._load_state_dict.
    old = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$")
    network = archdsl.load(name)
    (key_map,) = network.key_maps
    counted = 0
    for key, _ in network.state:
        renamed = key_map.rename(key)
        match = old.match(renamed or "")
        if renamed != key and not key.endswith("num_batches_tracked"):
            assert match is not None
            assert match[1] + match[2] == key
            counted += 1
        else:
            assert match is None
    assert counted
