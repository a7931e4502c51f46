"""torchvision is imported plainly, and helped only where it fails for want of its compiled operators."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.torch


def outcome(folder: Path, module: str) -> str:
    """Import torchvision where there is one of our own making."""
    package = folder / "torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(module)
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import torch\n"
        "try:\n"
        "    from archdsl.weights import vision\n"
        "    vision.import_torchvision()\n"
        "except RuntimeError as error:\n"
        "    print('raised', error)\n"
        "else:\n"
        "    print('declared' if vision._DECLARED else 'plain', hasattr(torch.ops.torchvision, 'nms'))\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout.strip() or done.stderr


def test_where_torchvision_imports_nothing_is_declared(tmp_path: Path) -> None:
    assert outcome(tmp_path, "") == "plain False"


def test_operators_are_declared_where_torch_does_not_know_them(tmp_path: Path) -> None:
    register = (
        "import torch\nfor name in ('nms', 'qnms'):\n    torch.library.register_fake(f'torchvision::{name}')(len)\n"
    )
    assert outcome(tmp_path, register) == "declared True"


def test_another_failure_is_passed_on(tmp_path: Path) -> None:
    assert outcome(tmp_path, "raise RuntimeError('no CUDA')") == "raised no CUDA"
