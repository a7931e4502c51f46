"""Each warning fires where it should, at the smallest text, is silent elsewhere, and its fix mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

import archdsl
from archdsl.lower.plan import models_of
from archdsl.passes.lint.wiring import wire
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source
from tests.passes.lint.cases import FIRING, SILENT, model
from tests.strategies import Spec, specs

CODES_OF_LINTS = sorted(code for code in CODES if code > "W400")
fires = pytest.mark.parametrize(
    ("code", "text", "marked"), [(code, *case) for code, cases in FIRING.items() for case in cases]
)


def warnings_of(text: str) -> tuple[Diagnostic, ...]:
    found = archdsl.check_text(text, "net.arch")
    assert not [d.message for d in found if d.severity is Severity.ERROR], found
    return found


def codes_of(text: str) -> set[str]:
    return {d.code for d in warnings_of(text)}


def test_every_warning_has_cases_of_both_kinds() -> None:
    assert sorted(FIRING) == sorted(SILENT) == CODES_OF_LINTS


@fires
def test_a_warning_marks_the_text_to_change(code: str, text: str, marked: str) -> None:
    found = [d for d in warnings_of(model(text)) if d.code == code]
    assert {d.span.text for d in found} == {marked}
    for warning in found:
        assert warning.help
        assert warning.help[-1] not in "?."
        assert warning.message[-1] != "."
        assert all(label.span != warning.span for label in warning.labels)


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SILENT.items() for text in texts])
def test_what_is_right_is_not_warned_about(code: str, text: str) -> None:
    assert code not in codes_of(model(text))


@fires
def test_a_warning_can_be_allowed(code: str, text: str, marked: str) -> None:
    del marked
    assert codes_of(f"allow {code}\n{model(text)}") == codes_of(model(text)) - {code}


@fires
def test_a_fix_gives_a_spec_without_the_warning_it_mends(code: str, text: str, marked: str) -> None:
    del marked
    text = model(text)
    for _ in range(5):
        fixable = [d for d in warnings_of(text) if d.code == code and d.fix is not None]
        if not fixable:
            break
        before = len([d for d in warnings_of(text) if d.code == code])
        text, applied = apply_fixes(text, [d.fix for d in fixable[:1] if d.fix])
        assert applied
        assert len([d for d in warnings_of(text) if d.code == code]) < before


@fires
def test_a_safe_fix_keeps_names_shapes_and_operations(code: str, text: str, marked: str) -> None:
    del marked
    text = model(text)
    safe = [d for d in warnings_of(text) if d.code == code and d.fix is not None and d.fix.is_safe]
    for warning in safe:
        assert warning.fix
        mended, _ = apply_fixes(text, [warning.fix])
        name = models_of(Source(text))[0]
        before, after = archdsl.load_text(text, name), archdsl.load_text(mended, name)
        assert before.state == after.state
        assert before.outputs == after.outputs
        assert before.costs.macs == after.costs.macs


def test_some_fixes_are_safe_and_some_are_not() -> None:
    kinds = {
        (d.code, d.fix.is_safe)
        for cases in FIRING.values()
        for text, _ in cases
        for d in warnings_of(model(text))
        if d.fix is not None
    }
    assert {code for code, is_safe in kinds if is_safe} == {"W405", "W411", "W413"}
    assert {code for code, is_safe in kinds if not is_safe} >= {"W401", "W402", "W403", "W410", "W412", "W415", "W416"}


@pytest.mark.torch
@pytest.mark.parametrize(
    "text",
    [
        "stem: conv 8; relu; relu; head: conv 8",
        "stem: conv 8; norm; relu6; relu6; head: conv 8",
        "stem: cna 8; gap; gmp; flatten; fc: fc 10",
        "let w = 8; cna 16",
    ],
)
def test_a_safe_fix_leaves_every_output_as_it_was(text: str) -> None:
    import torch

    text = model(text)
    mended = apply_fixes(text, [d.fix for d in warnings_of(text) if d.fix and d.fix.is_safe]).text
    assert mended != text
    before, after = archdsl.load_text(text).module().eval(), archdsl.load_text(mended).module().eval()
    after.load_state_dict(before.state_dict())
    image = torch.randn(2, 3, 32, 32)
    assert torch.equal(before(image), after(image))


@settings(max_examples=150)
@given(specs())
def test_any_legal_spec_is_linted_and_its_wiring_is_the_same_from_both_ends(spec: Spec) -> None:
    warnings_of(spec.text)
    wiring = wire(archdsl.load_text(spec.text, spec.model).shapes)
    for step in wiring.steps:
        readers = {reader for reader in wiring.readers[step] if reader is not None}
        assert readers == {
            other for other in wiring.steps if step in {s for port in wiring.sources[other] for s in port}
        }
        assert all(ports for ports in wiring.sources[step])
    assert wiring.given_out


def test_repeats_and_equal_blocks_are_looked_at_once() -> None:
    text = (
        "block b(c) {{ residual {{ cna c; cna c }} }}\nmodel net {{ input [3, 8, 8]; cna 8; b 8 x {n}; gap; flatten }}"
    )
    few, many = (wire(archdsl.load_text(text.format(n=n)).shapes) for n in (3, 3000))
    assert len(few.steps) == len(many.steps) < 20


def test_a_block_of_another_file_is_left_to_those_who_check_that_file() -> None:
    assert warnings_of("use vgg\nvariant mine of vgg11_bn\n") == ()
    assert archdsl.load("vgg11_bn").warnings == ()


def test_a_network_says_what_is_suspicious_about_it() -> None:
    network = archdsl.load_text(model("conv 8 bias=true; norm; act; cna 8 act=gelu; act"))
    assert {(d.code, d.span.text) for d in network.warnings} == {("W401", "bias=true"), ("W411", "act")}
    assert all(d.severity is Severity.WARNING for d in network.warnings)
    assert network.diagnostics == ()


def test_settings_decide_what_is_suspicious() -> None:
    text = model("conv 8 bias=true; norm; act")
    assert archdsl.load_text(text, norm="group(2)").warnings == ()
    assert {d.code for d in archdsl.load_text(text, norm="group(8)").warnings} == {"W401", "W409"}


def test_a_file_that_nothing_needs_is_told_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "blocks.arch").write_text("block b(c) { conv c }", encoding="utf-8")
    spec = tmp_path / "net.arch"
    spec.write_text('use "lib/blocks"\nmodel net { input [3, 8, 8]; cna 8 }', encoding="utf-8")
    assert [d.code for d in archdsl.check(spec)] == ["W406"]
    spec.write_text('use "lib/blocks"\nmodel net { input [3, 8, 8]; b 8 }', encoding="utf-8")
    assert not archdsl.check(spec)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("cna 16; a: { b: { start: cna 8; cna 8; dead: conv 8; @start } }; cna 8", "a.b.dead"),
        ("cna 64; a: { b: { cna 60; cna 64 } }", "a.b.0.0"),
    ],
)
def test_a_layer_is_told_by_its_path(text: str, path: str) -> None:
    notes = [note for found in warnings_of(model(text)) for note in found.notes]
    assert any(f"`{path}`" in note for note in notes)
