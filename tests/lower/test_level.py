"""Names of unlabelled steps: numbers where a level is a plain chain, words where it is not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.lower.spec import network, paths

NAMES: Mapping[str, tuple[str, list[str]]] = {
    "a plain chain is numbered": ("conv 4; norm; act", ["0", "1", "2"]),
    "one label names all": ("a: conv 4; norm; act; act", ["a", "norm", "act", "act_2"]),
    "a label that a word would get": ("act: conv 4; act; act", ["act", "act_2", "act_3"]),
    "joins name all": ("conv 4; add { pass; conv 4 }; act", ["conv", "conv_2", "add", "act"]),
    "groups are levels": ("stem: { conv 4; norm }; act", ["stem.0", "stem.1", "act"]),
    "levels in levels": ("{ { conv 4; a: act } }", ["0.0.conv", "0.0.a"]),
    "repeats": ("conv 4 x 3", ["0", "1", "2"]),
    "a labelled repeat": ("a: conv 4 x 3", ["a.0", "a.1", "a.2"]),
    "a repeated group": ("a: { conv 4; act } x 2", ["a.0.0", "a.0.1", "a.1.0", "a.1.1"]),
    "no repeat": ("conv 4 x 0; act", ["0"]),
    "a residual belongs to the level": ("residual { conv1: conv 4; norm }; act", ["conv1", "norm", "add", "act"]),
    "a labelled residual does not": ("r: residual { conv 4 }; act", ["r.conv", "r.add", "act"]),
    "a shortcut's level": ("residual { a: conv 8 } shortcut b { conv 8 k=1; norm }", ["a", "b.0", "b.1", "add"]),
    "a branch's level": ("concat { left: { conv 4; act }; conv 4 }", ["left.0", "left.1", "conv", "concat"]),
    "a labelled join": ("j: concat { conv 4; conv 4 }; act", ["j.conv", "j.conv_2", "j.concat", "act"]),
    "interpolation": ("for i in 0..1 { conv{i}_{i + 1}: conv 4 }", ["conv0_1", "conv1_2"]),
    "quotes": ('for i in 0..1 { "b-{i}": conv 4 }', ["b-0", "b-1"]),
    "conditions leave no trace": ("if in == 4 { conv 4 } else { act }; if in == 5 { norm }; act", ["0", "1"]),
    "stages": ("layer{stage}: stages [1, 2] c=[4, 8] { conv c }", ["layer1.0", "layer2.0", "layer2.1"]),
    "stages without a label": ("stages [1, 2] c=[4, 8] { conv c }", ["0", "1", "2"]),
    "stages of several steps": ("l{stage}: stages [1, 1] { conv 4; act }", ["l1.0.0", "l1.0.1", "l2.0.0", "l2.0.1"]),
    "a split": ("split 2 concat { pass; conv 2 }", ["slice", "slice_2", "conv", "concat"]),
    "no trace of a choice in a join": ("concat { if true { act } else { norm }; conv 2 }", ["act", "conv", "concat"]),
    "no trace of a loop in a join": ("concat { for k in [1, 3] { conv 2 k=k } }", ["conv", "conv_2", "concat"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), NAMES.values(), ids=NAMES.keys())
def test_paths_follow_labels_numbers_and_words(body: str, expected: list[str]) -> None:
    assert paths(network(body)) == expected
