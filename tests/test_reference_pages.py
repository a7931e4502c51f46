"""The pages that scripts write say what the code says. tests/test_docs.py runs their examples."""

from __future__ import annotations

from archdsl.ops import OPS
from archdsl.text.codes import CODES
from docs import make_errors, make_operators


def test_the_page_of_operators_is_up_to_date() -> None:
    page = make_operators.PAGE.read_text(encoding="utf-8")
    assert page == make_operators.page(), "run `python docs/make_operators.py`"


def test_the_page_of_errors_is_up_to_date() -> None:
    page = make_errors.PAGE.read_text(encoding="utf-8")
    assert page == make_errors.page(), "run `python docs/make_errors.py`"


def test_every_operator_and_code_has_an_entry_to_link_to() -> None:
    for page, names in ((make_operators.page(), OPS), (make_errors.page(), CODES)):
        headings = [line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")]
        assert sorted(headings) == sorted(names)
