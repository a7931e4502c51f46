"""What users call: load a spec as a network, check it, put it into the one style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.compiler import compile, compile_networkx
from archdsl.lower.settings import UserValue
from archdsl.network import Network
from archdsl.specs import read_spec
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.error import SpecError
from archdsl.text.source import Source

if TYPE_CHECKING:
    from networkx import MultiDiGraph


def load(
    spec: str | Path | Source,
    model: str | None = None,
    *,
    input: Sequence[int] | None = None,
    **settings: UserValue,
) -> Network:
    """Compile a model of a spec, with some settings changed.

    A `Path` is a file, a `Source` a text, and a `str` what the command line takes: a path, `file:model`, or a bundled
    name. `input` replaces the input's shape, [C, H, W]. `settings` are values in Python, or texts as a spec has them.
    Errors: SpecError, with every diagnostic, where the spec has mistakes or is not found

    >>> load("resnet50", classes=10).costs.parameters
    23528522
    """
    source, folder, named = read_spec(spec)
    return Network(compile(source, model or named, settings, input, folder))


def from_networkx(graph: MultiDiGraph[str]) -> Network:
    """Compile a networkx graph, as `network.graph.networkx` and `network.flatten()` give one, rewritten or not.

    Nodes, edges and the graph bear the attributes of `archdsl.ir.attributes`. A graph whose nodes are named by dotted
    paths becomes one class, whose state_dict has these paths as keys.
    Errors: SpecError with every rule that the graph breaks, by the paths of the nodes: E310 to E313, and E2 for shapes

    >>> from_networkx(load("resnet18").graph.networkx).source() == load("resnet18").source()
    True
    """
    return Network(compile_networkx(graph))


def check(spec: str | Path | Source, model: str | None = None) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a spec, or suspicious: all its models, or the one named, by itself or as `file:model`.

    Never raises for what the spec says; one that is not found is a diagnostic too.

    >>> [found.message for found in check(Source("model m { input [3, 8, 8]; conv 8 groups=3 }"))]
    ['3 groups do not divide 3 -> 8 channels']
    """
    from archdsl.checking import check as check_source

    try:
        source, folder, named = read_spec(spec)
    except SpecError as error:
        return error.diagnostics
    return check_source(source, folder, model or named)


def format(spec: str | Path | Source) -> str:
    r"""Return a spec's text in the one style; no file is changed.

    Errors: SpecError for what is no legal spec, or is not found

    >>> format(Source("model m { input [3,8,8]; conv 4 }"))
    'model m { input [3, 8, 8]; conv 4 }\n'
    """
    from archdsl.syntax.formatter import format_source

    source, _, _ = read_spec(spec)
    report = Reporter()
    formatted = format_source(source, report)
    if formatted is None:
        raise SpecError(report.diagnostics)
    return formatted


def load_text(
    text: str,
    model: str | None = None,
    *,
    name: str = "<string>",
    input: Sequence[int] | None = None,
    **settings: UserValue,
) -> Network:
    """Compile a spec's text, as `load` does a file."""
    return load(Source(text, name), model, input=input, **settings)


def check_text(text: str, name: str = "<string>") -> tuple[Diagnostic, ...]:
    """Return the diagnostics of a spec's text."""
    return check(Source(text, name))
