"""A run learns, repeats itself, writes what it says, and ends well whatever happens."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

import archdsl
from archdsl.text.marks import marked
from archdsl.training import Epoch, Recipe, Result, Silent, Start, TrainingError, TrainingStep, train
from archdsl.training.data import ArrayDataSet, Batch
from archdsl.training.digits import digits
from archdsl.training.learner import Learner, parameter_groups
from tests.training.small_nets import Exploding, Network, Outputs, WithAuxiliary, small_resnet, tiny

pytestmark = pytest.mark.torch

QUICK = Recipe.of(epochs=2, batch_size=50, device="cpu")


class Recorder(Silent):
    def __init__(self) -> None:
        self.starts: list[Start] = []
        self.steps: list[TrainingStep] = []
        self.epochs: list[Epoch] = []
        self.ends: list[Result] = []

    def on_start(self, start: Start) -> None:
        self.starts.append(start)

    def on_step(self, step: TrainingStep) -> None:
        self.steps.append(step)

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)

    def on_end(self, result: Result) -> None:
        self.ends.append(result)


@pytest.fixture(scope="module")
def data() -> ArrayDataSet:
    whole = digits()
    train_part, test_part = (
        Batch(part.images[:n], part.labels[:n]) for part, n in ((whole.train, 230), (whole.test, 90))
    )
    return ArrayDataSet("digits", whole.classes, train_part, test_part)


def figures(result: Result) -> list[tuple[float, ...]]:
    """Return what must repeat: all but the times."""
    return [
        (e.epoch, e.step, e.lr, e.train_loss, e.train_accuracy, e.test_loss, e.test_accuracy) for e in result.epochs
    ]


def test_a_small_residual_network_learns_the_digits(tmp_path: Path) -> None:
    network = Network(lambda: small_resnet(widths=(16, 32)))
    result = train(network, Recipe.of(epochs=5, device="cpu"), digits(), tmp_path)
    assert result.test_accuracy is not None
    assert result.test_accuracy > 0.93
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss / 2


def test_the_same_recipe_gives_the_same_run(data: ArrayDataSet, tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = train(Network(), QUICK, data, tmp_path / "first")
    torch.manual_seed(2)
    again = train(Network(), QUICK, data, tmp_path / "again")
    other = train(Network(), QUICK.model_copy(update={"seed": 1}), data, tmp_path / "other")
    assert figures(first) == figures(again) != figures(other)
    weights, same = (load_file(tmp_path / name / "last.safetensors") for name in ("first", "again"))
    assert weights.keys() == same.keys()
    assert all(weights[name].equal(same[name]) for name in weights)


def test_the_callers_random_state_is_left_alone(data: ArrayDataSet, tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(Network(), QUICK, data, tmp_path)
    assert torch.rand(3).equal(expected)


def test_a_finished_run_stands_alone(data: ArrayDataSet, tmp_path: Path) -> None:
    network = Network()
    result = train(network, QUICK, data, tmp_path)
    names = {
        "recipe.json",
        "spec.arch",
        "model.py",
        "metrics.csv",
        "curves.png",
        "best.safetensors",
        "last.safetensors",
    }
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "spec.arch").read_text() == network.spec.text
    assert (tmp_path / "model.py").read_bytes() == marked(network.source().encode(), "py")
    assert Recipe.of(**json.loads((tmp_path / "recipe.json").read_text())) == QUICK
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    assert [int(row["step"]) for row in rows] == [5, 10]
    assert float(rows[-1]["test_accuracy"]) == pytest.approx(result.test_accuracy, abs=1e-5)
    assert all(float(row["images_per_second"]) > 0 and float(row["seconds"]) > 0 for row in rows)


def test_weights_come_back_with_the_accuracy_they_had(data: ArrayDataSet, tmp_path: Path) -> None:
    recipe = QUICK.model_copy(update={"epochs": 4, "channels_last": True})
    result = train(Network(), recipe, data, tmp_path)
    assert result.best is not None
    for name, epoch in (("best.safetensors", result.best), ("last.safetensors", result.epochs[-1])):
        module = tiny()
        module.load_state_dict(load_file(tmp_path / name))
        score = Learner(module, recipe, (1, 8, 8), 1).evaluate(data.test_batches(40))
        assert score.accuracy == epoch.test_accuracy
        assert score.loss == pytest.approx(epoch.test_loss, rel=1e-5)
        with safe_open(tmp_path / name, "pt") as file:
            metadata = file.metadata()
            assert file.get_tensor("1.num_batches_tracked").dtype == torch.int64
            assert int(file.get_tensor("1.num_batches_tracked")) == epoch.step
        assert metadata["network"] == "tiny"
        assert metadata["epoch"] == str(epoch.epoch)
        assert float(metadata["test_accuracy"]) == epoch.test_accuracy
        assert metadata["spec_digest"] == Network().digest
        assert metadata["model_sha256"] == sha256((tmp_path / "model.py").read_bytes()).hexdigest()


def test_the_observer_hears_everything_in_order(data: ArrayDataSet, tmp_path: Path) -> None:
    recorder = Recorder()
    result = train(Network(), QUICK, data, tmp_path, recorder)
    (start,) = recorder.starts
    assert (start.epochs, start.steps_per_epoch, start.train_images, start.test_images) == (2, 5, 230, 90)
    assert start.parameters == sum(p.numel() for p in tiny().parameters())
    assert [(s.epoch, s.step) for s in recorder.steps] == [(1 + i // 5, 1 + i) for i in range(10)]
    assert recorder.epochs == list(result.epochs)
    assert recorder.ends == [result]


def test_a_loss_that_is_no_number_stops_the_run(data: ArrayDataSet, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the loss at epoch 2, step 7 is nan; lower `lr`, now 0\.05"):
        train(Network(lambda: Exploding(at=7)), QUICK, data, tmp_path)
    with safe_open(tmp_path / "last.safetensors", "pt") as file:
        assert file.metadata()["epoch"] == "1"
    assert all(tensor.isfinite().all() for tensor in load_file(tmp_path / "last.safetensors").values())
    assert (tmp_path / "curves.png").exists()


def test_an_interrupt_keeps_the_weights_and_ends_well(data: ArrayDataSet, tmp_path: Path) -> None:
    class Impatient(Recorder):
        def on_step(self, step: TrainingStep) -> None:
            super().on_step(step)
            if step.step == 8:
                raise KeyboardInterrupt

    observer = Impatient()
    result = train(Network(), QUICK, data, tmp_path, observer)
    assert result.is_interrupted
    assert [epoch.epoch for epoch in result.epochs] == [1]
    assert observer.ends == [result]
    with safe_open(tmp_path / "last.safetensors", "pt") as file:
        metadata = file.metadata()
        assert int(file.get_tensor("1.num_batches_tracked")) == 8
    assert (metadata["epoch"], metadata["step"], metadata["interrupted"]) == ("1", "8", "True")
    assert "test_accuracy" not in metadata


def test_auxiliary_losses_reach_the_auxiliary_weights_in_proportion(data: ArrayDataSet) -> None:
    batch = next(data.train_batches(QUICK, 1))

    def gradient(aux_weight: float) -> torch.Tensor:
        torch.manual_seed(0)
        module = WithAuxiliary()
        recipe = QUICK.model_copy(update={"aux_weight": aux_weight, "warmup_epochs": 0})
        update = Learner(module, recipe, (1, 8, 8), 1, auxiliary=(1,)).update(batch)
        assert update.loss.isfinite()
        layer = module.aux[1]
        assert isinstance(layer, nn.Linear)
        assert layer.weight.grad is not None
        return layer.weight.grad

    torch.testing.assert_close(gradient(0.6), 2 * gradient(0.3))
    assert not gradient(0).any()


def test_a_network_with_auxiliary_outputs_trains(data: ArrayDataSet, tmp_path: Path) -> None:
    assert isinstance(WithAuxiliary()(torch.zeros(2, 1, 8, 8)), Outputs)
    steps = "input [1, 8, 8]; output aux training { flatten; fc 10 }; flatten; fc 10"
    result = train(Network(WithAuxiliary, steps), QUICK, data, tmp_path)
    assert len(result.epochs) == 2


def test_a_network_may_ask_for_other_images_than_the_data_has(data: ArrayDataSet, tmp_path: Path) -> None:
    network = Network(
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 8, 10)), "input [3, 12, 8]; flatten; fc 10"
    )
    assert len(train(network, QUICK, data, tmp_path).epochs) == 2


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Network(steps="input [1, 8, 8]; flatten; fc 1000"), r"tiny gives \[1000\], and digits has 10 classes"),
        (Network(steps="a: input [1, 8, 8]; b: input [1, 8, 8]; add { @a; @b }; flatten; fc 10"), "tiny has 2 inputs"),
        (Network(steps="input [64]; fc 10"), r"tiny takes \[64\]; training feeds images"),
        (
            Network(steps="input [1, 8, 8]; gap; concat { " + "pass; " * 10 + "}; flatten"),
            "tiny has no weights to train",
        ),
        (
            Network(steps="input [1, 8, 8]; conv 4; output map training; flatten; fc 10"),
            r"the training output `map` of tiny gives \[4, 8, 8\], and digits has 10 classes",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused(
    network: Network, message: str, data: ArrayDataSet, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=message):
        train(network, QUICK, data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("device", ["tpu", "meta"])
def test_a_device_that_is_not_there_is_refused(device: str, data: ArrayDataSet, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=f"torch cannot use a device `{device}` here; use `device=auto`"):
        train(Network(), QUICK.model_copy(update={"device": device}), data, tmp_path)


@pytest.mark.parametrize("norm", ["batch", "batch(track=false)", "sync_batch", "group(1)", "layer", "frozen_batch"])
@pytest.mark.parametrize("is_flat", [False, True])
def test_a_batch_too_small_for_a_norm_is_refused_where_torch_would(
    norm: str, is_flat: bool, data: ArrayDataSet, tmp_path: Path
) -> None:
    flat, place = ("flatten; ", "") if is_flat else ("", "; flatten")
    steps = f"input [1, 8, 8]; conv 4; gap; {flat}{norm}{place}; fc 10"
    if archdsl.check_text(f"model m {{ {steps} }}"):
        return
    network = archdsl.load_text(f"model tiny {{ {steps} }}")
    small = ArrayDataSet("few", data.classes, *(Batch(b.images[:2], b.labels[:2]) for b in (data.train, data.test)))
    try:
        network.module()(torch.zeros(1, 1, 8, 8))
    except ValueError:
        with pytest.raises(TrainingError, match="a single value; raise `batch_size`"):
            train(network, QUICK.model_copy(update={"batch_size": 1}), small, tmp_path)
    else:
        train(network, QUICK.model_copy(update={"batch_size": 1}), small, tmp_path)


def test_a_run_that_came_to_nothing_leaves_its_folder_as_it_was(data: ArrayDataSet, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for _ in range(2):
        with pytest.raises(TrainingError, match="the loss at epoch 1, step 2 is nan"):
            train(Network(lambda: Exploding(at=2)), QUICK, data, out)
        assert not out.exists()


def test_a_file_that_no_run_wrote_is_kept(data: ArrayDataSet, tmp_path: Path) -> None:
    (tmp_path / "spec.arch").write_text("mine")
    with pytest.raises(TrainingError, match=r"already holds a file `spec\.arch`"):
        train(Network(), QUICK, data, tmp_path)
    assert (tmp_path / "spec.arch").read_text() == "mine"


def test_only_training_outputs_have_a_loss_and_the_others_are_named(data: ArrayDataSet, tmp_path: Path) -> None:
    text = "input [1, 8, 8]; conv 4; output map; {}gap; flatten; output embedding; fc 10"
    recorder, results = Recorder(), []
    for number, more in enumerate(("", "output early training { flatten; fc 10 }; ")):
        network = archdsl.load_text(f"model tiny {{ {text.format(more)} }}")
        results.append(train(network, QUICK, data, tmp_path / str(number), recorder))
    assert [start.unused for start in recorder.starts] == [("map", "embedding"), ("map", "embedding")]
    plain = archdsl.load_text("model tiny { input [1, 8, 8]; conv 4; gap; flatten; fc 10 }")
    without = train(plain, QUICK, data, tmp_path / "plain")
    assert figures(results[0]) == figures(without) != figures(results[1])


def test_a_folder_that_holds_a_run_is_kept_unless_told(data: ArrayDataSet, tmp_path: Path) -> None:
    train(Network(), QUICK, data, tmp_path)
    before = (tmp_path / "metrics.csv").read_bytes()
    with pytest.raises(TrainingError, match="already holds a run"):
        train(Network(), QUICK, data, tmp_path)
    assert (tmp_path / "metrics.csv").read_bytes() == before
    train(Network(), QUICK.model_copy(update={"epochs": 1}), data, tmp_path, overwrite=True)
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 2


def test_weight_decay_spares_norms_and_biases_unless_told() -> None:
    decayed, spared = parameter_groups(tiny(), QUICK)
    assert [len(_params(decayed)), len(_params(spared))] == [2, 3]
    assert (decayed["weight_decay"], spared["weight_decay"]) == (5e-4, 0.0)
    (everything,) = parameter_groups(tiny(), QUICK.model_copy(update={"decay_norms": True}))
    assert len(_params(everything)) == 5


def _params(group: dict[str, object]) -> list[object]:
    members = group["params"]
    assert isinstance(members, list)
    return members


@pytest.mark.parametrize("build", [tiny, small_resnet])
def test_amp_and_channels_last_change_little(
    build: Callable[[], nn.Module], data: ArrayDataSet, tmp_path: Path
) -> None:
    network = Network(build)
    plain = train(network, QUICK, data, tmp_path / "plain")
    fast = train(network, QUICK.model_copy(update={"amp": True, "channels_last": True}), data, tmp_path / "fast")
    assert plain.epochs[0].train_loss == pytest.approx(fast.epochs[0].train_loss, rel=0.1)
    kept = load_file(tmp_path / "fast/last.safetensors")
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32, torch.int64}


@pytest.mark.slow
def test_the_default_recipe_passes_97_percent_on_three_seeds(tmp_path: Path) -> None:
    for seed in range(3):
        result = train(Network(small_resnet), Recipe.of(seed=seed), digits(), tmp_path / str(seed))
        assert result.test_accuracy is not None
        assert result.test_accuracy >= 0.97
