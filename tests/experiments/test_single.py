"""Each measure of a run is held against a plain loop of torch over the same module, images and seed."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from math import inf, nan, sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.experiments.measures import GAUGES, steps_to
from archdsl.experiments.setup import Setup, check
from archdsl.experiments.single import PARTS, Job, StoppedError, carry_out
from archdsl.experiments.trace import Readings, Trace
from archdsl.ir.experiment import DataChoice, RecipeChoice, Training
from archdsl.text.failure import Failure
from archdsl.training.beginning import new_module
from archdsl.training.data.dataset import DataPart
from archdsl.training.data.order import shuffled
from archdsl.training.plan import RunPlan
from archdsl.training.resources import seed_step
from tests.experiments.small import HOME, training

pytestmark = pytest.mark.torch

STEPS, SEED, LEVEL = 12, 3, 2.0
READ = Readings(
    gradients=frozenset({"stem", "fc.bias"}),
    gaps=frozenset({LEVEL}),
    modes=frozenset({("training", 2), ("training", 50), ("evaluation", 50)}),
    accuracies=frozenset({"training", "test"}),
)


@pytest.fixture(scope="module")
def setup() -> Setup:
    return Setup(HOME)


@pytest.fixture(scope="module")
def trace(setup: Setup) -> Trace:
    return carry_out(Job(training(STEPS), SEED, READ, "key"), setup)


class Plain:
    """The same training by hand: its losses, and the module after each step."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan, self.module = plan, new_module(plan).module
        self.losses: list[float] = []
        self.gradients: dict[str, Tensor] = {}

    def steps(self) -> Iterator[int]:
        optimizer = torch.optim.SGD(self.module.parameters(), self.plan.recipe.optimizer.lr, momentum=0.9)
        for step, batch in enumerate(islice(self.plan.feed.train(1), STEPS)):
            seed_step(torch.device("cpu"), SEED, step)
            optimizer.zero_grad()
            output = self.module.train()(self.plan.feed.normalise(batch.images))
            loss = functional.cross_entropy(output, batch.targets)
            loss.backward()
            if not step:
                self.gradients = {k: p.grad.clone() for k, p in self.module.named_parameters() if p.grad is not None}
            optimizer.step()
            self.losses.append(loss.item())
            yield step + 1

    def images(self, part: DataPart) -> tuple[Tensor, Tensor]:
        batches = list(self.plan.feed.evaluate(part))
        images = torch.cat([self.plan.feed.normalise(batch.images) for batch in batches])
        return images, torch.cat([batch.targets for batch in batches])

    def loss(self, part: DataPart) -> float:
        images, targets = self.images(part)
        with torch.no_grad():
            return functional.cross_entropy(self.module.eval()(images), targets).item()


@pytest.fixture(scope="module")
def plain(setup: Setup) -> Plain:
    plain = Plain(setup.plan(training(STEPS), SEED))
    with torch.random.fork_rng():
        assert list(plain.steps())
    return plain


def test_losses_are_those_of_a_plain_loop(trace: Trace, plain: Plain) -> None:
    assert trace.losses == pytest.approx(plain.losses, rel=1e-5)
    assert len(trace.losses) == STEPS
    assert trace.diverged_at is None


def test_a_gradient_s_norm_is_that_of_the_first_step_below_a_path(trace: Trace, plain: Plain) -> None:
    for path in ("stem", "fc.bias"):
        own = [g for key, g in plain.gradients.items() if key == path or key.startswith(f"{path}.")]
        assert trace.gradients[path] == pytest.approx(sqrt(sum(float(g.square().sum()) for g in own)), rel=1e-5)


def test_a_gradient_is_measured_before_it_is_clipped(setup: Setup, trace: Trace) -> None:
    clipped = Training(training().model, RecipeChoice("short", (("clip", "0.001"),)), DataChoice("digits"), steps=1)
    found = carry_out(Job(clipped, SEED, Readings(gradients=frozenset({"stem"})), "key"), setup)
    assert found.gradients["stem"] == pytest.approx(trace.gradients["stem"], rel=1e-6)


def test_accuracies_are_those_of_the_last_weights(trace: Trace, plain: Plain) -> None:
    for name in ("training", "test"):
        images, targets = plain.images(PARTS[name])
        with torch.no_grad():
            right = (plain.module.eval()(images).argmax(1) == targets).double().mean().item()
        assert trace.accuracies[name] == pytest.approx(right)


@pytest.mark.parametrize(("mode", "size"), [("training", 2), ("training", 50), ("evaluation", 50)])
def test_the_loss_in_a_mode_is_over_whole_batches_and_counts_each_image_once(
    mode: str, size: int, trace: Trace, plain: Plain
) -> None:
    images, targets = plain.images("validation")
    order = shuffled(len(images), SEED, 0).indices
    losses: list[Tensor] = []
    module: nn.Module = deepcopy(plain.module).train(mode == "training")
    with torch.random.fork_rng(), torch.no_grad():
        for first in range(0, len(order), size):
            rows = torch.cat([order, order])[first : first + size]
            seed_step(torch.device("cpu"), SEED, first)
            own = functional.cross_entropy(module(images[rows]), targets[rows], reduction="none")
            losses.append(own[: len(order) - first])
    assert len(torch.cat(losses)) == len(images)
    assert trace.modes[f"{mode} {size}"] == pytest.approx(torch.cat(losses).double().mean().item(), rel=1e-5)


def test_in_evaluation_a_batch_s_size_makes_no_difference_and_in_training_it_does(setup: Setup, trace: Trace) -> None:
    modes = frozenset({("evaluation", 7)})
    found = carry_out(Job(training(STEPS), SEED, Readings(modes=modes), "key"), setup)
    assert found.modes["evaluation 7"] == pytest.approx(trace.modes["evaluation 50"])
    assert trace.modes["training 2"] != pytest.approx(trace.modes["training 50"], rel=1e-3)
    assert found.losses == trace.losses, "what is read changes no run"


def test_a_gap_is_measured_where_the_running_loss_first_comes_to_a_level(setup: Setup, trace: Trace) -> None:
    plain = Plain(setup.plan(training(STEPS), SEED))
    at = steps_to(trace.losses, LEVEL)
    assert 5 <= at <= STEPS
    with torch.random.fork_rng():
        assert int(at) in plain.steps()  # leaves the loop at that step
    gap = trace.gaps[str(LEVEL)]
    assert gap.step == at
    assert gap.training == pytest.approx(plain.loss("train"), rel=1e-4)
    assert gap.validation == pytest.approx(plain.loss("validation"), rel=1e-4)
    shown = GAUGES["gap_at"].value(trace, ("loss", LEVEL))
    assert shown == pytest.approx(plain.loss("validation") - plain.loss("train"), abs=1e-4)


def test_a_level_that_is_not_reached_has_no_gap(setup: Setup) -> None:
    found = carry_out(Job(training(5), SEED, Readings(gaps=frozenset({0.01})), "key"), setup)
    assert not found.gaps
    assert str(GAUGES["gap_at"].value(found, ("loss", 0.01))) == str(nan)


def test_a_loss_that_is_not_finite_is_a_result(setup: Setup) -> None:
    found = carry_out(Job(training(STEPS, lr="1e12", norm="none"), SEED, READ, "key"), setup)
    assert found.diverged_at is not None
    assert len(found.losses) == found.diverged_at - 1 < STEPS
    assert "stem" in found.gradients, "the first step had one"
    assert GAUGES["final"].value(found, ("loss", 3)) == inf
    assert GAUGES["accuracy"].value(found, ("test",)) == -inf
    assert GAUGES["loss"].value(found, ("training", 2)) == inf
    assert GAUGES["steps_to"].value(found, ("loss", 0.5)) == inf


def test_steps_go_on_beyond_the_recipe_s_epochs_and_end_before_them(setup: Setup) -> None:
    both = [carry_out(Job(training(steps), 0, Readings(), "key"), setup) for steps in (3, 45, None)]
    assert [len(one.losses) for one in both] == [3, 45, 2 * 21]
    assert both[1].losses[:42] == both[2].losses


def test_what_was_trained_before_is_started_from_with_a_head_of_its_own_classes(setup: Setup, tmp_path: Path) -> None:
    first = training(8, data=DataChoice("digits", (0, 1, 2, 3, 4)))
    then = training(4, data=DataChoice("digits", (5, 6, 7, 8, 9), 4), before=first)
    path = tmp_path / "weights.safetensors"
    kept = carry_out(Job(first, SEED, Readings(weights=True), "first", save_to=path), setup)
    started = carry_out(Job(then, SEED, Readings(), "then", before=kept, start=path), setup)
    alone = carry_out(Job(training(4, data=then.data), SEED, Readings(), "alone"), setup)
    assert kept.classes == tuple("01234")
    assert path.is_file()
    assert started.classes == alone.classes == tuple("56789")
    assert started.losses != alone.losses
    again = training(1, data=first.data, before=first)
    same = carry_out(Job(again, SEED, Readings(), "same", before=kept, start=path), setup)
    assert same.losses[0] < 0.9 * kept.losses[0], "its weights and its head are those that were kept"


def test_what_starts_from_a_run_that_diverged_has_diverged(setup: Setup, tmp_path: Path) -> None:
    first = training(STEPS, lr="1e12", norm="none")
    path = tmp_path / "weights.safetensors"
    kept = carry_out(Job(first, SEED, Readings(weights=True), "first", save_to=path), setup)
    then = carry_out(Job(training(4, before=first), SEED, Readings(), "then", before=kept, start=path), setup)
    assert then.diverged_at == 0
    assert not then.losses


def test_a_run_ends_where_it_is_asked_to(setup: Setup) -> None:
    asked = iter([False, False, True])
    with pytest.raises(StoppedError):
        carry_out(Job(training(STEPS), 0, Readings(), "key"), setup, lambda: next(asked))


def test_the_caller_s_threads_and_random_numbers_are_as_before(setup: Setup) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    carry_out(Job(training(2), 0, Readings(), "key"), setup)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (Readings(gradients=frozenset({"stam"})), "no parameters are at `stam`"),
        (Readings(modes=frozenset({("training", 1000)})), "batches of 1000 are asked for, and there are 144 images"),
    ],
)
def test_what_cannot_be_read_is_told_before_the_run(setup: Setup, readings: Readings, said: str) -> None:
    with pytest.raises(Failure, match=said):
        check(training(), readings, setup.plan(training(), 0))
