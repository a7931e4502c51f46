"""What the fuzzer runs on a text: everything that a reader of specs does with one, under bounds of time and memory.

The text's part behind a NUL character, if it has one, is settings, `name=value`, one a line.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import process_time

import archdsl
from archdsl.compiler import compile
from archdsl.lower.plan import models_of
from archdsl.network import Network
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.error import SpecError
from archdsl.text.render import RENDERERS
from archdsl.text.source import Source

PATIENCE = 2.0
"""Seconds of processor time for each thing done with a text."""
LARGE = 2000
"""Networks of more steps are checked, and not written out."""


class TooSlowError(Exception):
    """Something took longer than `PATIENCE`."""


class Clock:
    """Ends what is done step by step: a step that was too slow is a finding."""

    def __init__(self, patience: float) -> None:
        self.patience, self.start = patience, process_time()

    def lap(self, what: str) -> None:
        seconds, self.start = process_time() - self.start, process_time()
        if seconds > self.patience:
            raise TooSlowError(f"{what} took {seconds:.1f} s")


def examine(data: str, patience: float = PATIENCE) -> bool:
    """Check a spec, and use the network that it gives; return whether it gives one.

    Raises whatever the code does, and TooSlowError.
    """
    text, _, written = data.partition("\0")
    clock = Clock(patience)
    found = archdsl.check_text(text)
    clock.lap("check")
    _examine_diagnostics(found)
    clock.lap("rendering")
    with suppress(SpecError):
        formatted = archdsl.format(archdsl.Source(text))
        clock.lap("formatting")
        assert archdsl.format(archdsl.Source(formatted)) == formatted
    clock.lap("formatting again")
    model = next(iter(models_of(Source(text))), None)
    clock.lap("models_of")
    pairs = (line.partition("=") for line in written.split("\n") if line)
    settings = {name: value for name, _, value in pairs}
    if settings:
        _examine_diagnostics(compile(Source(text), model, settings).diagnostics)
        clock.lap("compile")
    with suppress(SpecError):
        network = archdsl.load_text(text, model)
        clock.lap("load")
        if network.graph.size <= LARGE:
            _use(network, clock)
        return True
    return False


def _examine_diagnostics(found: tuple[Diagnostic, ...]) -> None:
    for diagnostic in found:
        assert diagnostic.code in CODES
        assert diagnostic.message
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)
    for render in RENDERERS.values():
        render(found, width=60)


def _use(network: Network, clock: Clock) -> None:
    assert network.costs.parameters >= 0
    assert len({key for key, _ in network.state}) == len(network.state)
    clock.lap("costs")
    for what, use in USES.items():
        with suppress(SpecError):
            assert use(network) is not None, what
        clock.lap(what)


USES: Mapping[str, Callable[[Network], object]] = {
    "a summary": lambda network: network.summary(),
    "memory": lambda network: network.memory(),
    "intensity": lambda network: network.intensity(),
    "receptive fields": lambda network: network.receptive_fields,
    "symbolic shapes": lambda network: network.symbolic_shapes,
    "the smallest input": lambda network: (network.smallest_input,),
    "folding": lambda network: network.for_inference(),
    "code": lambda network: ast.parse(network.source()),
    "a diagram of stages": lambda network: network.diagram("stages").svg,
    "a diagram of blocks": lambda network: network.diagram("blocks", cost="macs").svg,
    "a diagram of layers": lambda network: network.diagram("layers").svg,
    "other formats": lambda network: (network.diagram().dot, network.diagram().mermaid, network.diagram().tikz),
}
"""What is done with a network that a text gives."""
