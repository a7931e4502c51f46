"""The tree of an edited text is the one that the text has by itself, with what stood there before kept."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from random import Random
from typing import cast

import pytest

from archdsl.semantics.files import SUFFIX, bundled_folder
from archdsl.syntax.damage import Parsed
from archdsl.syntax.edited import adopt, move_on, parse_edited
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span
from tests.fuzz import mutate

TEXTS = [path.read_text("utf-8") for path in sorted(bundled_folder().rglob(f"*{SUFFIX}"))]


def parsed(text: str) -> Parsed:
    found = parse(Source(text), Reporter())
    assert found is not None
    return found


def plain(node: object) -> object:
    """Return a tree as names and values, with places as they are now."""
    if isinstance(node, Span):
        return node.start, node.end, node.source.text
    if isinstance(node, tuple):
        return [plain(part) for part in cast("tuple[object, ...]", node)]
    if is_dataclass(node) and not isinstance(node, Source):
        return type(node).__name__, [plain(getattr(node, field.name)) for field in fields(node)]
    return node.text if isinstance(node, Source) else node


def edited(earlier: Parsed, text: str) -> Parsed | None:
    source = Source(text)
    found = parse_edited(earlier, source)
    if found is None:
        return None
    move_on(earlier.file.source, source, found[1], [])
    return found[0]


def test_an_edit_gives_the_tree_of_the_whole_text() -> None:
    random, count = Random(1), 0
    for _ in range(120):
        text = random.choice(TEXTS)
        kind = random.choice(("token", "line", "byte"))
        changed = mutate.mutate_once(kind, text, random.choice(TEXTS), random)
        report = Reporter()
        expected = parse(Source(changed), report)
        found = edited(parsed(text), changed)
        if found is not None:
            count += 1
            assert not report.diagnostics
            assert expected is not None
            assert plain((found.file, found.comments)) == plain((expected.file, expected.comments))
    assert count > 20


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("let a = 1\nlet b = 2\n", "let a = 1\nlet b = 3\n", "a"),
        ("let a = 1\nlet b = 2\n", "let a = 1\n# more\nlet b = 2\n", "ab"),
        ("let a = 1; let b = 2\nlet c = 3", "let a = 1; let b = 4\nlet c = 3", "ac"),
        ("let a = 1\nlet b = 2", "let b = 2", "b"),
        ("let a = 1\n\nlet b = 2", "let a = 1\nlet b = 2", "ab"),
        ("let a = 1\nlet b = 2", "let b = 2\nlet a = 1", "ab"),
        ("let a = 1\nallow W410\nlet b = 2", "let a = 1\nallow W411\nlet b = 2", "ab"),
    ],
)
def test_what_stands_as_it_stood_is_kept(before: str, after: str, kept: str) -> None:
    earlier = parsed(before)
    found = edited(earlier, after)
    assert found is not None
    same = {id(declaration) for declaration in earlier.file.declarations}
    assert "".join(sorted(d.name.text for d in found.file.declarations if id(d) in same)) == kept  # pyright: ignore[reportAttributeAccessIssue]
    assert plain(found.file) == plain(parsed(after).file)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("let a = 1\nlet b = 2", "let a = 1 let b = 2"),
        ("let a = 1\nlet b = 2", "let a = (1\nlet b = 2"),
        ("let a = 1\nlet b = 2", "let a = 1\nelse let b = 2"),
        ("let a = 1\nlet b = 2", 'let a = 1\n"\nlet b = 2'),
        ("let a = 1\n;let b = 2", "let a = 1let b = 2"),
    ],
)
def test_what_may_be_a_mistake_is_parsed_as_a_whole(before: str, after: str) -> None:
    assert edited(parsed(before), after) is None


def test_a_mistake_elsewhere_leaves_declarations_as_they_are() -> None:
    earlier = parsed("block a { conv 8 }\nblock b { act }\n")
    later = parsed("block a { conv 8; ) }\nblock b { act }\n")
    found, kept = adopt(earlier, later)
    assert found.file.declarations[1] is earlier.file.declarations[1]
    assert found.file.declarations[0] is later.file.declarations[0]
    assert len(kept) == 1


def test_places_of_every_earlier_text_are_in_the_latest() -> None:
    versions: list[Source] = []
    last = parsed("let a = 1\n")
    first = last.file.declarations[0].span
    for number in range(1, 20):
        source = Source("#\n" * number + "let a = 1\n")
        found = parse_edited(last, source)
        assert found is not None
        move_on(last.file.source, source, found[1], versions)
        versions.append(source)
        last = found[0]
    assert (first.start, first.source) == (38, last.file.source)
    assert first.now().origin.moves is None
    assert all(version.moves is None or version.moves.later is last.file.source for version in versions)
