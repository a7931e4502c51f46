"""archdsl: a declarative architecture compiler.

A network is a text spec; archdsl checks it, tells its shapes, parameters and cost without building a tensor, draws it,
and compiles it to a readable, standalone PyTorch module.

Importing the package loads none of the compiler: a name does, when it is first asked for.
"""

TYPE_CHECKING = (
    False  # what type checkers take for true; importing it from `typing` would take longer than all else here
)

if TYPE_CHECKING:
    from archdsl.api import check, check_text, format, from_networkx, load, load_text
    from archdsl.difference import diff, draw_diff
    from archdsl.facts import NetworkCosts, NodeCosts
    from archdsl.network import Network
    from archdsl.sweeps import Sweep, SweepPoint, sweep
    from archdsl.text.diagnostic import Diagnostic
    from archdsl.text.error import SpecError
    from archdsl.text.failure import Failure
    from archdsl.text.render import RENDERERS
    from archdsl.text.source import Source
    from archdsl.workspace import Workspace

__version__ = "0.1.0"

__all__ = [
    "RENDERERS",
    "Diagnostic",
    "Failure",
    "Network",
    "NetworkCosts",
    "NodeCosts",
    "Source",
    "SpecError",
    "Sweep",
    "SweepPoint",
    "Workspace",
    "check",
    "check_text",
    "diff",
    "draw_diff",
    "format",
    "from_networkx",
    "load",
    "load_text",
    "sweep",
]

_HOMES = {
    "RENDERERS": "text.render",
    "Diagnostic": "text.diagnostic",
    "Failure": "text.failure",
    "Network": "network",
    "NetworkCosts": "facts",
    "NodeCosts": "facts",
    "Source": "text.source",
    "SpecError": "text.error",
    "Sweep": "sweeps",
    "SweepPoint": "sweeps",
    "Workspace": "workspace",
    "check": "api",
    "check_text": "api",
    "diff": "difference",
    "draw_diff": "difference",
    "format": "api",
    "from_networkx": "api",
    "load": "api",
    "load_text": "api",
    "sweep": "sweeps",
}

if not TYPE_CHECKING:  # else a misspelt name would have a type

    def __getattr__(name):
        """Import what a name stands for, or a module of the package that is asked for without an import of its own."""
        from importlib import import_module
        from importlib.util import find_spec

        if name in _HOMES:
            found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        elif not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None:
            found = import_module(f"{__name__}.{name}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found

    def __dir__():
        return sorted({*globals(), *__all__})
