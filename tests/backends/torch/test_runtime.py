"""The helper modules against their counterparts, and through torch's own compilers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what torch users call it)

from archdsl.backends.torch import runtime
from archdsl.backends.torch.runtime import (
    AvgPool2dSame,
    Conv2dSame,
    FrozenBatchNorm2d,
    IndexSelect,
    LayerNorm2d,
    MaxPool2dSame,
    PadLike,
    Permute,
    Pinned,
    Rearrange,
    Rescale,
    Reshape,
    RMSNorm2d,
    Slice,
    StochasticDepth,
    Times,
    TorchFunction,
)
from archdsl.ops import OPS
from archdsl.ops.base import TorchCall
from tests.ops.cases import COMPUTED
from tests.peers import timm, torchvision

pytestmark = pytest.mark.torch


class Padded(nn.Module):
    """Gives a helper that reads another value one of other sizes."""

    def __init__(self, helper: nn.Module) -> None:
        super().__init__()
        self.helper, self.other = helper, torch.zeros(1, 1, 12, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.helper(x, self.other)


HELPERS: dict[type[nn.Module], Callable[[], nn.Module]] = {
    Conv2dSame: lambda: Conv2dSame(4, 6, (3, 4), stride=2, bias=False),
    MaxPool2dSame: lambda: MaxPool2dSame((3, 2), (2, 3), dilation=(1, 2)),
    AvgPool2dSame: lambda: AvgPool2dSame((3, 2), (2, 3)),
    FrozenBatchNorm2d: lambda: FrozenBatchNorm2d(4, eps=1e-3),
    LayerNorm2d: lambda: LayerNorm2d(4),
    Rescale: lambda: Rescale((1.0, 2.0, 0.5, -1.0), (0.0, 0.5, 1.0, -2.0)),
    RMSNorm2d: lambda: RMSNorm2d(4, eps=1e-6),
    StochasticDepth: lambda: StochasticDepth(0.5),
    Permute: lambda: Permute(0, 2, 3, 1),
    PadLike: lambda: Padded(PadLike(0.5)),
    Reshape: lambda: Reshape(2, -1),
    Rearrange: lambda: Rearrange("c (h p) w -> h (p w) c", p=3),
    Slice: lambda: Slice(1, 2),
    Times: lambda: Times(0.5),
    TorchFunction: lambda: TorchFunction(torch.roll, shifts=1, dims=2),
    IndexSelect: lambda: IndexSelect(((0, 3), (3, 1))),
}
every_helper = pytest.mark.parametrize("make", HELPERS.values(), ids=[cls.__name__ for cls in HELPERS])


def test_padding_like_others_centres_and_cuts() -> None:
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    wider, narrower = torch.zeros(1, 1, 5, 3), torch.zeros(1, 1, 1, 1)
    assert PadLike(9.0)(x, wider)[0, 0].tolist() == [[9.0] * 3, [0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [9.0] * 3, [9.0] * 3]
    assert PadLike()(x, narrower).shape == narrower.shape


def image(batch: int = 3, height: int = 9, width: int = 7) -> Tensor:
    return torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(0))


def test_every_helper_is_tested_and_called_by_an_operator() -> None:
    classes = {cls for _, cls in inspect.getmembers(runtime, inspect.isclass) if cls.__module__ == runtime.__name__}
    classes.remove(Pinned)  # which others are derived from, and `test_pinned` tests
    assert classes == set(HELPERS)
    calls = [case.op.to_torch(case.inputs) for case in COMPUTED]
    calls += [call.stateless_module for call in calls if isinstance(call.stateless_module, TorchCall)]
    assert {cls.__name__ for cls in classes} <= {call.target for call in calls}


@pytest.mark.parametrize("cls", HELPERS)
def test_a_helpers_source_stands_alone(cls: type[nn.Module]) -> None:
    names: dict[str, object] = {"torch": torch, "nn": nn, "Tensor": Tensor, "F": F, "Any": Any, "Callable": Callable}
    for function in filter(inspect.isfunction, vars(cls).values()):
        assert inspect.getclosurevars(function).globals.keys() <= names.keys()
    exec(f"from __future__ import annotations\n{inspect.getsource(cls)}", names)
    assert isinstance(names[cls.__name__], type)


@every_helper
def test_a_helper_compiles_into_one_graph(make: Callable[[], nn.Module]) -> None:
    module = make().eval()
    compiled = torch.compile(module, fullgraph=True, backend="eager", dynamic=True)
    for x in (image(), image(2, 12, 11)):
        assert torch.equal(compiled(x), module(x))


@every_helper
def test_a_helper_exports_for_any_batch_size(make: Callable[[], nn.Module]) -> None:
    module = make().eval()
    exported = torch.export.export(module, (image(),), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    x = image(batch=5)
    assert torch.equal(exported(x), module(x))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
@every_helper
def test_onnxruntime_gives_what_a_helper_gives(make: Callable[[], nn.Module], tmp_path: Path) -> None:
    # Softplus gives an identity something to do, which ONNX asks of a graph.
    module, x, path = nn.Sequential(make(), nn.Softplus()).eval(), image(), tmp_path / "helper.onnx"
    torch.onnx.export(module, (x,), path, input_names=["x"], dynamo=True, verbose=False)
    (output,) = onnxruntime.InferenceSession(path).run(None, {"x": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(output), module(x).detach())


@pytest.mark.parametrize("mode", ["row", "batch"])
@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_stochastic_depth_draws_as_torchvision_does(p: float, mode: str) -> None:
    ours, theirs, x = StochasticDepth(p, mode), torchvision.ops.StochasticDepth(p, mode), image(batch=16)
    torch.manual_seed(3)
    expected = [theirs(x) for _ in range(3)]
    torch.manual_seed(3)
    assert all(torch.equal(ours(x), y) for y in expected)
    assert torch.equal(ours.eval()(x), x)


def test_frozen_batch_norm_has_torchvisions_keys_and_bits() -> None:
    theirs = torchvision.ops.FrozenBatchNorm2d(4, eps=1e-3)
    ours = FrozenBatchNorm2d(4, eps=1e-3)
    for name, tensor in theirs.state_dict().items():
        tensor.copy_(torch.rand(4, generator=torch.Generator().manual_seed(len(name))) + 0.5)
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours(image()), theirs(image()))


def test_frozen_batch_norm_stays_frozen_in_training() -> None:
    module, x = FrozenBatchNorm2d(4).train(), image() + 3
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module(x)
    assert not list(module.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_layer_norm_over_channels_has_the_bits_of_convnexts() -> None:
    theirs = torchvision.models.convnext.LayerNorm2d(4, eps=1e-6)
    nn.init.normal_(theirs.weight)
    ours = LayerNorm2d(4, eps=1e-6)
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours(image()), theirs(image()))


def test_rms_norm_over_channels_divides_by_the_root_mean_square() -> None:
    x = image()
    expected = x / (x.square().mean(dim=1, keepdim=True) + 1e-6).sqrt()
    torch.testing.assert_close(RMSNorm2d(4, eps=1e-6)(x), expected)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(9, 7), (8, 12), (2, 1)])
def test_strided_same_padding_has_the_bits_of_timms(kernel: int, stride: int, size: tuple[int, int]) -> None:
    # timm.layers exports the class without saying so to type checkers.
    same = timm.layers.Conv2dSame  # pyright: ignore[reportPrivateImportUsage]
    theirs = same(4, 6, kernel, stride=stride, dilation=2)
    ours = Conv2dSame(4, 6, kernel, stride=stride, dilation=2)
    ours.load_state_dict(theirs.state_dict())
    x = image(2, *size)
    assert torch.equal(ours(x), theirs(x))


def test_channel_shuffle_has_the_bits_of_torchvisions() -> None:
    theirs = torchvision.models.shufflenetv2.channel_shuffle
    for groups in (1, 2, 4):
        assert torch.equal(nn.ChannelShuffle(groups)(image()), theirs(image(), groups))


def test_operators_name_only_helpers_that_exist() -> None:
    for case in COMPUTED:
        call = case.op.to_torch(case.inputs)
        if call.kind == "module" and "." not in call.target:
            assert hasattr(runtime, call.target), OPS[case.op.keyword]
