"""Places that stay true while a file is edited: a declaration's are where its own words are now."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from archdsl.syntax import tree
from archdsl.text.source import Stretch


def reanchor(earlier: tree.File, later: tree.File) -> list[tree.Declaration | tree.Allow]:
    r"""Let all places in what an earlier text declares be those that the same words have in a later text of the file.

    Return what the later text declares in other words than the earlier one. Whatever was made of the rest, such as
    graphs and diagnostics, still holds as far as it depends on nothing else, and points at the later text; the places
    in what is gone stay those in the earlier text.

    >>> from archdsl.syntax.parser import parse
    >>> from archdsl.text.diagnostic import Reporter
    >>> from archdsl.text.source import Source
    >>> texts = ("let a = 1\nlet b = 2", "let a = 10\n# more\nlet b = 2")
    >>> earlier, later = (parse(Source(text), Reporter()).file for text in texts)
    >>> place = earlier.declarations[1].span
    >>> str(place), [changed.name.text for changed in reanchor(earlier, later)], str(place)
    ('<string>:2:1', ['a'], '<string>:3:1')
    """
    places: defaultdict[str, deque[tree.Declaration | tree.Allow]] = defaultdict(deque)
    for declaration in later.in_order():
        places[declaration.span.text].append(declaration)
    earlier.source.follow(later.source, list(_parts(earlier, places)))
    changed = (declaration for left in places.values() for declaration in left)
    return sorted(changed, key=lambda declaration: declaration.span.begin)


def _parts(earlier: tree.File, places: defaultdict[str, deque[tree.Declaration | tree.Allow]]) -> Iterator[Stretch]:
    """Yield what both texts declare, and take it out of `places`."""
    for declaration in earlier.in_order():
        begin, stop, _ = declaration.span
        if found := places[declaration.span.text]:
            yield Stretch(begin, stop, found.popleft().span.begin - begin)
