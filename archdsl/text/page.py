"""The page of a diagnostic's code: what it is, why it is a mistake, what fails and what does not.

A page is Markdown: a heading `# E210: title`, prose, and fenced blocks. `arch error` or `arch warning` is a spec that
the code is reported for, `arch` one that nothing is reported for, and `console` shows commands where no single text can
show the mistake. Its last line names the functions that report the code, for who changes archdsl; `docs/make_errors.py`
writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.record import record

REPORTED_BY = "Reported by "

# Gives the diagnostics of a spec's text.
Check = Callable[[str], Sequence[Diagnostic]]

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.M | re.S)
_INDENT = "    "
_WIDEST = 80
_TITLE, _WORD = "1", "36"


@record
class Example:
    """A fenced block: what it says of itself, and its text."""

    info: str
    text: str

    @property
    def fails(self) -> bool:
        """Whether it is a spec that the code is reported for."""
        return self.info in ("arch error", "arch warning")


@record
class Page:
    """A code's page; prose and examples are in `parts`, in their order."""

    code: str
    title: str
    parts: tuple[str | Example, ...]
    reported_by: str = ""
    """The line that names the functions which report the code."""

    @property
    def explanation(self) -> str:
        """The prose before the first example."""
        first = self.parts[0] if self.parts else ""
        return first if isinstance(first, str) else ""

    @property
    def markdown(self) -> str:
        """The page without its heading."""
        fenced = (part if isinstance(part, str) else f"```{part.info}\n{part.text}```" for part in self.parts)
        return "\n\n".join(fenced)

    @property
    def failing(self) -> list[str]:
        """The specs that the code is reported for."""
        return [part.text for part in self.parts if isinstance(part, Example) and part.fails]

    @property
    def mended(self) -> list[str]:
        """The specs that nothing is reported for."""
        return [part.text for part in self.parts if isinstance(part, Example) and part.info == "arch"]


def parse_page(code: str, text: str) -> Page:
    """Read a page."""
    heading, _, body = text.partition("\n")
    body, _, reporters = body.partition(f"\n{REPORTED_BY}")
    parts: list[str | Example] = []
    end = 0
    for match in _FENCE.finditer(body):
        parts += [body[end : match.start()].strip(), Example(match["info"].strip(), match["text"])]
        end = match.end()
    parts.append(body[end:].strip())
    title = heading.removeprefix(f"# {code}: ").strip()
    return Page(
        code, title, tuple(part for part in parts if part), f"{REPORTED_BY}{reporters}".strip() if reporters else ""
    )


def write_markdown(page: Page, check: Check, heading: str = "#") -> str:
    """Write a page as Markdown, each failing example with the message that it gets."""
    lines = [f"{heading} {page.code}", "", f"**{page.title}**", ""]
    for part in page.parts:
        if isinstance(part, str):
            lines += [part, ""]
            continue
        lines += [f"```{part.info} {page.code}" if part.fails else f"```{part.info}", part.text.rstrip("\n"), "```", ""]
        if part.fails:
            lines += ["```text", _message(page, part, check, 100, color=False), "```", ""]
    lines += [page.reported_by, ""] if page.reported_by else []
    return "\n".join(lines)


def write_terminal(page: Page, check: Check, *, width: int = 80, color: bool = False) -> str:
    """Write a page for people, each failing example with the message that it gets."""
    room = min(width, _WIDEST)
    lines = [_paint(f"{page.code}: {page.title}", _TITLE, color=color), ""]
    for part in page.parts:
        if isinstance(part, str):
            lines += [*_prose(part, room, color=color), ""]
            continue
        lines += [_INDENT + line for line in part.text.rstrip("\n").split("\n")]
        lines.append("")
        if part.fails:
            lines += [_message(page, part, check, width, color=color), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _message(page: Page, example: Example, check: Check, width: int, *, color: bool) -> str:
    """Return what is reported for an example under the page's code, or all where nothing is."""
    from archdsl.text.render import terminal  # what checks a spec needs codes alone

    found = check(example.text)
    own = [diagnostic for diagnostic in found if diagnostic.code == page.code]
    return terminal.render(own or found, width=width, color=color, is_counted=False).rstrip("\n")


def _prose(text: str, room: int, *, color: bool) -> Iterator[str]:
    from archdsl.text.render.display import wrap

    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        if number:
            yield ""
        for item in re.split(r"\n(?=- )", paragraph):
            lead = "- " if item.startswith("- ") else ""
            rows = wrap(" ".join(item.removeprefix(lead).split()), room - len(lead))
            for row, line in enumerate(_with_words(rows) if color else rows):
                yield (" " * len(lead) if row else lead) + line


def _with_words(rows: Sequence[str]) -> Iterator[str]:
    """Colour what stands between backticks, which may begin in one row and end in the next."""
    is_word = False
    for row in rows:
        painted = ""
        for number, part in enumerate(row.split("`")):
            painted += _paint("`", _WORD, color=True) if number else ""
            is_word = is_word != (number > 0)
            painted += _paint(part, _WORD, color=is_word)
        yield painted


def _paint(text: str, style: str, *, color: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if color and text else text
