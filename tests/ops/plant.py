"""Operators of the tests' own, among those of the language."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import pytest

from archdsl.ops import OPS
from archdsl.ops.base import Op


@contextmanager
def planted(*classes: type[Op]) -> Iterator[None]:
    """Let specs use more operators, as if they stood in the list of `archdsl/ops/__init__.py`."""
    more = MappingProxyType({**OPS, **{op.keyword: op for op in classes}})
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("archdsl.") and vars(module).get("OPS") is OPS:
                patch.setattr(module, "OPS", more)
        yield
