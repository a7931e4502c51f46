"""Modules to train in tests, and compiled networks that stand for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

import archdsl
from archdsl import Source
from archdsl.compiler import compile


class BasicBlock(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def small_resnet(depth: int = 1, widths: tuple[int, ...] = (32, 64, 128)) -> nn.Module:
    """Build conv-bn-relu, `depth` basic blocks per stage, global pooling and a classifier, for [1, 8, 8]."""
    layers: list[nn.Module] = [
        nn.Conv2d(1, widths[0], 3, 1, 1, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
    ]
    channels = widths[0]
    for stage, width in enumerate(widths):
        for i in range(depth):
            layers.append(BasicBlock(channels, width, 2 if stage and i == 0 else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def tiny() -> nn.Module:
    """Build a network that trains in milliseconds, with dropout and batch norm."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


class Outputs(NamedTuple):
    logits: Tensor
    aux: Tensor


class WithAuxiliary(nn.Module):
    """Return a named tuple in training mode and logits alone in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.aux = tiny(), nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    def forward(self, x: Tensor) -> Tensor | Outputs:
        return Outputs(self.main(x), self.aux(x)) if self.training else self.main(x)


class Exploding(nn.Module):
    """Give not-a-number from the n-th training step on."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.body, self.at, self.calls = tiny(), at, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        y = self.body(x)
        return y * torch.nan if self.training and self.calls >= self.at else y


class Network(archdsl.Network):
    """A compiled network whose module is built otherwise."""

    def __init__(self, build: Callable[[], nn.Module] = tiny, steps: str = "input [1, 8, 8]; flatten; fc 10") -> None:
        super().__init__(compile(Source(f"model tiny {{ {steps} }}\n", "tiny.arch")))
        self.build = build

    def module(self, weights: object = None, *, origin: str | None = None, strict: bool = True) -> nn.Module:
        return self.build()
