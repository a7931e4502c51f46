"""The pages that scripts write say what the code says. tests/test_docs.py runs their examples."""

from __future__ import annotations

from archdsl.ops import OPS
from archdsl.text.codes import CODES
from docs import make_errors, make_floors, make_operators, make_recipes


def test_the_page_of_operators_is_up_to_date() -> None:
    page = make_operators.PAGE.read_text(encoding="utf-8")
    assert page == make_operators.page(), "run `python docs/make_operators.py`"


def test_the_page_of_recipes_is_up_to_date() -> None:
    page = make_recipes.PAGE.read_text(encoding="utf-8")
    assert page == make_recipes.page(), "run `python docs/make_recipes.py`"


def test_the_page_of_errors_is_up_to_date() -> None:
    page = make_errors.PAGE.read_text(encoding="utf-8")
    assert page == make_errors.page(), "run `python docs/make_errors.py`"


def test_the_page_of_a_code_names_the_functions_that_report_it() -> None:
    for code, text in make_errors.with_reporters().items():
        page = (make_errors.PAGES / f"{code}.md").read_text(encoding="utf-8")
        assert page == text, "run `python docs/make_errors.py`"


def test_the_list_of_floors_is_up_to_date() -> None:
    for page in make_floors.PAGES:
        text = page.read_text(encoding="utf-8")
        assert text == make_floors.with_table(text), "run `python docs/make_floors.py`"


def test_every_operator_and_code_has_an_entry_to_link_to() -> None:
    for page, names in ((make_operators.page(), OPS), (make_errors.page(), CODES)):
        headings = [line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")]
        assert sorted(headings) == sorted(names)
