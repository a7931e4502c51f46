"""The mark of files that archdsl writes, by which it knows them again, and sees whether they were edited since."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

_SAYS = b"written by archdsl, checksum "
_DIGITS = 16


class _Comment(NamedTuple):
    """How a format writes a comment of one line, and whether a mark stands at the file's start or at its end."""

    opens: bytes
    closes: bytes = b""
    is_first: bool = False


_COMMENTS = {
    "py": _Comment(b"# ", is_first=True),
    "svg": _Comment(b"<!-- ", b" -->"),
    "html": _Comment(b"<!-- ", b" -->"),
    "markdown": _Comment(b"<!-- ", b" -->"),
    "dot": _Comment(b"// "),
    "mermaid": _Comment(b"%% "),
    "tikz": _Comment(b"% "),
}
_PDF_END = b"startxref"
_PNG_HEAD = 33
"""What stands before a PNG's second chunk, in bytes: the signature, and the first chunk, which is always as long."""

_CHECKSUM = rb"(?P<checksum>[0-9a-f]{%d})" % _DIGITS
_MARK = re.compile(
    rb"^(?:# |% |%% |// |<!-- )" + _SAYS + _CHECKSUM + rb"(?: -->)?\r?\n"
    rb"|(?s:.{4})tEXtComment\0" + _SAYS + _CHECKSUM.replace(b"checksum", b"of_png") + rb"(?s:.{4})",
    re.M,
)


def marked(content: bytes, format: str) -> bytes:
    """Return a file's content with archdsl's mark, where its format has a place for one.

    The mark holds a checksum of all else. Formats are those of pictures by their names, `py`, and `markdown`.
    """
    before, opens, closes, after = _place(content, format)
    if not opens:
        return content
    checksum = _checksum(before + after)
    if format == "png":
        data = b"tEXtComment\0" + _SAYS + checksum
        return before + (len(data) - 4).to_bytes(4, "big") + data + crc32(data).to_bytes(4, "big") + after
    return before + opens + _SAYS + checksum + closes + b"\n" + after


def is_own(content: bytes) -> bool:
    """Return whether a file is as archdsl wrote it; ends of lines may be another system's."""
    found = _MARK.search(content)
    if found is None:
        return False
    checksum = found["checksum"] or found["of_png"]
    return checksum == _checksum(content[: found.start()] + content[found.end() :])


def has_mark(content: bytes) -> bool:
    """Return whether archdsl wrote a file, as which it may not be any more."""
    return _MARK.search(content) is not None


def _place(content: bytes, format: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Split a content where its mark goes, with what opens and closes a comment; nothing opens one without a place."""
    if format == "png":
        return content[:_PNG_HEAD], b"tEXt", b"", content[_PNG_HEAD:]
    if format == "pdf":
        at = content.rfind(_PDF_END)  # what says where in the file objects are stands before it
        return (content[:at], b"% ", b"", content[at:]) if at >= 0 else (content, b"", b"", b"")
    if format not in _COMMENTS:
        return content, b"", b"", b""
    comment = _COMMENTS[format]
    if comment.is_first:
        return b"", comment.opens, comment.closes, content
    return content if content.endswith(b"\n") else content + b"\n", comment.opens, comment.closes, b""


def _checksum(rest: bytes) -> bytes:
    return sha256(rest.replace(b"\r\n", b"\n")).hexdigest()[:_DIGITS].encode()
