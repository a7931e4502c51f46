"""Tables of pixels: which column has the classes, what is refused, and that images are those of the table."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archdsl.training.data.catalogue import load_data
from archdsl.training.data.pixels import pixels
from archdsl.training.data.samples import targets_of
from archdsl.training.error import TrainingError

pytestmark = pytest.mark.torch
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 3, 3))
IMAGES[:, 0, 0] = IMAGES[:, 2, 2] = 0  # as the corners of most
LABELS = np.array([7, 2] * 20)


def lines(rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]], between: str = ",") -> str:
    return "".join(between.join(map(str, row)) + "\n" for row in rows.tolist())


LAST = lines(np.column_stack([IMAGES.reshape(40, 9), LABELS]))
FIRST = lines(np.column_stack([LABELS, IMAGES.reshape(40, 9)]))
NAMES = ",".join(f"pixel{number}" for number in range(9))


@pytest.mark.parametrize(
    "text",
    [
        LAST,
        FIRST,
        FIRST.replace(",", ";"),
        FIRST.replace("\n", "\r\n"),
        f"label,{NAMES}\n{FIRST}",
        f"{NAMES},Class\n{LAST}",
        f'"label",{NAMES}\n{FIRST}',
        f"\ufeff{FIRST}",
        f"\n\r\n{FIRST}",
    ],
    ids=["last", "first", "semicolons", "crlf", "named first", "named last", "quoted", "mark", "blank"],
)
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "packed"])
def test_the_images_are_those_of_the_table(text: str, is_packed: bool, tmp_path: Path) -> None:
    path = tmp_path / ("table.csv.gz" if is_packed else "table.csv")
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    data = load_data(f"pixels:{path}")
    assert (data.kind, data.classes, data.channels) == ("class", ("2", "7"), 1)
    assert {part: len(samples) for part, samples in data.parts.items()} == {"train": 32, "validation": 4, "test": 4}
    seen: set[int] = set()
    for samples in data.parts.values():
        for index, target in enumerate(targets_of(samples).tolist()):
            number = int(samples.name(index).split()[1])
            seen.add(number)
            assert np.array_equal(samples.image(index)[0].numpy(), IMAGES[number])
            assert data.classes[target] == str(LABELS[number])
    assert seen == {*range(40)}


def test_the_digest_is_of_what_the_table_says(tmp_path: Path) -> None:
    found: list[str] = []
    for number, text in enumerate([LAST, FIRST, LAST.replace(",7\n", ",8\n")]):
        path = tmp_path / f"{number}.csv"
        path.write_text(text)
        found.append(pixels("pixels:table", path).digest)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("change", "name", "code", "says"),
    [
        (lambda text: "", "t.csv", "E341", "has no images"),
        (lambda text: f"label,{NAMES}\n", "t.csv", "E341", "has no images"),
        (lambda text: text[: text.index("\n", 90)], "t.csv", "E341", "too few"),
        (lambda text: text.replace(",2\n", ",7\n"), "t.csv", "E345", "no column of classes"),
        (lambda text: f"{NAMES},label\n{text}".replace(",2\n", ",7\n"), "t.csv", "E342", "one class, `7`"),
        (lambda text: text.replace("0,", "1,", 1), "t.csv", "E345", "may both be classes"),
        (lambda text: f"a,{NAMES}\n{text}", "t.csv", "E345", "no one column `label`"),
        (lambda text: f"label,{NAMES}\n{text}", "t.csv", "E342", "one class, `0`"),
        (lambda text: f"label,class,{NAMES[7:]}\n{text}", "t.csv", "E345", "no one column"),
        (lambda text: f"label,{NAMES},more\n{text}", "t.csv", "E345", "11 names for 10 columns"),
        (lambda text: text.replace(",", ",0,", 40), "t.csv", "E345", "no table of numbers"),
        (lambda text: "".join(f"0,{line}\n" for line in text.splitlines()), "t.csv", "E345", "10 pixels, which make"),
        (lambda text: text.replace(",2\n", ",2.5\n"), "t.csv", "E345", "the class 2.5 in line 2"),
        (lambda text: text.replace(",2\n", ",-2\n"), "t.csv", "E345", "the class -2 in line 2"),
        (lambda text: text.replace(",2\n", ",nan\n"), "t.csv", "E345", "the class nan in line 2"),
        (lambda text: text.replace(",0,7", ",300,7", 1), "t.csv", "E345", "a pixel in line 1"),
        (lambda text: text.replace(",0,7", ",0.5,7", 1), "t.csv", "E345", "a pixel in line 1"),
        (lambda text: text.replace(",0,7", ",nan,7", 1), "t.csv", "E345", "a pixel in line 1"),
        (lambda text: text.encode() + b"\xff", "t.csv", "E345", "no UTF-8 text"),
        (lambda text: text, "t.csv.gz", "E345", "cannot be unpacked"),
        (lambda text: gzip.compress(text.encode())[:-9], "t.csv.gz", "E345", "an end in the middle"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(
    change: Callable[[str], str | bytes], name: str, code: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    changed = change(LAST)
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    with pytest.raises(TrainingError) as caught:
        load_data(f"pixels:{path}")
    assert (caught.value.code, says in caught.value.message) == (code, True), caught.value.message


def test_a_file_that_is_absent_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        load_data(f"pixels:{tmp_path / 'none.csv'}")
    assert caught.value.code == "E340"


def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.training.data.pixels._MOST_BYTES", 2**20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"0," * 2**22))
    with pytest.raises(TrainingError, match="more than 1 MiB"):
        load_data(f"pixels:{path}")


@pytest.mark.skipif(os.name != "posix", reason="POSIX has such files")
@pytest.mark.parametrize("form", ["pixels", "csv"])
def test_what_never_ends_is_no_table(form: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path):
        with pytest.raises(TrainingError, match="is no file") as caught:
            load_data(f"{form}:{path}")
        assert caught.value.code == "E340"
