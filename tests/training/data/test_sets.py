"""Folders, tables and pairs: what is listed, how it is split, and what is said of those that cannot be used."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from archdsl.ir.data_names import DATA_FORMS
from archdsl.recipes.images import Flip, RandomResizedCrop, Rotate, TestCrop
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import BatchSize
from archdsl.training.data.catalogue import load_data
from archdsl.training.data.dataset import BadSampleError, DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.data.listing import scan
from archdsl.training.data.samples import targets_of
from archdsl.training.data.splits import cut
from archdsl.training.error import TrainingError
from archdsl.training.vision import torchvision
from tests.training.data.files import folder_of, picture

pytestmark = pytest.mark.torch


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(TrainingError) as caught:
        load_data(text)
    assert caught.value.message[0].islower() or caught.value.message[0] in "`0123456789"
    return caught.value.code, caught.value.message


def counts(data: DataSet) -> dict[str, int]:
    return {part: len(samples) for part, samples in data.parts.items()}


def names(data: DataSet) -> list[str]:
    return [samples.name(i) for samples in data.parts.values() for i in range(len(samples))]


@pytest.mark.parametrize("word", DATA_FORMS)
def test_what_a_name_may_begin_with_is_loaded_and_what_it_lacks_is_told(word: str) -> None:
    """The names are of the language, and what loads them is not: neither has one that the other lacks."""
    form = DATA_FORMS[word]
    code, message = refused(f"{word}:nothing/here" if ":" in form else f"{word}:more")
    assert code in ("E340", "E341", "E346")
    assert "no data set is called" not in message


def test_digits_keep_their_test_images_and_have_validation_cut_from_the_rest() -> None:
    data = load_data("digits")
    assert counts(data) == {"train": 1293, "validation": 144, "test": 360}
    assert data.notes == ("validation: 144 of the 1437 training images, by seed 0",)
    assert len(set(names(data))) == 1797
    assert {*Counter(targets_of(data.parts["validation"]).tolist()).values()} <= {13, 14, 15}
    assert (data.kind, data.channels, len(data.classes)) == ("class", 1, 10)
    assert data.parts["train"].image(0).dtype == torch.uint8
    assert int(data.parts["train"].image(0).max()) == 255


def test_noise_has_the_shape_and_classes_asked_for() -> None:
    data = load_data("synthetic:3x16x8/7")
    assert data.parts["train"].image(3).shape == (3, 16, 8)
    assert len(data.classes) == 7
    assert data.digest == load_data("synthetic:3x16x8/7").digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "digit",
        "digits:3",
        "imagefolder",
        "imagefolder:",
        "imagefolder:/no/such/folder",
        "csv:/no/such/file.csv",
        "pairs:/no/such",
        "a\0b",
        "imagefolder:a\0b",
        "synthetic:2x8x8/10",
        "synthetic:3x0x8/10",
        "synthetic:3x8x8/1",
        "synthetic:3x99999x8/10",
        "synthetic:cat",
    ],
)
def test_what_is_no_data_set_is_told_how_to_write_one(text: str) -> None:
    assert refused(text)[0] == "E340"


def test_the_name_of_a_folder_alone_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        load_data(str(tmp_path))
    assert caught.value.help == f"write `imagefolder:{tmp_path}` for images in a folder for each class"


def test_one_folder_is_split_by_class_always_in_the_same_way(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pets", {"dog": 100, "cat": 60, "ant": 40})
    data = load_data(f"imagefolder:{root}")
    assert data.classes == ("ant", "cat", "dog")
    assert counts(data) == {"train": 160, "validation": 20, "test": 20}
    for samples in data.parts.values():
        shares = Counter(targets_of(samples).tolist())
        assert [round(20 * shares[label] / len(samples)) for label in range(3)] == [4, 6, 10]
    assert data.notes[0] == "validation: 20 of the 200 training images, by seed 0"
    assert names(data) == names(load_data(f"imagefolder:{root}"))
    assert len(set(names(data))) == 200
    assert data.listing["train dog"] == "80"


@pytest.mark.parametrize("count", [5, 6, 9, 10, 11, 50, 200, 201])
def test_a_cut_is_a_tenth_and_leaves_every_class_an_image(count: int) -> None:
    labels = [*range(count // 2), *[0] * (count - count // 2)]
    parts = cut(labels, 2)
    assert {len(part) for part in parts} == {int(count / 10 + 0.5)}
    gone = {index for part in parts for index in part}
    assert len(gone) == sum(map(len, parts))
    assert {labels[index] for index in range(count) if index not in gone} == {*labels}


@pytest.mark.parametrize("parts", [("train", "val", "test"), ("Train", "VALIDATION", "Testing")])
def test_parts_of_their_own_are_taken(tmp_path: Path, parts: tuple[str, ...]) -> None:
    halves = {f"{part}/{label}": 6 for part in parts for label in "ab"}
    data = load_data(f"imagefolder:{folder_of(tmp_path / 'd', halves)}")
    assert counts(data) == {"train": 12, "validation": 12, "test": 12}
    assert data.notes == ()


def test_two_parts_are_said_to_be_two(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "a", {"train/x": 10, "train/y": 10, "valid/x": 4, "valid/y": 4})
    data = load_data(f"imagefolder:{root}")
    assert counts(data) == {"train": 20, "validation": 8}
    assert data.notes == ("there is no test part, and so there are no test figures",)
    root = folder_of(tmp_path / "b", {"train/x": 10, "train/y": 10, "test/x": 4, "test/y": 4, "notes": 1})
    data = load_data(f"imagefolder:{root}")
    assert counts(data) == {"train": 18, "validation": 2, "test": 8}
    assert data.notes[1:] == ("folders beside the parts, left aside: notes",)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "vehicles", {"train": 10, "plane": 10, "car": 10})
    assert load_data(f"imagefolder:{root}").classes == ("car", "plane", "train")


def test_classes_and_files_are_those_of_torchvision(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"b/deep": 3, "B": 5, "a10": 5, "a9": 5, "é": 5})
    theirs = torchvision.datasets.ImageFolder(str(root))
    ours = load_data(f"imagefolder:{root}")
    assert list(ours.classes) == theirs.classes
    mine = {n: c for s in ours.parts.values() for n, c in zip(map(s.name, range(len(s))), targets_of(s).tolist())}  # noqa: B905
    assert mine == {Path(path).relative_to(root).as_posix(): label for path, label in theirs.samples}


def test_suffixes_may_be_large_and_what_is_no_image_is_left_aside_with_a_word(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"a": 8, "b": 8})
    picture(1).save(root / "a" / "LOUD.JPG")
    for name in ("a/.hidden.png", "a/.DS_Store", "a/notes.txt", "b/README", "b/x.heic"):
        (root / name).write_bytes(b"x")
    picture(2).save(root / "outside.png")
    (root / ".ipynb_checkpoints").mkdir()
    (root / "a" / ".thumbs").mkdir()
    os.mkfifo(root / "b" / "pipe.png")
    data = load_data(f"imagefolder:{root}")
    assert len(names(data)) == 17
    assert "a/LOUD.JPG" in names(data)
    assert data.notes[2] == (
        "8 files that are no images by name, left aside: 1 .heic, 1 .png, 1 .txt, 3 hidden, "
        "1 outside of the folders of classes, …"
    )


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"a": 6, "b": 6})
    elsewhere = folder_of(tmp_path / "e", {"more": 4})
    (root / "a" / "linked").symlink_to(elsewhere / "more")
    (root / "c").symlink_to(elsewhere)
    (root / "a" / "round").symlink_to(root)
    (root / "a" / "self").symlink_to(root / "a" / "self")
    (root / "b" / "one.png").symlink_to(elsewhere / "more" / "0.png")
    (root / "b" / "nowhere.png").symlink_to(root / "gone.png")
    assert len(scan(root / "b").names) == 8
    data = load_data(f"imagefolder:{root}")
    assert data.classes == ("a", "b", "c")
    parts = [(s, i) for s in data.parts.values() for i in range(len(s)) if s.name(i) == "b/nowhere.png"]
    with pytest.raises(BadSampleError):
        parts[0][0].image(parts[0][1])


def test_names_that_are_no_text_are_listed_and_read(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"a": 8, "b": 8})
    odd = os.fsdecode(b"caf\xe9.png")
    (root / "a" / "0.png").rename(root / "a" / odd)
    data = load_data(f"imagefolder:{root}")
    assert f"a/{odd}" in names(data)
    feed = Feed(data, Recipe(), (3, 8, 8), workers=1)
    assert sum(len(batch.images) for part in data.parts for batch in feed.evaluate(part)) == 16
    feed.close()


@pytest.mark.parametrize(
    ("folders", "code", "told"),
    [
        ({}, "E341", "there are no folders in"),
        ({"a": 8, "b": 0}, "E341", "class `b` has no images"),
        ({"a": 0, "b": 0}, "E341", "there are no images in"),
        ({"a": 8}, "E342", "there is one class, `a`"),
        ({"a": 1, "b": 1}, "E341", "2 images are too few to cut validation and test from"),
        ({f"c{n}": 1 for n in range(25)}, "E341", "nearly each of the 25 images has a class of its own"),
        ({"train/a": 5, "train/b": 5, "val/a": 2, "val/bb": 2}, "E343", "that `train` has not: `bb`; it lacks `b`"),
        ({"train/a": 5, "train/b": 5, "val/a": 0, "val/b": 0}, "E341", "there are no images in"),
        ({"train/a": 5, "val/a": 5, "valid/a": 2}, "E341", "are both of the validation part"),
    ],
)  # fmt: skip
def test_folders_that_cannot_be_used(tmp_path: Path, folders: Mapping[str, int], code: str, told: str) -> None:
    root = tmp_path / "d"
    root.mkdir()
    folder_of(root, folders)
    found, message = refused(f"imagefolder:{root}")
    assert found == code
    assert told in message


def test_images_without_folders_and_a_file_are_told_so(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    assert refused(f"imagefolder:{tmp_path}") == ("E341", f"`{tmp_path}` has images and no folders")
    assert refused(f"imagefolder:{tmp_path / 'a.png'}") == ("E340", f"`{tmp_path / 'a.png'}` is a file, and no folder")


def test_a_class_that_validation_lacks_is_a_note(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"train/a": 5, "train/b": 5, "val/a": 2})
    assert "`val` has no images of b" in load_data(f"imagefolder:{root}").notes


def test_the_digest_does_not_depend_on_the_place_and_tells_every_change(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "d", {"a": 8, "b": 8})
    first = load_data(f"imagefolder:{root}")
    moved = root.rename(tmp_path / "other")
    assert load_data(f"imagefolder:{moved}").digest == first.digest
    found = {first.digest}
    picture(99).save(moved / "a" / "new.png")
    found.add(load_data(f"imagefolder:{moved}").digest)
    content = bytearray((moved / "a" / "0.png").read_bytes())
    content[-1] ^= 1
    (moved / "a" / "0.png").write_bytes(content)
    found.add(load_data(f"imagefolder:{moved}").digest)
    (moved / "a").rename(moved / "c")
    found.add(load_data(f"imagefolder:{moved}").digest)
    assert len(found) == 4


def csv_of(folder: Path, text: str, count: int = 20) -> str:
    folder_of(folder, {"images": count})
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return f"csv:{folder / 't.csv'}"


def rows_of(labels: list[str], head: str = "path,label") -> str:
    return "\n".join([head, *(f"images/{index}.png,{label}" for index, label in enumerate(labels))]) + "\n"


def test_a_table_gives_classes(tmp_path: Path) -> None:
    data = load_data(csv_of(tmp_path / "d", "\ufeff" + rows_of(["cat", '"a ""dog"", big"'] * 10)))
    assert (data.kind, data.classes) == ("class", ('a "dog", big', "cat"))
    assert counts(data) == {"train": 16, "validation": 2, "test": 2}
    assert data.parts["train"].image(0).shape[0] == 3


def test_a_table_gives_several_classes(tmp_path: Path) -> None:
    data = load_data(csv_of(tmp_path / "d", rows_of(["cat|dog", "", "dog", "cat | ant"] * 5)))
    assert (data.kind, data.classes) == ("classes", ("ant", "cat", "dog"))
    whole = torch.cat([targets_of(samples) for samples in data.parts.values()])
    assert whole.sum(0).tolist() == [5, 10, 10]
    assert Feed(data, Recipe(), (3, 8, 8)).class_counts() == tuple(
        targets_of(data.parts["train"]).sum(0).int().tolist()
    )


def test_a_table_gives_numbers(tmp_path: Path) -> None:
    data = load_data(csv_of(tmp_path / "d", rows_of([f"{index / 4}" for index in range(20)]).replace(",", ";")))
    assert (data.kind, data.classes) == ("number", ())
    whole = torch.cat([targets_of(samples) for samples in data.parts.values()])
    assert (whole.dtype, sorted(whole.tolist())) == (torch.float32, [index / 4 for index in range(20)])


def test_whole_numbers_are_numbers_with_a_word_and_classes_in_a_column_that_says_so(tmp_path: Path) -> None:
    data = load_data(csv_of(tmp_path / "a", rows_of(["0", "1"] * 10)))
    assert data.kind == "number"
    assert "call the column `class`" in data.notes[-1]
    data = load_data(csv_of(tmp_path / "b", rows_of(["0", "1"] * 10, "image,class")))
    assert (data.kind, data.classes) == ("class", ("0", "1"))


def test_a_table_has_parts(tmp_path: Path) -> None:
    lines = [f"images/{i}.png,{'ab'[i % 2]},{'train' if i < 12 else 'VAL' if i < 16 else 'test'}" for i in range(20)]
    data = load_data(csv_of(tmp_path / "d", "\n".join(["path,label,part", *lines])))
    assert counts(data) == {"train": 12, "validation": 4, "test": 4}


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("", "E341", "lists no images"),
        ("path,label\n", "E341", "lists no images"),
        ("images/0.png,a\nimages/1.png,b\n", "E345", "line 1 of"),
        ("path,label\nimages/0.png,a,b\n", "E345", "has 3 cells in a line where the first has 2"),
        ("path,label\nimages/0.png,a\nx.png,b\ny.png,b\n", "E345", "`x.png`, and there is no such file, and 1 others"),
        ("path,label\nimages/0.png,a\nimages/0.png,b\n", "E345", "a second time; it is on line 2 too"),
        ("path,label\nimages/0.png,a\nimages/1.png,\n", "E345", "line 3 of"),
        ("path,number\nimages/0.png,1\nimages/1.png,x\n", "E345", "`x` where the others have a number"),
        ("path,number\nimages/0.png,1\nimages/1.png,nan\n", "E345", "`nan` where"),
        ("path,label\nimages/0.png,a\nimages/1.png,a\n", "E342", "there is one class"),
        ("path,label,part\nimages/0.png,a,some\n", "E345", "`some` for a part"),
        ("path,label,part\nimages/0.png,a,val\nimages/1.png,b,val\n", "E341", "has no training images"),
        ("path,label,part\nimages/0.png,a,train\nimages/1.png,b,val\n", "E343", "that no training image has: `b`"),
        ("path,labels\nimages/0.png,\nimages/1.png,|\n", "E341", "no image of"),
        ('path,label\n"images/0.png,a\n', "E345", "no CSV table"),
        ("path,image,label\n", "E345", "both `path` and `image`"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used(tmp_path: Path, text: str, code: str, told: str) -> None:
    found, message = refused(csv_of(tmp_path / "d", text))
    assert found == code
    assert told in message


def test_a_table_that_is_no_text_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"path,label\n\xff\xfe,a\n")
    assert refused(f"csv:{tmp_path / 't.csv'}")[0] == "E345"
    assert refused(f"csv:{tmp_path}")[0] == "E340"


def pairs_of(root: Path, targets: list[np.ndarray], suffix: str = ".png", prefix: str = "") -> Path:
    (root / prefix / "inputs").mkdir(parents=True)
    (root / prefix / "targets").mkdir()
    for index, target in enumerate(targets):
        picture(index, target.shape[1::-1]).save(root / prefix / "inputs" / f"{index}.jpg")
        Image.fromarray(target).save(root / prefix / "targets" / f"{index}{suffix}")
    return root


def masks(count: int = 12, classes: int = 4) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    found = [generator.integers(0, classes, (20, 16), dtype=np.uint8) for _ in range(count)]
    for mask in found:
        mask[0] = 255
    return found


def test_masks_are_found_and_keep_the_geometry_of_their_images(tmp_path: Path) -> None:
    data = load_data(f"pairs:{pairs_of(tmp_path / 'd', masks())}")
    assert (data.kind, data.classes) == ("mask", ("0", "1", "2", "3"))
    assert counts(data) == {"train": 10, "validation": 1, "test": 1}
    recipe = Recipe(train=(Flip(probability=1), Rotate(degrees=180)), eval=(TestCrop(share=1.0),))
    feed = Feed(data, recipe, (3, 20, 16))
    for batch in (*feed.train(1), *feed.evaluate("train")):
        assert (batch.targets.dtype, batch.targets.shape[1:]) == (torch.int64, (20, 16))
        assert set(batch.targets.unique().tolist()) == {0, 1, 2, 3, 255}
    kept = next(feed.evaluate("validation"))
    assert kept.targets[0].equal(data.parts["validation"].target(0))
    smaller = next(Feed(data, recipe, (3, 8, 8)).evaluate("validation"))
    assert smaller.targets.shape == (1, 8, 8)
    assert set(smaller.targets.unique().tolist()) <= {0, 1, 2, 3, 255}


def test_pixels_of_masks_are_counted_by_class(tmp_path: Path) -> None:
    root = pairs_of(tmp_path / "d", masks())
    data = load_data(f"pairs:{root}")
    whole = torch.stack([data.parts["train"].target(index) for index in range(len(data.parts["train"]))])
    expected = tuple(int((whole == number).sum()) for number in range(4))
    assert Feed(data, Recipe(), (3, 16, 16)).class_counts() == expected
    next(iter(root.glob("targets/*"))).write_bytes(b"")  # what cannot be read is told where it is loaded
    assert sum(Feed(data, Recipe(), (3, 16, 16)).class_counts()) <= sum(expected)


def test_pairs_and_tables_have_the_same_bytes_with_workers(tmp_path: Path) -> None:
    folder_of(tmp_path / "t", {"images": 20})
    (tmp_path / "t" / "t.csv").write_text(rows_of(["a|b", "b"] * 10))
    for name in (f"pairs:{pairs_of(tmp_path / 'd', masks())}", f"csv:{tmp_path / 't' / 't.csv'}"):
        recipe = Recipe(batch_size=BatchSize(images=4), train=(RandomResizedCrop(), Rotate(), Flip()))
        alone, helped = (Feed(load_data(name), recipe, (3, 12, 12), workers=count) for count in (0, 2))
        for mine, theirs in zip(alone.train(2), helped.train(2), strict=True):
            assert all(one.equal(other) for one, other in zip(mine, theirs, strict=True))
        helped.close()


def test_masks_of_two_levels_have_two_classes(tmp_path: Path) -> None:
    levels = [mask % 2 * np.uint8(255) for mask in masks()]
    data = load_data(f"pairs:{pairs_of(tmp_path / 'd', levels)}")
    assert (data.kind, len(data.classes)) == ("mask", 2)
    assert set(data.parts["train"].target(0).unique().tolist()) == {0, 1}
    assert "255, which is class 1" in data.notes[-1]


def test_photographs_for_targets_are_images_in_grey_or_colour(tmp_path: Path) -> None:
    colour = [np.array(picture(100 + index, (16, 20))) for index in range(12)]
    data = load_data(f"pairs:{pairs_of(tmp_path / 'd', colour, '.jpg')}")
    assert (data.kind, data.classes) == ("image", ())
    feed = Feed(data, Recipe(train=(Flip(probability=1),)), (3, 20, 16))
    batch = next(feed.train(1))
    assert (batch.targets.dtype, batch.targets.shape[1:]) == (torch.uint8, (3, 20, 16))
    assert batch.targets[0].equal(data.parts["train"].target(int(batch.indices[0])).flip(-1))
    noise = np.random.default_rng(1)
    grey = [noise.integers(0, 256, (20, 16), dtype=np.uint8) for _ in range(12)]
    data = load_data(f"pairs:{pairs_of(tmp_path / 'e', grey)}")
    assert (data.kind, data.parts["train"].target(0).shape[0]) == ("image", 1)


def test_names_of_classes_make_masks(tmp_path: Path) -> None:
    root = pairs_of(tmp_path / "d", masks())
    (root / "classes.txt").write_text("sky\nroad\ncar\ntree\nman\n", encoding="utf-8")
    assert load_data(f"pairs:{root}").classes == ("sky", "road", "car", "tree", "man")
    (root / "classes.txt").write_text("sky\nroad\n", encoding="utf-8")
    assert refused(f"pairs:{root}")[0] == "E346"


def test_pairs_have_parts(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        pairs_of(tmp_path / "d", masks(4), prefix=part)
    assert counts(load_data(f"pairs:{tmp_path / 'd'}")) == {"train": 4, "validation": 4, "test": 4}


def test_pairs_that_do_not_match_are_named(tmp_path: Path) -> None:
    root = pairs_of(tmp_path / "d", masks())
    (root / "targets" / "3.png").rename(root / "targets" / "x.png")
    assert refused(f"pairs:{root}") == ("E346", "there is nothing in `targets` for `inputs/3.jpg`")
    (root / "targets" / "x.png").rename(root / "targets" / "3.png")
    picture(1).save(root / "inputs" / "3.bmp")
    assert "are called `3` but for their suffix" in refused(f"pairs:{root}")[1]
    (root / "inputs" / "3.bmp").unlink()
    picture(3, (9, 9)).save(root / "inputs" / "3.jpg")
    feed = Feed(load_data(f"pairs:{root}"), Recipe(), (3, 8, 8))
    with pytest.raises(TrainingError, match="it is 9 x 9 pixels, and its target 20 x 16"):
        [list(feed.evaluate(part)) for part in feed.data.parts]


def test_masks_of_nothing_that_counts_are_refused(tmp_path: Path) -> None:
    nothing = [np.full((20, 16), 255, np.uint8) for _ in range(12)]
    assert refused(f"pairs:{pairs_of(tmp_path / 'd', nothing)}")[0] == "E342"
