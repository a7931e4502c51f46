"""Joins: a number of branches may be one."""

from __future__ import annotations

import pytest

from tests.lower.spec import mistakes, network, ops, paths


@pytest.mark.parametrize("join", ["add", "mul", "sub", "maximum"])
def test_a_join_of_one_branch_is_that_branch(join: str) -> None:
    net = network(f"{join} {{ for i in 0..0 {{ conv 4; }} }}; act")
    assert (ops(net), paths(net)) == (["conv", "relu"], ["conv", "act"])


def test_a_labelled_join_of_one_branch_is_a_level_with_its_steps() -> None:
    many, one = (network(f"sum: add {{ for i in 0..{n} {{ conv{{i}}: conv 4 }} }}; act") for n in (1, 0))
    assert paths(many) == ["sum.conv0", "sum.conv1", "sum.add", "act"]
    assert paths(one) == ["sum.conv0", "act"]


def test_the_only_branch_may_be_the_value_itself() -> None:
    net = network("add { if in == 4 { pass } }; sum: add { if in == 4 { pass } }; act")
    assert (paths(net), ops(net)) == (["sum", "act"], ["none", "relu"])


def test_a_join_that_takes_two_branches_does_not_take_one() -> None:
    assert mistakes("matmul { conv 4 }") == [("E222", "matmul")]


def test_arguments_of_a_join_of_one_branch_are_checked() -> None:
    assert mistakes("add axis=2 { conv 4 }") == [("E102", "axis")]
