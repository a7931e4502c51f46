"""Places in a text that does not parse: statements, lines, and what is indented below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from archdsl.text.diagnostic import Fix
from archdsl.text.source import Source, Span

LONGEST = 4000
"""What is longer than this many characters is not looked at as one statement."""

LONGEST_NAME = 100
"""How far the beginning of a word is looked for."""

_LONGEST_LINE = 1000

_PIECE = re.compile(
    r"""(?P<label>[A-Za-z_]\w*(?:\{[^{}\n"]*\}\w*)+(?=[ \t]*:)|[A-Za-z_]\w*(?:\{\w+\}\w*)+)"""
    r"""|(?P<string>"[^"\n]*"|'[^'\n]*')"""
    r"|(?P<comment>\#[^\n]*)|(?P<bracket>[()\[\]])|(?P<edge>[;{}\n])",
    re.X,
)


@dataclass(frozen=True, slots=True)
class Habit:
    """What was written from habit: the text to change, what it is, and what stands for it here.

    Mistakes up to the offset `until` belong to it. `replacement` is what to write instead of the text from `start` to
    `end`, or of `whole` where that is given; `is_safe` says that nothing else can have been meant.
    """

    start: int
    end: int
    message: str
    help: str
    until: int = 0
    replacement: str | None = None
    is_safe: bool = False
    notes: tuple[str, ...] = ()
    whole: tuple[int, int] | None = None
    code: str = ""

    def fix(self, source: Source) -> Fix | None:
        """Return the edit that writes it our way, if it is known."""
        if self.replacement is None:
            return None
        start, end = self.whole or (self.start, self.end)
        title = self.help.partition(":")[0]
        return Fix.at(Span(start, end, source), self.replacement, is_safe=self.is_safe, title=title)


@dataclass(frozen=True, slots=True)
class HabitSite:
    """Where a mistake was found, and the statement around it."""

    source: Source
    offset: int
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def span(self, start: int, end: int) -> Span:
        return Span(start, end, self.source)


def place_of(source: Source, offset: int) -> HabitSite:
    """Find the statement that a mistake stands in: what lies between `;`, braces and line ends outside brackets."""
    text = source.text
    line, _ = line_bounds(text, offset)
    start, depth, end = line, 0, min(len(text), line + LONGEST)
    for match in _PIECE.finditer(text, line, end):
        piece = match.group()
        if match["bracket"]:
            depth = max(0, depth + (1 if piece in "([" else -1))
        elif match["comment"] and depth == 0 and match.end() >= offset:
            end = match.start()
            break
        elif match["edge"] and depth == 0:
            if match.start() < offset or (match.start() == offset and piece != "\n" and match.start() == start):
                start = match.end()
            else:
                end = match.start()
                break
    stripped = text[start:end]
    start += len(stripped) - len(stripped.lstrip())
    return HabitSite(source, offset, start, max(start, start + len(stripped.strip())))


def is_too_long(source: Source, offset: int) -> bool:
    """Return whether a line is longer than people write, so that looking closely at it could take long."""
    start, end = line_bounds(source.text, offset)
    return end - start > _LONGEST_LINE


def line_bounds(text: str, offset: int) -> tuple[int, int]:
    """Return the beginning and the end of the line at an offset."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return start, len(text) if end < 0 else end


def lines_from(text: str, offset: int) -> Iterator[tuple[int, str]]:
    """Return the lines from the one at an offset on, with the offsets at which they begin."""
    start, _ = line_bounds(text, offset)
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, text[start:end]
        start = end + 1


def indent_of(line: str) -> int:
    """Count the columns before a line's first character; a tab takes as many as to the next multiple of four."""
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def indented_end(text: str, header: int) -> int:
    """Return the end of the last line below a header's that is indented deeper; its own line's end if none is."""
    lines = lines_from(text, header)
    start, line = next(lines)
    own, end = indent_of(line), start + len(line)
    for start, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if indent_of(line) <= own:
            break
        end = start + len(line)
    return end


def words_of(text: str) -> list[str]:
    """Return the words of a text, each once.

    >>> words_of("conv 64 k=7; conv 8 # x2")
    ['conv', 'k', 'x2']
    """
    return list(dict.fromkeys(re.findall(r"\b[A-Za-z_]\w*", text)))


def without_comment(line: str) -> str:
    """Drop a line's comment and the spaces before it."""
    return re.sub(r'^((?:[^#"\n]|"[^"\n]*")*?)\s*(?:#.*)?$', r"\1", line).rstrip()


def split_commas(text: str, separators: str = ",") -> list[str]:
    """Split at the commas outside brackets and strings, or at other separators.

    >>> split_commas("64, (3, 3), k=f(1, 2)")
    ['64', '(3, 3)', 'k=f(1, 2)']
    """
    parts, depth, start = list[str](), 0, 0
    for match in re.finditer(r"""("[^"]*"|'[^']*')|[()\[\]{},;\n]""", text):
        piece = match.group()
        if piece in separators and depth == 0:
            parts.append(text[start : match.start()].strip())
            start = match.end()
        elif piece in ("(", "[", "{", ")", "]", "}"):
            depth += 1 if piece in "([{" else -1
    parts.append(text[start:].strip())
    return [part for part in parts if part]
