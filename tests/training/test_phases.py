"""Phases: frozen means frozen to the last bit, the rest learns, and a run goes on inside any as if undisturbed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import archdsl
from archdsl.network import Network
from archdsl.recipes.recipe import Recipe
from archdsl.training import Epoch, Means, Silent, Start, TrainingError, TrainingStep, resume, train
from archdsl.training import loop as loops
from archdsl.training.beginning import new_module
from archdsl.training.phases import phases_of
from archdsl.training.plan import plan_run
from archdsl.training.run.loading import open_run
from archdsl.training.session import Session
from tests.training.small import Crash, CrashAt, differences, digits, recipe, tiny, trained

pytestmark = pytest.mark.torch

DEEP = """
model deep(classes=10) {
  input [1, 8, 8]
  stem: { conv 4 s=2; norm; relu; dropout 0.2 }
  body: { residual { conv 4; norm; relu } }
  output aux training { flatten; early: fc classes }
  flatten; fc: fc classes
}
"""
PHASES = """
batch_size 512; weight_decay 0.1; ema 0.9; seed 3
phase { freeze "*" except head; epochs 2; optimizer sgd lr=0.1 momentum=0.9 }
phase { freeze stem; epochs 1; optimizer adamw lr=1e-3 }
phase { epochs 2; schedule constant; rates stem 0.1 decay=0.9 }
"""


def bits(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {key for key, value in after.items() if bits(value) != bits(before[key])}


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items()}


class Watched(Silent):
    """Keeps the state after each epoch, of what learns and of what is measured."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: list[tuple[dict[str, Tensor], dict[str, Tensor]]] = []
        self.starts: list[Start] = []
        self.epochs: list[Epoch] = []
        watched = self

        class Keeping(Session):
            def __init__(self, *given: Any) -> None:
                super().__init__(*given)
                watched.session = self
                watched.states.append((copied(self.module), copied(self.measured)))

        monkeypatch.setattr(loops, "Session", Keeping)

    session: Session

    def on_start(self, start: Start) -> None:
        self.starts.append(start)

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        self.states.append((copied(self.session.module), copied(self.session.measured)))


def test_what_a_phase_freezes_keeps_its_bits_and_the_rest_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(monkeypatch)
    network = tiny(DEEP)
    train(network, recipe(PHASES), digits(), tmp_path / "run", watched, means=Means("cpu"))
    everything = {key for key, _ in network.state}
    stem = {key for key in everything if key.startswith("stem.")}
    heads = {key for key in everything if "early." in key or key.startswith("fc.")}
    assert [epoch.phase for epoch in watched.epochs] == [1, 1, 2, 3, 3]
    learning = [heads, heads, everything - stem, everything, everything]
    for number, expected in enumerate(learning):
        for which in (0, 1):  # what learns, and its running mean
            before, after = watched.states[number][which], watched.states[number + 1][which]
            assert moved(before, after) == expected, (number, which)


def test_what_is_frozen_has_neither_gradients_nor_a_state_of_the_optimiser() -> None:
    session = Session(*_planned(PHASES))
    for phase, count in ((1, 4), (2, 7), (3, 10)):
        trained = [parameter for parameter in session.module.parameters() if parameter.requires_grad]
        assert len(trained) == count
        for batch in list(session.batches_left())[:2]:
            session.update(batch, Silent())
        kept = {id(parameter) for parameter in session.learner.optimizer.state}
        assert kept == {id(parameter) for parameter in trained}
        assert all((p.grad is not None) == p.requires_grad for p in session.module.parameters())
        listed = [p for group in session.learner.optimizer.param_groups for p in group["params"]]
        assert {*map(id, listed)} == kept
        session.learner.has_stopped, session.batches = True, 0
        if phase < 3:
            session.enter_phase()
            assert session.learner.phase.number == phase + 1
    assert session.is_over


def _planned(statements: str, text: str = DEEP) -> tuple[Any, nn.Module]:
    plan = plan_run(tiny(text), recipe(statements), digits(), Means("cpu"))
    return plan, new_module(plan).module


def test_the_frozen_part_gives_in_training_what_it_gives_in_evaluation() -> None:
    plan, module = _planned('freeze "*" except head')
    trunk = nn.Sequential(module.get_submodule("stem"), module.get_submodule("body"))
    images = torch.rand(5, 1, 8, 8)
    module.train()
    assert torch.equal(trunk(images), trunk.eval()(images))
    assert plan.phases[0].trained_parameters == sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that nothing disturbed."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    train(tiny(DEEP), recipe(PHASES), digits(), path, means=Means("cpu"))
    return path


@pytest.mark.parametrize("step", [2, 6, 7, 9, 14])
def test_a_run_that_crashes_in_any_phase_goes_on_as_if_undisturbed(tmp_path: Path, whole: Path, step: int) -> None:
    """Of 3 steps an epoch: 6 are the first phase's, 3 the second's."""
    means = Means("cpu", checkpoint_every=1)
    with pytest.raises(Crash):
        train(tiny(DEEP), recipe(PHASES), digits(), tmp_path / "run", CrashAt(step), means=means)
    resume(tmp_path / "run", means=means)
    assert differences(tmp_path / "run", whole) == []
    with pytest.raises(TrainingError, match="has ended, after epoch 5"):
        resume(tmp_path / "run", means=means)


def test_the_record_the_metrics_and_the_curves_tell_phases_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(monkeypatch)
    result = train(tiny(DEEP), recipe(PHASES), digits(), tmp_path / "run", watched, means=Means("cpu"))
    assert not result.has_stopped_early
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        assert [row["phase"] for row in csv.DictReader(file)] == ["1", "1", "2", "3", "3"]
    phases = open_run(tmp_path / "run").record.phases
    assert [(one.epochs, one.freeze) for one in phases] == [(2, ('"*" except head',)), (1, ('"stem"',)), (2, ())]
    assert phases[0].trained_parameters < phases[1].trained_parameters < phases[2].trained_parameters
    (start,) = watched.starts
    assert (start.epochs, start.phases) == (5, 3)
    assert sum("frozen: " in note for note in start.notes) == 2


def test_a_phase_that_stalls_makes_way_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    text = "early_stop patience=1; phase { epochs 9; optimizer sgd lr=1e-18 momentum=0 }; phase { epochs 2 }"
    result = train(tiny(DEEP), recipe(text), digits(), tmp_path / "run", watched, means=Means("cpu"))
    phases = [epoch.phase for epoch in watched.epochs]
    assert phases.count(1) < 9
    assert phases[-2:] == [2, 2]
    assert result.has_stopped_early


def test_a_schedule_begins_anew_in_each_phase(tmp_path: Path) -> None:
    rates: list[tuple[int, float]] = []

    class Rates(Silent):
        def on_step(self, step: TrainingStep) -> None:
            rates.append((step.step, step.lr))

    text = "batch_size 512; epochs 2; optimizer sgd lr=0.4; schedule step after=[1] factor=0.5; phase { }; phase { }"
    train(tiny(), recipe(text), digits(), tmp_path / "run", Rates(), means=Means("cpu"))
    assert [lr for _, lr in rates] == [0.4] * 3 + [0.2] * 3 + [0.4] * 3 + [0.2] * 3


def test_factors_are_of_parts_and_fall_with_depth() -> None:
    text = 'rates decay=0.5 head 10 "stem.*" 0.1 "stem.1" 0.2'
    plan, module = _planned(f"optimizer sgd lr=0.2 momentum=0; warmup 0; schedule constant; {text}")
    session = Session(plan, module)
    session.update(next(iter(session.batches_left())), Silent())
    names = {id(parameter): name for name, parameter in session.module.named_parameters()}
    found = {names[id(p)]: group["lr"] for group in session.learner.optimizer.param_groups for p in group["params"]}
    stem, body, head = 0.2 * 0.5**2, 0.2 * 0.5, 0.2
    assert found == pytest.approx(
        {
            "stem.0.weight": stem * 0.1, "stem.1.weight": stem * 0.2, "stem.1.bias": stem * 0.2,
            "body.conv.weight": body, "body.norm.weight": body, "body.norm.bias": body,
            "early.weight": head * 10, "early.bias": head * 10, "fc.weight": head * 10, "fc.bias": head * 10,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('phase { freeze "sten" }', "`freeze` of phase 1"),
        ("freeze sten; phase { }", "the recipe's `freeze`"),
        ('phase { }; phase { freeze "*" }', "phase 2 has nothing to train"),
        ('freeze "*"', "leaves nothing to train"),
        ("freeze body; phase { freeze stem head }", "phase 1 has nothing to train"),
        ("rates sten 0.1", "`rates`"),
    ],
)
def test_what_names_nothing_or_leaves_nothing_is_told_before_anything_is_written(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        train(tiny(DEEP), recipe(text), digits(), tmp_path / "run", means=Means("cpu"))
    assert caught.value.code == "E371"
    assert words in caught.value.message
    assert not (tmp_path / "run").exists()


def test_a_phase_adds_to_what_spec_and_recipe_freeze() -> None:
    network = tiny(DEEP).frozen("stem.0")
    own = recipe('freeze "stem.1"; phase { freeze body }; phase { }')
    first, second = phases_of(network, own)
    assert second.network.frozen_keys == network.frozen("stem.1").frozen_keys
    assert first.network.frozen_keys == network.frozen("stem.1 body").frozen_keys


def test_a_run_of_a_frozen_network_opens_frozen_and_goes_on(tmp_path: Path) -> None:
    network = tiny(DEEP).frozen("* except head")
    means = Means("cpu", checkpoint_every=1)
    with pytest.raises(Crash):
        train(network, recipe("batch_size 512"), digits(), tmp_path / "run", CrashAt(4), means=means)
    assert open_run(tmp_path / "run").network.frozen_keys == network.frozen_keys
    resume(tmp_path / "run", means=means)
    train(network, recipe("batch_size 512"), digits(), tmp_path / "whole", means=Means("cpu"))
    assert differences(tmp_path / "run", tmp_path / "whole") == []


@pytest.mark.parametrize(
    ("freeze", "learns"),
    [
        ("backbone", {"fc"}),
        ("stem", {"fc"}),
        ('"stem.*"', {"fc"}),
        ("fc", {"stem"}),
    ],
)
def test_what_is_frozen_stays_as_the_weights_were(freeze: str, learns: set[str], tmp_path: Path) -> None:
    trained(tmp_path / "start", "epochs 1")
    own = recipe(f"freeze {freeze}; epochs 2; weight_decay 0.1; optimizer sgd lr=0.1 momentum=0.9")
    train(tiny(), own, digits(), tmp_path / "run", weights=tmp_path / "start", means=Means("cpu"))
    before, after = (load_file(tmp_path / name) for name in ("start/best.safetensors", "run/last.safetensors"))
    assert moved(before, after) == {key for key in after if key.partition(".")[0] in learns}


def test_freezing_random_values_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    trained(tmp_path / "run", "freeze backbone; epochs 1", watched)
    assert any("random values" in note for note in watched.starts[0].notes)


@pytest.mark.parametrize("name", ["linear_probe", "lp_ft", "gradual_unfreezing"])
def test_the_bundled_recipes_fit_a_resnet(name: str) -> None:
    from archdsl.recipe_specs import find_recipe

    network: Network = archdsl.load("resnet18", classes=5)
    own: Recipe = find_recipe(name)
    first = phases_of(network, own)[0]
    assert first.trained_parameters == 512 * 5 + 5


def test_a_checkpoint_without_phases_is_gone_on_with(tmp_path: Path) -> None:
    """As a version without phases left it."""
    from archdsl.training.run.checkpoint import load_checkpoint, save_checkpoint

    means = Means("cpu", checkpoint_every=1)
    with pytest.raises(Crash):
        trained(tmp_path / "run", "", CrashAt(4), checkpoint_every=1)
    found = load_checkpoint(tmp_path / "run")
    assert found is not None
    path, state, _ = found
    del state["phase"]
    for epoch in state["epochs"]:
        del epoch["phase"]
    save_checkpoint(tmp_path / "run", int(path.stem.rpartition("-")[2]), state)
    resume(tmp_path / "run", means=means)
    trained(tmp_path / "whole")
    assert differences(tmp_path / "run", tmp_path / "whole") == []


def test_a_checkpoint_that_trains_other_weights_is_refused(tmp_path: Path) -> None:
    """As of a version to which the recipe's `freeze` said something else."""
    from archdsl.training.run.checkpoint import load_checkpoint, save_checkpoint

    with pytest.raises(Crash):
        trained(tmp_path / "run", "freeze stem", CrashAt(2), checkpoint_every=1)
    found = load_checkpoint(tmp_path / "run")
    assert found is not None
    found[1]["optimizer"]["param_groups"][0]["params"] = [0]
    save_checkpoint(tmp_path / "run", 2, found[1])
    with pytest.raises(TrainingError, match="trains other weights"):
        resume(tmp_path / "run", means=Means("cpu"))


def test_the_recipe_of_an_older_run_may_be_written_in_other_words(tmp_path: Path) -> None:
    """What it says is kept, and not how this version would write it."""
    from archdsl.training.run.checkpoint import load_checkpoint, save_checkpoint

    means = Means("cpu", checkpoint_every=1)
    with pytest.raises(Crash):
        trained(tmp_path / "run", "freeze stem", CrashAt(2), checkpoint_every=1)
    text = (tmp_path / "run" / "recipe.arch").read_text()
    older = text.replace('freeze "stem"', "freeze stem")
    assert older != text
    (tmp_path / "run" / "recipe.arch").write_text(older)
    found = load_checkpoint(tmp_path / "run")
    assert found is not None
    save_checkpoint(tmp_path / "run", 2, {**found[1], "recipe": older})
    with pytest.raises(Crash):
        resume(tmp_path / "run", CrashAt(4), means=means)
    assert resume(tmp_path / "run", means=means).test is not None
