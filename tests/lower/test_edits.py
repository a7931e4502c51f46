"""A variant's edits: what they change, and their paths, which are those of the state_dict.

What opens no level of its own adds no segment.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import archdsl
from tests.lower.spec import channels, paths

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


VARIANTS: Mapping[str, tuple[str, list[str], list[object]]] = {
    "nothing": ("", ["stem.0", "stem.act", "head"], [8, 8, 5]),
    "arguments": ("classes=3", ["stem.0", "stem.act", "head"], [8, 8, 3]),
    "a context name": ("act=silu", ["stem.0", "stem.act", "head"], [8, 8, 5]),
    "set": ('set "stem.conv" channels=6', ["stem.0", "stem.act", "head"], [6, 6, 5]),
    "set by pattern": ('set "*.c*" 6', ["stem.0", "stem.act", "head"], [6, 6, 5]),
    "replace": ('replace "head" { conv 9 }', ["stem.0", "stem.act", "head"], [8, 8, 9]),
    "replace by several": ('replace "head" { conv 9; act }', ["stem.0", "stem.act", "head.0", "head.1"], [8, 8, 9, 9]),
    "remove": ('remove "stem.act"', ["stem.0", "head"], [8, 5]),
}


@pytest.mark.parametrize(("edit", "expected", "sizes"), VARIANTS.values(), ids=VARIANTS.keys())
def test_variants_edit_by_path(edit: str, expected: list[str], sizes: list[object]) -> None:
    text = f"""
    model m(classes=5) {{ input [4, 8, 8]; stem: {{ conv: conv 8; act: act }}; head: conv classes }}
    variant v of m {{ {edit} }}
    variant w of v
    """.replace("stem.0", "stem.conv")
    for name in ("v", "w"):
        net = archdsl.load_text(text, name)
        assert paths(net) == [path.replace("stem.0", "stem.conv") for path in expected]
        assert channels(net) == sizes


def test_an_edit_by_number_reaches_the_step_and_not_the_input() -> None:
    text = 'model m { input [3, 8, 8]; conv 8 }\nvariant v of m { set "0" k=5 }'
    assert archdsl.load_text(text, "v").costs.parameters == 8 * 3 * 25
