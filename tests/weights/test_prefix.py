"""One prefix that makes keys fit is found, said, and can be said in a rule; several are listed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.weights.prefix import find_shifts, see_through
from archdsl.weights.report import describe
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import Transfer
from tests.weights.test_plan import STEPS, plan, stored

BEFORE = ["model", "backbone", "net.encoder", "model.0", "state.weights"]


def network(steps: str = STEPS) -> archdsl.Network:
    text = f'keys other {{ "conv1" = "stem.0"; "bn1" = "stem.1" }}\nmodel m {{ input [3, 8, 8]; {steps} }}'
    return archdsl.load_text(text)


def prefixed(prefix: str, keys: dict[str, Stored] | None = None) -> dict[str, Stored]:
    return {f"{prefix}.{key}": value for key, value in (keys or stored(network())).items()}


def with_rule(rule: str, file: dict[str, Stored]) -> Transfer:
    return plan(archdsl.load_text(f"keys theirs {{ {rule} }}\nmodel m {{ input [3, 8, 8]; {STEPS} }}"), file)


@pytest.mark.parametrize("prefix", BEFORE)
def test_one_prefix_that_makes_all_fit_is_used_and_said_with_the_rule_for_it(prefix: str) -> None:
    transfer = plan(network(), prefixed(prefix))
    assert transfer.fits
    (note,) = transfer.notes
    assert note.endswith(f'a rule of `keys` says so: `"" = "{prefix}"`')
    assert note in describe(transfer)
    rule = note.split("`")[-2]
    by_rule = with_rule(rule, prefixed(prefix))
    assert (by_rule.fits, by_rule.origin, by_rule.notes) == (True, "theirs", ())


@pytest.mark.parametrize("wrapper", ["module", "_orig_mod", "_fsdp_wrapped_module"])
@pytest.mark.parametrize("form", ["model.{0}.", "{0}.model.", "{0}.{0}.model.", "{0}.model.{0}."])
def test_wrappers_are_passed_over_wherever_they_stand(wrapper: str, form: str) -> None:
    file = {form.format(wrapper) + key: value for key, value in stored(network()).items()}
    transfer = plan(network(), file)
    assert transfer.fits
    assert transfer.notes[0] == f"`{wrapper}` of wrappers is passed over in the file's keys"
    assert with_rule('"" = "model"', file).fits
    exact = form.format(wrapper).removesuffix(".")
    assert with_rule(f'"" = "{exact}"', file).fits


def test_a_wrapper_inside_the_network_is_passed_over() -> None:
    file = {key.replace("bn1.", "bn1._orig_mod."): value for key, value in stored(network()).items()}
    assert plan(network(), file).fits


def test_a_prefix_goes_with_a_name_map() -> None:
    file = prefixed("backbone", stored(network(), {"conv1": "stem.0", "bn1": "stem.1"}))
    transfer = plan(network(), file)
    assert (transfer.fits, transfer.origin) == (True, "other")


def test_what_stands_beside_a_prefix_is_left_over() -> None:
    transfer = plan(network(), prefixed("backbone") | {"head.weight": Stored((3, 3), "float32")})
    assert [entry.source for entry in transfer.of("unused")] == ["head.weight"]
    assert not transfer.of("new")


def test_of_two_prefixes_none_is_taken_and_both_are_said() -> None:
    file = prefixed("encoder_q") | prefixed("encoder_k")
    transfer = plan(network(), file)
    assert not any(entry.is_loaded for entry in transfer.entries)
    (note,) = transfer.notes
    assert "`encoder_q`, `encoder_k`" in note
    assert len(with_rule('"" = "encoder_q"', file).of("new")) == 0


def test_of_two_prefixes_the_one_that_fits_better_is_taken() -> None:
    lesser = {key: value for key, value in prefixed("teacher").items() if "fc" not in key}
    transfer = plan(network(), prefixed("student") | lesser)
    assert {(entry.source or "").partition(".")[0] for entry in transfer.entries if entry.is_loaded} == {"student"}


def test_a_network_may_hold_what_a_file_has_alone() -> None:
    net = network("encoder: { conv1: conv 4 bias=true; bn1: norm }; gap; flatten; fc: fc 5")
    file = {key.removeprefix("encoder."): value for key, value in stored(net).items() if key.startswith("encoder.")}
    transfer = plan(net, file)
    assert {entry.key for entry in transfer.of("new")} == {"fc.weight", "fc.bias"}
    assert not transfer.of("unused")
    assert transfer.notes[0].endswith('`"encoder" = ""`')


@pytest.mark.parametrize("shape", [(9, 4), (5,)])
def test_a_few_keys_that_fit_below_a_prefix_are_no_prefix(shape: tuple[int, ...]) -> None:
    file = {"aux.fc.weight": Stored((5, 4), "float32"), "aux.fc.bias": Stored((5,), "float32")}
    file |= {f"x{i}.weight": Stored(shape, "float32") for i in range(9)}
    transfer = plan(network(), file)
    assert len(transfer.of("unused")) == len(file)


names = st.lists(st.text("ab.", min_size=1, max_size=5), max_size=8)


@given(names, names)
def test_what_is_found_brings_names_of_one_side_to_those_of_the_other(ours: list[str], theirs: list[str]) -> None:
    for shift in find_shifts(set(ours), set(theirs), lambda name, key: name.endswith(key) or key.endswith(name)):
        assert bool(shift.ours) != bool(shift.theirs)
        assert {shift.rename(name) for name in ours} & set(theirs)


@given(st.lists(st.text("am.", min_size=1, max_size=12).map(lambda text: text.replace("m", "module")), unique=True))
@settings(max_examples=50)
def test_seeing_through_keeps_every_key_apart(keys: list[str]) -> None:
    found, _ = see_through(keys, ["a.weight"])
    assert sorted(found.values()) == sorted(keys)
