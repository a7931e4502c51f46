"""Whatever training scripts wrap weights in, the weights load to the bit, and what is not understood is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import archdsl
from archdsl.weights.report import describe
from tests.weights.small_net import same

pytestmark = pytest.mark.torch

NETWORKS = ("resnet20_cifar", "digits", "espcn")
State = dict[str, torch.Tensor]


@cache
def built(name: str) -> tuple[archdsl.Network, Mapping[str, torch.Tensor]]:
    network = archdsl.load(name)
    torch.manual_seed(0)
    return network, network.module().state_dict()


prefixes = st.lists(
    st.sampled_from(["module", "_orig_mod", "model", "backbone", "net.encoder", "0"]), max_size=3, unique=True
)
wrappers = st.lists(st.sampled_from(["state_dict", "model", "params_ema", "mine", "ema"]), max_size=2, unique=True)
formats = st.sampled_from(["pth", "old", "safetensors", "shards", "bins", "memory"])


def wrap(state: State, names: list[str], has_figures: bool) -> dict[str, Any]:
    """Put a state_dict into mappings, the last name outermost, beside what scripts keep there."""
    beside = {"epoch": 3, "best": torch.tensor(1.0), "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}}
    content: dict[str, Any] = dict(state)
    for name in names:
        content = {name: content, **(beside if has_figures else {})}
    return content


def write(content: dict[str, Any], state: State, form: str, folder: Path) -> Path:
    """Write in a format; those of tensors alone take the state without mappings around it."""
    if form == "pth":
        torch.save(content, folder / "w.pth")
    elif form == "old":
        torch.save(content, folder / "w.pt", _use_new_zipfile_serialization=False)
    elif form == "safetensors":
        save_file(state, folder / "w.safetensors")
    else:
        places = {key: f"part-{place % 2}.{form}" for place, key in enumerate(state)}
        for name in set(places.values()):
            part = {key: state[key] for key in state if places[key] == name}
            save_file(part, folder / name) if form == "shards" else torch.save(part, folder / name)
        (folder / "w.index.json").write_text(json.dumps({"weight_map": places}), encoding="utf-8")
        return folder
    return next(folder.iterdir())


def load_wrapped(name: str, data: st.DataObject) -> None:
    network, plain = built(name)
    state = dict(plain)
    prefix = ".".join(data.draw(prefixes))
    counts = data.draw(st.sampled_from(["kept", "float", "absent"]))
    for key in [key for key in state if key.endswith("num_batches_tracked")]:
        if counts == "float":
            state[key] = state[key].to(torch.float32)
        elif counts == "absent":
            del state[key]
    saved = {f"{prefix}.{key}" if prefix else key: tensor for key, tensor in state.items()}
    if data.draw(st.booleans()):
        saved["n_averaged"] = torch.tensor(7)
    strange = data.draw(st.sampled_from([None, "loss.weight", f"{prefix}.queue" if prefix else "queue"]))
    if strange is not None:
        saved[strange] = torch.ones(3)
    form = data.draw(formats)
    content = wrap(saved, data.draw(wrappers), data.draw(st.booleans()))
    with TemporaryDirectory() as folder:
        weights = content if form == "memory" else write(content, saved, form, Path(folder))
        transfer = network.compare_weights(weights, values=True)
        assert [entry.source for entry in transfer.of("unused")] == ([strange] if strange else [])
        assert transfer.fits == (strange is None), describe(transfer)
        module = network.module(weights, strict=strange is None)
    assert same(module, dict(plain))


@pytest.mark.parametrize("name", NETWORKS)
@seed(1)
@settings(max_examples=5, deadline=None)
@given(st.data())
def test_wrapped_weights_load_to_the_bit(name: str, data: st.DataObject) -> None:
    load_wrapped(name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_many_wrapped_weights_load_to_the_bit(name: str, data: st.DataObject) -> None:
    load_wrapped(name, data)
