"""Checkpoints as the training scripts of well-known libraries write them: the weights load, and nothing else runs."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PosixPath
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from archdsl.weights.error import WeightsError
from archdsl.weights.report import describe
from tests.weights.small_net import network, same, save_old, trained

pytestmark = pytest.mark.torch
State = dict[str, torch.Tensor]
RAN: list[str] = []


class DictConfig:
    """An object of a library that is not installed where the file is read, whose code says when it runs."""

    def __init__(self, **parts: object) -> None:
        self.__dict__.update(parts)

    def __setstate__(self, state: dict[str, object]) -> None:
        RAN.append("state")
        self.__dict__.update(state)


class HistoryBuffer(DictConfig):
    """One of mmengine's, which keeps figures of NumPy and the functions that sum them up."""


LIBRARIES = {"omegaconf.dictconfig": DictConfig, "mmengine.logging.history_buffer": HistoryBuffer}


@contextmanager
def installed() -> Iterator[None]:
    """Let those classes be their libraries' for as long as a file is written."""
    with pytest.MonkeyPatch.context() as patch:
        for name, kind in LIBRARIES.items():
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                patch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(".".join(parts[:end])))
            setattr(sys.modules[name], kind.__name__, kind)
            patch.setattr(kind, "__module__", name)
        yield


def prefixed(state: State, prefix: str) -> State:
    return {f"{prefix}{key}": value for key, value in state.items()}


def optimizer(state: State) -> dict[str, object]:
    """Return what a momentum optimizer keeps."""
    kept = {place: {"momentum_buffer": value.clone()} for place, value in enumerate(state.values())}
    return {"state": kept, "param_groups": [{"lr": 0.1, "params": list(kept)}]}


def torchvision(state: State) -> dict[str, object]:
    """Return what references/classification/train.py writes with `--model-ema`."""
    average = AveragedModel(trained())
    args = Namespace(model="resnet18", lr=0.1, data_path=PosixPath("/data"), device="cuda", norm_weight_decay=None)
    return {
        "model": state,
        "loss": defaultdict(float, {"train": 0.3}),
        "optimizer": optimizer(state),
        "lr_scheduler": {"last_epoch": 3, "_last_lr": [0.1]},
        "epoch": 3,
        "args": args,
        "model_ema": average.state_dict(),
        "scaler": {"scale": 65536.0},
    }


def timm(state: State) -> dict[str, object]:
    """Return what timm's CheckpointSaver writes."""
    return {
        "epoch": 3,
        "arch": "resnet18",
        "state_dict": state,
        "optimizer": optimizer(state),
        "version": 2,
        "args": Namespace(model="resnet18", mean=(0.5, 0.5, 0.5), opt_betas=None, dtype=torch.float16),
        "amp_scaler": {"scale": 65536.0},
        "state_dict_ema": prefixed({key: value + 1 for key, value in state.items()}, "module."),
        "metric": 76.1,
    }


def lightning(state: State) -> dict[str, object]:
    """Return what a Trainer writes of a module that holds the network as `self.model`, beside a loss with weights."""
    hyper = {"lr": 0.1, "loss": partial(print, "x"), "config": DictConfig(a=1)}
    return {
        "epoch": 3,
        "global_step": 900,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": OrderedDict({**prefixed(state, "model."), "criterion.weight": torch.ones(5)}),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"ready": 4}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'acc'}": {"best_model_score": torch.tensor(0.7), "dirpath": "x"}},
        "optimizer_states": [optimizer(state)],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": hyper,
        "hparams_type": DictConfig,
    }


def mmengine(state: State) -> dict[str, object]:
    """Return what a Runner writes of a classifier, whose body stands below `backbone` and whose head does not."""
    import numpy

    history = HistoryBuffer(_log_history=numpy.arange(3.0), _statistics_methods={"mean": numpy.mean})
    scalars = OrderedDict({"train/loss": history})
    names = {key: f"head.{key}" if key.startswith("fc.") else f"backbone.{key}" for key in state}
    return {
        "meta": {"epoch": 3, "iter": 900, "cfg": "model = dict()", "seed": 3, "dataset_meta": {"classes": ("cat",)}},
        "state_dict": OrderedDict({names[key]: value for key, value in state.items()}),
        "message_hub": {"log_scalars": scalars, "runtime_info": OrderedDict(loop_stage="train"), "resumed_keys": {}},
        "optimizer": optimizer(state),
        "param_schedulers": [{"last_step": 3}],
        "ema_state_dict": {"steps": torch.tensor(3), **prefixed(state, "module.")},
    }


SCRIPTS: dict[str, tuple[Callable[[State], dict[str, object]], set[str], set[str]]] = {
    "torchvision": (torchvision, set(), set()),
    "timm": (timm, set(), set()),
    "lightning": (lightning, set(), {"criterion.weight"}),
    "mmengine": (mmengine, {"fc.weight", "fc.bias"}, {"head.fc.weight", "head.fc.bias"}),
}


def written(script: str, path: Path, save: Callable[[Any, Path], None] = torch.save) -> State:
    """Write what a script would, and return the weights in it."""
    state = trained().state_dict()
    with installed():
        save(SCRIPTS[script][0](state), path)
    RAN.clear()
    return state


@pytest.mark.parametrize("save", [torch.save, save_old])
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_weights_of_a_scripts_checkpoint_load(
    script: str, save: Callable[[Any, Path], None], tmp_path: Path
) -> None:
    _, new, unused = SCRIPTS[script]
    state = written(script, tmp_path / "w.pth", save)
    transfer = network().compare_weights(tmp_path / "w.pth", values=True)
    assert {entry.key for entry in transfer.of("new")} == new
    assert {entry.source for entry in transfer.of("unused")} == unused
    module = network().module(tmp_path / "w.pth", strict=not (new or unused))
    loaded = {key: value for key, value in module.state_dict().items() if key not in new}
    assert loaded.keys() == state.keys() - new
    assert all(torch.equal(loaded[key], state[key]) for key in loaded)
    assert not RAN
    assert not sys.modules.keys() & LIBRARIES.keys()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("torchvision", "under `model`, not those under `model_ema`"),
        ("torchvision", "their code is not run: `collections.defaultdict`, `builtins.float`, `argparse.Namespace`"),
        ("timm", "under `state_dict`, not those under `state_dict_ema`"),
        ("timm", "`argparse.Namespace`"),
        ("lightning", "the file's keys stand below `model`"),
        ("lightning", "`omegaconf.dictconfig.DictConfig`"),
        ("mmengine", "under `state_dict`, not those under `ema_state_dict`"),
        ("mmengine", "the file's keys stand below `backbone`"),
        ("mmengine", "`mmengine.logging.history_buffer.HistoryBuffer`"),
    ],
)
def test_what_was_passed_over_is_said(script: str, expected: str, tmp_path: Path) -> None:
    written(script, tmp_path / "w.pth")
    assert expected in describe(network().compare_weights(tmp_path / "w.pth"))


@pytest.mark.parametrize("name", ["model_ema", "state_dict_ema", "ema_state_dict", "ema", "params_ema"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module.", "module._orig_mod.", "module.model."])
def test_the_average_alone_loads_too(name: str, prefix: str, tmp_path: Path) -> None:
    state = trained().state_dict()
    torch.save({name: {"n_averaged": torch.tensor(9), **prefixed(state, prefix)}}, tmp_path / "w.pth")
    assert same(network().module(tmp_path / "w.pth"), state)


def test_an_object_where_weights_should_be_is_no_tensor(tmp_path: Path) -> None:
    state = {**trained().state_dict(), "fc.bias": Namespace(lr=1)}
    torch.save(state, tmp_path / "w.pth")
    (entry,) = network().compare_weights(tmp_path / "w.pth").of("different")
    assert (entry.key, entry.source_shape, entry.source_dtype) == ("fc.bias", None, "argparse")


def test_a_modules_class_beside_the_weights_is_passed_over_but_in_the_older_format(tmp_path: Path) -> None:
    state = trained().state_dict()
    content = {"state_dict": state, "args": Namespace(act=nn.ReLU)}
    torch.save(content, tmp_path / "w.pth")
    assert same(network().module(tmp_path / "w.pth"), state)
    save_old(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds modules, which only their code can load"):
        network().module(tmp_path / "w.pth")


@pytest.mark.parametrize("inside", [{}, {"args": Namespace(lr=1)}, {"other": nn.ReLU()}])
def test_a_module_in_place_of_its_weights_is_refused_by_its_class(inside: dict[str, object], tmp_path: Path) -> None:
    torch.save({"model": trained().bn1, **inside}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"only their code can load, such as `torch\.nn\.modules\.batchnorm"):
        network().compare_weights(tmp_path / "w.pth")


def test_no_file_has_more_kinds_of_objects_than_are_stood_in_for(tmp_path: Path) -> None:
    kinds = [type(f"C{place}", (), {"__module__": "many"}) for place in range(70)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "many", ModuleType("many"))
        for kind in kinds:
            setattr(sys.modules["many"], kind.__name__, kind)
        torch.save({"state_dict": trained().state_dict(), "beside": kinds}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"only their code can load, such as `many\.C64`"):
        network().compare_weights(tmp_path / "w.pth")
