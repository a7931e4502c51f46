"""The modules of emitted code have the settings that the graph says."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import archdsl
from archdsl.passes.tables import walk
from tests.bundled import ENDS, FIRSTS, tiered
from tests.ops.execute import build

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", tiered(ENDS, FIRSTS[::3], FIRSTS))
def test_every_module_has_the_settings_that_the_graph_says(name: str) -> None:
    net = archdsl.load(name)
    with torch.device("meta"):
        modules = dict(net.module().named_modules())
        compared = 0
        for path, node, tables in walk(net.tables):
            # Steps without weights may be functions, or share a module.
            if node.op is None or node.op.is_parameter or path not in modules or node.reuses is not None:
                continue
            call = node.op.to_torch(tables.shapes.inputs_of(node))
            wanted = build(call.stateless_module or call)
            assert shown(modules[path]) == shown(wanted), path
            assert settings(modules[path]) == settings(wanted), path
            compared += 1
    assert compared > 2


def shown(module: nn.Module) -> str:
    """Return a module's repr, whether it runs in place left aside."""
    return re.sub(r"(, )?inplace=(True|False)", "", repr(module))


def settings(module: nn.Module) -> dict[str, object]:
    """Return a module's own numbers, such as a rate that its repr leaves out."""
    return {
        k: v for k, v in vars(module).items() if isinstance(v, int | float | tuple) and k not in ("inplace", "training")
    }
