"""A safe fix of a warning leaves every network of its file as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.lower.plan import models_of
from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source
from tests.passes.lint.cases import FIRING, model
from tests.strategies import Spec, specs

if TYPE_CHECKING:
    import torch

pytestmark = pytest.mark.torch

_NET = "model m { input [3, 8, 8]; a: conv 4; relu; relu; b: conv 4 }\n"
# Files of which a step may be taken away in one place and not in another.
SHARED = [
    _NET + 'variant v of m { remove "relu_2" }',
    _NET + 'variant v of m { replace "relu" { gelu } }',
    _NET.replace("relu", "act") + "variant v of m { act=gelu }",
    "block u { a: conv 4; act; act }\nmodel m { input [3, 8, 8]; u }\n"
    "model n { defaults { act=gelu }; input [3, 8, 8]; u }",
    "block u { gap; flatten }\nmodel m { input [3, 8, 8]; a: gap; u }\nmodel n { input [3, 8, 8]; a: conv 3; u }",
    "a: conv 8; relu; relu; gelu; relu; b: conv 4",
    "add { relu; { relu; relu } }",
    "conv 8; relu; { relu }; relu",
    "residual { conv 3; relu; relu }",
    "a: conv 8; gap; gmp; flatten; fc 2",
    "if in == 3 { let w = 8; conv 8 }; add { let a = 3; pass; conv 8 }",
    "for c in [1] { let w = c }; conv 4",
    "let w = 8; let v = w; conv 8",
    "conv 8; output early; relu; conv 4; output late; let w = 3",
    "conv 8; output early { conv 3 }\n  let v = in; let w = v",
    "block u { conv 8; output low; conv 4; output high; let w = in }\nmodel m { input [3, 8, 8]; u }",
]


def warned(text: str) -> list[Diagnostic]:
    """Return the warnings of a file that have a fix."""
    return [one for one in archdsl.check_text(text) if one.severity is Severity.WARNING and one.fix is not None]


def outputs(text: str, name: str, weights: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """Return what a model gives in both modes, with these weights."""
    import torch

    network = archdsl.load_text(text, name)
    module = network.module()
    module.load_state_dict(weights)
    found: list[torch.Tensor] = []
    for is_training in (False, True):
        torch.manual_seed(1)
        images = [torch.randn(2, *shape.numbers()) for shape in network.inputs.values()]
        with torch.no_grad():
            result = module.train(is_training)(*images)
        found += [result] if isinstance(result, torch.Tensor) else list(result)
    return found


def check_fixes(text: str) -> int:
    """Hold the safe fixes of a file against torch, and see that the others leave it a file; count the safe ones."""
    import torch

    count = 0
    for warning in warned(text):
        assert warning.fix is not None
        mended = apply_fixes(text, [warning.fix]).text
        assert not [one for one in archdsl.check_text(mended) if one.code.startswith("E0") or one.code == "E222"], text
        if not warning.fix.is_safe:
            continue
        count += 1
        assert models_of(Source(mended)) == models_of(Source(text))
        for name in models_of(Source(text)):
            weights = archdsl.load_text(text, name).module().state_dict()
            before, after = outputs(text, name, weights), outputs(mended, name, weights)
            assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True)), (warning.code, text)
    return count


@pytest.mark.parametrize("text", SHARED)
def test_a_safe_fix_leaves_all_networks_of_a_file_as_they_were(text: str) -> None:
    check_fixes(model(text))


def test_the_safe_fix_of_each_lints_examples_leaves_outputs_as_they_were() -> None:
    texts = {model(text) for cases in FIRING.values() for text, _ in cases}
    assert sum(map(check_fixes, sorted(texts))) > 3


def test_a_step_that_stands_alone_in_its_braces_is_not_removed() -> None:
    found = warned(model("conv 8; relu; { relu }; conv 4"))
    assert not [one for one in found if one.code == "W411"]


# What is put behind a step, so that it, or something in it, is superfluous.
NEEDLESS = [
    "relu; relu",
    "relu6; relu6",
    "hardtanh; hardtanh",
    "let unused = 3",
    "act; act",
    "gap; gap",
    "{ relu; relu }",
]


def check_random(spec: Spec, place: int, what: str) -> None:
    ends = [match.end() for match in re.finditer(r"^(?:n\d+: )?(?:conv|relu|dw|norm)\b[^{}\n]*$", spec.text, re.M)]
    if not ends:
        return
    at = ends[place % len(ends)]
    text = f"{spec.text[:at]}\n{what}{spec.text[at:]}"
    if not any(one.severity is Severity.ERROR for one in archdsl.check_text(text)):
        check_fixes(text)


CASES = (specs(), st.integers(0, 99), st.sampled_from(NEEDLESS))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(*CASES)
def test_a_safe_fix_leaves_random_networks_as_they_were(spec: Spec, place: int, what: str) -> None:
    check_random(spec, place, what)


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(*CASES)
def test_a_safe_fix_always_leaves_random_networks_as_they_were(spec: Spec, place: int, what: str) -> None:
    check_random(spec, place, what)
