"""Training is there without its packages, and says which one it misses."""

import subprocess
import sys

import pytest

HIDDEN = """
import sys
sys.modules[{module!r}] = None
from archdsl import Failure
from archdsl.training import Recipe, load_data, train
Recipe()
try:
    {call}
except Failure as error:
    print(error)
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("module", "call", "named"),
    [
        ("torch", "load_data('digits')", "torch"),
        ("sklearn", "load_data('digits')", "scikit-learn"),
        ("matplotlib", "train(None, Recipe(), None, None)", "matplotlib"),
    ],
)
@pytest.mark.torch
def test_an_absent_package_is_named_with_its_extra(module: str, call: str, named: str) -> None:
    told = run(HIDDEN.format(module=module, call=call))
    assert told == f'{named} is not installed; run `pip install "archdsl[train]"`'


def test_importing_the_package_imports_no_heavy_package() -> None:
    heavy = "'torch', 'sklearn', 'matplotlib', 'numpy', 'safetensors', 'rich'"
    use = "import sys, archdsl.training as t; t.Recipe(); t.Means()"
    assert run(f"{use}\nprint({{{heavy}}} & set(sys.modules))") == "set()"
