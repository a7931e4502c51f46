"""What a browser without compiled wheels lacks, or what costs time, is loaded when it is used and not before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
