"""Short texts that ask for much: each is checked within seconds of the processor's time, or refused."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.ops import OPS
from archdsl.weights.error import WeightsError
from archdsl.weights.file import open_weights
from tests.fuzz.target import examine
from tests.patience import PATIENCE, in_time


def model(steps: str) -> str:
    return f"model m {{ input [3, 8, 8]; {steps} }}\n"


def nested(opening: str, inner: str, closing: str, depth: int) -> str:
    return model(opening * depth + inner + closing * depth)


def many(line: str, count: int) -> str:
    return "\n".join(line.format(i=i, next=i + 1) for i in range(count)) + "\n"


TEXTS = {
    "a window of 10**8": model("conv 8 k=99999999 p=99999999"),
    "a window of 10**8 over a large map": "model m { input [3, 99999999, 9]; conv 8 k=[99999999, 1] p=[99999999, 0] }",
    "repeats of repeats of a mistake": nested("{ ", "foo", " } x 200", 2),
    "stages of stages of a mistake": nested("stages [200, 200] { ", "conv 8 foo=1", " }", 2),
    "deep stages of a mistake": nested("stages [2, 2] { ", "foo", " }", 90),
    "loops of loops of a mistake": nested("for i in 0..200 { ", "foo", " }", 2),
    "deep loops of a mistake": nested("for i in 0..2 { ", "conv 8 p=0", " }", 90),
    "models": many("model m{i} {{ input [3, 8, 8]; conv 8 }}", 4500),
    "models with mistakes": many("model m{i} {{ input [3, 8, 8]; foo }}", 3500),
    "variants": model("act") + many("variant v{i} of m {{}}", 8000),
    "variants of variants": model("act") + "variant v0 of m {}\n" + many("variant v{next} of v{i} {{}}", 7000),
    "variants with mistakes": model("act") + many("variant v{i} of m {{ act=foo }}", 5000),
    "uses": many("use resnet", 5000),
    "uses of what is not there": many("use resnet{i}", 5000),
    "lets": "let a0 = 1\n" + many("let a{next} = a{i}", 9000) + model("conv a9000"),
    "lists of lists": "let a0 = [1, 2]\n" + many("let a{next} = [a{i}, a{i}]", 5000) + model("act"),
    "defaults": many("defaults {{ a{i}=relu }}", 7000) + model("act"),
    "labels": model(many("a{i}: act", 9000)),
    "edits": model(many("a{i}: conv 8", 3000)) + "variant v of m {" + many('set "a{i}" bias=true', 3000) + "}",
    "patterns": model(many("a{i}: act", 3000)) + "variant v of m {" + many('set "b*{i}" bias=true', 3000) + "}",
    "key rules that hold for nothing": model("act") + "keys t {" + many('"a{i}" = "b{i}"', 5000) + "}",
    "key rules and keys": model(many("a{i}: conv 8", 2000)) + "keys t {" + many('"b{i}" = "c{i}"', 2000) + "}",
    "interpolations": model("conv 8") + "keys t {" + many('"a{{i+1}}{{j}}{{k}}" = "{{i+1}}{{j}}{{k}}"', 3000) + "}",
    "references to nothing": model("act; " + many("@{{i+1}}l{{i+2}}l{{i+3}}", 4000).replace("@", "@l")),
    "inputs": "model m {" + many("a{i}: input [3, 8, 8]", 4500) + "act }",
    "arguments": model("conv " + " ".join(f"a{i}=1" for i in range(12000))),
    "branches": model("concat {" + many("conv 8", 9000) + "}"),
    "brackets": "let a = " + "(a + b*c - d) + " * 9000 + "1\n" + model("act"),
    "a long assertion": model("act; assert parameters == 1" + " + 1" * 20000),
    "words": "act " * 50000,
    "signs": ";" * 200000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_asks_for_much_is_checked_in_little_time(name: str) -> None:
    with in_time():
        for found in archdsl.check_text(TEXTS[name]):
            assert found.message


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("model m { concat { pass; pass }; input [3, 8, 8] }", "E121", "begin the model"),
        ("model m { split [1, 3] concat { pass; pass }; input [3, 8, 8] }", "E121", "begin the model"),
        ("model m { input [3, 8, 8] x 0; conv 8 }", "E121", "repeated 0 times"),
        ("model m(n=0) { input [3, 8, 8] x n; conv 8 }", "E121", "repeated 0 times"),
        ('model n { a: input [3, 8, 8]; conv 8 }\nvariant m of n { remove "a" }', "E121", "removes it"),
        ("model m { input [3, 8, 8]; act; assert parameters == 1" + " + 1" * 20000 + " }", "E003", "`let`"),
        ("model m { input [3, 8, 8]; act; if " + "not " * 500 + "true { act } }", "E003", ""),
        ("model m {" + "act;" * 30000 + "}", "E004", "split it"),
    ],
)
def test_what_cannot_be_built_is_told(text: str, code: str, help: str) -> None:
    found = archdsl.check_text(text)
    assert [(diagnostic.code, help in diagnostic.help) for diagnostic in found] == [(code, True)]


# Attributes of any kind get them, so that most are refused.
HUGE = ("10**9", "2**62", "-10**9", "1e300", "1e-300", "0", "[10**9, 1]", "[10**9, 10**9]", "[[10**9, 1], [1, 10**9]]")


@pytest.mark.parametrize("keyword", OPS)
def test_no_attribute_of_an_operator_holds_the_machine(keyword: str) -> None:
    op = OPS[keyword]
    needed = [name for name, field in op.model_fields.items() if field.is_required()]
    branches = " { pass; pass }" if op.is_join else ""
    for attribute in op.model_fields:
        others = " ".join(f"{name}=2" for name in needed if name != attribute)
        for value in HUGE:
            for shape in ("[8, 16, 16]", "[8]")[: 2 if value == "10**9" else 1]:
                call = f"{keyword} {others} {attribute}={value}{branches}"
                input = "" if op.category == "input" else f"input {shape}; "
                examine(f"model m {{ {input}{call}; act }}", PATIENCE)


def test_what_an_image_of_any_size_is_asked_for_takes_little_time() -> None:
    with in_time():
        for sizes in ([3, 9999999, 9999999], [3, 227, 227227]):
            network = archdsl.load_text(model("conv 4 s=2; act; flatten; fc 2"), input=sizes)
            assert network.page()
            assert network.smallest_input is None


@pytest.mark.parametrize(
    ("spec", "settings", "expected"),
    [
        ("resnet18", {"classes": 10**5000}, "E116"),
        ("resnet18", {"depths": [10**5000]}, "E116"),
        ("resnet18", {"input": [3, 10**5000, 3]}, "E104"),
        ("", {}, "the name of a spec is empty"),
        (":m", {}, "no spec is named before the colon"),
    ],
)
def test_what_no_spec_can_say_is_told(spec: str, settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(archdsl.SpecError, match=expected):
        archdsl.load(spec, **settings)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_or_a_device_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.arch"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(archdsl.SpecError, match="a pipe or a device"):
            archdsl.load(path)
        with pytest.raises(WeightsError, match="a pipe or a device"):
            open_weights(path)
    (tmp_path / "main.arch").write_text("use pipe\nmodel m { input [3, 8, 8]; act }\n")
    assert archdsl.check(tmp_path / "main.arch")[0].code == "E114"


def test_a_header_of_many_tensors_is_not_read(tmp_path: Path) -> None:
    entries = (f'"a{i}":{{"dtype":"U8","shape":[],"data_offsets":[0,1]}}' for i in range(250_000))
    header = ("{" + ",".join(entries) + "}").encode()
    path = tmp_path / "many.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0")
    with pytest.raises(WeightsError, match=r"has a header of [\d,]+ bytes, where 10,000,000 are read at most"):
        open_weights(path)


@pytest.mark.torch
@pytest.mark.parametrize("is_pickle", [True, False])
def test_an_archive_that_unpacks_to_much_more_is_not_read(is_pickle: bool, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"]" * (300_000_000 if is_pickle else 10))
        archive.writestr("bomb/data/0", b"\0" * 10_000_000)
    expected = "has 300,000,000 bytes of descriptions" if is_pickle else "is compressed"
    with pytest.raises(WeightsError, match=expected):
        open_weights(path)
