"""The loop does what a plain one of torch does, finds what is wrong before it is saved, and keeps its hands clean."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from archdsl.training import Epoch, Means, Silent, TrainingError, TrainingStep, loop, resume, train
from archdsl.training.data.feed import Feed
from archdsl.training.data.samples import Samples
from archdsl.training.reports.outcomes import Outcomes
from archdsl.training.reports.report import report
from tests.training.small import TINY, Crash, CrashAt, differences, digits, recipe, rows, tiny, trained

pytestmark = pytest.mark.torch


def test_it_is_a_plain_loop_of_torch(tmp_path: Path) -> None:
    """SGD with momentum, weight decay and a constant rate, over the same batches, gives the same weights."""
    own = recipe("schedule constant; weight_decay 1e-3; epochs 2; clip 0.7; loss cross_entropy smoothing=0.1")
    network = tiny(TINY.replace("dropout 0.1", "dropout 0"))
    train(network, own, digits(), tmp_path / "run", means=Means("cpu"))
    from archdsl.training.plan import resolve

    torch.manual_seed(own.seed.number)
    module = resolve(network, {})[0].module()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    feed = Feed(digits(), own, (1, 8, 8))
    for epoch in (1, 2):
        for batch in feed.train(epoch):
            optimizer.zero_grad()
            loss = functional.cross_entropy(module(feed.normalise(batch.images)), batch.targets, label_smoothing=0.1)
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 0.7)
            optimizer.step()
    state = load_file(tmp_path / "run" / "last.safetensors")
    for key, value in module.state_dict().items():
        torch.testing.assert_close(state[key], value, rtol=1e-6, atol=1e-7)


def test_the_same_recipe_gives_the_same_run_whatever_ran_before(tmp_path: Path) -> None:
    trained(tmp_path / "a")
    torch.manual_seed(7)
    random.seed(3)
    state = torch.get_rng_state()
    trained(tmp_path / "b", workers=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert differences(tmp_path / "a", tmp_path / "b") == []
    trained(tmp_path / "c", "seed 1")
    assert "best.safetensors" in differences(tmp_path / "a", tmp_path / "c")


def test_validation_chooses_and_test_images_have_no_say(tmp_path: Path) -> None:
    epochs: list[Epoch] = []

    class Keep(Silent):
        def on_epoch(self, epoch: Epoch) -> None:
            epochs.append(epoch)

    result = trained(tmp_path / "run", "optimizer sgd lr=0.4 momentum=0.9; epochs 4", Keep())
    best = max(epochs, key=lambda epoch: (epoch.validation["accuracy"], -epoch.epoch))
    assert result.best is not None
    assert result.best.epoch == best.epoch
    assert f'"epoch": {best.epoch}' in (tmp_path / "run" / "test.json").read_text()
    assert len(rows(tmp_path / "run")) == 5
    state = load_file(tmp_path / "run" / "best.safetensors")
    module = tiny().module()
    module.load_state_dict(state)
    data = digits()
    feed = Feed(data, recipe(), (1, 8, 8))
    right = sum(
        int((module.eval()(feed.normalise(batch.images)).argmax(1) == batch.targets).sum())
        for batch in feed.evaluate("test")
    )
    assert result.test is not None
    assert result.test["accuracy"] == pytest.approx(right / len(data.parts["test"]))


def test_the_average_is_what_is_measured(tmp_path: Path) -> None:
    trained(tmp_path / "run", "ema 0.9; epochs 1")
    best, last = (load_file(tmp_path / "run" / f"{name}.safetensors") for name in ("best", "last"))
    assert not torch.equal(best["fc.weight"], last["fc.weight"])
    key = next(key for key in best if key.endswith("running_mean"))
    assert torch.equal(best[key], last[key])


def test_auxiliary_outputs_are_losses_and_others_are_not(tmp_path: Path) -> None:
    text = """
model m { input [1, 8, 8]; conv 4 s=2; norm; relu; output features
  output aux training { flatten; fc 10 }
  flatten; fc 10 }
"""
    started: list[tuple[str, ...]] = []

    class Keep(Silent):
        def on_start(self, start: object) -> None:
            started.append(getattr(start, "unused", ()))

    train(tiny(text), recipe("epochs 1; auxiliary 0.5"), digits(), tmp_path / "a", Keep(), means=Means("cpu"))
    assert started == [("features",)]
    train(tiny(text), recipe("epochs 1; auxiliary 0.0"), digits(), tmp_path / "b", means=Means("cpu"))
    assert "last.safetensors" in differences(tmp_path / "a", tmp_path / "b")


def test_an_output_that_the_recipe_names_teaches_what_leads_to_it(tmp_path: Path) -> None:
    text = """
model m { input [1, 8, 8]; conv 4 s=2; norm; relu
  output aux { flatten; early: fc 10 }
  flatten; late: fc 10 }
"""
    moved: list[bool] = []
    for name, auxiliary in (("named", "auxiliary 0.5 outputs=aux; "), ("left", "")):
        train(tiny(text), recipe(f"{auxiliary}weight_decay 0; epochs 1"), digits(), tmp_path / name, means=Means("cpu"))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            first = tiny(text).module().state_dict()["early.weight"]
        moved.append(not torch.equal(load_file(tmp_path / name / "last.safetensors")["early.weight"], first))
    assert moved == [True, False]


def test_a_loss_that_is_not_finite_stops_the_run_before_the_weights_change(tmp_path: Path) -> None:
    text = "model m { input [1, 8, 8]; flatten; a: fc 16; b: fc 16; c: fc 10 }"
    with pytest.raises(TrainingError) as caught:
        train(tiny(text), recipe("optimizer sgd lr=1e15 momentum=0"), digits(), tmp_path / "run", means=Means("cpu"))
    error = caught.value
    assert error.code == "E372"
    assert "in epoch 1, is nan; the first output that is not finite is that of `" in error.message
    assert "`digits " in error.message
    assert "lower the rate, now 1e+15" in error.help


def test_nothing_polluted_is_saved(tmp_path: Path) -> None:
    """What was saved last is finite, and the run can go on from it."""
    with pytest.raises(TrainingError):
        trained(
            tmp_path / "run",
            "optimizer sgd lr=1e6 momentum=0.9; schedule step after=[2] factor=0.1",
            checkpoint_every=1,
        )
    for path in (tmp_path / "run").glob("*.safetensors"):
        assert all(tensor.isfinite().all() for tensor in load_file(path).values() if tensor.is_floating_point())


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_and_leaves(tmp_path: Path, name: str) -> None:
    class Signal(Silent):
        def on_step(self, step: TrainingStep) -> None:
            if step.step == 4:
                os.kill(os.getpid(), getattr(signal, name))

    def handler(number: int, _: object) -> None:
        raise AssertionError(f"signal {number} came through")

    # Where tests run in the background, some are ignored, and stay so.
    before = signal.signal(getattr(signal, name), handler)
    try:
        result = trained(tmp_path / "run", "", Signal())
        assert signal.getsignal(getattr(signal, name)) is handler
    finally:
        signal.signal(getattr(signal, name), before)
    assert result.interrupted_by == name
    assert result.is_interrupted
    assert result.test is None
    assert resume(tmp_path / "run", means=Means("cpu")).test is not None
    trained(tmp_path / "other")
    assert differences(tmp_path / "run", tmp_path / "other") == []


def test_a_signal_when_all_is_measured_leaves_nothing_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(outcomes: Outcomes, samples: Samples, title: str) -> Mapping[str, bytes]:
        os.kill(os.getpid(), signal.SIGTERM)
        return report(outcomes, samples, title)

    monkeypatch.setattr(loop, "report", late)
    result = trained(tmp_path / "run")
    assert (result.interrupted_by, result.has_ended, result.is_interrupted) == ("SIGTERM", True, False)
    assert result.test is not None
    with pytest.raises(TrainingError, match="has ended"):
        resume(tmp_path / "run", means=Means("cpu"))


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As SIGHUP is under nohup."""

    class Signal(Silent):
        def on_step(self, step: TrainingStep) -> None:
            if step.step == 1:
                os.kill(os.getpid(), signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert trained(tmp_path / "run", "", Signal()).test is not None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_caller_s_threads_and_generators_are_left_alone_after_a_failure(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    with pytest.raises(Crash):
        trained(tmp_path / "run", "", CrashAt(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ("precision fp16", "E373"),
        ('freeze "no_such_part"', "E371"),
        ('freeze "*"', "E371"),
        ("loss squared_error", "E362"),
        ("best by=miou", "E363"),
    ],
)
def test_a_recipe_that_does_not_fit_is_told_before_anything_is_written(
    tmp_path: Path, statements: str, code: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        trained(tmp_path / "run", statements)
    assert caught.value.code == code
    assert caught.value.help
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    for device in ("cuda:77", "meta", "no such device"):
        with pytest.raises(TrainingError, match="cannot use a device"):
            train(tiny(), recipe(), digits(), tmp_path / "run", means=Means(device))
    assert not (tmp_path / "run").exists()


def test_bf16_trains_and_channels_last_gives_nearly_the_same(tmp_path: Path) -> None:
    assert trained(tmp_path / "a", "precision bf16; epochs 1").test is not None
    # One step, for what rounding makes of it grows with each, and no dropout, which draws in the order of memory.
    network = tiny(TINY.replace("dropout 0.1", "dropout 0"))
    for name, statement in (("b", ""), ("c", "layout channels_last; ")):
        own = recipe(f"{statement}epochs 1; batch_size 1293")
        train(network, own, digits(), tmp_path / name, means=Means("cpu"))
    b, c = (load_file(tmp_path / name / "last.safetensors") for name in "bc")
    for key, value in b.items():
        torch.testing.assert_close(c[key], value, rtol=1e-5, atol=1e-6)


def test_weights_to_start_from_are_a_file_s_or_a_run_s(tmp_path: Path) -> None:
    trained(tmp_path / "a")
    notes: list[str] = []

    class Notes(Silent):
        def on_start(self, start: object) -> None:
            notes.extend(getattr(start, "notes", ()))

    means, own = Means("cpu"), recipe("epochs 1; optimizer sgd lr=1e-12")
    train(tiny(), own, digits(), tmp_path / "b", Notes(), weights=tmp_path / "a", means=means)
    best, again = (load_file(tmp_path / run / "best.safetensors") for run in "ab")
    torch.testing.assert_close(again["fc.weight"], best["fc.weight"], rtol=1e-5, atol=1e-6)
    assert any("starts from 8 of 8 tensors" in note for note in notes)
    other = tiny(TINY.replace("fc: fc classes", "head: fc classes"))
    train(other, own, digits(), tmp_path / "c", Notes(), weights=tmp_path / "a" / "last.safetensors", means=means)
    assert any("head.weight" in note for note in notes)
    strange = tiny("model m { input [1, 8, 8]; flatten; q: fc 10 }")
    with pytest.raises(TrainingError, match="nothing in"):
        train(strange, own, digits(), tmp_path / "d", weights=tmp_path / "a", means=means)
    assert not (tmp_path / "d").exists()
