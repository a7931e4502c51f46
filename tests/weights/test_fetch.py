"""Files come from the network whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request

import pytest

from archdsl.weights import fetch as fetching
from archdsl.weights.error import WeightsError
from archdsl.weights.fetch import AbsentError, UnreachableError, fetch, probe

URL = "https://example.org/net-abc.pth"
CONTENT = b"weights" * 1000


class Answer(io.BytesIO):
    def __init__(self, content: bytes, length: int | None = None) -> None:
        super().__init__(content)
        self.headers = Message()
        if length is not None:
            self.headers["Content-Length"] = str(length)


class Broken(Answer):
    def read(self, size: int | None = -1, /) -> bytes:
        raise TimeoutError("timed out")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer | Exception], list[float]]:
    """Let addresses answer something; return a list of how long each of them was waited for."""

    def answer(found: Answer | Exception) -> list[float]:
        waits: list[float] = []

        def urlopen(request: Request, timeout: float) -> Answer:
            waits.append(timeout)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(fetching, "urlopen", urlopen)
        return waits

    return answer


def test_a_file_is_put_in_its_place_once_it_is_whole(
    network: Callable[[Answer | Exception], list[float]], tmp_path: Path
) -> None:
    target = tmp_path / "new" / "net.pth"
    waits = network(Answer(CONTENT, len(CONTENT)))
    fetch(URL, target, hashlib.sha256(CONTENT).hexdigest()[:8])
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["net.pth"]
    assert waits == [fetching.SECONDS]


@pytest.mark.parametrize(
    ("found", "error", "told"),
    [
        (Answer(CONTENT), WeightsError, "is not the file that was asked for"),
        (Answer(CONTENT, len(CONTENT) + 1), UnreachableError, "it ended 1 bytes before the end"),
        (Broken(b""), UnreachableError, "timed out"),
        (URLError(OSError(-2, "Name or service not known")), UnreachableError, "name or service not known"),
        (URLError(TimeoutError("timed out")), UnreachableError, "timed out"),
        (HTTPError(URL, 503, "Busy", Message(), None), UnreachableError, "it answers 503, Busy"),
        (HTTPError(URL, 404, "Not Found", Message(), None), AbsentError, "it answers 404, Not Found"),
    ],
)
def test_what_fails_leaves_nothing(
    network: Callable[[Answer | Exception], list[float]],
    tmp_path: Path,
    found: Answer | Exception,
    error: type[Exception],
    told: str,
) -> None:
    network(found)
    with pytest.raises(error, match=told):
        fetch(URL, tmp_path / "net.pth", "0" * 8)
    assert not list(tmp_path.iterdir())


def test_only_safe_addresses_are_asked(network: Callable[[Answer | Exception], list[float]]) -> None:
    waits = network(Answer(b""))
    for url in ("http://example.org/a", "file:///etc/passwd"):
        with pytest.raises(UnreachableError, match="only https"):
            probe(url)
    assert not waits


def test_a_file_that_cannot_be_written_is_told(
    network: Callable[[Answer | Exception], list[float]], tmp_path: Path
) -> None:
    network(Answer(CONTENT))
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="cannot write"):
        fetch(URL, tmp_path / "file" / "net.pth")
