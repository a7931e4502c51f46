"""Nothing outside `archdsl/ops` names an operator, but for the habits of other libraries: what it asks are traits."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from archdsl.ops import OPS
from tests.conftest import ROOT

FREE = ("ops", "syntax/habits")
EXCEPTIONS: Mapping[str, str] = {}
"""Files that name an operator all the same, and why."""

CLASSES = {op.__name__ for op in OPS.values()}
MODULES = {op.__module__ for op in OPS.values()}


def named(source: str) -> list[str]:
    """List the places of a source that name an operator: its class, its module, or its keyword."""
    tree = ast.parse(source)
    literals = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_literal(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return [f"{node.lineno}: {ast.unparse(node)}" for node in _faults(tree, literals)]


def _faults(tree: ast.AST, literals: set[str]) -> Iterator[ast.stmt | ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                is_fault = any(alias.name in MODULES for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                is_fault = any(_is_operator(module, alias.name) for alias in names)
            case ast.Compare(left, _, others):
                sides = [left, *others]
                is_fault = any(map(_is_keyword, sides)) and any(_is_given(side, literals) for side in sides)
            case ast.Match(subject):
                is_fault = _is_keyword(subject)
            case ast.Subscript(value, key) | ast.Call(func=ast.Attribute(value=value, attr="get"), args=[key, *_]):
                is_fault = (_is_table(value) and _is_literal(key)) or (_is_keyword(key) and _is_fixed(value, literals))
            case _:
                continue
        if is_fault:
            assert isinstance(node, ast.stmt | ast.expr)
            yield node.subject if isinstance(node, ast.Match) else node


def _is_operator(module: str, name: str) -> bool:
    return f"{module}.{name}" in MODULES or (module.startswith("archdsl.ops") and name in CLASSES)


def _is_keyword(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "keyword"


def _is_table(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "OPS"


def _is_given(node: ast.expr, literals: set[str]) -> bool:
    return _is_literal(node) or (isinstance(node, ast.Name) and node.id in literals)


def _is_fixed(node: ast.expr, literals: set[str]) -> bool:
    """Return whether a table is written out, here or, as a constant, in another file; that of all operators is not."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return _is_given(node, literals) or (name.isupper() and name != "OPS")


def _is_literal(node: ast.expr | None) -> bool:
    """Return whether an expression is a string, or holds some by itself: a list, a table, a set made of one."""
    match node:
        case ast.Constant(str()):
            return True
        case ast.Tuple(items) | ast.List(items) | ast.Set(items):
            return any(map(_is_literal, items))
        case ast.Dict(keys):
            return any(map(_is_literal, keys))
        case ast.Call(args=[inner]):
            return not isinstance(inner, ast.Constant) and _is_literal(inner)
        case _:
            return False


def sources() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "archdsl").rglob("*.py")):
        name = path.relative_to(ROOT / "archdsl").as_posix()
        if not name.startswith(tuple(f"{folder}/" for folder in FREE)):
            yield name, path


def test_nothing_else_names_an_operator() -> None:
    found = {name: named(path.read_text(encoding="utf-8")) for name, path in sources()}
    assert {name: places for name, places in found.items() if places and name not in EXCEPTIONS} == {}
    assert EXCEPTIONS.keys() <= {name for name, places in found.items() if places}


@pytest.mark.parametrize(
    "source",
    [
        "from archdsl.ops.conv import Conv2d",
        "from archdsl.ops import norm",
        "import archdsl.ops.pool",
        "def f():\n    from archdsl.ops.merge import Add",
        "if node.op.keyword == 'add': pass",
        "is_join = op.keyword in ('add', 'mul')",
        "JOINS = {'add': '+'}\nsign = JOINS[op.keyword]",
        "JOINS = {'add': '+'}\nsign = JOINS.get(op.keyword, '')",
        "JOINS: frozenset[str] = frozenset(['add'])\nfound = op.keyword in JOINS",
        "sign = {'add': '+'}.get(op.keyword)",
        "sign = SIGNS[op.keyword]",
        "sign = words.SIGNS.get(op.keyword, '')",
        "match op.keyword:\n    case 'add': pass",
        "op = OPS['add']()",
        "op = OPS.get('add')",
    ],
)
def test_a_planted_name_is_found(source: str) -> None:
    assert named(source)


@pytest.mark.parametrize(
    "source",
    [
        "from archdsl.ops import OPS",
        "from archdsl.ops.base import Op, OpError",
        "from archdsl.ops.shape import Shape",
        "op = OPS.get(name.text)",
        "op = OPS[one.op.keyword]",
        "text = f'`{op.keyword}` has no branches'",
        "is_same = one.op.keyword == other.op.keyword",
        "counts[op.keyword] += 1",
        "is_norm = op.category == 'norm'",
    ],
)
def test_asking_is_no_naming(source: str) -> None:
    assert not named(source)
