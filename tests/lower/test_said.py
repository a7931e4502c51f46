"""What a text says of weights: statements of the model's own body, edits of variants, and where they do not belong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl import Network, check, from_networkx, load
from archdsl.api import format as format_text
from archdsl.ir.content import content_of
from archdsl.ir.freezing import HEAD, Freezing
from archdsl.text.source import Source
from tests.strategies import Spec, specs

BASE = "model base(classes=4) { input [3, 8, 8]; stem: conv 4; relu; gap; flatten; fc: fc classes }\n"


def variant(edits: str, base: str = BASE) -> Network:
    return load(Source(f"{base}variant v of base {{ {edits} }}\n"), "v")


def test_a_variant_freezes_and_names_a_file() -> None:
    network = variant('weights "a.pth" from timm; freeze "*" except head; classes=7')
    assert network.freezings == (Freezing(("*",), (HEAD,)),)
    assert str(network.weights) == '"a.pth" from timm'
    assert network.frozen_keys == {"stem.weight"}
    assert network.outputs["output"].numbers() == (7,)


def test_what_is_not_taken_as_it_is_is_said_behind_the_file() -> None:
    told = variant('weights "a.pth" from timm adapt=copy except head "stem"').weights
    assert told is not None
    assert (told.origin, told.adapt, told.anew) == ("timm", "copy", Freezing((HEAD, "stem")))
    assert str(told) == '"a.pth" from timm adapt=copy except head "stem"'
    assert variant(f"weights {told}").weights == told


def test_patterns_are_those_of_what_the_other_edits_leave() -> None:
    network = variant('freeze "fc.0"; replace "fc" { fc 8; relu; fc classes }')
    assert network.frozen_keys == {"fc.0.weight", "fc.0.bias"}


def test_variants_of_variants_freeze_more_and_name_another_file() -> None:
    text = (
        f'{BASE}variant v of base {{ freeze "stem"; weights "a.pth" }}\nvariant w of v {{ freeze "fc"; weights "b" }}'
    )
    network = load(Source(text), "w")
    assert network.frozen_keys == {key for key, _ in network.state}
    assert str(network.weights) == '"b"'
    assert str(load(Source(text + "\nvariant y of w { classes=2 }"), "y").weights) == '"b"'


def test_a_models_own_body_says_the_same_where_it_likes() -> None:
    text = 'model m(n=1) { input [3]; for i in 0..2 { "l{i}": fc 3; relu }; if n > 0 { freeze "l{n}" "l0" } }'
    assert load(Source(text)).frozen_keys == {"l0.weight", "l0.bias", "l1.weight", "l1.bias"}
    assert load(Source(text), n=0).frozen_keys == set()


def test_the_statements_are_no_steps() -> None:
    plain = load(Source("model m { input [3]; { fc 3; relu }; fc 2 }"))
    said = load(Source('model m { freeze "*"; input [3]; weights "a"; { fc 3; relu }; freeze "*" except head; fc 2 }'))
    assert [key for key, _ in said.state] == [key for key, _ in plain.state]


def test_a_block_or_a_label_may_be_called_so() -> None:
    text = "block freeze(c) { fc c }\nmodel m { input [3]; weights: freeze 3; head: relu; freeze: fc 2 }"
    assert next(key for key, _ in load(Source(text)).state) == "weights.0.weight"
    assert check(Source("recipe r { freeze backbone; epochs 3 }")) == ()


@pytest.mark.parametrize(
    "body",
    ['{ freeze "fc" }', 'stem2: { conv 4; weights "a" }', 'l: freeze "fc"', 'freeze "fc" x 2', "freeze", "weights"],
)
def test_they_stand_in_no_level_and_bear_no_label(body: str) -> None:
    found = check(Source(f"model m {{ input [3, 8, 8]; {body}; conv 4; fc: fc 2 }}"))
    assert {one.code for one in found} <= {"E132", "E133"}
    assert found


def test_checking_and_compiling_open_no_file(tmp_path: Path) -> None:
    path = tmp_path / "m.arch"
    path.write_text(BASE + 'variant v of base { weights "nothing.pth" }\n')
    assert check(path) == ()
    network = load(f"{path}:v")
    assert network.weights is not None
    assert network.weights.folder == tmp_path
    assert "class" in network.source()
    assert network.summary()


def test_the_formatter_has_one_style_for_them() -> None:
    text = 'use resnet\n\nvariant v of resnet18 {weights   "a.pth"  from timm;freeze "*"  except  "fc"   head}\n'
    assert format_text(Source(text)).splitlines()[2] == (
        'variant v of resnet18 { weights "a.pth" from timm; freeze "*" except "fc" head }'
    )


@pytest.mark.parametrize(
    "edits",
    [
        'freeze "stem"',
        'freeze "*"',
        'freeze "*" except head; weights "a.pth" from timm',
        'weights "a.pth" adapt=mean except head "stem"',
        'weights "a.pth" from timm except "*"',
    ],
)
def test_text_and_networkx_there_and_back_keep_them(edits: str) -> None:
    network = variant(edits)
    again = [
        load(Source(network.text()), network.name),
        from_networkx(network.graph.networkx),
        from_networkx(network.flatten()),
        load(Source(from_networkx(network.flatten()).text()), network.name),
    ]
    for other in again:
        assert other.frozen_keys == network.frozen_keys
        assert other.weights == network.weights
    assert again[1].digest == network.digest


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_the_text_of_any_frozen_network_freezes_the_same(data: st.DataObject) -> None:
    spec: Spec = data.draw(specs())
    network = load(Source(spec.text), spec.model)
    flat = network.flatten()
    paths = [str(node) for node in flat.nodes if not (node in network.inputs or "reuses" in flat.nodes[node])]
    chosen = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=4))
    frozen = network.frozen(" ".join(f'"{path}"' for path in chosen))
    again = load(Source(frozen.text()), frozen.name)
    assert again.frozen_keys == frozen.frozen_keys
    assert content_of(again.graph, is_bare=True) == content_of(frozen.graph, is_bare=True)


def test_behind_an_output_they_leave_it_the_main_one() -> None:
    plain = load(Source("model m { input [3]; fc: fc 2; output answer }"))
    said = load(Source('model m { input [3]; fc: fc 2; freeze "fc"; output answer; weights "a"; freeze "*" }'))
    assert [*said.outputs] == [*plain.outputs] == ["answer"]
    assert not [
        one for one in check(Source('model m { input [3]; fc: fc 8; freeze "fc"; output fc }')) if one.code == "W419"
    ]
