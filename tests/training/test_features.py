"""What a frozen trunk gives is kept where that changes no bit of a run, and refused where it would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from archdsl.network import Network
from archdsl.training import Means, Silent, TrainingError, load_data, resume, train
from archdsl.training import features as features_module
from archdsl.training.beginning import new_module
from archdsl.training.features import Features, Held
from archdsl.training.phases import phases_of
from archdsl.training.plan import plan_run
from archdsl.training.session import Session
from archdsl.training.trunk import Cut, bound, cut
from tests.training.data.files import folder_of
from tests.training.small import Crash, CrashAt, differences, digits, recipe, tiny

pytestmark = pytest.mark.torch

TEXT = """
model m(classes=10) {
  input [1, 8, 8]
  stem: { conv 8; norm; relu; dropout 0.2 }
  body: { residual { conv 8; norm; relu } }
  output aux training { conv 4; norm; relu; flatten; early: fc classes }
  conv 8 s=2; late: norm; relu; gap; flatten; dropout 0.3; fc: fc classes
}
"""
PLAIN = "images train { normalize data }; batch_size 500; epochs 2; ema 0.9; weight_decay 0.01"
FROZEN = {
    "all but the heads": 'freeze "*" except head',
    "a batch norm that learns behind": "freeze stem body",
    "dropout beside the head": 'freeze "*" except "dropout" head',
    "channels innermost": "freeze stem body; layout channels_last",
    "half precision": "freeze stem body; precision bf16",
    "balanced classes": "freeze stem body; sampler balanced",
    "phases": 'phase { freeze "*" except head; epochs 2 }; phase { epochs 1; freeze stem }; phase { epochs 1 }',
}


def run(out: Path, statements: str, *, kept: bool, network: Network | None = None, **more: Any) -> None:
    means = Means("cpu", cache_features=kept, **more)
    train(network or tiny(TEXT), recipe(f"{PLAIN}; {statements}"), digits(), out, means=means)


@pytest.mark.parametrize("name", FROZEN)
def test_a_run_with_what_is_kept_is_the_run_without_it_to_the_bit(name: str, tmp_path: Path) -> None:
    run(tmp_path / "kept", FROZEN[name], kept=True)
    run(tmp_path / "whole", FROZEN[name], kept=False)
    assert differences(tmp_path / "kept", tmp_path / "whole") == []


def test_it_is_kept_and_the_trunk_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    usual = Features._run  # pyright: ignore[reportPrivateUsage]

    def counted(self: Features, images: Tensor) -> tuple[Tensor, ...]:
        seen.append(len(images))
        return usual(self, images)

    monkeypatch.setattr(Features, "_run", counted)
    run(tmp_path / "run", "freeze stem body", kept=True)
    parts = digits().parts
    assert sum(seen) == len(parts["train"]) + len(parts["validation"])


def test_a_run_goes_on_with_or_without_it(tmp_path: Path) -> None:
    network, own = tiny(TEXT), recipe(f"{PLAIN}; freeze stem body")
    for name, first, then in (("a", True, False), ("b", False, True)):
        means = Means("cpu", checkpoint_every=1, cache_features=first)
        with pytest.raises(Crash):
            train(network, own, digits(), tmp_path / name, CrashAt(4), means=means)
        resume(tmp_path / name, means=Means("cpu", cache_features=then))
    run(tmp_path / "whole", "freeze stem body", kept=False)
    assert differences(tmp_path / "a", tmp_path / "whole") == []
    assert differences(tmp_path / "b", tmp_path / "whole") == []


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ("freeze stem; images train { flip }", "`flip` of `images train` makes other images"),
        ("freeze stem; compile true", "`compile` joins steps"),
        ("", "nothing with weights is frozen before the first step that learns, `stem.0`"),
        ("freeze fc", "nothing with weights is frozen before the first step that learns, `stem.0`"),
        ('phase { freeze "late" }; phase { }', "nothing with weights is frozen"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(tmp_path: Path, statements: str, words: str) -> None:
    own = recipe(f"images train {{ }}; {statements}" if "images" not in statements else statements)
    with pytest.raises(TrainingError) as caught:
        train(tiny(TEXT), own, digits(), tmp_path / "run", means=Means("cpu", cache_features=True))
    assert caught.value.code == "E377"
    assert words in caught.value.message
    assert not (tmp_path / "run").exists()


def test_more_than_there_is_room_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "_free_memory", lambda _: 1000)
    with pytest.raises(TrainingError, match="GiB of memory are free"):
        run(tmp_path / "run", "freeze stem", kept=True)


def test_what_depends_on_the_images_beside_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a library may round, by the size of a batch."""
    usual = Features._run  # pyright: ignore[reportPrivateUsage]

    def rounded(self: Features, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(value + 1e-6 * images[0].float().mean() for value in usual(self, images))

    monkeypatch.setattr(Features, "_run", rounded)
    with pytest.raises(TrainingError, match="depends on the images beside it"):
        run(tmp_path / "run", "freeze stem", kept=True)
    assert not (tmp_path / "run").exists()


def test_images_that_cannot_be_read_are_left_out_as_without_it(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pictures", {"a": 20, "b": 20})
    for name in ("a/3.png", "b/11.png"):
        (root / name).write_bytes(b"torn")
    network = tiny(TEXT.replace("[1, 8, 8]", "[3, 8, 8]").replace("classes=10", "classes=2"))
    for kept in (True, False):
        own = recipe("images train { normalize data }; freeze stem; batch_size 10; epochs 2")
        means = Means("cpu", skip_bad=2, cache_features=kept)
        train(network, own, load_data(f"imagefolder:{root}"), tmp_path / str(kept), means=means)
    assert differences(tmp_path / "True", tmp_path / "False") == []


@pytest.mark.parametrize("freeze", ['"*" except head', '"stem" "body"', '"*" except "conv" "late"', '"stem.0"'])
def test_a_cut_network_gives_what_the_whole_gives(freeze: str) -> None:
    (phase,) = phases_of(tiny(TEXT), recipe(f"freeze {freeze}"))
    found = phase.cut
    assert isinstance(found, Cut)
    whole = phase.network.module()
    trunk, rest = bound(found.trunk, whole), bound(found.rest, whole)
    assert {*dict(trunk.named_parameters())} & {*dict(rest.named_parameters())} == set()
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    images = torch.rand(6, 1, 8, 8)
    for is_training in (True, False):
        for module in (whole, trunk, rest):
            module.train(is_training)
        state = {key: value.clone() for key, value in whole.state_dict().items()}
        torch.manual_seed(0)
        expected = whole(images)
        after = {key: value.clone() for key, value in whole.state_dict().items()}
        whole.load_state_dict(state)
        torch.manual_seed(0)
        values = trunk(images)
        given = rest(*values) if isinstance(values, tuple) else rest(values)
        expected, given = ((one,) if isinstance(one, Tensor) else tuple(one) for one in (expected, given))
        assert len(expected) == len(given)
        assert all(map(torch.equal, expected, given))
        assert all(torch.equal(value, after[key]) for key, value in whole.state_dict().items())


def test_values_whose_channels_have_moved_stay_in_the_rest() -> None:
    moved = 'a: conv 4; rearrange "c h w -> (h w) c"; b: layer axis=channels; c: fc 6; d: fc 3'
    network = tiny(f"model m {{ input [1, 8, 8]; {moved}; flatten; fc 10 }}").frozen("a b c")
    found = cut(network)
    assert isinstance(found, Cut)
    assert {key.partition(".")[0] for key, _ in found.trunk.state} == {"a"}


def test_values_lie_in_memory_as_the_trunk_gives_them() -> None:
    own = recipe(f"{PLAIN}; freeze stem; layout channels_last")
    plan = plan_run(tiny(TEXT), own, digits(), Means("cpu", cache_features=True))
    session = Session(plan, new_module(plan).module)
    batch = next(iter(session.batches_left()))
    assert isinstance(batch.images, Held)
    (value,) = batch.images.values
    assert value.is_contiguous(memory_format=torch.channels_last)
    session.update(batch, Silent())
