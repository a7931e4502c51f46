"""Mermaid from a picture: a flow chart in text, which GitHub and many Markdown tools draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.backends.picture.measure import measure
from archdsl.backends.picture.picture import Box, BoxGroup, Edge, Picture
from archdsl.backends.theme import Kind, Theme

_PLAIN = set(" ×·,./()+−–…:*→")


def write_mermaid(picture: Picture, theme: Theme) -> str:
    """Write a picture as a flow chart. The same picture gives the same text."""
    kinds: list[Kind] = list(dict.fromkeys([box.kind for box in picture.boxes]))
    looks = [_look(theme, kind) for kind in kinds]
    is_frozen = any(box.is_frozen for box in picture.boxes)
    looks += [f"  classDef frozen fill:{theme.frozen},stroke:{theme.muted},color:{theme.ink}"] if is_frozen else []
    shortcuts = [str(index) for index, edge in enumerate(picture.edges) if edge.is_shortcut]
    lines = [f"  linkStyle {','.join(shortcuts)} stroke:{theme.shortcut},stroke-width:2px"] if shortcuts else []
    direction = "LR" if picture.direction == "right" else "TB"
    head = [f"flowchart {direction}", f"  accTitle: {escape(picture.title)}"]
    return "\n".join([*head, *_level(picture, None, "  "), *map(_edge, picture.edges), *looks, *lines]) + "\n"


def _look(theme: Theme, kind: Kind) -> str:
    look = f"  classDef {kind} fill:{theme.fills[kind]},stroke:{theme.lines[kind]},color:{theme.ink}"
    return f"{look},stroke-dasharray:{theme.dashes[kind]}" if kind in theme.dashes else look


def _level(picture: Picture, parent: str | None, indent: str) -> Iterator[str]:
    for box in picture.boxes:
        if box.group == parent:
            yield f"{indent}{_box(box, picture)}"
    for group in picture.groups:
        if group.parent == parent:
            yield from _group(picture, group, indent)


def _group(picture: Picture, group: BoxGroup, indent: str) -> Iterator[str]:
    yield f'{indent}subgraph {group.id}["{escape(group.title) or " "}"]'
    yield from _level(picture, group.id, f"{indent}  ")
    yield f"{indent}end"


def _box(box: Box, picture: Picture) -> str:
    shares = " · ".join(share.text for share in measure(box, picture).shares)
    label = _lines([*box.texts, *([shares] if shares else []), *(["(frozen)"] if box.is_frozen else [])])
    left, right = ("((", "))") if box.is_circle else ("([", "])") if box.kind in ("input", "output") else ("[", "]")
    return f'{box.id}{left}"{label}"{right}:::{"frozen" if box.is_frozen else box.kind}'


def _edge(edge: Edge) -> str:
    label = f'|"{_lines(edge.texts)}"|' if edge.texts else ""
    return f"  {edge.source} -->{label} {edge.target}"


def _lines(lines: Sequence[str]) -> str:
    return "<br/>".join(map(escape, lines))


def escape(text: str) -> str:
    """Write any text as a label in which nothing has a meaning: all but letters and digits as numbered entities.

    >>> escape("<b>")
    '#60;b#62;'
    """
    return "".join(_character(character) for character in text)


def _character(character: str) -> str:
    if character.isalnum() or character in _PLAIN:
        return character
    return f"#{ord(character)};" if character.isprintable() else "#65533;"
