"""Write docs/errors.md from the pages in archdsl/text/pages: python docs/make_errors.py.

Each page's last line, which names the functions that report its code, is brought up to date first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

import archdsl
from archdsl.text.codes import CODES
from archdsl.text.page import REPORTED_BY, parse_page, write_markdown

PAGE = Path(__file__).resolve().parent / "errors.md"
PACKAGE = PAGE.parent.parent / "archdsl"
PAGES = PACKAGE / "text" / "pages"
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
    """Return the page's text."""
    parts = [INTRODUCTION]
    for prefix, title in FAMILIES.items():
        codes = [code for code in CODES if code.startswith(prefix)]
        parts += [f"## {title}\n"] if codes else []
        pages = (parse_page(code, (PAGES / f"{code}.md").read_text(encoding="utf-8")) for code in codes)
        parts += [write_markdown(page, _check, "###") for page in pages]
    return "\n".join(parts)


def with_reporters() -> dict[str, str]:
    """Map each code to its page's text, with the line that names the functions which report it."""
    places: dict[str, dict[str, list[str]]] = {code: {} for code in CODES}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE.parent).as_posix()
        for name, code in _codes(ast.parse(path.read_text(encoding="utf-8")), ""):
            if code in places and name not in places[code].setdefault(module, []):
                places[code][module].append(name)
    return {code: _with_line(code, found) for code, found in places.items()}


def _codes(node: ast.AST, inside: str) -> Iterator[tuple[str, str]]:
    """Yield each string of a function or class below a node with its dotted name; what is compared reports nothing."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Compare | ast.pattern):
            continue
        is_named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        yield from _codes(child, f"{inside}.{child.name}".strip(".") if is_named else inside)
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield inside, child.value


def _with_line(code: str, reporters: dict[str, list[str]]) -> str:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8").partition(f"\n{REPORTED_BY}")[0].rstrip()
    in_functions = {module: [name for name in names if name] for module, names in reporters.items()}
    kept = {module: names for module, names in in_functions.items() if names} or {module: [] for module in reporters}
    listed = (
        ": ".join([f"`{module}`", ", ".join(f"`{name}`" for name in names)][: 1 + bool(names)])
        for module, names in kept.items()
    )
    line = fill(f"{REPORTED_BY}{'; '.join(listed)}.", 118, break_long_words=False, break_on_hyphens=False)
    return f"{text}\n\n{line}\n"


def _check(text: str) -> tuple[archdsl.Diagnostic, ...]:
    return archdsl.check_text(text, "example.arch")


def main() -> None:
    for code, text in with_reporters().items():
        (PAGES / f"{code}.md").write_text(text, encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
