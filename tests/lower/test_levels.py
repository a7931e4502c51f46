"""Levels of steps in braces, and those that do nothing."""

from __future__ import annotations

import pytest

from tests.lower.spec import mistakes, network, ops, paths

BLOCK = "block b(int n) { if n > 0 { conv n } else { pass } }"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("conv 8; { pass }; act", "0:conv 1:none 2:relu"),
        ("conv 8; skip: { pass }; act", "conv:conv skip:none act:relu"),
        ("b 0; b 8; c: b 0", "b:none b_2.0:conv c:none"),
        ("{ pass } x 2; c: { pass } x 2", "group:none group_2:none c.0:none c.1:none"),
        ("layer{stage}: stages [1, 1] { pass }", "layer1:none layer2:none"),
        ("here: { here: pass }; act", "here:none act:relu"),
        ("add { pass; { mul { pass } } }; act", "add:add act:relu"),
        ("a: { pass; output o }; concat { @a; @a.o }", "a.0:none concat:concat"),
        ("c: d; concat { @c; @c.o }", "c.0:none concat:concat"),
        ("k: conv 4; act; a: { @k }; add @k", "k:conv act:relu a.none:none add:add"),
        ("k: conv 4; act; a: e @k; add @k", "k:conv act:relu a.none:none add:add"),
    ],
)
def test_a_level_of_nothing_but_pass_is_a_step_that_does_nothing(body: str, expected: str) -> None:
    net = network(body, f"{BLOCK}\nblock d {{ output o; pass }}\nblock e(value v) {{ output o; @v }}")
    found = " ".join(f"{path}:{op}" for path, op in zip(paths(net), ops(net), strict=True))
    assert found == expected


@pytest.mark.torch
def test_such_a_step_hands_on_what_flows_in() -> None:
    import torch

    body = "a: { pass }; b 0; c: d; relu; e: { output o; @c }; f: g @a; add { @a; @c; @c.o; @e; @f; @a }"
    blocks = f"{BLOCK}\nblock d {{ output o; pass }}\nblock g(value v) {{ @v }}"
    module = network(body, blocks).module()
    x = torch.randn(2, 4, 16, 16)
    assert torch.allclose(module(x), 6 * x)
    assert not module.state_dict()


def test_a_level_without_a_step_and_without_pass_is_a_mistake() -> None:
    assert mistakes("a: { if in == 8 { conv 8 } }") == [("E122", "{ if in == 8 { conv 8 } }")]
    assert mistakes("b", "block b { if in == 8 { conv 8 } }") == [("E122", "b")]
