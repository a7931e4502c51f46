"""A network as one HTML page: a picture to walk around in, with every fact about every box."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from archdsl.backends.page.gather import Gathered, JsonObject
from archdsl.backends.page.html import to_json, write_html
from archdsl.backends.page.numbers import Json
from archdsl.backends.page.settings import Vary, values_of, width_setting
from archdsl.backends.theme import KIND_NAMES
from archdsl.passes.costs import count_costs
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables
from archdsl.text.garbage import without_collecting
from archdsl.text.render.display import visible
from archdsl.tracing.sizes import all_sizes

__all__ = ["MOST_BYTES", "Vary", "page"]

MOST_BYTES = 300_000
"""The size up to which a page takes up other widths."""


def page(shapes: Shapes, name: str, vary: Vary | None = None) -> str:
    """Write a network as a self-contained HTML page that needs no network and no server.

    The page holds the network at every input size to twice the declared one, so that a slider shows shapes and costs
    exactly, and with `vary` at some widths too, nearest first, as many as fit into `MOST_BYTES`.
    """
    with without_collecting():
        return _page(shapes, name, vary)


def _page(shapes: Shapes, name: str, vary: Vary | None) -> str:
    gathered = Gathered()
    own = gathered.network(all_sizes(shapes), Tables(shapes, count_costs(shapes)))
    networks = {Fraction(1): own}
    setting = None
    text = write_html(name, _data(gathered, shapes, name, networks, None))
    size = len(text.encode())
    # What another width adds is about what is there already, so most networks that have no room are not tried.
    room = len(to_json([gathered.bodies, gathered.ops]).encode())
    vary = cache(vary) if vary is not None else None  # what is tried to find the setting is shown later
    if vary is not None and size + room <= MOST_BYTES:
        setting = width_setting(shapes, vary)
    if vary is None or setting is None:
        return text
    values = dict(values_of(shapes.graph.bindings, setting))
    for factor in sorted(values, key=lambda one: (abs(one - 1), one)):
        other = vary(setting, values[factor]) if factor != 1 else None
        if factor == 1:
            own["value"] = values[factor]
        if other is None:
            continue
        networks[factor] = {
            **gathered.network(all_sizes(other), Tables(other, count_costs(other))),
            "value": values[factor],
        }
        longer = write_html(name, _data(gathered, shapes, name, networks, setting))
        if len(longer.encode()) > MOST_BYTES:
            break
        text = longer
    return text


def _data(
    gathered: Gathered, shapes: Shapes, name: str, networks: dict[Fraction, JsonObject], setting: str | None
) -> JsonObject:
    kinds: JsonObject = {**KIND_NAMES}
    ordered: list[Json] = [networks[factor] for factor in sorted(networks)]
    return {
        "name": name,
        "doc": visible(" ".join(shapes.graph.doc.split())),
        "kinds": kinds,
        "setting": setting,
        "networks": ordered,
        "start": sorted(networks).index(Fraction(1)),
        "bodies": [*gathered.bodies],
        "ops": [*gathered.ops],
        "defaults": gathered.defaults,
        "pool": [*gathered.pool.codes],
        "sources": [*gathered.sources],
    }
