"""One self-contained HTML file: markup, style, scripts and data, with a policy that allows nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from archdsl.backends.theme import DARK, KIND_NAMES, LIGHT, PRINT, Theme

_SCRIPTS = ("model.js", "layout.js", "canvas.js", "panel.js", "app.js")
_JOINED_KINDS = ("input", "output", "join", *KIND_NAMES)


def write_html(title: str, data: object) -> str:
    """Put a page together. Text from a spec gets in as escaped title and as JSON, never as markup or script."""
    style, layout, script = _style(), _layout(), _script()
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(layout)}' '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_read("page.html")).substitute(
        policy=policy, title=escape(title), style=style, layout=layout, script=script, data=to_json(data)
    )


def to_json(data: object) -> str:
    """Write JSON that can stand in a script element: without `<` nothing in it ends the element.

    >>> "<" in to_json({"name": "</script>"})
    False
    """
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _read(name: str) -> str:
    return files("archdsl.backends.page").joinpath(name).read_text(encoding="utf-8")


@cache
def _layout() -> str:
    """Return the library that lays graphs out, behind its licence, without the map that a browser would look for."""
    code = "\n".join(line for line in _read("vendor/dagre.min.js").splitlines() if not line.startswith("//# source"))
    code = code.replace("/*! For license information please see dagre.min.js.LEGAL.txt */", "")
    return f"/*! @dagrejs/dagre 3.1.3\n\n{_read('vendor/dagre.LICENSE.txt').strip()}\n*/\n{code.strip()}\n"


@cache
def _script() -> str:
    modules = "\n".join(_read(name) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{modules}}})();\n'


@cache
def _style() -> str:
    dark = "".join(_properties(DARK))
    kinds = "".join(f".kind-{kind}{{--fill:var(--fill-{kind});--line:var(--line-{kind})}}\n" for kind in _JOINED_KINDS)
    themes = (
        f":root{{color-scheme:light;{''.join(_properties(LIGHT))}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        f"@media print{{:root:root:root{{color-scheme:light;{''.join(_properties(PRINT))}}}}}\n"
    )
    return themes + kinds + _read("style.css")


def _properties(theme: Theme) -> Iterator[str]:
    """Yield a theme's colours as custom properties."""
    plain = {
        "background": theme.background,
        "ink": theme.ink,
        "muted": theme.muted,
        "edge": theme.edge,
        "frame": theme.frame,
        "frame-line": theme.frame_line,
        "track": theme.track,
        "accent": theme.bars[0],
        "warning": theme.shortcut,
    }
    yield from (f"--{name}:{colour};" for name, colour in plain.items())
    for kind in _JOINED_KINDS:
        yield f"--fill-{kind}:{theme.fills[kind]};--line-{kind}:{theme.lines[kind]};"
    for index, colour in enumerate(theme.scale):
        yield f"--scale-{index}:{colour};--scale-ink-{index}:{theme.ink_on(colour)};"
