"""Batches are the same bytes with any number of workers and from any step."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

import pytest
import torch
from PIL import Image

from archdsl.recipes.images import (
    Color,
    Erase,
    Flip,
    Grey,
    ImageChange,
    Normalize,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Rotate,
    ShiftPixels,
    TestCrop,
    VerticalFlip,
)
from archdsl.recipes.measures import Sampler
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import BatchSize, Seed
from archdsl.training.data import workers as workers_module
from archdsl.training.data.catalogue import load_data
from archdsl.training.data.dataset import DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.data.loading import Batch
from archdsl.training.data.statistics import Statistics
from archdsl.training.error import TrainingError
from tests.conftest import ROOT
from tests.training.data.files import folder_of

pytestmark = pytest.mark.torch
SIZE = (3, 12, 10)
EVERYTHING: tuple[ImageChange, ...] = (
    Resize(ratio=1.2),
    RandomResizedCrop(),
    Flip(),
    VerticalFlip(),
    ShiftPixels(),
    Rotate(),
    Color(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    RandomCrop(pad=0.1),
    Erase(probability=0.5),
)


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    root = folder_of(tmp_path_factory.mktemp("data") / "pets", {"cat": 24, "dog": 20}, ".jpg")
    return load_data(f"imagefolder:{root}")


def recipe(*changes: ImageChange, batch: int = 7, **others: object) -> Recipe:
    return Recipe(
        batch_size=BatchSize(images=batch), train=changes, eval=(TestCrop(),), **others  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def bytes_of(batches: Iterator[Batch]) -> list[bytes]:
    return [b"".join(tensor.contiguous().numpy().tobytes() for tensor in batch) for batch in batches]


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_no_byte(pets: DataSet, workers: int) -> None:
    state = torch.get_rng_state()
    alone, helped = Feed(pets, recipe(*EVERYTHING), SIZE), Feed(pets, recipe(*EVERYTHING), SIZE, workers=workers)
    for epoch in (1, 2):
        assert bytes_of(alone.train(epoch)) == bytes_of(helped.train(epoch))
        assert bytes_of(alone.evaluate("validation")) == bytes_of(helped.evaluate("validation"))
    assert (alone.mean, alone.deviation) == (helped.mean, helped.deviation)
    helped.close()
    assert state.equal(torch.get_rng_state())


@pytest.mark.parametrize("name", ["digits", "pets"])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_is_gone_on_with_from_any_step(pets: DataSet, name: str, workers: int) -> None:
    data = pets if name == "pets" else load_data(name)
    feed = Feed(data, recipe(*EVERYTHING, batch=7 if name == "pets" else 300), SIZE, workers=workers)
    whole = bytes_of(feed.train(3))
    assert len(whole) == feed.steps_per_epoch
    for first in range(len(whole) + 1):
        assert bytes_of(feed.train(3, first)) == whole[first:]
    feed.close()


def test_a_pass_left_in_the_middle_harms_no_other(pets: DataSet) -> None:
    feed = Feed(pets, recipe(Flip()), SIZE, workers=2)
    whole = bytes_of(feed.train(1))
    begun = feed.train(1)
    next(begun)
    assert bytes_of(feed.train(1)) == whole
    with pytest.raises(RuntimeError, match="another pass"):
        next(begun)
    feed.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_images_may_be_normalised_as_they_come(pets: DataSet, workers: int) -> None:
    feed = Feed(pets, recipe(Flip()), SIZE, workers=workers)
    assert sum(len(feed.normalise(batch.images)) for batch in feed.train(1)) == 36
    feed.close()
    feed = Feed(pets, recipe(Flip()), SIZE, workers=workers)
    assert sum(len(feed.normalise(batch.images)) for batch in feed.evaluate("train")) == 36
    feed.close()


def test_the_number_of_threads_changes_no_byte(pets: DataSet) -> None:
    feed = Feed(pets, recipe(*EVERYTHING), (3, 64, 64))
    threads = torch.get_num_threads()
    first = bytes_of(feed.train(1))
    torch.set_num_threads(4)
    second = bytes_of(feed.train(1))
    torch.set_num_threads(threads)
    assert first == second


def test_an_epoch_has_every_image_once_in_batches_whose_sizes_differ_by_one(pets: DataSet) -> None:
    feed = Feed(pets, recipe(batch=10), SIZE)
    batches = [*feed.train(1)]
    sizes = [len(batch.indices) for batch in batches]
    assert sizes == [9, 9, 9, 9]
    assert (feed.steps_per_epoch, feed.smallest_batch) == (4, 9)
    assert sorted(torch.cat([batch.indices for batch in batches]).tolist()) == list(range(36))
    assert {batch.images.shape[1:] for batch in batches} == {SIZE}
    orders = {tuple(torch.cat([b.indices for b in feed.train(epoch)]).tolist()) for epoch in (1, 2, 3)}
    assert len(orders) == 3


def test_seeds_and_epochs_give_other_batches(pets: DataSet) -> None:
    found = {
        bytes_of(Feed(pets, recipe(*EVERYTHING, seed=Seed(number=seed)), SIZE).train(epoch))[0]
        for seed in (0, 1, 2**63 - 1)
        for epoch in (1, 2)
    }
    assert len(found) == 6


def test_a_balanced_epoch_has_all_classes_equally_often(tmp_path: Path) -> None:
    data = load_data(f"imagefolder:{folder_of(tmp_path / 'd', {'few': 6, 'many': 34})}")
    feed = Feed(data, recipe(*EVERYTHING, sampler=Sampler(way="balanced")), SIZE)
    counts = feed.class_counts()
    batches = [*feed.train(1)]
    found = Counter(torch.cat([batch.targets for batch in batches]).tolist())
    assert sum(found.values()) == sum(counts) == 32
    assert found[0] == found[1] == 16
    seen = Counter(torch.cat([batch.indices for batch in batches]).tolist())
    rare = [seen[index] for index in range(counts[0])]
    assert max(rare) - min(rare) <= 1
    # Those that come again are changed in another way.
    first = [batch.images[row] for batch in batches for row, index in enumerate(batch.indices) if index == 0]
    assert len(first) >= 2
    assert not first[0].equal(first[1])


def test_statistics_are_those_of_the_training_images_as_they_are_measured(pets: DataSet) -> None:
    feed = Feed(pets, recipe(Flip()), SIZE)
    whole = torch.cat([batch.images for batch in feed._measured("train", torch.arange(36))]).double() / 255
    assert feed.mean == pytest.approx(whole.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert feed.deviation == pytest.approx(whole.std((0, 2, 3), correction=0).tolist(), abs=1e-6)
    normal = torch.cat([feed.normalise(batch.images) for batch in feed._measured("train", torch.arange(36))])
    assert normal.dtype == torch.float32
    assert normal.mean((0, 2, 3)).abs().max() < 1e-4
    assert (normal.std((0, 2, 3)) - 1).abs().max() < 1e-3


def test_other_statistics_are_imagenets_none_or_those_of_a_run(pets: DataSet) -> None:
    assert Feed(pets, recipe(Normalize(by="none")), SIZE).mean == (0, 0, 0)
    assert Feed(pets, recipe(Normalize(by="imagenet")), SIZE).mean == (0.485, 0.456, 0.406)
    known = Statistics((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    feed = Feed(pets, recipe(), SIZE, statistics=known)
    assert (feed.mean, feed.deviation) == ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert feed.normalise(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)).flatten().tolist() == pytest.approx([2] * 3)


def test_grey_images_repeat_and_colour_needs_grey(pets: DataSet) -> None:
    digits = load_data("digits")
    batch = next(Feed(digits, recipe(), (3, 8, 8)).train(1))
    assert batch.images.shape[1] == 3
    assert batch.images[:, :1].expand(-1, 3, -1, -1).equal(batch.images)
    with pytest.raises(TrainingError) as caught:
        Feed(pets, recipe(), (1, 8, 8))
    assert caught.value.code == "E347"
    feed = Feed(pets, Recipe(train=(Grey(),), eval=(Grey(),)), (1, 8, 8))
    assert next(feed.train(1)).images.shape[1:] == (1, 8, 8)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_image_that_cannot_be_read_is_named_and_stops(tmp_path: Path, workers: int) -> None:
    root = folder_of(tmp_path / "d", {"train/cat": 9, "train/dog": 9, "val/cat": 2, "val/dog": 2})
    (root / "train/cat/3.png").write_text("no image")
    data = load_data(f"imagefolder:{root}")
    feed = Feed(data, recipe(), SIZE, workers=workers)
    with pytest.raises(TrainingError) as caught:
        list(feed.train(1))
    feed.close()
    assert caught.value.code == "E344"
    assert caught.value.message == "`train/cat/3.png` cannot be read: it is no image of a kind that Pillow reads"


@pytest.mark.parametrize("workers", [0, 2])
def test_some_bad_images_are_left_out_and_no_other_takes_their_place(tmp_path: Path, workers: int) -> None:
    root = folder_of(tmp_path / "d", {"train/cat": 9, "train/dog": 9, "val/cat": 2, "val/dog": 2})
    for name in ("3", "4"):
        (root / f"train/cat/{name}.png").write_text("no image")
    data = load_data(f"imagefolder:{root}")
    feed = Feed(data, recipe(), SIZE, workers=workers, skip_bad=2)
    whole = Feed(data, recipe(), SIZE)._order(1).indices.tensor_split(3)
    for _ in range(2):
        batches = [*feed.train(1)]
        assert [b.indices.tolist() for b in batches] == [[i for i in o.tolist() if i not in (3, 4)] for o in whole]
        assert [len(b.images) for b in batches] == [len(b.indices) for b in batches]
    assert sorted(feed.bad) == ["train/cat/3.png", "train/cat/4.png"]
    assert len(feed.mean) == 3
    feed.close()
    feed = Feed(data, recipe(), SIZE, workers=workers, skip_bad=1)
    with pytest.raises(TrainingError, match="and 1 others before it"):
        list(feed.train(1))
    feed.close()


def test_a_colour_image_among_grey_ones_is_named(tmp_path: Path) -> None:
    root = tmp_path / "d"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for index in range(10):
            Image.new("L", (8, 8), index).save(root / name / f"{index}.png")
    Image.new("RGB", (8, 8), "red").save(root / "a" / "odd.png")
    feed = Feed(load_data(f"imagefolder:{root}"), recipe(batch=50), (1, 8, 8), workers=1)
    with pytest.raises(TrainingError) as caught:
        [list(feed.evaluate(part)) for part in ("train", "validation", "test")]  # pyright: ignore[reportArgumentType]
    feed.close()
    assert caught.value.code == "E347"
    assert caught.value.message.startswith("`a/odd.png` has 3 channels")


def test_workers_end_with_the_feed(pets: DataSet) -> None:
    feed = Feed(pets, recipe(), SIZE, workers=2)
    next(feed.train(1))
    assert len(multiprocessing.active_children()) == 2
    feed.close()
    feed.close()
    assert multiprocessing.active_children() == []
    forgotten = Feed(pets, recipe(), SIZE, workers=2)
    next(forgotten.train(1))
    del forgotten
    assert multiprocessing.active_children() == []


def test_images_that_are_all_bad_are_told(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"a": 10, "b": 10})
    for path in root.rglob("*.png"):
        path.write_bytes(b"")
    feed = Feed(load_data(f"imagefolder:{root}"), recipe(), SIZE, skip_bad=100)
    with pytest.raises(TrainingError, match="no training image can be read"):
        next(feed.train(1))


@pytest.mark.slow
def test_a_worker_that_is_killed_is_told(pets: DataSet) -> None:
    feed = Feed(pets, recipe(batch=1), SIZE, workers=1)
    batches = feed.train(1)
    next(batches)
    handler = signal.getsignal(signal.SIGCHLD)
    os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
    with pytest.raises(TrainingError, match="was killed from outside"):
        list(batches)
    feed.close()
    assert signal.getsignal(signal.SIGCHLD) == handler == signal.SIG_DFL


@pytest.mark.slow
def test_workers_that_are_started_anew_change_no_byte(pets: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "_way_to_start", lambda: "spawn")
    alone, helped = Feed(pets, recipe(*EVERYTHING), SIZE), Feed(pets, recipe(*EVERYTHING), SIZE, workers=2)
    assert bytes_of(alone.train(1)) == bytes_of(helped.train(1))
    assert bytes_of(alone.train(2, 1)) == bytes_of(helped.train(2, 1))
    helped.close()


# As the loop of training does it, it notes a signal and goes on to the end of a step.
_LOOP = """
import multiprocessing, signal, sys
from archdsl.recipes.recipe import Recipe
from archdsl.training.data.catalogue import load_data
from archdsl.training.data.feed import Feed
received = []
signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
feed = Feed(load_data("imagefolder:" + sys.argv[1]), Recipe(), (3, 8, 8), workers=2)
epoch = 0
while not received:
    epoch += 1
    for batch in feed.train(epoch):
        if epoch == 2:
            print(*[p.pid for p in multiprocessing.active_children()], flush=True)
        if received:
            break
print(sum(len(b.images) for b in feed.train(1)), flush=True)
feed.close()
print("closed", flush=True)
"""


@pytest.fixture
def looping(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start a program that feeds for ever with two workers, in a group of its own."""
    root = folder_of(tmp_path / "d", {"a": 30, "b": 30})
    command = [sys.executable, "-c", _LOOP, str(root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        yield process, pids
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_an_interrupt_that_reaches_all_processes_leaves_the_workers_to_the_parent(
    looping: tuple[subprocess.Popen[str], list[int]],
) -> None:
    process, pids = looping
    for number in (signal.SIGTERM, signal.SIGHUP):
        for pid in pids:
            os.kill(pid, number)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("48\nclosed\n", "", 0)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_workers_end_when_their_parent_is_killed(looping: tuple[subprocess.Popen[str], list[int]]) -> None:
    process, pids = looping
    process.kill()
    until = perf_counter() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and perf_counter() < until:
        sleep(0.2)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_images_in_memory_cost_little_more_than_their_indexing() -> None:
    data = load_data("digits")
    feed = Feed(data, recipe(batch=64), (1, 8, 8))
    images = data.parts["train"].images  # pyright: ignore[reportAttributeAccessIssue]
    order = torch.randperm(len(images)).split(64)

    def fastest(run: object) -> float:
        times = []
        for _ in range(20):
            start = perf_counter()
            assert callable(run)
            run()
            times.append(perf_counter() - start)
        return min(times) / feed.steps_per_epoch

    assert fastest(lambda: list(feed.train(1))) - fastest(lambda: [images[rows] for rows in order]) < 0.3e-3
