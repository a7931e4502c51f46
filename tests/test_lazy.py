"""What a browser without compiled wheels lacks, or what costs time, is loaded when it is used and not before."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import archdsl

HEAVY = ("networkx", "graphviz", "resvg_py", "torch", "matplotlib", "numpy", "safetensors", "sklearn")
WITHOUT = f"""
import sys
sys.modules.update(dict.fromkeys({HEAVY!r}))
from archdsl.cli import main
sys.argv = ["archdsl", *sys.argv[1:]]
raise SystemExit(main())
"""
LOADED = f"print(sorted({{*{HEAVY!r}}} & {{*sys.modules}}))"


def run(code: str, *arguments: str, folder: Path) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "resnet18"),
        ("summary", "resnet18"),
        ("summary", "resnet18", "--format", "json"),
        ("draw", "resnet18", "-o", "net.svg"),
        ("draw", "resnet18", "-o", "net.html"),
        ("draw", "resnet18", "-o", "net.mmd"),
        ("draw", "resnet18", "-o", "net.pdf"),
        ("compile", "resnet18", "-o", "net.py"),
        ("diff", "resnet18", "resnet34"),
        ("explain", "E213"),
    ],
    ids=" ".join,
)
def test_a_command_needs_no_package_that_is_heavy_or_compiled(arguments: tuple[str, ...], tmp_path: Path) -> None:
    run(WITHOUT, *arguments, folder=tmp_path)


def test_a_spec_is_formatted_without_them(tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text("model m { input [3,8,8]; conv 4 }")
    run(WITHOUT, "fmt", "net.arch", folder=tmp_path)
    assert (tmp_path / "net.arch").read_text() == "model m { input [3, 8, 8]; conv 4 }\n"


@pytest.mark.parametrize("use", ["", "archdsl.check('resnet18')", "archdsl.load('resnet18').summary()"])
def test_importing_archdsl_and_checking_loads_none_of_them(use: str, tmp_path: Path) -> None:
    assert run(f"import sys, archdsl\n{use}\n{LOADED}", folder=tmp_path) == "[]\n"


# What takes the time before a program does anything, by what is asked of it.
SLOW = (
    "typer",
    "rich",
    "pydantic",
    "lark",
    "dataclasses",
    "inspect",
    "archdsl.compiler",
    "archdsl.ops",
    "archdsl.text",
)
LISTED = f"print(sorted({{*{SLOW!r}, *{HEAVY!r}}} & {{*sys.modules}}))"
PROGRAM = f"""
import sys
from archdsl.cli import main
sys.argv = ["archdsl", *sys.argv[1:]]
assert main() in (0, None)
{LISTED}
"""
COMPILER = ["archdsl.compiler", "archdsl.ops", "archdsl.text", "dataclasses", "inspect", "lark", "pydantic"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--version"], []),
        (["--help"], ["dataclasses", "inspect", "rich", "typer"]),
        (["check", "resnet18"], COMPILER),
        (["check", "resnet18", "--format", "json"], sorted([*COMPILER, "typer"])),
    ],
    ids=["version", "help", "check", "check with an option"],
)
def test_a_program_imports_what_it_needs(arguments: list[str], expected: list[str], tmp_path: Path) -> None:
    assert run(PROGRAM, *arguments, folder=tmp_path).splitlines()[-1] == str(expected)


def test_importing_archdsl_loads_nothing(tmp_path: Path) -> None:
    assert run(f"import sys, archdsl\n{LISTED}", folder=tmp_path) == "[]\n"


def test_a_check_imports_the_operators_that_it_meets(tmp_path: Path) -> None:
    program = "import sys, archdsl\narchdsl.check('resnet18')\nprint('archdsl.ops.einsum' in sys.modules)"
    assert run(program, folder=tmp_path) == "False\n"


def test_the_package_has_its_names_all_the_same() -> None:
    assert {*archdsl.__all__} <= {*dir(archdsl)}
    assert all(getattr(archdsl, name) is not None for name in archdsl.__all__)
    assert {*archdsl.__all__} <= {*run("from archdsl import *\nprint(*dir())", folder=Path.cwd()).split()}
    program = "import archdsl; print(archdsl.compiler.__name__)"  # a module, as if it had been imported
    assert run(program, folder=Path.cwd()) == "archdsl.compiler\n"
    assert pickle.loads(pickle.dumps(archdsl.Network)) is archdsl.Network
    with pytest.raises(AttributeError, match="module 'archdsl' has no attribute 'nothing'"):
        archdsl.nothing  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
