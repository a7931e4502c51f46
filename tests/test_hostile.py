"""Short texts that ask for much: each is checked within seconds of the processor's time, or refused."""

from __future__ import annotations

import time

import pytest

import archdsl

# Tests run on busy machines, and each text takes less than two seconds.
PATIENCE = 6


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
    start = time.process_time()
    for found in archdsl.check_text(TEXTS[name]):
        assert found.message
    assert time.process_time() - start < PATIENCE


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
