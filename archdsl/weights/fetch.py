"""Files that are fetched from the network: whole and checked, or not at all; never waiting for ever."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from archdsl.text.failure import cannot
from archdsl.weights.error import WeightsError

SECONDS = 15.0
"""How long an answer, or the next part of one, may take to come."""
_PART = 1 << 20


class UnreachableError(Exception):
    """An address that does not answer; its text says why."""


class AbsentError(UnreachableError):
    """An address that answers that it has no such file."""


def probe(url: str) -> None:
    """Ask an address whether it has a file.

    Errors: AbsentError, UnreachableError
    """
    _open(url, "HEAD").close()


def fetch(url: str, target: Path, digest: str = "") -> None:
    """Fetch a file, and put it in its place once it is there as a whole; `digest` begins its SHA-256.

    Errors: UnreachableError; WeightsError where it is another file, or cannot be written
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    found = hashlib.sha256()
    try:
        with _open(url, "GET") as answer:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                for content in _parts(answer):
                    found.update(content)
                    file.write(content)
        if not found.hexdigest().startswith(digest):
            message = f"what `{url}` gives is not the file that was asked for: its SHA-256 is {found.hexdigest()[:16]}…"
            raise WeightsError(message, "try again, or by another way to the network")
        part.replace(target)
    except OSError as error:
        raise WeightsError(cannot("write", target, error)) from None
    finally:
        with suppress(OSError):
            part.unlink()


def _open(url: str, method: str) -> HTTPResponse:
    if not url.startswith("https://"):
        raise UnreachableError("only https addresses are asked")
    request = Request(url, method=method, headers={"User-Agent": "archdsl"})
    try:
        return cast("HTTPResponse", urlopen(request, timeout=SECONDS))
    except HTTPError as error:
        kind = AbsentError if error.code in (401, 403, 404, 410) else UnreachableError
        raise kind(f"it answers {error.code}, {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(_reason(error)) from None


def _parts(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield what an address gives, and raise UnreachableError where it ends before its time."""
    left = int(answer.headers.get("Content-Length") or -1)
    try:
        while content := answer.read(_PART):
            left -= len(content)
            yield content
        if left > 0:
            raise UnreachableError(f"it ended {left:,} bytes before the end")
    except (OSError, HTTPException) as error:
        raise UnreachableError(_reason(error)) from None


def _reason(error: Exception) -> str:
    inner: object = getattr(error, "reason", error)
    told = inner.strerror if isinstance(inner, OSError) and inner.strerror else str(inner)
    return " ".join(told.lower().split()) or type(inner).__name__
