"""What is said of a file's weights is short for people and whole for programs."""

from __future__ import annotations

import archdsl
from archdsl.weights.plan import plan_transfer
from archdsl.weights.report import counts, describe, record
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import Needs


def test_the_report_is_short_and_the_record_complete() -> None:
    steps = " ".join(f"c{i}: conv 8 bias=true;" for i in range(40))
    network = archdsl.load_text(f"model m {{ input [3, 8, 8]; {steps} }}")
    file = {"c0.weight": Stored((8, 3, 3, 3), "float16"), "x.y": Stored((3,), "float32")}
    transfer = plan_transfer(Needs(network.state), file, network.key_maps)
    text = describe(transfer)
    assert text.splitlines() == [
        "matched        1  same key and shape",
        "new           79  in the network, not in the file",
        "  c0: bias [8]",
        *(f"  c{i}: weight [8, 8, 3, 3], bias [8]" for i in range(1, 8)),
        "  … and 32 more modules",
        "unused         1  in the file, not in the network",
        "  x: y [3]",
        "numbers are converted: float16 to float32",
    ]
    assert counts(transfer) == "79 new, 1 unused"
    whole = record(transfer)
    assert whole["counts"] == {
        "matched": 1, "renamed": 0, "reshaped": 0, "adapted": 0, "initial": 0, "excepted": 0, "dropped": 0,
        "guessed": 0, "new": 79, "different": 0, "unusable": 0, "unused": 1
    }  # fmt: skip
    assert whole["unused"] == [{"source": "x.y", "source_shape": [3], "source_dtype": "float32"}]
    assert len(whole["new"]) == 79  # pyright: ignore[reportArgumentType] -- a list of keys


def test_what_fits_is_told_by_its_count_alone() -> None:
    network = archdsl.load_text("model m { input [3, 8, 8]; conv 8 }")
    transfer = plan_transfer(Needs(network.state), {key: Stored(t.shape, t.dtype) for key, t in network.state}, ())
    assert counts(transfer) == ""
    assert describe(transfer) == "matched        1  same key and shape\n"
