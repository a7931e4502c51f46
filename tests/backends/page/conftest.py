"""A real browser for the tests of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Opened:
    """A page in the browser, with whatever it complained about or asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])

    def click(self, selector: str) -> None:
        self.page.click(selector)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def js(self, expression: str, argument: object = None) -> Any:
        return self.page.evaluate(expression, argument)

    def boxes(self) -> dict[str, dict[str, str]]:
        """Map each box that is drawn to the facts it bears."""
        found = self.js("[...document.querySelectorAll('#boxes .box')].map(box => ({...box.dataset}))")
        return {box["path"]: box for box in found}


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Chromium. Where there is none the tests skip, but on CI they fail: there it is part of the setup."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = "no Chromium on the path; `apt-get install chromium` brings it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with playwright.sync_playwright() as driver:
        # A browser run by root, as in a container, refuses its own sandbox.
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a page's text from a file, by default on a desktop.

    No page may complain on the console or ask for anything: that is looked at when the test is over.
    """
    pages: list[Opened] = []

    def open_text(html: str, width: int = 1280, height: int = 800, fragment: str = "", **options: Any) -> Opened:
        file = tmp_path / f"page{len(pages)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        opened = Opened(context.new_page())
        pages.append(opened)
        opened.page.on("console", lambda message: opened.complaints.append(message.text))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(file.as_uri() + fragment)
        return opened

    yield open_text
    for opened in pages:
        opened.page.context.close()
    assert [complaint for opened in pages for complaint in opened.complaints] == []
    # The file itself is the one thing that each may load.
    assert [len(opened.requests) for opened in pages] == [1] * len(pages)
