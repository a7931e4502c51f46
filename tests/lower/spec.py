"""Small models that the tests of lowering share, and what is read of them."""

from __future__ import annotations

import archdsl
from archdsl.compiler import compile
from archdsl.lower.settings import UserValue
from archdsl.network import Network
from archdsl.text.source import Source


def network(body: str, declarations: str = "", **settings: UserValue) -> Network:
    """Return the network of a body behind a small input."""
    text = f"{declarations}\nmodel m {{ input [4, 16, 16]; {body} }}"
    return Network(compile(Source(text), "m", settings))


def ops(net: Network) -> list[str]:
    """Return the operators' words, in order."""
    return [node.op for node in net.costs.nodes]


def paths(net: Network) -> list[str]:
    """Return the operators' paths, in order."""
    return [node.path for node in net.costs.nodes]


def channels(net: Network) -> list[object]:
    """Return the operators' channels, in order."""
    return [node.output.channels for node in net.costs.nodes]


def mistakes(body: str, declarations: str = "") -> list[tuple[str, str]]:
    """Return the codes and places of what is wrong with a body."""
    found = archdsl.check_text(f"{declarations}\nmodel m {{ input [4, 16, 16]; {body} }}")
    return [(diagnostic.code, diagnostic.span.text) for diagnostic in found]
