"""The wheel is whole, and works away from the checkout, without torch, on every Python and torch that are allowed.

What of these is not at hand is skipped with a word.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOWEST = [re.sub(r"^([\w-]+)>=([\d.]+),.*", r"\1==\2", requirement) for requirement in PROJECT["dependencies"]]

OWN = f"3.{sys.version_info.minor}"
PYTHONS = [
    pytest.param(version, id=version, marks=pytest.mark.slow if version == OWN else pytest.mark.soak)
    for line in PROJECT["classifiers"]
    for version in re.findall(r":: (3\.\d+)$", line)
]
TORCH = next(one for one in PROJECT["optional-dependencies"]["torch"] if one.startswith("torch"))
OLDEST_TORCH = re.sub(r"^torch>=([\d.]+),.*", r"torch==\1.0", TORCH)

# Weights go to a file and back, a module to a pickle and back, and learn by a step.
STEP = """
import pickle, sys, archdsl, torch
from safetensors.torch import save_file
network = archdsl.load("digits")
module = network.module()
images, labels = torch.randn(8, 1, 8, 8), torch.arange(8)
optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
losses = []
for _ in range(5):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(module(images), labels)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0], losses
save_file(module.state_dict(), "digits.safetensors")
torch.save(module.state_dict(), "digits.pth")
expected = module.eval()(images)
for other in (network.module("digits.safetensors"), network.module("digits.pth"), pickle.loads(pickle.dumps(module))):
    assert torch.equal(other.eval()(images), expected)
print("torch", torch.__version__)
"""

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
    carried |= {f"archdsl/_{path.relative_to(ROOT)}" for path in (ROOT / "experiments").glob("*.arch")}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "archdsl").rglob("*.py")}
    assert carried | sources | {"archdsl/py.typed"} <= names
    assert not [name for name in names if not name.startswith(("archdsl/", "archdsl-"))]
    assert not [name for name in names if "/results/" in name]


def interpreter(version: str) -> str:
    """Find a Python of a version, in the path or among pyenv's; skips where there is none."""
    if version == OWN:
        return sys.executable
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for found in (which(f"python{version}"), *sorted(map(str, home.glob(f"{version}.*/bin/python")), reverse=True)):
        command = [found or sys.executable, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == version:
            return command[0]
    pytest.skip(f"Python {version} is not at hand")


def install(version: str, wheel: Path, requirements: Sequence[str], folder: Path) -> Path:
    """Install the wheel and other requirements into a new environment; returns its programs."""
    execute(interpreter(version), "-m", "venv", "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    execute(programs / "python", "-m", "pip", "install", "-qq", wheel, *requirements, cwd=folder)
    (folder / "work").mkdir()
    return programs


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("requirements", [[], LOWEST], ids=["newest", "lowest"])
def test_the_installed_wheel_compiles_without_torch(
    wheel: Path, requirements: list[str], version: str, tmp_path: Path
) -> None:
    programs, work = install(version, wheel, requirements, tmp_path), tmp_path / "work"
    for command in COMMANDS:
        assert execute(programs / "archdsl", *command, cwd=work).strip(), command
    compile((work / "resnet50.py").read_text(encoding="utf-8"), "resnet50.py", "exec")
    assert (work / "resnet50.dot").stat().st_size
    found = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('archdsl').origin)"
    torch, origin = execute(programs / "python", "-c", found, cwd=work).split()
    assert torch == "None"
    assert Path(origin).is_relative_to(tmp_path)


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("wanted", [OLDEST_TORCH, TORCH], ids=["oldest", "newest"])
def test_what_is_compiled_learns_on_the_oldest_and_the_newest_torch(
    wheel: Path, wanted: str, version: str, tmp_path: Path
) -> None:
    python = interpreter(version)
    # A build for CUDA brings gigabytes along, and a processor's own is enough; ANY_TORCH=1 takes either.
    report = [python, "-m", "pip", "install", "-qq", "--dry-run", "--no-deps", "--ignore-installed", "--report", "-"]
    found = subprocess.run([*report, wanted], capture_output=True, text=True, check=False)
    torch = json.loads(found.stdout)["install"][0]["metadata"]["version"] if found.returncode == 0 else None
    if torch is None:
        pytest.skip(f"{wanted} is not at hand for Python {version}")
    if "+cpu" not in torch and not os.environ.get("ANY_TORCH"):
        pytest.skip(f"torch {torch} is not at hand for Python {version} but for CUDA; ANY_TORCH=1 takes it")
    requirements = [f"torch=={torch}", "safetensors", "numpy"]
    programs = install(version, wheel, requirements, tmp_path)
    assert execute(programs / "python", "-c", STEP, cwd=tmp_path / "work").startswith(f"torch {torch}")


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
