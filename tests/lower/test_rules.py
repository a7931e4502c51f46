"""The table of rules is whole."""

from __future__ import annotations

from typing import get_args

from archdsl.lower.rules import RULES
from archdsl.syntax import tree


def test_every_kind_of_statement_has_a_rule_and_no_other_kind() -> None:
    kinds = {*get_args(tree.Statement), *get_args(tree.Action)}
    assert RULES.flows.keys() | RULES.names.keys() == kinds


def test_every_action_makes_something_flow() -> None:
    assert set(get_args(tree.Action)) <= RULES.flows.keys()
