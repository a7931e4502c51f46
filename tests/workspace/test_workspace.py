"""What a workspace says of an edited text is what is said of a text that is checked for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from archdsl import checking, compiler
from archdsl.compiler import Compilation
from archdsl.semantics.files import SUFFIX, bundled_folder
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.source import Source, Span
from archdsl.workspace import CheckedText, Workspace
from tests import mutations
from tests.conftest import ROOT
from tests.fuzz import mutate

WRONG = sorted((ROOT / "tests" / "wrong").rglob(f"*{SUFFIX}"))
SMALL = [path for path in sorted(bundled_folder().glob(f"*{SUFFIX}")) if len(path.read_bytes()) < 1500]
Place = tuple[int, int, str, str]
_DECLARATION = re.compile(r"^(?:model|block|inline|fn|let|variant|defaults|use|allow|keys|recipe)\b", re.M)


def place(span: Span) -> Place:
    return span.start, span.end, span.source.name, span.source.text


def shown(found: Diagnostic) -> object:
    """Return all that a diagnostic says, with its places in the text as it is now."""
    labels = [(place(label.span), label.message) for label in found.labels]
    fix = found.fix
    edits = fix and [(place(edit.span), edit.replacement) for edit in fix.edits]
    about = found.code, found.severity, found.message, found.marker, found.notes, found.help
    return *about, place(found.span), labels, edits, fix and (fix.is_safe, fix.title)


def places(made: Compilation) -> list[object]:
    """Return what a model's graph says of places, and its costs."""
    if made.graph is None:
        return []
    found: list[object] = [made.tables.costs.total if made.tables is not None else None]
    for body in made.graph.bodies():
        found += [body.name, body.doc, place(body.span)]
        for node in body.nodes.values():
            spans = {name: place(span) for name, span in node.attribute_spans.items()}
            found += [node.id, node.op, place(node.span), spans, [(name, place(span)) for name, span in node.calls]]
    return found


class Folder:
    """Texts that are open in a workspace, and saved in a folder for checks that know nothing of it."""

    def __init__(self, folder: Path, texts: Mapping[str, str]) -> None:
        self.folder, self.workspace, self.texts = folder, Workspace(), dict(texts)
        for name, text in texts.items():
            self.workspace.open(folder / name, text)
            self.save(name, text)

    def save(self, name: str, text: str) -> None:
        self.texts[name] = text = text.replace("\r\n", "\n")
        (self.folder / name).write_bytes(text.encode("utf-8", "replace"))

    def change(self, name: str, text: str) -> None:
        text = text.encode("utf-8", "replace").decode("utf-8").removeprefix("\ufeff")
        self.workspace.change(self.folder / name, text)
        self.save(name, text)

    def source(self, name: str) -> Source:
        return Source(self.texts[name], str(self.folder / name), self.folder / name)

    def compare(self, name: str, random: Random | None = None) -> CheckedText:
        """Hold what the workspace says of a text against what a first check says, and perhaps one of its models."""
        checked = self.workspace.check(self.folder / name)
        expected = checking.check(self.source(name), self.folder)
        assert [shown(found) for found in checked.diagnostics] == [shown(found) for found in expected]
        if random is not None and checked.models:
            model = random.choice(sorted(checked.models))
            made = compiler.compile(self.source(name), model, folder=self.folder)
            assert places(checked.models[model]) == places(made)
        return checked


def edit(text: str, other: str, random: Random) -> str:
    """Change a text a little: characters, words, lines or whole declarations."""
    match random.randrange(8):
        case 0:
            starts = [match.start() for match in _DECLARATION.finditer(text)] or [0]
            begin = random.choice(starts)
            end = next((start for start in starts if start > begin), len(text))
            piece, left = text[begin:end], text[:begin] + text[end:]
            at = random.choice([match.start() for match in _DECLARATION.finditer(left)] or [0])
            return random.choice((left, left[:at] + piece + left[at:], text[:end] + piece + text[end:]))
        case 1:
            at = random.randrange(len(text) + 1)
            return (
                text[:at] + random.choice(("\n", " ", "# why\n", ";", "{", "}", '"', "2", "x", "\n## so\n")) + text[at:]
            )
        case 2:
            at = random.choice([match.start() for match in re.finditer("^", text, re.M)])
            return (
                text[:at] + random.choice(("# why\n", "\n", "## about\n", "allow W410\n", "let a1 = 3\n")) + text[at:]
            )
        case 3:
            numbers = [*re.finditer(r"\d+", text)]
            if not numbers:
                return text
            number = random.choice(numbers)
            return text[: number.start()] + str(random.choice((1, 2, 8, 64))) + text[number.end() :]
        case 4 if re.search(r"^[a-z]\w+ \w", text, re.M):
            changed = mutations.mutate(text, random)
            return changed[0] if changed is not None else text
        case _:
            return mutate.mutate_once(random.choice(("token", "token", "line", "byte")), text, other, random)


def follow(folder: Folder, random: Random, texts: list[str], count: int) -> None:
    """Edit the texts of a folder again and again, taking some edits back, and compare after each."""
    names = sorted(folder.texts)
    for _ in range(count):
        name = random.choice(names)
        before = folder.texts[name]
        changed = edit(before, random.choice(texts), random)[:6000]
        folder.change(name, changed)
        folder.compare(random.choice((name, names[0])), random)
        if random.random() < 0.6:
            folder.change(name, before)
            folder.compare(name, random)


def walks(seed: int, count: int) -> Iterator[tuple[Random, list[str]]]:
    paths = [*WRONG, *SMALL]
    texts = [path.read_text("utf-8", "replace") for path in paths]
    for number in range(count):
        yield Random(seed * 1000 + number), texts


def test_edits_of_single_texts(tmp_path: Path) -> None:
    for random, texts in walks(1, 12):
        follow(Folder(tmp_path, {"a.arch": random.choice(texts)}), random, texts, 8)


def test_edits_of_texts_that_use_each_other(tmp_path: Path) -> None:
    for random, texts in walks(2, 6):
        follow(Folder(tmp_path, using(random.choice(SMALL).read_text("utf-8"))), random, texts, 8)


@pytest.mark.soak
def test_many_edits_of_single_texts(tmp_path: Path) -> None:
    for random, texts in walks(3, 600):
        follow(Folder(tmp_path, {"a.arch": random.choice(texts)}), random, texts, 12)


@pytest.mark.soak
def test_many_edits_of_texts_that_use_each_other(tmp_path: Path) -> None:
    for random, texts in walks(4, 300):
        follow(Folder(tmp_path, using(random.choice(SMALL).read_text("utf-8"))), random, texts, 12)


def test_a_mistake_that_an_experiment_meets_again_is_told_once(tmp_path: Path) -> None:
    texts = [path.read_text("utf-8", "replace") for path in [*WRONG, *SMALL]]
    random = Random(21_320)
    follow(Folder(tmp_path, {"a.arch": random.choice(texts)}), random, texts, 12)


def test_what_is_saved_counts_once_a_text_is_closed(tmp_path: Path) -> None:
    folder = Folder(tmp_path, using(""))
    folder.workspace.change(tmp_path / "c.arch", "block another(c) { conv c }\n")
    found = folder.workspace.check(tmp_path / "b.arch").diagnostics
    assert [one.code for one in found][:1] == ["E101"]
    folder.workspace.close(tmp_path / "c.arch")
    folder.compare("b.arch")
    with pytest.raises(KeyError):
        folder.workspace.check(tmp_path / "c.arch")


def test_a_text_uses_open_ones_that_nobody_saved(tmp_path: Path) -> None:
    workspace = Workspace()
    workspace.open(tmp_path / "a.arch", "use b (cell)\nmodel m { input [3, 8, 8]; cell 8 }\n")
    assert [one.code for one in workspace.check(tmp_path / "a.arch").diagnostics] == ["E114"]
    workspace.open(tmp_path / "b.arch", "block cell(c) { conv c }\n")
    assert not workspace.check(tmp_path / "a.arch").diagnostics


def test_places_in_what_was_compiled_move_on_with_the_text(tmp_path: Path) -> None:
    text = "let w = 8\nmodel m { input [3, 8, 8]; conv w }\n"
    workspace = Workspace()
    workspace.open(tmp_path / "a.arch", text)
    made = workspace.check(tmp_path / "a.arch").models["m"]
    for number in range(1, 30):
        workspace.change(tmp_path / "a.arch", "# a line more\n" * number + text.replace("8", "16", number % 2))
        workspace.check(tmp_path / "a.arch")
    again = workspace.check(tmp_path / "a.arch").models["m"]
    graph, other = made.graph, again.graph
    assert graph is not None
    assert other is not None
    assert graph.span.source is other.span.source
    assert str(graph.span) == str(tmp_path / "a.arch") + ":31:1"


def using(text: str) -> dict[str, str]:
    """Return a text that uses two others, one of which uses the other, and a bundled one."""
    return {
        "a.arch": "use b\nuse resnet (basic)\nmodel m { input [3, 32, 32]; cell 8; basic 8; other 4 }\n"
        "model n { input [3, 8, 8]; other 8 }\nvariant v of n { norm=none }\n",
        "b.arch": f"use c (other)\nblock cell(c) {{ conv c k=size; norm; act }}\nlet size = 3\n{text}",
        "c.arch": "defaults { norm=none }\nblock other(c) { conv c bias=true; norm; act }\n"
        "model d { input [3, 8, 8]; other 8 }\n",
    }
