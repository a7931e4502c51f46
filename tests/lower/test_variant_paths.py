"""Paths of a variant's edits are state_dict paths: what opens no level of its own adds no segment."""

from __future__ import annotations

import pytest

import archdsl

SPEC = """
inline block pair(c) { a: conv c; b: conv c }
block wrapped(body inside) { inside; last: conv 4 }
block unit(c) { residual { pair c } }
model base {
  input [3, 8, 8]
  stem: conv 8
  layer: { unit 8 x 2 }
  joined: concat { left: conv 4; right: conv 4 }
  handed: wrapped { first: conv 4 }
  again: unit 4 x 3
  split 2 concat { upper: conv 2; lower: conv 2 }
}
"""


@pytest.mark.parametrize(
    "path", ["layer.0.a", "layer.1.b", "layer.*.b", "again.2.a", "joined.left", "handed.first", "handed.last", "upper"]
)
def test_an_edit_reaches_the_steps_whose_path_it_gives(path: str) -> None:
    before = archdsl.load_text(SPEC, "base").costs.nodes
    edited = archdsl.load_text(f'{SPEC}variant edited of base {{ set "{path}" kernel=1 }}', "edited").costs.nodes
    changed = {a.path for a, b in zip(before, edited, strict=True) if a.parameters != b.parameters}
    expected = {"layer.0.b", "layer.1.b"} if "*" in path else {path}
    assert changed == expected


@pytest.mark.parametrize("path", ["left", "layer.a", "handed.inside.first", "joined.concat.left"])
def test_an_edit_whose_path_no_step_has_is_an_error(path: str) -> None:
    with pytest.raises(archdsl.SpecError, match=f"no step has the path `{path}`"):
        archdsl.load_text(f'{SPEC}variant edited of base {{ set "{path}" kernel=1 }}', "edited")
