"""What the specs of the first edition of the language compile to, so that no later one changes a network.

`python -m tests.first_edition` writes the record from the code as it is. It was made by the last code of the first
edition: written again by a later one, it would prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import archdsl
from archdsl.lower.plan import models_of
from archdsl.network import Network
from archdsl.semantics.files import bundled_folder
from archdsl.text.source import Source
from tests.conftest import ROOT
from tests.test_docs import blocks_of, spec_of

FOLDER = ROOT / "tests" / "data" / "first_edition"
RECORD = FOLDER / "networks.json"
EXAMPLES = FOLDER / "examples.md"
"""The valid examples of the first edition's pages, and random specs, in blocks as pages have them."""


def files() -> list[Path]:
    """List the specs that are files: networks that were written for the first edition, and those bundled with it.

    What was bundled later is told by its name: it is not in the record, or a file of the first edition has the name.
    """
    own = sorted(FOLDER.glob("*.arch"))
    recorded = {name.partition(":")[0] for name in json.loads(RECORD.read_text(encoding="utf-8"))}
    names = recorded - {path.name for path in own}
    return [*own, *(path for path in sorted(bundled_folder().glob("*.arch")) if path.name in names)]


def networks_of(path: Path) -> Iterator[tuple[str, Network]]:
    """Yield each network of a file that needs no arguments, or of all blocks of the page of examples, with its name."""
    if path != EXAMPLES:
        source = Source(path.read_text(encoding="utf-8"), path.name)
        for model in models_of(source, path.parent):
            yield f"{path.name}:{model}", archdsl.load(f"{path}:{model}")
        return
    for number, block in enumerate(blocks_of(path, path.read_text(encoding="utf-8")), start=1):
        source = Source(spec_of(block), f"example {number}")
        for model in models_of(source, None):
            yield f"example {number}:{model}", archdsl.load(source, model)


def record_of(network: Network) -> dict[str, object]:
    """Return a network's parameters and multiply-adds, and a digest of all that a first edition's spec says.

    The digest covers every operator by its path with its attributes, what it reads and the shape of its result, the
    outputs, and the entries of the state_dict in order. An attribute that has its default is left out, so that one
    which an operator gets later changes nothing; nor does how bodies are shared, or the text of the compiled code.
    """
    flat = network.flatten()
    lines: list[object] = []
    for path, data in flat.nodes(data=True):
        edges = sorted(flat.in_edges(path, data=True), key=lambda edge: edge[2]["port"])
        shape = data["shapes"][""].numbers()
        lines.append([path, told(data.get("op")), [source for source, _, _ in edges], shape, data.get("reuses")])
    lines += [[output.name, output.value.node, output.is_training_only] for output in flat.graph["outputs"]]
    lines += [[key, tensor.kind, tensor.shape] for key, tensor in network.state]
    digest = sha256(json.dumps(lines).encode()).hexdigest()[:20]
    return {"parameters": network.costs.parameters, "macs": network.costs.macs, "digest": digest}


def told(value: Any) -> object:
    """Tell an operator, or what it has as an attribute, by what is said of it beyond its defaults."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        given = {name: getattr(value, name) for name, field in fields if getattr(value, name) != field.default}
        word: object = getattr(value, "keyword", type(value).__name__)
        return [word, {name: told(given[name]) for name in sorted(given)}]
    if isinstance(value, tuple | list):
        return [told(item) for item in value]
    return repr(value)


def write() -> None:
    """Write what every network is now."""
    found = {name: record_of(network) for path in [*files(), EXAMPLES] for name, network in networks_of(path)}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(record)}" for name, record in found.items())
    RECORD.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
