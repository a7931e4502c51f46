"""A network's numbers at many sizes, and which it refuses."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.text.error import SpecError
from archdsl.tracing.sizes import all_sizes

STEPS = {
    "strides": "conv 4 s=2; conv 4 s=3 p=0; maxpool k=2 s=2",
    "joins": "a: conv 4 s=2; upsample 2; concat { pass; conv 2 }; crop 3",
    "flat": "conv 2 k=3 s=2 p=0; flatten",
    "windows": 'within "c (h p) (w q) -> (h w) (p q) c" p=3 q=3 { fc 4 }',
    "reused": "r: { conv 3; act }; reuse r; deconv 3 k=2 s=2; adaptive_avgpool 4",
    "reflected": "conv 4 k=7 padding_mode=reflect; avgpool k=4 s=3",
}


@pytest.mark.parametrize("form", STEPS)
def test_sizes_are_legal_and_refused_as_when_compiled(form: str) -> None:
    text = f"model m {{ input [3, 36, 36]; {STEPS[form]} }}"
    sizes = all_sizes(archdsl.load_text(text).shapes)
    for size in (*range(1, 26), 35, 36, 37, 72):
        if size in sizes.refused:
            with pytest.raises(SpecError) as caught:
                archdsl.load_text(text, input=(3, size, size))
            assert sizes.refused[size].code == caught.value.diagnostics[0].code, size
            continue
        total = archdsl.load_text(text, input=(3, size, size)).tables.costs.total
        row = sizes.rows[sizes.legal.index(size)]
        count = sum(map(len, sizes.body.outputs.values()))
        found = row.read(count + 5)[count:]
        assert found == (total.parameters, total.buffers, total.macs, total.elementwise, total.activations)
