"""The grammar has one way to read a text."""

from __future__ import annotations

import logging
import re

import pytest
from lark import Lark, logger

from archdsl.syntax.builder import Builder
from archdsl.syntax.parser import _grammar_path  # pyright: ignore[reportPrivateUsage] -- where the one grammar lies

GRAMMAR = _grammar_path().read_text(encoding="utf-8")


def test_the_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        Lark(GRAMMAR, parser="lalr", lexer="basic", start=["start", "expression"], debug=True, g_regex_flags=re.ASCII)
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)
    assert [record.getMessage() for record in caplog.records if "conflict" in record.getMessage().lower()] == []


def test_a_conflict_would_be_found(caplog: pytest.LogCaptureFixture) -> None:
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        Lark('start: sum\nsum: sum "+" sum | "a"\n', parser="lalr", debug=True)
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)
    assert any("conflict" in record.getMessage().lower() for record in caplog.records)


def test_every_rule_builds_a_node() -> None:
    rules = Lark(GRAMMAR, parser="lalr", lexer="basic", start=["start", "expression"]).rules
    names = {str(rule.alias or rule.origin.name) for rule in rules if not str(rule.origin.name).startswith("_")}
    inlined = {str(rule.origin.name) for rule in rules if rule.options.expand1}
    assert [name for name in names - inlined if not hasattr(Builder, name)] == []
