"""The folder list says what the product is: a module imports from lower floors and its own folder only.

No circle of files either, within a folder or not; files and classes that can be read at once; one name, one thing;
tests where the package has what they test.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

from tests.conftest import ROOT

# The one list of floors; docs/make_floors.py prints it into the pages. lower/ and passes/ are neighbours that do
# not know each other, as are the folders of any one floor.
FLOORS = {
    "text": 0, "syntax": 1, "ops": 1, "ir": 2, "semantics": 3, "recipes": 3, "lower": 4, "passes": 4, "tracing": 5,
    "backends": 6, "compiler": 7, "specs": 7, "weights": 7, "checking": 8, "facts": 8, "network": 8, "api": 8,
    "sweeps": 8, "difference": 8, "workspace": 8, "recipe_specs": 8, "experiment_specs": 8, "training": 9,
    "notebook": 9, "ide": 9, "experiments": 10, "cli": 11, "lsp": 11, "__main__": 12,
}  # fmt: skip
# Files of one floor that make up one room: what users hold.
FACES = ("network", "checking", "facts", "api", "difference", "sweeps", "workspace")
# Its source is copied into generated files and never imported, so torch stays out of the compiler.
RUNTIME = "backends.torch.runtime"
HOMES = {
    "networkx": ("ir",), "typer": ("cli",), "rich": ("cli",), "pygls": ("lsp",),
    "torch": ("training", "experiments", "weights", RUNTIME), "torchvision": ("weights.vision", "training.vision"),
    "timm": ("weights.published",), "huggingface_hub": ("weights.published",), "sklearn": ("training",),
    "lightning_fabric": ("training.resources",),
    "matplotlib": ("training", "backends.chart"), "safetensors": ("training", "weights"), "numpy": ("training",),
    "PIL": ("training",), "simplejpeg": ("training",),
}  # fmt: skip
SOURCES = sorted((ROOT / "archdsl").rglob("*.py"))
LONGEST_FILE, LONGEST_CLASS, MEDIAN_FILE = 500, 250, 120
# Folders of tests that no folder of the package has beside it, and why.
OTHER_TESTS = {
    "fuzz": "replays what the fuzzer of `tests/fuzz` found",
    "specs": "tests the bundled specs, which lie in a folder of their own",
}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "archdsl").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Return the line and dotted name of every import, also in functions; a relative one begins with a dot.

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
    """Return the folder a dotted name below archdsl is in; a name of the package itself is that of what users hold."""
    folder = module.partition(".")[0]
    return folder if folder in FLOORS and folder not in FACES else FACES[0]


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


parsed = cache(ast.parse)


def files_imported(module: str, source: str, modules: Iterable[str]) -> set[str]:
    """Return the modules of ours that a module imports, also for type checkers alone; a package is its `__init__`.

    A module without a name is `archdsl/__init__.py`.
    """
    found: set[str] = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "archdsl":
                found.add(rest if rest in modules else rest.rpartition(".")[0])
    return found & {*modules} - {module}


def circle(sources: Mapping[str, str]) -> list[str]:
    """Return the modules of one circle of imports, the first one again at its end; none if there is no circle."""
    try:
        TopologicalSorter({name: files_imported(name, text, sources) for name, text in sources.items()}).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def texts() -> dict[str, str]:
    return {module_of(path): path.read_text(encoding="utf-8") for path in SOURCES}


def test_no_files_import_each_other_in_a_circle() -> None:
    assert not circle(texts())


@pytest.mark.parametrize(
    "source",
    [
        "from archdsl.passes.costs import Costs",
        "import archdsl.passes.costs",
        "from archdsl.passes import costs",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from archdsl.passes.costs import Costs",
        "def f():\n    from archdsl.passes.costs import Costs",
        "from archdsl.passes.lint import lint_network",
    ],
)
def test_a_planted_circle_is_found(source: str) -> None:
    shapes = texts()["passes.shapes"]
    assert {"passes.shapes"} < {*circle({**texts(), "passes.shapes": f"{source}\n{shapes}"})}


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield every class with the module that it stands in."""
    for module, source in texts().items():
        yield from ((module, node) for node in ast.walk(parsed(source)) if isinstance(node, ast.ClassDef))


def test_files_and_classes_are_short_enough_to_be_read() -> None:
    lines = {module: source.count("\n") for module, source in texts().items()}
    assert not {module for module, count in lines.items() if count > LONGEST_FILE}
    assert median(lines.values()) <= MEDIAN_FILE
    lengths = {f"{module}.{node.name}": (node.end_lineno or 0) - node.lineno + 1 for module, node in classes()}
    assert not {name for name, count in lengths.items() if count > LONGEST_CLASS}


def names_of_types(source: str) -> Iterator[str]:
    """Yield the names of a module's classes and type aliases that others may use."""
    for node in parsed(source).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            yield ast.unparse(node.target)


def test_a_type_name_is_used_for_one_thing() -> None:
    # The runtime stands aside: its modules are called like their operators.
    found = (name for module, text in texts().items() if module != RUNTIME for name in names_of_types(text))
    counts = Counter(name for name in found if not name.startswith("_"))
    assert not {name for name, count in counts.items() if count > 1}


def folders(root: Path, pattern: str) -> dict[str, set[str]]:
    """Map each folder below a root that holds such files, "" for the root itself, to their names without ending."""
    found: dict[str, set[str]] = {}
    for path in root.rglob(pattern):
        found.setdefault(path.parent.relative_to(root).as_posix().removeprefix("."), set()).add(path.stem)
    return found


def misplaced(package: Mapping[str, set[str]], tests: Mapping[str, set[str]]) -> list[str]:
    """List what keeps the folders of tests from being those of the package; both map folders to names of modules."""
    untested = [f"nothing tests {folder}" for folder in package if folder not in tests]
    alone = [f"{folder} is no folder of the package" for folder in tests if folder not in {*package, *OTHER_TESTS}]
    idle = [f"{folder} needs no exception" for folder in OTHER_TESTS if folder not in tests or folder in package]
    return [*untested, *alone, *idle, *_elsewhere(package, tests)]


def _elsewhere(package: Mapping[str, set[str]], tests: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the tests that are called like a module of other folders than their own."""
    for folder, names in tests.items():
        for name in sorted(names):
            homes = [home for home, modules in package.items() if name.removeprefix("test_") in modules]
            if homes and folder not in homes:
                yield f"{folder}/{name} is called like a module of {', '.join(homes)}"


def folders_of_the_package() -> dict[str, set[str]]:
    return {name: found - {"__init__"} for name, found in folders(ROOT / "archdsl", "*.py").items()}


def test_tests_lie_where_the_package_has_what_they_test() -> None:
    assert not misplaced(folders_of_the_package(), folders(ROOT / "tests", "test_*.py"))


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("backends", "test_emit"),
        ("", "test_levels"),
        ("ops", "test_shapes"),
        ("torch", "test_any"),
        ("ir/old", "test_x"),
    ],
)
def test_a_misplaced_test_is_found(folder: str, name: str) -> None:
    tests = folders(ROOT / "tests", "test_*.py")
    assert len(misplaced(folders_of_the_package(), {**tests, folder: {*tests.get(folder, ()), name}})) == 1


@pytest.mark.parametrize("folder", ["syntax/habits", "lower", "fuzz"])
def test_a_folder_without_tests_is_found(folder: str) -> None:
    tests = folders(ROOT / "tests", "test_*.py")
    del tests[folder]
    assert len(misplaced(folders_of_the_package(), tests)) == 1
