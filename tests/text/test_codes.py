"""The registry of codes and the code base agree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from archdsl.text import codes
from archdsl.text.codes import CODES

PACKAGE = Path(codes.__file__).parents[1]
CODE = re.compile(r"[EW]\d{3}")


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def modules() -> Iterator[Path]:
    registry = Path(codes.__file__)
    return (path for path in sorted(PACKAGE.rglob("*.py")) if path != registry)


def used() -> dict[str, list[str]]:
    """Map each code that is a string of its own somewhere in the package to the modules it stands in."""
    found: dict[str, list[str]] = {}
    for path in modules():
        for text in strings(path):
            if CODE.fullmatch(text):
                found.setdefault(text, []).append(str(path.relative_to(PACKAGE)))
    return found


def test_every_code_in_use_is_registered() -> None:
    assert {code: where for code, where in used().items() if code not in CODES} == {}


def test_every_registered_code_is_in_use() -> None:
    assert CODES.keys() - used().keys() == set()


def test_docstrings_speak_of_registered_codes_only() -> None:
    spoken = {
        (code, path.name)
        for path in modules()
        for text in strings(path)
        for code in re.findall(r"(?<!\w)[EW]\d{3}(?!\w)", text)
    }
    assert sorted((code, where) for code, where in spoken if code not in CODES) == []
