"""What tensors, arithmetic and named axes are for: formulas of published networks, each beside a module by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what torch users call it)
from torch.utils.flop_counter import FlopCounterMode

import archdsl

pytestmark = pytest.mark.torch


class Tokens(nn.Module):
    """A class token, a position embedding, and the token's features (Dosovitskiy et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos_embed = nn.Parameter(torch.zeros(1, 17, 8))
        self.proj = nn.Conv2d(3, 8, 4, stride=4)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        return self.head(x[:, 0])


TOKENS = """
model tokens {
  input [3, 16, 16]
  proj: conv 8 k=4 s=4 p=0 bias=true
  flatten start=1; permute [1, 0]
  concat { cls_token: param [1, 8] batch=true init=normal(std=1e-6); pass }
  pos_embed: offset batch=true init=trunc_normal(std=0.02)
  index 0 axis=0; head: fc 5
}
"""


class BiasedAttention(nn.Module):
    """Attention with relative position biases from a table, and a learned temperature (Liu et al. 2021 and 2022)."""

    def __init__(self) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.zeros(2, 1, 1))
        self.table = nn.Parameter(torch.zeros(49, 2))
        self.qkv = nn.Linear(8, 24)
        self.proj = nn.Linear(8, 8)
        rows, columns = torch.arange(16) // 4, torch.arange(16) % 4
        self.places = (rows[:, None] - rows + 3) * 7 + columns[:, None] - columns + 3

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).reshape(-1, 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
        scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        scores = scores * self.logit_scale.clamp(max=4.6).exp()
        bias = self.table[self.places.flatten()].reshape(16, 16, 2).permute(2, 0, 1)
        scores = (scores + bias).softmax(-1)
        return self.proj((scores @ v).transpose(1, 2).flatten(2))


BIASED_ATTENTION = """
model attention {
  input [16, 8]
  qkv: fc 24; reshape [16, 3, 2, 4]; permute [1, 2, 0, 3]; all: pass
  index 0 axis=0; normalize axis=last; q: pass
  @all; index 1 axis=0; normalize axis=last; k: pass
  @all; index 2 axis=0; v: pass
  table: param [49, 2] init=normal
  index [[(i//4 - j//4 + 3)*7 + i%4 - j%4 + 3 for j in 0..15] for i in 0..15] axis=0; permute [2, 0, 1]; bias: pass
  logit_scale: param [2, 1, 1] init=constant(4); clip high=4.6; exp; factor: pass
  einsum "h n d, h m d -> h n m" @q @k
  mul @factor; add @bias; softmax axis=last
  einsum "h n m, h m d -> n h d" @v
  flatten start=1; proj: fc 8
}
"""


class ResponseNorm(nn.Module):
    """Global response normalisation (Woo et al. 2023, ConvNeXt V2)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(6, 1, 1))
        self.bias = nn.Parameter(torch.zeros(6, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        lengths = x.norm(p=2, dim=(2, 3), keepdim=True)
        lengths = lengths / (lengths.mean(dim=1, keepdim=True) + 1e-6)
        return x + self.bias + self.weight * (x * lengths)


RESPONSE_NORM = """
model response_norm {
  input [6, 9, 7]
  residual {
    mul { pass; { vector_norm axis=positions keep=true; div { pass; { mean axis=channels keep=true; plus 1e-6 } } } }
    weight: scale 0; bias: offset axis=channels
  }
}
"""


class FastFusion(nn.Module):
    """Fast normalised fusion of two maps (Tan et al. 2020, EfficientDet)."""

    def __init__(self) -> None:
        super().__init__()
        self.edge_weights = nn.Parameter(torch.ones(2))
        self.conv = nn.Conv2d(4, 4, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weights = F.relu(self.edge_weights)
        weights = weights / (weights.sum() + 0.0001)
        up = F.interpolate(F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2), size=x.shape[-2:])
        return self.conv(F.silu(x * weights[0] + up * weights[1]))


FAST_FUSION = """
block fuse(list maps) {
  edge_weights: param len(maps) init=ones
  relu; div { pass; { sum axis=0 keep=true; plus 0.0001 } }; reshape [len(maps), 1, 1]; weights: pass
  add { for m, i in zip(maps, 0..len(maps)-1) { mul { @m; { @weights; slice i 1 } } } }
}
model fusion {
  input [4, 8, 8]
  x: pass; maxpool 3 s=2 padding=same; upsample like=@x; up: pass
  fusion: fuse [@x, @up]
  silu; conv: conv 4 k=1
}
"""


class Spectrum(nn.Module):
    """A real discrete Fourier transform by its tables, and positions by sines and cosines."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(8))
        angles = torch.arange(8)[:, None] * torch.arange(8) * 2 * pi / 8
        self.register_buffer("table", torch.cos(angles.double()).float())

    def forward(self, x: Tensor) -> Tensor:
        place = torch.cumsum(torch.ones_like(x[:, :1]), 2)
        positions = torch.cat([torch.sin(place), torch.cos(place)], 1)
        spectrum = torch.einsum("bchw,wk->bchk", x, self.get_buffer("table")).abs() * self.gain
        return torch.cat([spectrum.square().mean(-1), positions.roll((1, -2), (2, 3)).amax(-1)], 1).clamp(-1, 2)


SPECTRUM = """
model spectrum {
  input [3, 8, 8]
  x: pass
  table: constant [[cos(2*pi*i*k/8) for k in 0..7] for i in 0..7]; dft: pass
  @x; slice 0 1; times 0; plus 1; cumsum axis=1; concat { sin; cos }; roll [1, -2] axis=[1, 2]; max axis=last; at: pass
  @x; einsum "c h w, w k -> c h k" @dft
  abs; gain: scale axis=last; square; mean axis=last; concat { pass; @at }; clip (-1) 2
}
"""

PAIRS: dict[str, tuple[str, Callable[[], nn.Module], tuple[int, ...]]] = {
    "tokens": (TOKENS, Tokens, (3, 16, 16)),
    "attention": (BIASED_ATTENTION, BiasedAttention, (16, 8)),
    "response norm": (RESPONSE_NORM, ResponseNorm, (6, 9, 7)),
    "fusion": (FAST_FUSION, FastFusion, (4, 8, 8)),
    "spectrum": (SPECTRUM, Spectrum, (3, 8, 8)),
}
pairs = pytest.mark.parametrize(("text", "make", "shape"), PAIRS.values(), ids=PAIRS)


@pairs
def test_a_formula_computes_what_is_written_by_hand(
    text: str, make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    """Outputs and gradients of the input and of every parameter, in both modes."""
    network, other = archdsl.load_text(text), make()
    ours = network.module()
    keys = {key.removeprefix("fusion."): tensor for key, tensor in ours.state_dict().items()}
    assert {key: tensor.shape for key, tensor in keys.items()} == {
        key: tensor.shape for key, tensor in other.state_dict().items()
    }
    assert network.costs.parameters == sum(tensor.numel() for tensor in other.parameters())
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in ours.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
    other.load_state_dict(keys)
    x = torch.randn(3, *shape, generator=generator).requires_grad_()
    for in_training in (False, True):
        results = [module.train(in_training)(x) for module in (ours, other)]
        torch.testing.assert_close(*results, rtol=1e-5, atol=1e-5)
        gradients = [
            torch.autograd.grad(result.square().sum(), [x, *module.parameters()])
            for result, module in zip(results, (ours, other), strict=True)
        ]
        names = [name.removeprefix("fusion.") for name, _ in ours.named_parameters()]
        order = [names.index(name) for name, _ in other.named_parameters()]
        for gradient, index in zip(gradients[1], [0, *(1 + at for at in order)], strict=True):
            torch.testing.assert_close(gradients[0][index], gradient, rtol=1e-4, atol=1e-4)


@pairs
def test_a_formulas_macs_are_those_that_torch_counts(
    text: str, make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    with FlopCounterMode(display=False) as counter:
        make()(torch.randn(1, *shape))
    assert archdsl.load_text(text).costs.flops == counter.get_total_flops()


@pairs
def test_a_formula_compiles_into_one_graph(text: str, make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    module = archdsl.load_text(text).module().eval()
    compiled = torch.compile(module, fullgraph=True, backend="eager", dynamic=True)
    for batch in (2, 5):
        x = torch.randn(batch, *shape)
        assert torch.equal(compiled(x), module(x))
    assert type(make()) is not type(module)


@pairs
def test_a_formula_is_said_again_as_a_spec(text: str, make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    network = archdsl.load_text(text)
    again = archdsl.load_text(network.text())
    assert again.state == network.state
    assert archdsl.from_networkx(network.graph.networkx).state == network.state
    assert shape == network.shapes.inputs[0]
    assert network.diagram(level="layers")
    assert network.page()
    assert make is not None


@pairs
def test_onnxruntime_gives_what_a_formula_gives(
    text: str, make: Callable[[], nn.Module], shape: tuple[int, ...], tmp_path: Path
) -> None:
    module, x, path = archdsl.load_text(text).module().eval(), torch.randn(2, *shape), tmp_path / "formula.onnx"
    torch.onnx.export(module, (x,), path, input_names=["x"], dynamo=True, verbose=False)
    (output,) = onnxruntime.InferenceSession(path).run(None, {"x": x.numpy()})
    found = torch.from_numpy(output)
    torch.testing.assert_close(found, module(x).detach(), rtol=1e-4, atol=1e-4)
    assert found.shape == make()(x).shape


@pytest.mark.parametrize("mode", ["nearest", "mode=bilinear", "mode=bilinear align_corners=true", "mode=bicubic"])
@pytest.mark.parametrize("sizes", [(16, 16), (17, 13), (9, 30)])
def test_a_map_is_resized_like_another_whatever_its_size(mode: str, sizes: tuple[int, int]) -> None:
    arguments = "" if mode == "nearest" else mode
    text = f"model m {{ input [4, 16, 16]; x: pass; conv 3 s=2; conv 3 s=2; upsample like=@x {arguments} }}"
    module = archdsl.load_text(text).module().eval()
    x = torch.randn(2, 4, *sizes)
    small = module.get_submodule("conv_2")(module.get_submodule("conv")(x))
    options = {"mode": mode.split()[0].removeprefix("mode="), **({"align_corners": True} if "align" in mode else {})}
    assert torch.equal(module(x), F.interpolate(small, size=sizes, **options))  # type: ignore[arg-type]
    sized = archdsl.load_text(text, input=[4, *sizes])
    assert sized.outputs["output"] == (3, *sizes)


def test_parameters_of_an_offset_are_those_of_each_size() -> None:
    text = "model m { input [3, 16, 16]; conv 4 s=2; pos: offset; at: offset axis=1 }"
    for side in (16, 24, 33):
        network = archdsl.load_text(text, input=[3, side, side])
        module = network.module()
        assert network.costs.parameters == sum(tensor.numel() for tensor in module.parameters())
        shapes = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
        half = (side + 1) // 2
        assert shapes == {"pos": (4, half, half), "at": (half, 1), "conv.weight": (4, 3, 3, 3)}
        assert module(torch.randn(2, 3, side, side)).shape == (2, 4, half, half)


def test_initial_values_are_drawn_as_the_spec_asks() -> None:
    text = """model m { input [4, 8, 8]
      add { pass; a: param [4, 1, 1] init=ones; b: param [4, 8, 8] init=normal(std=0.02); c: param [4, 1, 1] }
      offset init=constant(0.5) axis=channels
    }"""
    module = archdsl.load_text(text).module()
    assert torch.equal(module.get_parameter("a"), torch.ones(4, 1, 1))
    assert 0.015 < module.get_parameter("b").std().item() < 0.025
    assert not module.get_parameter("c").any()
    assert torch.equal(module.get_parameter("offset"), torch.full((4, 1, 1), 0.5))


def test_what_is_the_same_for_every_image_meets_a_batch_in_any_place() -> None:
    """Behind blocks, in concatenations, and as an output of its own."""
    text = """
      block tail(value before) { concat { pass; @before }; conv 4 k=1 }
      model m {
        input [4, 6, 6]
        x: pass; w: param [2, 6, 6] init=ones; conv 3 k=1; relu; y: pass
        tail @x; output first
        @x; tail @y; output second
        @y; output alone
      }"""
    module = archdsl.load_text(text).module().eval()
    outputs = module(torch.randn(5, 4, 6, 6))
    assert [output.shape[0] for output in outputs] == [5, 5, 5]
