"""The folder list says what the product is: a module imports from lower floors and its own folder only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# The one list of floors; docs/make_architecture.py prints it into the pages. lower/ and passes/ are neighbours that do
# not know each other, as are the folders of any one floor.
FLOORS = {
    "text": 0, "syntax": 1, "ops": 1, "ir": 2, "semantics": 3, "lower": 4, "passes": 4, "backends": 5,
    "compiler": 6, "specs": 6, "weights": 6, "network": 7, "difference": 7, "training": 8, "notebook": 8, "ide": 8,
    "cli": 9, "lsp": 9, "__main__": 10,
}  # fmt: skip
# Its source is copied into generated files and never imported, so torch stays out of the compiler.
RUNTIME = "backends.torch.runtime"
HOMES = {
    "networkx": ("ir",), "typer": ("cli",), "rich": ("cli",), "pygls": ("lsp",),
    "torch": ("training", "weights", RUNTIME), "torchvision": ("training",), "sklearn": ("training",),
    "matplotlib": ("training", "backends.chart"), "safetensors": ("training", "weights"), "numpy": ("training",),
}  # fmt: skip
SOURCES = sorted((ROOT / "archdsl").rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "archdsl").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give the line and dotted name of every import, also in functions; a relative one begins with a dot.

    What is imported for type checkers alone never runs, so other packages may be named there.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [inner for inner in node.body if _is_ours(inner)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def _is_ours(node: ast.stmt) -> bool:
    return not isinstance(node, ast.ImportFrom | ast.Import) or "archdsl" in ast.unparse(node)


def folder_of(module: str) -> str:
    """Give the folder a dotted name below archdsl is in; a name of the package itself is network.py's."""
    folder = module.partition(".")[0]
    return folder if folder in FLOORS else "network"


def complaint(module: str, imported: str) -> str:
    package, _, rest = imported.partition(".")
    if imported.startswith("."):
        return "is relative"
    if package != "archdsl":
        homes = HOMES.get(package, (module,))
        return "" if any(f"{module}.".startswith(f"{home}.") for home in homes) else f"belongs in {', '.join(homes)}"
    if RUNTIME in (module, rest) or f"{rest}.".startswith(f"{RUNTIME}."):
        return "joins the compiler and the source of generated files"
    own, other = folder_of(module), folder_of(rest)
    return (
        "" if own == other or FLOORS[other] < FLOORS[own] else f"is on floor {FLOORS[other]}, not below {FLOORS[own]}"
    )


def complaints(module: str, source: str) -> list[str]:
    found = ((line, name, complaint(module, name)) for line, name in imports(ast.parse(source)))
    return [f"{module}:{line}: {name} {why}" for line, name, why in found if why]


def test_every_module_imports_from_lower_floors_and_its_own_folder() -> None:
    assert SOURCES
    assert not [text for path in SOURCES for text in complaints(module_of(path), path.read_text(encoding="utf-8"))]


def test_every_module_has_a_floor() -> None:
    assert not [module for module in map(module_of, SOURCES) if module and module.partition(".")[0] not in FLOORS]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ops.conv", "from archdsl.ir.graph import Graph"),
        ("ops.conv", "import archdsl.ir.graph"),
        ("ops.conv", "from archdsl import ir"),
        ("ops.conv", "from archdsl import check_text"),
        ("ops.conv", "def f():\n    from archdsl.passes import costs"),
        ("ops.conv", "from archdsl.syntax.tree import File"),
        ("ops.conv", "from .base import Op"),
        ("ops.conv", "import torch.nn as nn"),
        ("passes.costs", "import networkx as nx"),
        ("compiler", "from archdsl.cli import main"),
        ("compiler", "from rich.text import Text"),
        ("training.loop", "from archdsl.lsp import server"),
        ("ir.graph", "if TYPE_CHECKING:\n    from archdsl.compiler import compile"),
        ("backends.torch.emit", "import torch"),
        ("backends.torch.emit", "from archdsl.backends.torch import runtime"),
        (RUNTIME, "from archdsl.text.source import Source"),
    ],
)
def test_a_violation_is_found(module: str, source: str) -> None:
    assert len(complaints(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ops.conv", "from archdsl.ops.base import Op\nfrom archdsl.text.source import Span\nimport math"),
        ("", "from archdsl.network import load"),
        ("network", "if TYPE_CHECKING:\n    from torch import nn"),
        (
            "cli.train",
            "import typer\nfrom archdsl import check_text\nfrom archdsl.training.loop import train",
        ),
        ("training.loop", "import torch\nfrom torch import nn"),
        (RUNTIME, "import torch"),
        ("ir.graph", "import networkx as nx"),
    ],
)
def test_what_the_floors_allow_passes(module: str, source: str) -> None:
    assert complaints(module, source) == []
