"""archdsl: a declarative architecture compiler.

A network is a text spec; archdsl checks it, tells its shapes, parameters and cost without building a tensor, draws it,
and compiles it to a readable, standalone PyTorch module.
"""

from archdsl.api import check, check_text, format, from_networkx, load, load_text
from archdsl.difference import diff, draw_diff
from archdsl.facts import NetworkCosts, NodeCosts
from archdsl.network import Network
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
    "Workspace",
    "check",
    "check_text",
    "diff",
    "draw_diff",
    "format",
    "from_networkx",
    "load",
    "load_text",
]
