"""Name maps: templates, what they make of keys, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.text.error import SpecError

MODEL = "model m(depth=3, list widths=[8, 8, 16]) { input [3, 8, 8]; conv 8 }"


def rename(declaration: str, key: str, depth: int = 3) -> str | None:
    text = f"{declaration}\n{MODEL}"
    (key_map,) = (archdsl.load_text(text) if depth == 3 else archdsl.load_text(text, depth=depth)).key_maps
    return key_map.rename(key)


@pytest.mark.parametrize(
    ("rule", "key", "expected"),
    [
        ('"features.{i}.block.{j}" = "blocks.{i-1}.{j}"', "features.3.block.0.conv.weight", "blocks.2.0.conv.weight"),
        ('"stem" = "conv1"', "stem.weight", "conv1.weight"),
        ('"stem" = "conv1"', "stem", "conv1"),
        ('"stem" = "conv1"', "stem2.weight", "stem2.weight"),
        ('"stem" = "conv1"', "body.stem.weight", "body.stem.weight"),
        ('"layer{i}" = "{i}"', "layer12.weight", "12.weight"),
        ('"layer{i}" = "{i}"', "layer1x.weight", "layer1x.weight"),
        ('"layer{i}" = "{i}"', "layer01.weight", "layer01.weight"),
        ('"a{i}.b{i}-{j}" = "s{i}.{j}"', "a2.b2-0.w", "s2.0.w"),
        ('"a{i}.b{i}-{j}" = "s{i}.{j}"', "a2.b3-0.w", "a2.b3-0.w"),
        ('"a.{i}" = "b.{i/2}"', "a.4.w", "b.2.w"),
        ('"a.{i}" = "b.{0 if i < 2 else i * 10}"', "a.3.w", "b.30.w"),
        ('"a.{i}" = "b.{max(i, depth)}"', "a.1.w", "b.3.w"),
        ('"a.{i}" = "b.{len(unique(widths[0..i]))}"', "a.2.w", "b.2.w"),
        ('"a.{i}" = "b.{sum([w for w in widths if w > 8])}"', "a.2.w", "b.16.w"),
        ('"a+b.{i}" = "c"', "a+b.1.w", "c.w"),
        ('"" = "model"', "stem.weight", "model.stem.weight"),
        ('"encoder" = ""', "encoder.stem.weight", "stem.weight"),
        ('"scale" = ""', "scale", "scale"),
        ('"a" = "x"; "" = "b"', "a.w", "x.w"),
        ('drop "a"; adapt "a"', "a.w", "a.w"),
        ('"a+b.{i}" = "c"', "aab.1.w", "aab.1.w"),
    ],
)
def test_a_rule_renames_keys_that_begin_with_its_template(rule: str, key: str, expected: str | None) -> None:
    assert rename(f"keys other {{ {rule} }}", key) == expected


def test_where_only_the_order_tells_a_key_has_no_other_name() -> None:
    assert rename('keys other in order { "a" = "x" }', "b.w") is None
    assert rename('keys other in order { "a" = "x" }', "a.w") == "x.w"


@pytest.mark.parametrize(
    ("word", "key", "expected"),
    [
        ('drop "index"', "a.0.index", True),
        ('drop "index"', "index.weight", True),
        ('drop "index"', "a.0.index2", False),
        ('drop "a{i}.index"', "b.a12.index", True),
        ('drop "a{i}.index"', "b.a12.x.index", False),
        ('adapt "a.{i}"', "a.3.weight", True),
        ('adapt "a.{i}"', "b.a.3.weight", False),
    ],
)
def test_drop_finds_segments_anywhere_and_adapt_at_the_beginning(word: str, key: str, expected: bool) -> None:
    (key_map,) = archdsl.load_text(f"keys other {{ {word} }}\n{MODEL}").key_maps
    (pattern,) = (*key_map.drops, *key_map.adapts)
    assert pattern.matches(key) is expected


def test_the_first_rule_that_matches_holds() -> None:
    declaration = 'keys other { "a.1" = "x"; "a.{i}" = "y{i}"; "a" = "z" }'
    assert [rename(declaration, key) for key in ("a.1.w", "a.2.w", "a.w")] == ["x.w", "y2.w", "z.w"]


def test_names_of_the_file_and_the_models_parameters_may_be_used() -> None:
    declaration = 'let first = 5\nfn next(n) = n + first\nkeys other { "a.{i}" = "b.{next(i) + depth + first}" }'
    assert rename(declaration, "a.1.w") == "b.14.w"
    assert rename(declaration, "a.1.w", depth=4) == "b.15.w"


@pytest.mark.parametrize(
    ("rules", "code", "marked"),
    [
        ('{ "a.{i}" = "b.{j}" }', "E101", "j"),
        ('{ "a.{i}" = "b.{i + in}" }', "E101", "in"),
        ('{ "a.{i}" = "b.{foo(i)}" }', "E101", "foo"),
        ('{ "a.{i" = "b" }', "E123", '"a.{i"'),
        ('{ "a.i}" = "b" }', "E123", '"a.i}"'),
        ('{ "a" = "b.{{i}}" }', "E123", '"b.{{i}}"'),
        ('{ "a.{}" = "b" }', "E123", ""),
        ('{ "a.{1 +}" = "b" }', "E123", "1 +"),
        ('{ "a.{i+1}" = "b" }', "E123", "i+1"),
        ('{ "a.{in}" = "b" }', "E123", "in"),
        ('{ "a.{i}{j}" = "b" }', "E123", "j"),
        ('{ "a..b" = "b" }', "E123", '"a..b"'),
        ('{ "" = "" }', "E123", '"" = ""'),
        ('{ drop "" }', "E123", '""'),
        ('{ adapt "" }', "E123", '""'),
        ('{ drip "a" }', "E123", "drip"),
        ('{ drop "a..b" }', "E123", '"a..b"'),
        ('{ drop "a.{1}" }', "E123", "1"),
        ("{ }", "E123", "other"),
        ("", "E123", "other"),
        ('in sequence { "a" = "b" }', "E123", "sequence"),
        ('in order\nkeys other { "a" = "b" }', "E106", "other"),
    ],
)
def test_a_bad_map_is_one_error_at_its_place(rules: str, code: str, marked: str) -> None:
    (found,) = archdsl.check_text(f"keys other {rules}\n{MODEL}")
    assert (found.code, found.span.text) == (code, marked)


@pytest.mark.parametrize(("template", "code"), [("i/2", "E105"), ("i - 9", "E104"), ("1/(i-3)", "E116")])
def test_a_number_that_is_no_number_of_a_key_is_an_error_at_its_place(template: str, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        rename(f'keys other {{ "a.{{i}}" = "b.{{{template}}}" }}', "a.3.w")
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert found.notes == ("this is worked out for `a.3.w`",)


def test_a_variants_own_rules_go_before_those_of_the_models_file() -> None:
    text = 'use mobilenet_v2\nkeys timm { "features.0.0" = "mine" }\nvariant v of mobilenet_v2 { classes=7 }'
    (key_map,) = archdsl.load_text(text).key_maps
    assert key_map.rename("features.0.0.weight") == "mine.weight"
    assert key_map.rename("features.0.1.weight") == "bn1.weight"


def test_a_file_without_models_lends_its_keys_and_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "deeper.arch").write_text('keys other { "c" = "z" }', encoding="utf-8")
    helpers = "use deeper\nlet two = 2\nfn next(i) = i + two"
    keys = 'keys other { "a" = "x"; "b.{i}" = "y.{next(i) + depth}" }'
    (tmp_path / "names.arch").write_text(f"{helpers}\n{keys}", encoding="utf-8")
    (tmp_path / "net.arch").write_text(f'use names\nkeys other {{ "a" = "w" }}\n{MODEL}', encoding="utf-8")
    (key_map,) = archdsl.load(tmp_path / "net.arch").key_maps
    renamed = [key_map.rename(key) for key in ("a.weight", "b.1.weight", "c.weight")]
    assert renamed == ["w.weight", "y.6.weight", "z.weight"]
    (tmp_path / "some.arch").write_text(f"use names (next)\n{MODEL}", encoding="utf-8")
    assert archdsl.load(tmp_path / "some.arch").key_maps == ()


def test_a_file_with_models_keeps_its_keys_for_them() -> None:
    # Its keys name a parameter, `rows`, which this model has not.
    assert archdsl.load_text(f"use mobilenet_v3\n{MODEL}", model="m").key_maps == ()


def test_a_fault_in_keys_that_are_used_is_shown_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "names.arch").write_text('keys other { "a.{i}" = "b.{j}" }', encoding="utf-8")
    path = tmp_path / "net.arch"
    path.write_text(f"use names\n{MODEL}", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        archdsl.load(path)
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.source.name, found.span.text) == ("E101", str(tmp_path / "names.arch"), "j")


def test_keys_is_a_word_of_declarations_and_may_be_a_label() -> None:
    assert archdsl.load_text("model m { input [3, 8, 8]; keys: conv 8 }").state[0][0] == "keys.weight"


def test_a_damaged_map_leaves_the_models_to_be_checked() -> None:
    found = archdsl.check_text("keys other { $ }\nmodel m { input [3, 8, 8]; con 8 }")
    assert [diagnostic.code for diagnostic in found] == ["E002", "E101"]
