"""The pipeline: compile and check take the same steps."""

from __future__ import annotations

import pytest

from archdsl.checking import check
from archdsl.compiler import compile
from archdsl.text.source import Source

SPECS = {
    "sound": "model m { input [3, 8, 8]; conv 4; norm }",
    "a mistake in lowering": "model m { input [3, 8, 8]; cnov 4 }",
    "a misfit": "model m { input [3, 8, 8]; conv 5; norm }\ndefaults { norm=group(2) }",
    "two misfits": "model m { input [3, 8, 8]; add { conv 4; conv 5 }; fc 3; concat { conv 6 g=5; pass } }",
    "an assertion": "model m { input [3, 8, 8]; conv 4; assert parameters < 1 }",
}


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS.keys())
def test_compile_and_check_say_the_same_of_a_model(text: str) -> None:
    source = Source(text)
    assert compile(source, "m").diagnostics == tuple(d for d in check(source, model="m") if d.code[0] == "E")


def test_a_refused_group_norm_is_told_what_all_norms_would_take() -> None:
    (found,) = compile(Source("defaults { norm=group(4) }\nmodel m { input [3, 8, 8]; conv 6; norm }")).diagnostics
    assert (found.code, found.help) == ("E214", "use `group(3)`")
    assert found.notes[-1] == "groups that divide them: 1, 2, 3, 6"


def test_an_input_size_that_is_none_is_told_beside_other_settings_and_nothing_is_lowered() -> None:
    source = Source("model m { input [3, 8, 8]; conv 4 }")
    compiled = compile(source, "m", {"nrom": "group"}, image=(0, 8, 8))
    assert [diagnostic.code for diagnostic in compiled.diagnostics] == ["E104", "E102"]
    assert compiled.graph is None


def test_a_mistake_leaves_the_sound_part_of_a_graph_and_no_facts() -> None:
    compiled = compile(Source("model m { input [3, 8, 8]; conv 4; cnov 3; conv 5 }"), "m")
    assert compiled.graph is not None
    assert compiled.tables is None
