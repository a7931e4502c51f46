"""Networks that do not classify one image: segmentation, generators, enlargement, pairs of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what torch users call it)
from torch.utils.flop_counter import FlopCounterMode

import archdsl

pytestmark = pytest.mark.torch

SMALL_UNET: dict[str, Any] = {"width": 4, "depth": 3}


def assert_learns(module: nn.Module, loss: Tensor) -> None:
    """Propagate a loss back and demand that it reaches every weight."""
    loss.backward()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.count_nonzero() > 0, key


def counted_macs(module: nn.Module, *shapes: tuple[int, ...]) -> int:
    """Count multiply-adds for one input with torch."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(*(torch.empty(1, *shape, device="meta") for shape in shapes))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("unet", {}), ("unet_padded", {}), ("unet_bilinear", {}),
        ("dcgan_generator", {}), ("dcgan_discriminator", {}), ("espcn", {"factor": 4}), ("siamese", {}),
        ("snn", {}), ("snn_conv", {}),
    ],
)  # fmt: skip
def test_macs_are_what_torch_counts(name: str, settings: dict[str, Any]) -> None:
    network = archdsl.load(name, **settings)
    with torch.device("meta"):
        module = network.module()
    assert network.costs.macs == counted_macs(module, *(shape.numbers() for shape in network.inputs.values()))
    assert network.costs.parameters == sum(parameter.numel() for parameter in module.parameters())


# U-Net.


def unet(module: nn.Module, x: Tensor, depth: int, up: Callable[[int, Tensor], Tensor], level: int = 1) -> Tensor:
    """Run a U-Net as the paper's figure 1 shows it, cropping what is kept to what comes from below."""
    kept = module.get_submodule(f"down{level}")(x)
    if level == depth:
        return kept
    below = up(level, unet(module, F.max_pool2d(kept, 2), depth, up, level + 1))
    assert below.shape[1] == kept.shape[1]
    edge, size = (kept.shape[2] - below.shape[2]) // 2, below.shape[2]
    kept = kept[:, :, edge : edge + size, edge : edge + size]
    return module.get_submodule(f"merge{level}")(torch.cat([kept, below], dim=1))


def test_unet_has_the_shapes_of_the_papers_figure() -> None:
    network = archdsl.load("unet")
    assert network.outputs == {"output": (2, 388, 388)}
    shapes = network.shapes.results
    downs = [(64, 568), (128, 280), (256, 136), (512, 64), (1024, 28)]
    merges = [(64, 388), (128, 196), (256, 100), (512, 52)]
    for name, sizes in (("down", downs), ("merge", merges)):
        for i, (channels, size) in enumerate(sizes, start=1):
            assert shapes[f"{name}{i}"][""] == (channels, size, size)
    # Section 2: 23 convolutional layers, the transposed ones counted.
    assert sum(node.op in {"conv", "deconv"} for node in network.costs.nodes) == 23


@pytest.mark.parametrize(("settings", "parameters"), [
    ({}, 31_030_658),
    ({"norm": "batch", "bias": False, "channels": 3, "padding": "same"}, 31_037_698),  # milesial/Pytorch-UNet
])  # fmt: skip
def test_unet_has_the_usual_number_of_parameters(settings: dict[str, Any], parameters: int) -> None:
    network = archdsl.load("unet", size=256 if settings else 572, **settings)
    assert network.costs.parameters == parameters


@pytest.mark.parametrize(
    ("padding", "size", "result"), [("valid", 92, 52), ("valid", 60, 20), ("same", 32, 32), ("same", 20, 20)]
)
def test_unet_computes_what_the_figure_shows(padding: str, size: int, result: int) -> None:
    torch.manual_seed(0)
    module = archdsl.load("unet", size=size, padding=padding, **SMALL_UNET).module().eval()
    x = torch.randn(2, 1, size, size)
    with torch.no_grad():
        expected = unet(module, x, 3, lambda level, y: module.get_submodule(f"up{level}")(y))
        expected = F.conv2d(expected, module.get_parameter("head.weight"), module.get_parameter("head.bias"))
        found = module(x)
    assert found.shape == (2, 2, result, result)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["unet_padded", "unet_bilinear"])
def test_a_padded_unet_takes_images_of_any_size(name: str) -> None:
    """Zeros are put around what comes from below, as milesial/Pytorch-UNet does."""
    torch.manual_seed(0)
    module = archdsl.load(name, size=32, **SMALL_UNET).module().eval()

    def run(x: Tensor, level: int = 1) -> Tensor:
        kept = module.get_submodule(f"down{level}")(x)
        if level == 3:
            return kept
        below = run(F.max_pool2d(kept, 2), level + 1)
        if name == "unet_bilinear":
            below = F.interpolate(below, scale_factor=2, mode="bilinear", align_corners=True)
            weight, bias = (module.get_parameter(f"up{level}.1.{part}") for part in ("weight", "bias"))
            below = F.conv2d(below, weight, bias)
        else:
            below = module.get_submodule(f"up{level}")(below)
        rows, columns = kept.shape[2] - below.shape[2], kept.shape[3] - below.shape[3]
        below = F.pad(below, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return module.get_submodule(f"merge{level}")(torch.cat([kept, below], dim=1))

    for size in ((32, 32), (33, 46), (31, 29), (97, 65)):
        x = torch.randn(2, 3, *size)
        with torch.no_grad():
            assert torch.equal(module(x), module.get_submodule("head")(run(x)))
        assert archdsl.load(name, input=[3, *size], **SMALL_UNET).outputs == {"output": (2, *size)}


def test_unets_up_sampling_is_a_setting() -> None:
    torch.manual_seed(0)
    network = archdsl.load("unet", size=92, up="resized", **SMALL_UNET)
    module = network.module().eval()
    assert not any(node.op == "deconv" for node in network.costs.nodes)

    def up(level: int, y: Tensor) -> Tensor:
        y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=True)
        weight, bias = (module.get_parameter(f"up{level}.1.{name}") for name in ("weight", "bias"))
        return F.conv2d(y, weight, bias)

    x = torch.randn(1, 1, 92, 92)
    with torch.no_grad():
        expected = module.get_submodule("head")(unet(module, x, 3, up))
        torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("norm", ["batch", "group(2)", "instance"])
def test_unets_norm_is_a_setting_and_gradients_reach_every_weight(norm: str) -> None:
    torch.manual_seed(0)
    network = archdsl.load("unet_padded", size=32, norm=norm, **SMALL_UNET)
    kind = norm.partition("(")[0]
    assert [node.op for node in network.costs.nodes].count(kind) == 2 * 5
    module = network.module()
    logits = module(torch.randn(2, 3, 32, 32))
    assert_learns(module, F.cross_entropy(logits, torch.randint(2, (2, 32, 32))))


# Generators and what judges them.


def reference_generator(noise: int, width: int, channels: int) -> nn.Sequential:
    """Build the generator of torch's DCGAN tutorial."""
    layers: list[nn.Module] = [
        nn.ConvTranspose2d(noise, 8 * width, 4, 1, 0, bias=False),
        nn.BatchNorm2d(8 * width),
        nn.ReLU(),
    ]
    for times in (4, 2, 1):
        layers += [
            nn.ConvTranspose2d(2 * times * width, times * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(times * width),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())


def reference_discriminator(width: int, channels: int) -> nn.Sequential:
    """Build the discriminator of torch's DCGAN tutorial."""
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for times in (2, 4, 8):
        layers += [
            nn.Conv2d(times // 2 * width, times * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(times * width),
            nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten())


@pytest.mark.parametrize(("name", "theirs", "shape"), [
    ("dcgan_generator", reference_generator(100, 64, 3), (100, 1, 1)),
    ("dcgan_discriminator", reference_discriminator(64, 3), (3, 64, 64)),
])  # fmt: skip
def test_dcgan_is_the_usual_one(name: str, theirs: nn.Module, shape: tuple[int, ...]) -> None:
    network = archdsl.load(name, width=64)
    assert network.costs.parameters == {"dcgan_generator": 3_576_704, "dcgan_discriminator": 2_765_568}[name]
    ours = network.module()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.randn(4, *shape)
    assert torch.equal(ours.train()(x), theirs.train()(x))


def test_dcgans_initial_values_have_the_papers_spread() -> None:
    torch.manual_seed(0)
    for name in ("dcgan_generator", "dcgan_discriminator"):
        module = archdsl.load(name).module()
        for part in module.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                assert part.weight.mean().abs().item() < 1e-3
                assert part.weight.std().item() == pytest.approx(0.02, rel=0.1)
            if isinstance(part, nn.BatchNorm2d):
                assert part.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert part.weight.std().item() == pytest.approx(0.02, rel=0.25)
                assert not part.bias.any()


def test_gradients_pass_through_the_discriminator_to_every_weight_of_the_generator() -> None:
    torch.manual_seed(0)
    generator = archdsl.load("dcgan_generator", width=8).module()
    discriminator = archdsl.load("dcgan_discriminator", width=8).module()
    images = generator(torch.randn(4, 100, 1, 1))
    assert images.shape == (4, 3, 64, 64)
    assert images.abs().max() <= 1
    judged = discriminator(images)
    assert judged.shape == (4, 1)
    loss = F.binary_cross_entropy(judged, torch.ones(4, 1))
    assert_learns(generator, loss)
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


# Enlargement.


@pytest.mark.parametrize(("factor", "channels"), [(2, 1), (3, 1), (4, 3)])
def test_espcn_is_three_convolutions_and_a_shuffle(factor: int, channels: int) -> None:
    network = archdsl.load("espcn", factor=factor, channels=channels)
    theirs = nn.Sequential(
        nn.Conv2d(channels, 64, 5, padding=2), nn.Tanh(), nn.Conv2d(64, 32, 3, padding=1), nn.Tanh(),
        nn.Conv2d(32, channels * factor**2, 3, padding=1), nn.PixelShuffle(factor),
    )  # fmt: skip
    ours = network.module()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.randn(2, channels, 11, 14)
    assert torch.equal(ours(x), theirs(x))
    assert ours(x).shape == (2, channels, 11 * factor, 14 * factor)
    assert_learns(ours, F.mse_loss(ours(x), torch.rand(2, channels, 11 * factor, 14 * factor)))


# Pairs.


def test_siamese_has_one_set_of_weights_and_pays_for_it_twice() -> None:
    network = archdsl.load("siamese")
    assert network.costs.parameters == sum(node.parameters for node in network.costs.nodes) == 38_951_745
    assert list(network.inputs) == ["left", "right"]
    prefixes = {key.partition(".")[0] for key, _ in network.state}
    assert prefixes == {"twin", "score"}
    twins = [node for node in network.costs.nodes if node.path.endswith("conv1")]
    assert len(twins) == 2
    assert twins[0].macs == twins[1].macs == 64 * 100 * 96 * 96
    assert [node.parameters for node in twins] == [64 * 100 + 64, 0]


def test_siamese_tells_a_distance() -> None:
    torch.manual_seed(0)
    module = archdsl.load("siamese", features=32).module().eval()
    left, right = torch.rand(2, 3, 1, 105, 105).unbind(0)
    twin = module.get_submodule("twin")
    score = module.get_submodule("score")
    with torch.no_grad():
        assert torch.equal(module(left, right), module(right, left))
        assert torch.equal(module(left, right), torch.sigmoid(score((twin(left) - twin(right)).abs())))
        bias = score.get_parameter("bias")
        assert torch.equal(module(left, left), torch.sigmoid(bias).expand(3, 1))


def test_both_images_teach_the_twin() -> None:
    torch.manual_seed(0)
    module = archdsl.load("siamese", features=32).module()
    left, right = (torch.rand(3, 1, 105, 105, requires_grad=True) for _ in range(2))
    loss = F.binary_cross_entropy(module(left, right), torch.tensor([[0.0], [1.0], [0.0]]))
    loss.backward()
    assert left.grad is not None
    assert right.grad is not None
    assert left.grad.any()
    assert right.grad.any()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.any(), key


# Self-normalising networks.


@pytest.mark.parametrize("noise", [0, 0.05, 0.3])
def test_a_self_normalising_network_keeps_mean_and_variance_through_its_layers(noise: float) -> None:
    torch.manual_seed(0)
    module = archdsl.load("snn", noise=noise).module().train()
    x = module.get_submodule("layer")(torch.randn(64, 784)).detach()
    assert abs(float(x.mean())) < 0.1
    assert 0.8 < float(x.std()) < 1.2


@pytest.mark.parametrize("name", ["snn", "snn_conv"])
def test_inference_drops_the_noise_of_a_self_normalising_network(name: str) -> None:
    network = archdsl.load(name)
    assert "Dropout" in network.source()
    assert "Dropout" not in network.for_inference().source()


@pytest.mark.parametrize("noise", ["alpha_dropout", "feature_alpha_dropout"])
def test_noise_does_not_stand_for_an_activation_between_two_convolutions(noise: str) -> None:
    found = archdsl.check_text(f"model m {{ input [3, 32, 32]; conv 8 k=5 s=2; {noise} 0.1; conv 8; act }}")
    assert [diagnostic.code for diagnostic in found] == ["W402"]
