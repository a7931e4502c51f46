"""The wheel is whole, and the compiler works from it, without torch and away from the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOWEST = [re.sub(r"^([\w-]+)>=([\d.]+),.*", r"\1==\2", requirement) for requirement in PROJECT["dependencies"]]

COMMANDS = [
    ["--help"],
    ["list"],
    ["check", "resnet50"],
    ["summary", "resnet50"],
    ["draw", "resnet50", "-o", "resnet50.dot"],
    ["compile", "resnet50", "-o", "resnet50.py"],
]


def execute(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist and the wheel from it, as a release does."""
    folder = tmp_path_factory.mktemp("dist")
    execute(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
def test_the_wheel_carries_the_grammar_the_specs_and_the_marker_of_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = {f"archdsl/_{path.relative_to(ROOT)}" for path in (ROOT / "grammars").iterdir()}
    carried |= {f"archdsl/_{path.relative_to(ROOT)}" for path in (ROOT / "specs").rglob("*.arch")}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "archdsl").rglob("*.py")}
    assert carried | sources | {"archdsl/py.typed"} <= names
    assert not [name for name in names if not name.startswith(("archdsl/", "archdsl-"))]


@pytest.mark.slow
@pytest.mark.parametrize("requirements", [[], LOWEST], ids=["newest", "lowest"])
def test_the_installed_wheel_compiles_without_torch(wheel: Path, requirements: list[str], tmp_path: Path) -> None:
    execute(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / "bin"
    python = programs / "python"
    execute(python, "-m", "pip", "install", "-qq", wheel, *requirements, cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    for command in COMMANDS:
        assert execute(programs / "archdsl", *command, cwd=work).strip(), command
    compile((work / "resnet50.py").read_text(encoding="utf-8"), "resnet50.py", "exec")
    assert (work / "resnet50.dot").stat().st_size
    found = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('archdsl').origin)"
    torch, origin = execute(python, "-c", found, cwd=work).split()
    assert torch == "None"
    assert Path(origin).is_relative_to(tmp_path)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_imports_no_torch(command: list[str], tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from archdsl.cli import main
sys.argv = ["archdsl", *{command!r}]
try:
    code = main()
except SystemExit as stop:
    code = stop.code
heavy = sorted({{"torch", "torchvision", "timm", "numpy", "matplotlib", "sklearn"}} & set(sys.modules))
assert not heavy, heavy
sys.exit(code)
"""
    execute(sys.executable, "-c", program, cwd=tmp_path)
