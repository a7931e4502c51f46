"""The bundled specs that torchvision lacks, and all of them beside what their papers say."""

from __future__ import annotations

import re
import tomllib

import pytest

import archdsl
from archdsl.network import Network
from archdsl.passes.state import list_state
from tests.conftest import ROOT

TABLES = tomllib.loads((ROOT / "tests/data/papers.toml").read_text(encoding="utf-8"))["table"]
PUBLISHED = [(name, table["counts"], size) for table in TABLES for name, size in table["networks"].items()]


def count(network: Network, what: str) -> int:
    """Count the parameters, the macs, or the weights: parameters of convolutions and fully connected layers alone."""
    if what == "weights":
        return sum(node.parameters for node in network.costs.nodes if node.op in {"conv", "fc"})
    return network.costs.macs if what == "macs" else network.costs.parameters


@pytest.mark.parametrize(("name", "what", "size"), PUBLISHED, ids=[f"{n}-{w}" for n, w, _ in PUBLISHED])
def test_a_network_is_of_the_size_that_its_paper_gives(name: str, what: str, size: str) -> None:
    number, unit = re.fullmatch(r"([\d.]+)([MG])", size).groups()  # pyright: ignore[reportOptionalMemberAccess] -- fails with the table's text
    decimals = len(number.partition(".")[2])
    found = count(archdsl.load(name), what) / {"M": 1e6, "G": 1e9}[unit]
    assert f"{found:.{decimals}f}" == number


def weights(name: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(key, tensor.shape) for key, tensor in list_state(archdsl.load(name).shapes)]


TWINS = ["plain18", "plain34", "plain20_cifar", "plain32_cifar", "plain44_cifar", "plain56_cifar"]


@pytest.mark.parametrize("plain", TWINS)
def test_a_plain_network_is_the_residual_one_without_shortcuts(plain: str) -> None:
    residual = plain.replace("plain", "resnet")
    assert weights(plain) == [(key, shape) for key, shape in weights(residual) if ".downsample." not in key]
    joins = {name: [node for node in archdsl.load(name).costs.nodes if node.op == "add"] for name in (plain, residual)}
    depth = int(re.search(r"\d+", residual).group())  # pyright: ignore[reportOptionalMemberAccess] -- all have one
    assert not joins[plain]
    assert len(joins[residual]) == (depth - 2) // 2


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110, 1202])
def test_a_cifar_network_has_as_many_layers_as_its_name_says(depth: int) -> None:
    learned = [node for node in archdsl.load(f"resnet{depth}_cifar").costs.nodes if node.op in {"conv", "fc"}]
    assert len(learned) == depth


@pytest.mark.parametrize(
    "name",
    ["preresnet18", "preresnet34", "preresnet50", "preresnet101", "preresnet152", "preresnet200",
     "preresnet110_cifar", "preresnet164_cifar", "preresnet1001_cifar"],
)  # fmt: skip
def test_a_preactivation_network_has_as_many_layers_as_its_name_says(name: str) -> None:
    nodes = archdsl.load(name).costs.nodes
    body = [node for node in nodes if node.op in {"conv", "fc"} and ".downsample." not in node.path]
    assert len(body) == int(re.search(r"\d+", name).group())  # pyright: ignore[reportOptionalMemberAccess] -- all have one
    # One norm before each convolution but the stem's, and one at the end.
    assert sum(node.op == "batch" for node in nodes) == len(body) - 1


@pytest.mark.torch
def test_option_a_keeps_every_second_position_and_adds_zero_channels() -> None:
    import torch

    module = archdsl.load("resnet20_cifar").module().eval()
    block = module.get_submodule("layer2.0")
    torch.nn.init.zeros_(block.get_submodule("conv2").weight)  # pyright: ignore[reportArgumentType] -- a tensor
    x = torch.rand(2, 16, 32, 32)
    kept = x[:, :, ::2, ::2]
    assert torch.equal(block(x), torch.cat([kept, torch.zeros_like(kept)], dim=1))


def our_key(key: str) -> str:
    """Return the name that preresnet.arch has for a tensor of timm's pre-activation network."""
    rules = {
        r"^stages\.0\.blocks\.0\.norm1": "bn1",
        r"^stem\.conv": "conv1",
        r"^norm\.": "bn2.",
        r"^head\.fc": "fc",
        r"downsample\.conv": "downsample.0",
        r"norm(\d)": r"bn\1",
    }
    for pattern, name in rules.items():
        key = re.sub(pattern, name, key)
    return re.sub(r"^stages\.(\d)\.blocks", lambda match: f"layer{int(match[1]) + 1}", key)


@pytest.mark.torch
def test_preactivation_units_are_those_of_timm() -> None:
    # Timm strides in the 3x3 convolution, and norms the stem after its pooling: the same where the norms only grow.
    import torch

    from tests.peers import timm

    edits = "\n".join(f'set "layer{i}.0.conv1" stride=1; set "layer{i}.0.conv2" stride=2' for i in (2, 3, 4))
    ours = archdsl.load_text(f"use preresnet\nvariant moved of preresnet50 {{ {edits} }}", "moved", classes=10).module()
    theirs = timm.create_model("resnetv2_50", num_classes=10)
    torch.manual_seed(0)
    for key, tensor in theirs.state_dict().items():
        if key.endswith(("norm.weight", "running_var")) or re.search(r"norm\d\.weight", key):
            tensor.uniform_(0.5, 1.5)
        elif tensor.is_floating_point() and tensor.dim() == 1:
            tensor.normal_(std=0.1)
    state = {our_key(key): tensor for key, tensor in theirs.state_dict().items()}
    ours.load_state_dict({**state, "fc.weight": state["fc.weight"].flatten(1)})
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(images), theirs.eval()(images), rtol=1e-4, atol=1e-4)
