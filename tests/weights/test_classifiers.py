"""Files that torchvision and timm save of their classifiers load by their own names, and give their outputs.

`tests/weights/test_timm.py` has more networks of timm whose files fit.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import archdsl
from archdsl.network import Network
from archdsl.weights.transfer import LOADED
from tests.bundled import marks_of
from tests.peers import timm
from tests.specs import test_families as families
from tests.specs.reference import NAMES, reference
from tests.weights.test_timm import FAST, Pair, as_if_trained

pytestmark = pytest.mark.torch
State = Mapping[str, Tensor]

# More weights than a test needs gigabytes for: these are compared by names and shapes alone.
HUGE = {"regnet_y_128gf"}
# Images that leave every window its fill.
SIZES = {"alexnet": 67, "inception_v3": 107, "inception_resnet_v2": 139}
OTHER_CLASSES = 7

# A network or two of the forms of heads and names that there are; the others take minutes.
QUICK_TORCHVISION = {"alexnet", "densenet121", "googlenet", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1"}
QUICK_TIMM = {"fasternet_t0", "ghostnet_050", "mobileone_s0", "repvgg_a0"}
TIMM = (
    *FAST,
    *(Pair(name, *families.TIMM[name], size=SIZES.get(name, 64)) for name in families.RUN if name != "nasnetalarge"),
    *(
        Pair(name, *families.TIMM[name])
        for name in (
            *("seresnet34", "repvgg_a1", "repvgg_b0", "ghostnet_050", "ghostnet_130", "skresnet34", "fasternet_t1"),
            *("fasternet_t2", "convnextv2_femto", "mobileone_s2"),
        )
    ),
)  # fmt: skip


def torchvision_checkpoint(state: State) -> dict[str, Any]:
    return {"model": state, "epoch": 3, "args": Namespace(model="net", lr=0.1), "lr_scheduler": {"last_epoch": 3}}


def timm_checkpoint(state: State) -> dict[str, Any]:
    other = {f"module.{key}": torch.zeros_like(tensor) for key, tensor in state.items()}
    return {"arch": "net", "state_dict": dict(state), "version": 2, "args": Namespace(), "state_dict_ema": other}


FORMS: tuple[Callable[[State, Path], object], ...] = (
    lambda state, path: torch.save(dict(state), path),
    lambda state, path: save_file({key: tensor.contiguous() for key, tensor in state.items()}, path),
    lambda state, path: torch.save(torchvision_checkpoint(state), path),
    lambda state, path: torch.save(timm_checkpoint(state), path),
    lambda state, path: torch.save({"state_dict": {f"module.{k}": t for k, t in state.items()}}, path),
    lambda state, path: torch.save({"state_dict": {f"model.{k}": t for k, t in state.items()}}, path),
)


def names(all_names: Sequence[str], quick: set[str]) -> pytest.MarkDecorator:
    """Run a test for the quick ones, slowly for a fifth of the others, and while soaking for the rest."""
    slow = [name for name in all_names if name not in quick][::5]
    marked = [
        pytest.param(place, name, id=name, marks=marks_of(name, quick, slow)) for place, name in enumerate(all_names)
    ]
    return pytest.mark.parametrize(("place", "name"), marked)


def assert_same_outputs(network: Network, theirs: nn.Module, place: int, path: Path, size: int) -> None:
    """Save a module's state in one of the forms, load it by its names, and compare what comes of an image."""
    FORMS[place % len(FORMS)](theirs.state_dict(), path)
    ours = network.module(path).eval()
    path.unlink()  # all of them together would fill a disk
    images = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(place))
    with torch.inference_mode():
        expected, found = theirs(images), ours(images)
    assert expected.std() > 0
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


def assert_all_but_the_head(network: Network, whole: Network, state: State) -> None:
    """Compare a file of a network's classes with one of others: only what depends on them is another, and said so."""
    shapes = {key: tensor.shape for key, tensor in whole.state}
    head = {key for key, tensor in network.state if tensor.shape != shapes[key]}
    transfer = network.compare_weights(dict(state))
    assert head
    assert {entry.key for entry in transfer.of("new")} == head
    assert {entry.key for cause in LOADED for entry in transfer.of(cause)} == shapes.keys() - head
    assert not [entry for cause in ("different", "unused", "unusable") for entry in transfer.of(cause)]
    assert all(entry.source is not None and "classes here" in entry.reason for entry in transfer.of("new"))


def test_at_least_forty_networks_of_timm_are_held_to_their_outputs() -> None:
    assert len({pair.theirs for pair in TIMM}) >= 40


@names([name for name in NAMES if name not in HUGE], QUICK_TORCHVISION)
def test_a_file_of_torchvisions_loads_and_gives_its_outputs(place: int, name: str, tmp_path: Path) -> None:
    theirs = as_if_trained(reference(name))
    assert_same_outputs(archdsl.load(name), theirs, place, tmp_path / "w.pth", SIZES.get(name, 64))


@names([str(pair) for pair in TIMM], QUICK_TIMM)
def test_a_file_of_timms_loads_and_gives_its_outputs(place: int, name: str, tmp_path: Path) -> None:
    pair = TIMM[place]
    theirs = as_if_trained(timm.create_model(pair.theirs, drop_rate=0))
    assert_same_outputs(archdsl.load(name, **pair.settings), theirs, place, tmp_path / "w.pth", pair.size)


@names(NAMES, QUICK_TORCHVISION | {"convnext_tiny", "mobilenet_v3_small"})
def test_with_other_classes_all_but_the_head_of_torchvisions_is_matched(place: int, name: str) -> None:
    del place
    state = reference(name, "meta").state_dict()
    assert_all_but_the_head(archdsl.load(name, classes=OTHER_CLASSES), archdsl.load(name), state)


@names([str(pair) for pair in TIMM], QUICK_TIMM)
def test_with_other_classes_all_but_the_head_of_timms_is_matched(place: int, name: str) -> None:
    pair = TIMM[place]
    with torch.device("meta"):
        state = timm.create_model(pair.theirs).state_dict()
    ours = archdsl.load(name, classes=OTHER_CLASSES, **pair.settings)
    assert_all_but_the_head(ours, archdsl.load(name, **pair.settings), state)
