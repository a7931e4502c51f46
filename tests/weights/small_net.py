"""A small network whose weights the tests save and load."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

import archdsl

SPEC = """
keys other { "conv1" = "stem" }
model m(classes=5) { input [3, 8, 8]; conv1: conv 4; bn1: norm; act; gap; flatten; fc: fc classes }
"""


def network(classes: int = 5) -> archdsl.Network:
    return archdsl.load_text(SPEC, classes=classes)


def trained() -> nn.Module:
    torch.manual_seed(3)
    module = network().module()
    module(torch.randn(4, 3, 8, 8))  # running statistics that differ from initial ones
    return module


def same(one: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    mine = one.state_dict()
    return mine.keys() == state.keys() and all(torch.equal(mine[key], state[key]) for key in state)


def save_old(state: object, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)
