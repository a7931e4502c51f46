"""Options and settings that every test shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from archdsl import compiler
from archdsl.ir.verify import verify
from archdsl.lower.model import Lowered, lower_model
from archdsl.lower.plan import Plan
from archdsl.text.diagnostic import Reporter

ROOT = Path(__file__).resolve().parent.parent

# A busy machine is slow without being wrong.
settings.register_profile("archdsl", deadline=None, max_examples=60)
settings.load_profile("archdsl")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files; read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return a function that compares a text with a golden file, or rewrites it under --update-golden."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; --update-golden writes it"
        assert text == path.read_text(encoding="utf-8"), f"{path} differs; --update-golden rewrites it"

    return compare


@pytest.fixture(autouse=True, scope="session")
def every_graph_is_verified() -> Iterator[None]:
    """Hold every graph that a test lowers against the rules; users do not wait for that."""

    def verified(plan: Plan, report: Reporter, *args: Any, **kwargs: Any) -> Lowered:
        lowered = lower_model(plan, report, *args, **kwargs)
        if lowered.graph is not None and not (report.has_errors or lowered.deferred):
            verify(lowered.graph)
        return lowered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "lower_model", verified)
        yield
