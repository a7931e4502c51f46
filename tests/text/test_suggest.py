import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl.text.suggest import LONGEST, edit_distance, nearest
from tests.patience import in_time

KEYWORDS = ["conv", "cna", "norm", "act", "relu", "relu6", "gelu", "maxpool", "avgpool", "channels", "kernel"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("covn", "conv"),  # a swap
        ("kernl", "kernel"),  # a letter left out
        ("channnels", "channels"),  # one too many
        ("avgpoll", "avgpool"),  # another
        ("ReLU", "relu"),  # torch's spelling
        ("maxpol2", "maxpool"),  # two edits in seven letters
        ("nrmo", None),  # two edits in four
        ("transformer", None),
        ("x", None),  # one edit from any single letter
        ("", None),
    ],
)
def test_a_name_is_offered_only_if_near(name: str, expected: str | None) -> None:
    assert nearest(name, KEYWORDS) == expected


def test_of_equally_near_names_the_first_in_the_alphabet_is_offered_in_any_order() -> None:
    assert nearest("belu", ["relu", "gelu"]) == nearest("belu", ["gelu", "relu"]) == "gelu"


def test_the_same_letters_in_the_same_case_are_nearest() -> None:
    assert nearest("Actx", ["act", "Act"]) == "Act"


def test_one_letter_is_not_a_correction_of_another() -> None:
    assert nearest("k", ["s", "p"]) is None
    assert nearest("k", ["ks"]) == "ks"


def test_nothing_near_nothing() -> None:
    assert nearest("conv", []) is None


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("abcd", "badc", 2),
        ("ca", "abc", 3),
    ],
)
def test_distances_known_from_the_literature(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance


SHORT = st.text("abc", max_size=8)


@given(SHORT, SHORT)
def test_distance_is_symmetric_and_zero_only_for_equals(a: str, b: str) -> None:
    distance = edit_distance(a, b)
    assert distance == edit_distance(b, a)
    assert (distance == 0) == (a == b)
    assert abs(len(a) - len(b)) <= distance <= max(len(a), len(b))


@given(SHORT, st.data())
def test_one_edit_is_at_distance_one_at_most(a: str, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(a)))
    edited = data.draw(
        st.sampled_from([a[:i] + "b" + a[i:], a[:i] + a[i + 1 :], a[:i] + a[i + 1 : i + 2] + a[i : i + 1] + a[i + 2 :]])
    )
    assert edit_distance(a, edited) <= 1


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=6))
def test_what_is_offered_is_a_candidate_and_near(name: str, candidates: list[str]) -> None:
    found = nearest(name, candidates)
    assert found is None or found in candidates
    if found is not None:
        assert edit_distance(name.casefold(), found.casefold()) <= max(1, len(name) // 3)


def test_a_hostile_name_takes_no_time() -> None:
    with in_time():
        assert nearest("a" * 1_000_000, ["a" * 999_999] * 1000) is None
        assert nearest("a" * LONGEST, ["b" * 1_000_000] * 1000) is None


def test_what_other_tools_call_it_says_nothing_of_names_that_the_author_chose() -> None:
    wrong = "model m(Width=8, channels=3) { input [channels, 8, 8]; conv width }"
    (found,) = (found for found in archdsl.check_text(wrong) if found.code == "E101")
    assert found.help == "the nearest name is `Width`"
    assert found.fix is not None
    assert found.fix.edits[0].replacement == "Width"
    wrong = wrong.replace("Width", "w")
    assert all(found.fix is None for found in archdsl.check_text(wrong) if found.code == "E101")


@pytest.mark.parametrize(
    ("step", "meant"),
    [
        ("con 16", "conv"),
        ("cov k=3", None),
        ("norms", "norm"),
        ("concta { pass; pass }", "concat"),
        ("sum 3", None),
        ("conv 16 rate=2", None),
        ("conv 16 stide=2 s=2", None),
        ("conv 16 kernal=3", "kernel"),
        ("uint 8", "unit"),
        ("uint 8 3", None),
    ],
)
def test_what_is_offered_fits_where_it_stands(step: str, meant: str | None) -> None:
    text = f"block unit(c) {{ conv c }}\nmodel m {{ input [3, 8, 8]; unit 4; {step} }}"
    (found,) = (found for found in archdsl.check_text(text) if found.severity == "error")
    assert (found.fix.edits[0].replacement if found.fix is not None else None) == meant


def test_what_other_tools_call_a_blocks_parameter_is_likely_and_not_certain() -> None:
    text = "block unit(channels) { conv channels }\nmodel m { input [3, 8, 8]; unit depth=3 }"
    (found,) = archdsl.check_text(text)
    assert found.fix is not None
    assert not found.fix.is_safe
