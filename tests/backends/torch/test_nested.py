"""Containers of modules whose names are paths: readable, in the state_dict's order, and called where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from tests.backends.torch.cases import ruff

BLOCK = """
block cells(n) {
  for i in 0..n-1 { "convs.{i}": conv 4; bns: { norm }; act }
  "at.keys": conv 4; tail: { first: conv 4; act }; tail: { scale }
}
"""
BODIES = {
    "lists": "for i in 0..3 { convs: { conv 8 }; bns: { norm }; act }; add { pass; @convs }",
    "names": "a: { c1: conv 8; act }; b: { conv 8 }; a: { c2: conv 8; output z; act }; add { @a; @a.z; @b }",
    "deep": "a: { b: { conv 8 }; act }; a: { b: { norm }; act }; a: { conv 3 }",
    "gaps": '"c.1": conv 3; "c.0": conv 3; act; "c.2": norm; "d.1": conv 3',
    "blocks": "cells 2; cells 2; cells 3; cells 1",
    "tensors": '"g.0": scale 1; "g.1": conv 3; act; "g.2.a": scale 1; "g.2.b": offset; conv 3',
    "buffers": 'x0: conv 3; "g.0": constant [1, 2, 3] [3, 1, 1]; "g.1": constant 2 [3, 1, 1]; add { @x0; pass }',
    "reused": '"c.0": conv 3; act; reuse "c.0"; "c.1": conv 3',
    "shared": "for i in 0..1 { a: { cells 2 }; b: { cells 1; act } }",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("nested")
    for name, body in BODIES.items():
        network = archdsl.load_text(f"{BLOCK}model {name} {{ input [3, 8, 8]; {body} }}")
        (found / f"{name}.py").write_text(network.source(), encoding="utf-8")
    return found


def test_ruff_is_content_with_containers(folder: Path) -> None:
    assert ruff("check", "--isolated", "--no-cache", "--select", "F,I,E,W,B,C4,UP,RET,SIM", folder) == ""
    assert ruff("format", "--isolated", "--no-cache", "--check", folder) == ""


@pytest.mark.torch
@pytest.mark.parametrize("name", BODIES)
def test_the_state_has_the_paths_as_keys_and_every_way_gives_the_same(name: str) -> None:
    import torch

    network = archdsl.load_text(f"{BLOCK}model {name} {{ input [3, 8, 8]; {BODIES[name]} }}")
    module = network.module().eval()
    assert [(key, tuple(value.shape)) for key, value in module.state_dict().items()] == [
        (key, tensor.shape) for key, tensor in network.state
    ]
    x = torch.randn(2, 3, 8, 8)
    expected = module(x)
    texts = [] if name == "buffers" else [archdsl.load_text(network.text(), name)]
    for other in (archdsl.from_networkx(network.flatten()), archdsl.from_networkx(network.graph.networkx), *texts):
        assert dict(other.state) == dict(network.state)
        twin = other.module().eval()
        twin.load_state_dict(module.state_dict())
        assert torch.allclose(twin(x), expected, atol=1e-5)
    folded = network.for_inference()
    plain = folded.module().eval()
    plain.load_state_dict(folded.fold_state(module.state_dict()))
    assert torch.allclose(plain(x), expected, atol=1e-4)


def test_lists_are_lists_and_are_called_by_number(folder: Path) -> None:
    text = (folder / "lists.py").read_text(encoding="utf-8")
    assert "self.bns = nn.ModuleList([nn.BatchNorm2d(8) for _ in range(4)])" in text
    assert "self.bns[1](self.convs[1](x))" in text
    assert 'self.c["1"](x)' in (folder / "gaps.py").read_text(encoding="utf-8")
