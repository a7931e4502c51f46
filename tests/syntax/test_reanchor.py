"""Places stay true while a file is edited: those of a declaration are where its own words are now."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.compiler import compile
from archdsl.ir.graph import Graph
from archdsl.semantics.files import SUFFIX, bundled_folder, declared_models, read_source
from archdsl.semantics.library import Library
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.syntax.reanchor import reanchor
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span
from tests.strategies import Spec, specs

INSERTED = (
    "",
    "# words of others\n",
    "\n\n",
    "let unrelated_{} = 1\n",
    "# \N{MATHEMATICAL BOLD SMALL A}é\n\n",
    "## about\n",
)
CHANGED = ("", "let changed_{} = [1, 2]", "# once there was something")
SMALL = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
PATHS = sorted(bundled_folder().glob(f"*{SUFFIX}"))
BUNDLED = [path for path in PATHS if declared_models(path.read_text(encoding="utf-8"))]
NUMBERS = count()


def compiled(text: str, model: str | None = None, name: str = "") -> tuple[Graph, tree.File]:
    """Return a text's graph, and the tree that it was made of, which no other compilation of a like text has."""
    source = Source(text, name or f"edited{next(NUMBERS)}.arch")
    graph = compile(source, model, folder=bundled_folder()).graph
    module = Library(Reporter()).load(source, bundled_folder())
    assert graph is not None
    assert module is not None
    return graph, module.file


def parsed(text: str) -> tree.File:
    found = parse(Source(text, "edited.arch"), Reporter())
    assert found is not None
    return found.file


def places(graph: Graph, source: Source) -> list[Span]:
    """List all places that a graph has in one text."""
    return [span for span in _places(graph) if span.origin is source]


def _places(graph: Graph) -> Iterator[Span]:
    for body in graph.bodies():
        yield body.span
        for node in body.topological():
            yield node.span
            yield from node.attribute_spans.values()
            yield from (span for _, span in node.calls)


@st.composite
def edits(draw: st.DrawFn, file: tree.File, *, only_between: bool = False) -> tuple[str, list[str]]:
    """Draw a later text of a file, and the texts of the declarations that it changes or drops."""
    text, end, edited = file.source.text, 0, ""
    changed: list[str] = []
    for number, declaration in enumerate(file.in_order()):
        begin, stop, _ = declaration.span
        edited += text[end:begin] + draw(st.sampled_from(INSERTED)).format(number)
        kept = only_between or draw(st.integers(0, 3))
        if not kept:
            changed.append(text[begin:stop])
        edited += text[begin:stop] if kept else draw(st.sampled_from(CHANGED)).format(number)
        end = stop
    return edited + text[end:] + draw(st.sampled_from(("", "\n# the end", "\nlet no_word_of_operators = 1"))), changed


def check_places(data: st.DataObject, graph: Graph, file: tree.File) -> None:
    edited, changed = data.draw(edits(file))
    before = [(span, span.text) for span in places(graph, file.source)]
    later = parsed(edited)
    reanchor(file, later)
    homes = [declaration.span for declaration in file.declarations]
    for span, words in before:
        home = next(home for home in homes if home.begin <= span.begin and span.stop <= home.stop)
        assert span.text == span.source.text[span.start : span.end] == words
        assert span.start - home.start == span.begin - home.begin
        if home.text not in changed:
            assert span.source is later.source
            assert span.source.text[home.start : home.end] == home.text


@SMALL
@given(st.data(), specs())
def test_every_place_in_what_is_not_edited_keeps_its_words(data: st.DataObject, spec: Spec) -> None:
    check_places(data, *compiled(spec.text, spec.model))


@pytest.mark.parametrize("path", BUNDLED[::5], ids=lambda path: path.stem)
@settings(max_examples=3, deadline=None)
@given(st.data())
def test_every_place_in_a_bundled_network_keeps_its_words(path: Path, data: st.DataObject) -> None:
    text = read_source(path).text
    check_places(data, *compiled(text, declared_models(text)[0]))


@SMALL
@given(st.data(), specs())
def test_places_after_edits_in_between_are_those_of_compiling_anew(data: st.DataObject, spec: Spec) -> None:
    graph, file = compiled(spec.text, spec.model)
    edited, _ = data.draw(edits(file, only_between=True))
    again, later = compiled(edited, spec.model)
    reanchor(file, later)
    old, new = places(graph, file.source), places(again, later.source)
    assert [(span.start, span.end) for span in old] == [(span.start, span.end) for span in new]
    assert all(span.source is later.source for span in old)


def test_a_text_that_was_compiled_before_an_edit_has_its_own_places_when_it_comes_back() -> None:
    text = "block b() { conv 4 }\nmodel m { input [3, 8, 8]; b }"
    graph, file = compiled(text, name="edited.arch")
    _, later = compiled(f"# more\n{text}", name="edited.arch")
    reanchor(file, later)
    again, _ = compiled(text, name="edited.arch")
    assert [str(graph.span), str(again.span)] == ["edited.arch:3:1", "edited.arch:2:1"]
    back = parsed(text)
    reanchor(later, back)
    assert (str(graph.span), graph.span.source) == ("edited.arch:2:1", back.source)


def test_an_edit_taken_back_leads_back_to_the_first_text() -> None:
    first, second = parsed("let a = 1"), parsed("\nlet a = 1")
    reanchor(first, second)
    reanchor(second, first)
    assert {str(file.declarations[0].span) for file in (first, second)} == {"edited.arch:1:1"}


def test_what_is_changed_or_new_is_returned_and_its_old_places_stay_in_the_old_text() -> None:
    earlier, later = parsed("let a = 1\nlet b = 2\nlet c = 3"), parsed("let c = 3\nlet b = 20\nlet d = 2")
    changed = reanchor(earlier, later)
    assert [declaration.span.text for declaration in changed] == ["let b = 20", "let d = 2"]
    assert [str(declaration.span) for declaration in earlier.declarations] == [
        "edited.arch:1:1",
        "edited.arch:2:1",
        "edited.arch:1:1",
    ]
    sources = [declaration.span.source for declaration in earlier.declarations]
    assert sources == [earlier.source, earlier.source, later.source]


def test_diagnostics_of_a_graph_point_into_the_later_text() -> None:
    text = "let width = 4\nmodel m { input [3, 8, 8]; conv 3 groups=2 }"
    found = compile(Source(text, "edited.arch")).diagnostics
    module = Library(Reporter()).load(Source(text, "edited.arch"), None)
    assert module is not None
    reanchor(module.file, parsed(f"# a line more\n{text}"))
    assert {str(diagnostic.span) for diagnostic in found} == {"edited.arch:3:35"}
    assert {diagnostic.span.text for diagnostic in found} == {"groups=2"}
