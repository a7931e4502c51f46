"""What a mistake in shapes tells: both shapes, where they came from, and where in the network the step stands."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.text.diagnostic import Diagnostic

BASIC = """
block basic(c, stride s=1) {
  residual {
    conv1: conv c s=s; norm; act
    conv2: conv c + 1; norm
  } shortcut downsample { conv c k=1 s=s; norm }
  act
}
model net {
  input [3, 64, 64]
  stem: conv 64 k=7 s=2
  layer{stage}: stages [2, 3] double c=64 { basic c }
}
"""


def only(text: str) -> Diagnostic:
    (found,) = archdsl.check_text(text)
    return found


def labels(found: Diagnostic) -> list[tuple[str, str]]:
    return [(label.span.text, label.message) for label in found.labels]


def test_a_sum_in_a_repeated_block_tells_shapes_origins_and_place_once() -> None:
    found = only(BASIC)
    assert (found.code, found.span.text) == ("E213", "residual")
    assert found.message.endswith("[65, 32, 32] and [64, 32, 32]")
    assert labels(found) == [
        ("c + 1", "65 channels come from here: `c + 1` is 65"),
        ("c", "64 channels come from here: `c` is 64"),
        ("c", "`c` of `basic` is 64 here"),
    ]
    assert found.notes == (
        "at layer1.0.add, in `basic(c=64, s=1)`, the 1st of 2 repeats of stage 1 of 2",
        "[65, H/2, W/2] and [64, H/2, W/2] for an input of [3, H, W]",
    )


def test_a_mistake_in_a_later_repeat_says_which() -> None:
    block = "block b(c, i) { residual { conv c + i // 3 } shortcut { conv c k=1 } }"
    found = only(f"{block}\nmodel m {{ input [3, 8, 8]; for i in 0..5 {{ b 8 i }} }}")
    assert found.notes[0] == "at 3.add, in `b(c=8, i=3)`, i=3"


def test_repeats_of_a_block_called_like_stages_are_repeats() -> None:
    block = "block stages_like(c) { residual { conv c + 1 } shortcut { conv c k=1 } }"
    found = only(f"{block}\nmodel m {{ input [3, 8, 8]; for c in [8, 9] {{ stages_like 8 }} }}")
    assert found.notes[0] == "at 0.add, in `stages_like(c=8)`, c=8"


def test_branches_of_other_sizes_show_the_strides_that_made_them_so() -> None:
    found = only("model m { input [3, 64, 64]; conv 8 s=2; concat { conv 8; { conv 8 s=2; conv 8 } } }")
    assert labels(found) == [("s=2", "32x32 becomes 16x16 here")]
    assert found.notes == ("[8, H/2, W/2] and [8, H/4, W/4] for an input of [3, H, W]",)


def test_channels_are_followed_through_steps_that_keep_them() -> None:
    found = only("model m { input [3, 8, 8]; conv 32; norm; act; maxpool k=3; dropout 0.1; split 3 concat { pass } }")
    assert (found.code, labels(found)) == ("E214", [("32", "32 channels come from here")])


def test_channels_of_a_concatenation_are_added_up() -> None:
    found = only("model m { input [3, 8, 8]; concat { conv 8; conv 7 }; act; conv 16 groups=4 }")
    assert labels(found) == [("concat", "15 channels come from here: 8 + 7")]


def test_channels_of_the_input_are_told_as_such() -> None:
    found = only("model m { input [3, 8, 8]; act; conv 16 groups=4 }")
    assert labels(found) == [("input [3, 8, 8]", "3 channels of the input")]


def test_a_window_that_does_not_fit_shows_what_shrank_the_image() -> None:
    found = only("model m { input [3, 32, 32]; conv 8 s=4; conv 8 s=4; conv 8 s=2; conv 8 k=3 p=0 }")
    assert (found.code, found.span.text) == ("E211", "k=3")
    assert labels(found) == [("s=2", "2x2 becomes 1x1 here"), ("s=4", "8x8 becomes 2x2 here")]


def test_a_vector_in_the_place_of_a_map_shows_what_made_it_so() -> None:
    found = only("model m { input [3, 8, 8]; conv 8; flatten; fc 10; act; conv 4 }")
    assert labels(found) == [("flatten", "[8, 8, 8] becomes [512] here")]


def test_a_residual_without_a_shortcut_tells_numbers() -> None:
    found = only("model m { input [3, 64, 64]; conv 8 s=2; body: { residual { conv 16 s=2 } } }")
    assert found.message == "the body makes [8, 32, 32] into [16, 16, 16], and nothing makes the shortcut follow"
    assert labels(found) == [
        ("16", "16 channels come from here"),
        ("8", "8 channels come from here"),
        ("s=2", "32x32 becomes 16x16 here"),
    ]
    assert found.notes[0] == "at body.add"


def test_a_module_used_again_on_another_shape_shows_its_first_use() -> None:
    found = only("model m { input [3, 8, 8]; a: conv 8; reuse a }")
    assert (found.code, found.span.text) == ("E213", "a")


@pytest.mark.parametrize("repeats", [1, 16])
def test_no_more_than_five_marks_are_made(repeats: int) -> None:
    inner = "block a(c) { add { pass; conv c + 1 } }"
    chain = "".join(f"\nblock b{i}(c) {{ {'a' if not i else f'b{i - 1}'} c }}" for i in range(10))
    found = only(f"{inner}{chain}\nmodel m {{ input [3, 8, 8]; conv 8; b9 8 x {repeats} }}")
    assert 2 <= len(found.labels) <= 5
