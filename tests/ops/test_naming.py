"""Nothing names an operator but its own file, what statements stand for, and what people write from habit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass, ismodule
from pathlib import Path

import pytest

from archdsl.ops.base import Op
from tests.conftest import ROOT

PACKAGE = ROOT / "archdsl"
# A habit is about an operator of another library, which has one here.
MAY_NAME = ("ops", "syntax/habits")
# Files that name operators, and why.
EXCEPTIONS = {
    "backends/torch/forward.py": "narrow calls in a row become one split",
    "backends/torch/in_place.py": "a sum is a tensor of its own",
    "passes/blame.py": "joins differ in which axes have to agree",
    "passes/groups.py": "all group norms of a network have one number of groups",
    "passes/memory.py": "max pools keep where each maximum was",
    "passes/receptive.py": "axes that a dense layer mixes or a permutation moves",
}


def named(source: str) -> Iterator[str]:
    """Yield what names an operator in a file: classes that it imports, and keywords that it spells out."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("archdsl.ops"):
                yield from (alias.name for alias in names if _is_operator(module, alias.name))
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.startswith("archdsl.ops"))
            case ast.Compare(left=left, comparators=comparators) if any(map(_is_keyword, [left, *comparators])):
                yield from (ast.unparse(node) for part in [left, *comparators] if _is_spelt_out(part))
            case ast.Match(subject=subject) if _is_keyword(subject):
                yield ast.unparse(subject)
            case ast.Subscript(value=ast.Name(id="OPS"), slice=ast.Constant()):
                yield ast.unparse(node)
            case ast.Subscript(value=value, slice=key) if _is_keyword(key) and ast.unparse(value) != "OPS":
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[key, *_]):
                is_table = ast.unparse(value) == "OPS"
                if isinstance(key, ast.Constant) if is_table else _is_keyword(key):
                    yield ast.unparse(node)
            case _:
                pass


def _is_operator(module: str, name: str) -> bool:
    found = getattr(import_module(module), name, None)
    if ismodule(found):
        return any(isclass(item) and issubclass(item, Op) and item is not Op for item in vars(found).values())
    return isclass(found) and issubclass(found, Op) and found is not Op


def _is_keyword(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "keyword"


def _is_spelt_out(node: ast.expr) -> bool:
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in items)


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_nothing_else_names_an_operator() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if not _place(path).startswith(MAY_NAME)]
    assert files
    found = {_place(path): list(named(path.read_text(encoding="utf-8"))) for path in files}
    assert {place: names for place, names in found.items() if names and place not in EXCEPTIONS} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from archdsl.ops.conv import Conv2d",
        "from archdsl.ops import conv",
        "import archdsl.ops.conv",
        "def f():\n    from archdsl.ops.norm import GroupNorm as Norm",
        "is_join = op.keyword == 'concat'",
        "is_join = op is not None and node.op.keyword in ('concat', 'add')",
        "is_join = 'concat' == op.keyword",
        "match op.keyword:\n    case 'concat': pass",
        "sign = SIGNS[op.keyword]",
        "sign = SIGNS.get(op.keyword, '')",
        "kind = OPS['conv']",
        "kind = OPS.get('conv')",
    ],
)
def test_what_names_an_operator_is_found(source: str) -> None:
    assert len(list(named(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from archdsl.ops.base import Op, Window",
        "from archdsl.ops import OPS",
        "from archdsl.ops.init import INITS, make_init",
        "from archdsl.ops.sugar import total",
        "is_same = one.op.keyword == other.op.keyword",
        "kind = OPS[name]",
        "kind = OPS.get(name)",
        "kind = OPS[op.keyword]",
        "text = f'`{op.keyword}` has no branches'",
    ],
)
def test_what_names_none_is_let_through(source: str) -> None:
    assert not list(named(source))
