"""What `check --fix` does to a file: the exact edits that diagnostics carry, as long as nothing becomes worse."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from archdsl.cli.difference import show_difference
from archdsl.cli.files import rewrite
from archdsl.text.diagnostic import Diagnostic, Fix, Severity
from archdsl.text.failure import Failure
from archdsl.text.mend import apply_fixes
from archdsl.text.record import record
from archdsl.text.source import Source

# Gives the diagnostics of a source.
Diagnose = Callable[[Source], Sequence[Diagnostic]]

# What tells a fix from others across rounds, in which places move.
Key: TypeAlias = tuple[object, ...]

_MOST_ROUNDS = 100
_BOM = "\ufeff"


@record
class Repair:
    """A source after its fixes, what is left to say of it, and how many fixes were made."""

    before: Source
    after: Source
    diagnostics: Sequence[Diagnostic]
    count: int

    def diff(self) -> str:
        """Return the change as a unified diff, "" where there is none."""
        return show_difference(self.before.text, self.after.text, self.before.name, "mended")


def fixes_of(diagnostics: Sequence[Diagnostic], source: Source, *, unsafe: bool) -> list[Fix]:
    """Return the fixes that may be made, of those that change this source alone."""
    found = [d.fix for d in diagnostics if d.fix is not None and d.fix.edits and (unsafe or d.fix.is_safe)]
    return [fix for fix in found if all(_is_of(edit.span.source, source) for edit in fix.edits)]


def _is_of(written: Source, source: Source) -> bool:
    # Parsing is remembered by text and name, so that spans may be of an equal source.
    return (written.text, written.name) == (source.text, source.name)


def repair(source: Source, diagnose: Diagnose, *, unsafe: bool) -> Repair:
    """Make fixes until none is left. One after which more is wrong than before is not made."""
    before, found, count = source, diagnose(source), 0
    refused: set[Key] = set()
    for _ in range(_MOST_ROUNDS):
        fixes = [fix for fix in fixes_of(found, source, unsafe=unsafe) if _key(fix) not in refused]
        if not fixes:
            break
        mended = apply_fixes(source.text, fixes)
        after = Source(mended.text, source.name)
        left = diagnose(after)
        if _badness(left) > _badness(found) or after.text == source.text:
            if len(fixes) == 1:
                refused.add(_key(fixes[0]))
                continue
            after, left, made = _one_by_one(source, found, fixes, diagnose, refused)
            count += made
            if not made:
                continue
        else:
            count += len(mended.applied)
        source, found = after, left
    return Repair(before, source, found, count)


def _one_by_one(
    source: Source,
    found: Sequence[Diagnostic],
    fixes: Sequence[Fix],
    diagnose: Diagnose,
    refused: set[tuple[object, ...]],
) -> tuple[Source, Sequence[Diagnostic], int]:
    """Make the first fix that does no harm, and refuse those before it."""
    for fix in fixes:
        after = Source(apply_fixes(source.text, [fix]).text, source.name)
        left = diagnose(after)
        if after.text != source.text and _badness(left) <= _badness(found):
            return after, left, 1
        refused.add(_key(fix))
    return source, found, 0


def _key(fix: Fix) -> Key:
    return (fix.title, *((edit.span.text, edit.replacement) for edit in fix.edits))


def _badness(found: Sequence[Diagnostic]) -> tuple[int, int, int]:
    """Rank what is found: a text that cannot be parsed hides what else is wrong, and an error warnings."""
    errors = [d for d in found if d.severity is Severity.ERROR]
    syntax = sum(d.code.startswith("E0") for d in errors)
    return syntax, len(errors), 0 if errors else len(found)


def own_file(spec: str) -> Path | None:
    """Return the file that a spec's name means, if it is one by its path."""
    path = Path(spec)
    if not path.is_file() and ":" in spec:
        path = Path(spec.rpartition(":")[0])
    return path if path.is_file() else None


def write_repaired(path: Path, repaired: Repair) -> None:
    """Write a repaired file with the line ends and the byte order mark that it has.

    Errors: Failure where it cannot be written, or was changed meanwhile
    """
    if not os.access(path, os.W_OK):
        raise Failure(f"`{path}` may not be written", code="E332")
    raw = path.read_bytes().decode("utf-8")
    mark = _BOM if raw.startswith(_BOM) else ""
    content = raw.removeprefix(_BOM)
    if content.replace("\r\n", "\n") != repaired.before.text:
        raise Failure(f"`{path}` was changed meanwhile and is left alone", "check it again")
    text = with_line_ends(content, repaired.before.text, repaired.after.text)
    rewrite(path, mark + text)


def with_line_ends(raw: str, before: str, after: str) -> str:
    """Return the text after an edit with the line ends that its lines have; new lines take the first one's.

    `before` is the raw text with all of its CRLF as LF.
    """
    if "\r\n" not in raw:
        return after
    first = "\r\n" if raw.partition("\n")[0].endswith("\r") else "\n"
    if raw.count("\r\n") == raw.count("\n"):
        return after.replace("\n", first)
    from difflib import SequenceMatcher

    raw_lines, old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (raw, before, after))
    lines: list[str] = []
    for kind, low, high, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        lines += raw_lines[low:high] if kind == "equal" else [line.replace("\n", first) for line in new[start:end]]
    return "".join(lines)
