"""torch's own tools take emitted networks: compile without graph breaks, export, and ONNX."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from tests.backends.torch.cases import DISTINCT, GOLDENS
from tests.bundled import tiered

pytestmark = pytest.mark.torch

# Images that every window fits, where 64 is not enough or not what the network takes.
SIZES = {
    "alexnet": 67,
    "alexnet_original": 227,
    "inception_v3": 299,
    "inception_resnet_v2": 149,
    "unet": 188,
    "digits": 8,
    "resnet20_cifar": 32,
}
_STAGES: dict[str, Any] = {"depths": [2, 1, 1, 1]}
# What has the same forms in fewer steps, for torch's tools take time by steps.
SMALLER: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("convnext_tiny", "convnextv2_atto", "cspresnet50", "densenet121", "dpn68", "fasternet_t0", "fpn_resnet18",
         "mobileone_s0", "plain18", "preresnet18", "repvgg_a0", "res2net50_26w_4s", "resnet18",
         "retinanet_resnet50_fpn", "seresnet18", "skresnet18", "vovnet39a"),
        _STAGES,
    ),
    "bifpn": {"layers": 1},
    "dla34": {"levels": [1, 1, 1, 2, 1, 1]},
    "efficientnet_b0": {"depth": 0.5},
    "nasnetalarge": {"cells": 2},
    "pyramidnet110_a48_cifar": {"n": 2},
    "regnet_x_400mf": {"depth": 8},
    "resnet20_cifar": {"depth": 8},
    "xception41": {"middle": 1},
}  # fmt: skip
QUICK = {"digits", "resnet20_cifar", "odd"}
# Hundreds of steps that others have too, and nothing to make fewer of them by.
LARGE = {"inception_resnet_v2", "efficientnet_v2_s"}
# The first network of each file, and an odd one.
NAMES = [*(name for name in DISTINCT if name not in LARGE), "odd"]


def every(step: int) -> pytest.MarkDecorator:
    """Take each network: every so manyth slowly, the others while soaking."""
    return pytest.mark.parametrize("name", tiered(NAMES, QUICK, NAMES[::step]))


def network(name: str) -> archdsl.Network:
    """Load a network at a small image size where it takes one image of a free size."""
    if name == "odd":
        return GOLDENS[name]()
    smaller = SMALLER.get(name, {})
    net = archdsl.load(name, **smaller)
    shapes = [shape.numbers() for shape in net.inputs.values()]
    if len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][1] > 64:
        size = SIZES.get(name, 64)
        return archdsl.load(name, input=[shapes[0][0], size, size], **smaller)
    return net


def built(name: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    net = network(name)
    torch.manual_seed(0)
    images = tuple(torch.randn(2, *shape.numbers()) for shape in net.inputs.values())
    return net.module().eval(), images


def tensors(result: object) -> list[Tensor]:
    return list(result) if isinstance(result, tuple) else [result]  # pyright: ignore[reportReturnType] -- tensors


@every(2)
def test_torch_compile_finds_one_whole_graph(name: str) -> None:
    module, images = built(name)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        for found, expected in zip(tensors(compiled(*images)), tensors(module(*images)), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "steps", ["conv 4 padding=same s=2", "maxpool 3 s=2 padding=same", "conv 4; layer axis=channels"]
)
def test_a_plain_chain_of_own_classes_compiles_whole(steps: str) -> None:
    module = archdsl.load_text(f"model m {{ input [3, 8, 8]; {steps} }}").module()
    image = torch.rand(1, 3, 8, 8)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(image), module(image))
    assert torch.equal(pickle.loads(pickle.dumps(module))(image), module(image))


@every(6)
def test_a_training_step_compiles_too(name: str) -> None:
    module, images = built(name)
    compiled = torch.compile(module.train(), fullgraph=True, backend="aot_eager")
    sum(tensor.square().mean() for tensor in tensors(compiled(*images))).backward()  # pyright: ignore[reportAttributeAccessIssue] -- tensors
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


@every(2)
def test_torch_export_gives_the_same_results(name: str) -> None:
    module, images = built(name)
    program = torch.export.export(module, images)
    with torch.no_grad():
        for found, expected in zip(tensors(program.module()(*images)), tensors(module(*images)), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@every(4)
def test_onnx_gives_the_same_results(name: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    module, images = built(name)
    path = tmp_path / "net.onnx"
    torch.onnx.export(module, images, str(path), dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = {slot.name: image.numpy() for slot, image in zip(session.get_inputs(), images, strict=True)}
    with torch.no_grad():
        expected = tensors(module(*images))
    found = session.run(None, inputs)
    for one, other in zip(found, expected, strict=True):
        scale = max(1.0, other.abs().max().item())
        torch.testing.assert_close(torch.from_numpy(one) / scale, other / scale, rtol=1e-3, atol=1e-4)
