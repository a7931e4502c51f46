"""Paddings of Keras, by what TensorFlow defines them to be, against the network that is offered for them."""

from __future__ import annotations

import random
from typing import Any

import pytest

import archdsl
from archdsl.syntax.habits.foreign import Foreign
from archdsl.syntax.habits.layers import translate

torch = pytest.importorskip("torch")
F = torch.nn.functional
pytestmark = pytest.mark.torch


def same(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return what TensorFlow pads an axis by, in front and behind, for `same`."""
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def padded(x: Any, kernel: list[int], stride: list[int], dilation: int = 1, value: float = 0.0) -> Any:
    rows, columns = (same(x.shape[2 + axis], kernel[axis], stride[axis], dilation) for axis in (0, 1))
    return F.pad(x, (*columns, *rows), value=value)


def steps(name: str, *positional: object, **named: object) -> str:
    written = {key: str(value).lower() for key, value in named.items()}
    found = translate(Foreign(name, tuple(map(str, positional)), written, "keras"))
    assert found is not None
    return found.step if found.is_exact else ""


def module_of(written: str, shape: tuple[int, ...]) -> Any:
    return archdsl.load_text(f"model m {{ input {list(shape)}\n {written} }}").module().eval()


def weights_of(module: Any) -> list[Any]:
    return list(module.state_dict().values())


def draws(seed: str, count: int) -> list[random.Random]:
    return [random.Random(f"{seed} {turn}") for turn in range(count)]


def a_pair(rng: random.Random, most: int) -> list[int]:
    return [rng.randint(1, most) for _ in range(2)]


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_convolution_pads_as_tensorflow_does(padding: str) -> None:
    for rng in draws(f"conv {padding}", 12):
        kernel, dilation = a_pair(rng, 5), rng.randint(1, 2)
        stride = a_pair(rng, 3) if dilation == 1 else [1, 1]
        shape = (3, rng.randint(11, 14), rng.randint(11, 14))
        module = module_of(steps("Conv2D", 4, kernel, stride, padding, dilation_rate=dilation, use_bias=False), shape)
        x = torch.randn(1, *shape)
        full = padded(x, kernel, stride, dilation) if padding == "same" else x
        expected = F.conv2d(full, weights_of(module)[0], None, stride, 0, dilation)
        torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_transposed_convolution_is_the_gradient_of_one_that_pads_so(padding: str) -> None:
    for rng in draws(f"transposed {padding}", 16):
        kernel, stride = a_pair(rng, 5), a_pair(rng, 3)
        shape = (3, rng.randint(3, 6), rng.randint(3, 6))
        written = steps("Conv2DTranspose", 4, kernel, stride, padding, use_bias=False)
        module = module_of(written, shape)
        (weight,) = weights_of(module)
        x = torch.randn(1, *shape)
        more = [max(k - s, 0) if padding == "valid" else 0 for k, s in zip(kernel, stride, strict=True)]
        sizes = [n * s + extra for n, s, extra in zip(shape[1:], stride, more, strict=True)]
        z = torch.zeros(1, 4, *sizes, requires_grad=True)
        y = F.conv2d(padded(z, kernel, stride) if padding == "same" else z, weight, None, stride)
        assert y.shape == x.shape
        (expected,) = torch.autograd.grad(y, z, x)
        torch.testing.assert_close(module(x), expected, msg=written)


@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D"])
def test_a_pool_is_translated_only_where_it_pads_alike(name: str) -> None:
    found = 0
    for rng in draws(name, 60):
        size, stride = (rng.choice([1, 2, 3, 3]) for _ in range(2))
        padding = rng.choice(["same", "same", "valid"])
        shape = (3, rng.randint(5, 9), rng.randint(5, 9))
        written = steps(name, size, stride, padding)
        if not written:
            continue
        found += 1
        x = torch.randn(1, *shape)
        pairs = ([size] * 2, [stride] * 2)
        full = padded(x, *pairs, value=-1e9) if padding == "same" else x
        expected = F.max_pool2d(full, size, stride)
        if name == "AveragePooling2D":
            ones = torch.ones_like(x)
            full, counted = (padded(t, *pairs) if padding == "same" else t for t in (x, ones))
            expected = F.avg_pool2d(full, size, stride) / F.avg_pool2d(counted, size, stride)
        torch.testing.assert_close(module_of(written, shape)(x), expected, msg=f"{written} {shape}")
    assert found > 20


def test_a_separable_convolution_is_two() -> None:
    module = module_of(steps("SeparableConv2D", 5, 3, 2, "same", depth_multiplier=2), (3, 12, 12))
    depthwise, pointwise, bias = weights_of(module)
    x = torch.randn(1, 3, 12, 12)
    half = F.conv2d(padded(x, [3, 3], [2, 2]), depthwise, None, 2, groups=3)
    torch.testing.assert_close(module(x), F.conv2d(half, pointwise, bias))


def test_axes_are_permuted_as_if_the_channels_were_last() -> None:
    x = torch.randn(1, 3, 4, 5)
    for order in [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]:
        last = x.permute(0, 2, 3, 1).permute(0, *order)
        torch.testing.assert_close(module_of(steps("Permute", list(order)), (3, 4, 5))(x), last.permute(0, 3, 1, 2))
