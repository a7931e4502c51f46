"""Write the list of folders into docs/architecture.md and CONTRIBUTING.md: python docs/make_floors.py.

The floors stand in tests/test_layering.py, and what a folder is for in its own docstring.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.test_layering import FLOORS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "archdsl"
PAGES = (ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md")
BEGIN, END = "<!-- floors: written by docs/make_floors.py -->\n", "<!-- end of floors -->\n"


def table() -> str:
    """Return the floors as a table, lowest first."""
    rows = ["| Floor | | What it is |", "|---|---|---|"]
    for name, floor in sorted(FLOORS.items(), key=lambda item: item[1]):
        path = PACKAGE / name / "__init__.py" if (PACKAGE / name).is_dir() else PACKAGE / f"{name}.py"
        if path.exists() and not name.startswith("_"):
            rows.append(f"| {floor} | `{name}{'/' if path.name == '__init__.py' else '.py'}` | {_purpose(path)} |")
    return "\n".join(rows) + "\n"


def _purpose(path: Path) -> str:
    """Return the first paragraph of a module's docstring in one line."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(doc.split("\n\n")[0].split())


def with_table(text: str) -> str:
    """Return a page with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> None:
    for page in PAGES:
        page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
