"""Every trait of every operator against torch, in training and in evaluation; and a wrong one is found."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from archdsl.ops import OPS
from archdsl.ops.base import KeptPart, LinearMap, Op, RunningNorm, Window
from tests.ops.cases import COMPUTED, Case
from tests.ops.effects import EFFECTS, Effect
from tests.ops.traits import CHECKS, ELSEWHERE

pytestmark = [
    pytest.mark.torch,
    # What torch says of a padding that differs between the sides.
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
]


def test_every_trait_has_a_check() -> None:
    given = {"keyword", "category"}  # by every operator itself
    public = {name for name in {*vars(Op), *given} if not name.startswith(("_", "model_"))}
    assert public == CHECKS.keys() | EFFECTS.keys() | ELSEWHERE.keys()


def by_operator(cases: Iterable[Case]) -> Mapping[str, Sequence[Case]]:
    """Part cases by their operators, since a test for each would be ten thousand."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.op.keyword, []).append(case)
    return found


CASES = by_operator(COMPUTED)


@pytest.mark.parametrize("keyword", CASES)
@pytest.mark.parametrize("trait", CHECKS)
def test_a_trait_is_what_torch_does(trait: str, keyword: str) -> None:
    for case in CASES[keyword]:
        with told(case):
            CHECKS[trait](case)


@contextmanager
def told(case: Case) -> Generator[None]:
    """Say of which case a failure is."""
    try:
        yield
    except AssertionError as error:
        error.add_note(case.name)
        raise


CLAIMS = [
    pytest.param(effect, cases, id=f"{name}-{keyword}")
    for name, effect in EFFECTS.items()
    for keyword, cases in by_operator(effect.cases).items()
]


@pytest.mark.parametrize(("effect", "cases"), CLAIMS)
def test_an_effect_is_claimed_where_torch_has_it(effect: Effect, cases: Sequence[Case]) -> None:
    for case in cases:
        with told(case):
            assert effect.claim(case) == effect.truth(case)


# Each trait, claimed where it is not so and forgotten where it is so.
WRONG: list[tuple[str, str, Any]] = [
    ("acts_in_training_only", "alpha_dropout", False), ("acts_in_training_only", "rrelu", True),
    ("changes_nothing", "none", False), ("changes_nothing", "flatten", True),
    ("shares_memory", "permute", False), ("shares_memory", "shuffle", True),
    ("can_run_in_place", "relu", False), ("can_run_in_place", "sigmoid", True),
    ("is_affine", "rescale", False), ("is_affine", "relu", True),
    ("is_pointwise", "tanh", False), ("is_pointwise", "softmax", True),
    ("joins_as", "sum", "mul"), ("joins_as", "max", "add"),
    ("is_parameter", "scale", False), ("is_parameter", "times", True),
    ("axis_order", "permute", None), ("axis_order", "permute", (0, 2, 1)), ("axis_order", "shuffle", (0, 1, 2)),
    ("kept_part", "slice", None), ("kept_part", "slice", KeptPart(0, range(1, 5))),
    ("kept_part", "glu", KeptPart(0, range(4))),
    ("stacked_axis", "concat", None), ("stacked_axis", "concat", 1), ("stacked_axis", "add", 0),
    ("follows_channels", "concat", False), ("follows_channels", "fc", True), ("follows_channels", "pad", True),
    ("channel_groups", "group", None), ("channel_groups", "conv", 3), ("channel_groups", "lrn", 5),
    ("linear_map", "conv", None), ("linear_map", "conv", LinearMap(outputs=1, inputs=0)),
    ("linear_map", "deconv", LinearMap()), ("linear_map", "dw", LinearMap()), ("linear_map", "prelu", LinearMap()),
    ("running_norm", "batch", None), ("running_norm", "batch", RunningNorm(1e-2, is_affine=True)),
    ("running_norm", "layer", RunningNorm(1e-5, is_affine=True)),
    ("saves", "conv", "none"), ("saves", "tanh", "input"), ("saves", "add", "output"),
    ("saves_places", "gmp", False), ("saves_places", "avgpool", True),
    ("windows", "conv", (Window(3), Window(3))), ("windows", "maxpool", (Window(2, 2), Window(1, 2))),
    ("windows", "deconv", (Window(3, padding=1, ends=((-1, 0),)), Window(3, padding=1))),
    ("removes_channel_mean", "batch", False), ("removes_channel_mean", "lrn", True),
    ("removes_scale", "rms", False), ("removes_scale", "sigmoid", True),
    ("is_idempotent", "relu", False), ("is_idempotent", "elu", True),
    ("keeps_constants", "maxpool", False), ("keeps_constants", "conv", True),
    ("makes_zero", "times", False), ("makes_zero", "relu", True),
    ("differs_in_training", "rrelu", False), ("differs_in_training", "layer", True),
    ("repeats_border", "conv", False), ("repeats_border", "deconv", True),
    ("is_bounded", "tanh", False), ("is_bounded", "relu", True),
    ("makes_probabilities", "softmax", False), ("makes_probabilities", "tanh", True),
    ("cancels_equals", "sub", False), ("cancels_equals", "add", True),
]  # fmt: skip


@pytest.mark.parametrize(("trait", "keyword", "wrong"), WRONG)
def test_a_planted_wrong_trait_is_found(
    trait: str, keyword: str, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = EFFECTS[trait].cases if trait in EFFECTS else COMPUTED
    cases = [case for case in cases if case.op.keyword == keyword]
    assert not any(_is_found(trait, case) for case in cases)
    is_method = callable(getattr(Op, trait))
    monkeypatch.setattr(type(cases[0].op), trait, (lambda *_, **__: wrong) if is_method else wrong)
    assert any(_is_found(trait, case) for case in cases)


def _is_found(trait: str, case: Case) -> bool:
    if trait in EFFECTS:
        return EFFECTS[trait].claim(case) != EFFECTS[trait].truth(case)
    try:
        CHECKS[trait](case)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_figures_have_words_for_an_operator(op: type[Op]) -> None:
    for case in (case for case in COMPUTED if type(case.op) is op):
        assert "".join(term.form for term in case.op.describe()).strip()
        assert not case.op.sign or case.op.is_join


def test_a_wrong_trait_is_planted_both_ways() -> None:
    assert {trait for trait, _, _ in WRONG} == CHECKS.keys() | EFFECTS.keys()
