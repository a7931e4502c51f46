"""archdsl: a declarative architecture compiler.

A network is a text spec; archdsl checks it, tells its shapes, parameters and cost without building a tensor, draws it,
and compiles it to a readable, standalone PyTorch module.
"""

from archdsl.network import Network, NetworkCosts, NodeCosts, check_text, diff, load, load_text
from archdsl.network import format_text as format
from archdsl.text.diagnostic import Diagnostic, SpecError

__version__ = "0.1.0"

__all__ = [
    "Diagnostic",
    "Network",
    "NetworkCosts",
    "NodeCosts",
    "SpecError",
    "check_text",
    "diff",
    "format",
    "load",
    "load_text",
]
