"""Write docs/errors.md from the pages in archdsl/text/pages: python docs/make_errors.py."""

from __future__ import annotations

from pathlib import Path

import archdsl
from archdsl.text.codes import CODES
from archdsl.text.page import write_markdown

PAGE = Path(__file__).resolve().parent / "errors.md"
FAMILIES = {
    "E0": "Syntax",
    "E1": "Names and values",
    "E2": "Shapes and settings",
    "E3": "Backends",
    "W": "Warnings",
}
INTRODUCTION = """\
# Errors

<!-- Written by docs/make_errors.py from the pages in archdsl/text/pages; edit those. -->

Every mistake has a code, which keeps its meaning for ever; `archdsl explain E210` prints its page. A message says what
is wrong with the values at hand, marks the smallest text to change, and names the calls that led there. Independent
mistakes are reported in one run, each once. `archdsl check --fix` makes the edits that are certain.
"""


def page() -> str:
    """Give the page's text."""
    parts = [INTRODUCTION]
    for prefix, title in FAMILIES.items():
        codes = [code for code in CODES if code.startswith(prefix)]
        parts += [f"## {title}\n"] if codes else []
        parts += [write_markdown(CODES[code], _check, "###") for code in codes]
    return "\n".join(parts)


def _check(text: str) -> tuple[archdsl.Diagnostic, ...]:
    return archdsl.check_text(text, "example.arch")


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
