"""An answer is given again only where it can be no other one."""

from __future__ import annotations

import pytest

from archdsl import checking
from archdsl.checking import check_module
from archdsl.semantics.library import Library, Texts
from archdsl.syntax.damage import Parsed
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.source import Source, Span, Stretch
from archdsl.workspace.document import Document
from archdsl.workspace.memory import CheckMemory, SettlingReporter

TEXT = """\
block shared(c) { if 8 / c > 0 { conv zzz } }
model a { input [3, 8, 8]; shared 8 }
model b { input [3, 8, 8]; shared 0 }
"""


class _One(Texts):
    """Parses all texts as one that is edited."""

    def __init__(self) -> None:
        self.document = Document("a.arch")

    def parse(self, source: Source) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
        return super().parse(source) if source.name != "a.arch" else self.document.read(source.text)


class Checks:
    """Checks of one text after another, and what was looked at in the last one."""

    def __init__(self) -> None:
        self.texts, self.memory = _One(), CheckMemory()
        self.looked: list[str] = []

    def check(self, text: str, limit: int = 100) -> tuple[Diagnostic, ...]:
        report = SettlingReporter(limit)
        library = Library(report, self.texts)
        module = library.load(Source(text, "a.arch"), None)
        assert module is not None
        self.memory.begin(module, library)
        before = {id(said) for said in self.memory._said.values()}  # pyright: ignore[reportPrivateUsage]
        check_module(module, None, report, self.memory)
        self.looked = [
            getattr(said.part, "name").text  # noqa: B009 -- whatever declares a name
            for (_, what, *_), said in self.memory._said.items()  # pyright: ignore[reportPrivateUsage]
            if id(said) not in before and getattr(what, "__name__", "") == "_check_model"
        ]
        return report.diagnostics


def messages(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.message for one in found]


@pytest.fixture
def checks() -> Checks:
    return Checks()


def test_what_another_model_went_through_before_counts(checks: Checks) -> None:
    first = checks.check(TEXT)
    assert any("zzz" in message for message in messages(first))
    # Nobody goes through the branch any more, so that the model whose condition fails has to look into it.
    later = checks.check(TEXT.replace("shared 8", "act"))
    assert sorted(checks.looked) == ["a", "b"]
    assert any("zzz" in message for message in messages(later))


def test_only_what_changed_is_looked_at(checks: Checks) -> None:
    text = "let w = 4\nblock c2(c) { conv c }\nmodel a { input [3, 8, 8]; c2 8 }\nmodel b { input [3, 8, 8]; conv w }\n"
    checks.check(text)
    assert sorted(checks.looked) == ["a", "b"]
    for old, new, looked in (
        ("conv w", "conv w k=1", ["b"]),
        ("w = 4", "w = 8", ["b"]),
        ("conv c }", "conv c; act }", ["a"]),
        ("let w", "# more\nlet w", []),
        ("model a", "## About it.\nmodel a", ["a"]),
        ("let w", "defaults { norm=none }\nlet w", ["a", "b"]),
        ("let w", "let other = 3\nlet w", []),
        ("let w", "block conv(c) { act }\nlet w", ["a", "b"]),
    ):
        checks.check(text.replace(old, new, 1))
        assert sorted(checks.looked) == looked, new
        checks.check(text)


def test_messages_list_the_names_that_are_there_now(checks: Checks) -> None:
    text = "model a { input [3, 8, 8]; cellx 8 }\n"
    checks.check(text)
    checks.check(f"block cell(c) {{ conv c }}\n{text}")
    assert checks.looked == ["a"]


def test_bodies_gone_through_at_an_earlier_check_count_again(checks: Checks) -> None:
    checks.check(TEXT)
    visited = set(checks.memory.visited)
    checks.check(f"# more\n{TEXT}")
    assert checks.looked == []
    assert set(checks.memory.visited) == visited


def test_a_sound_model_is_not_built_again_for_a_mistake_elsewhere(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "model a { input [3, 8, 8]; conv 8; assert parameters < 1M }\nmodel b { input [3, 8, 8]; conv 8 }\n"
    checks.check(text)
    built: list[str] = []
    monkeypatch.setattr(checking, "STEPS", (lambda work: built.append(work.model or ""),))
    assert checks.check(text.replace("model b {", "model b { let"))
    assert built == ["b"]


def test_a_report_that_is_full_is_not_kept(checks: Checks) -> None:
    text = "model a { input [3, 8, 8]; " + "; ".join(f"conv zzz{n}" for n in range(120)) + " }\n"
    assert len(checks.check(text)) == 100
    assert checks.looked == []


def test_places_are_compared_where_they_are_now() -> None:
    earlier, later = Source("let a = 1"), Source("\nlet a = 1")
    earlier.follow(later, [Stretch(0, 9, 1)])
    for report, count in ((SettlingReporter(), 1), (Reporter(), 2)):
        for span in (Span(4, 5, earlier), Span(5, 6, later)):
            report.error("E101", "nothing is called `a` here", span)
        assert len(report.diagnostics) == count
