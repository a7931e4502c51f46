"""DOT from a picture."""

# The graphviz package says no types of its arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from html import escape as escape_html
from itertools import pairwise

from graphviz import Digraph, nohtml
from graphviz import escape as escape_dot

from archdsl.backends.picture.picture import Box, BoxGroup, Edge, Picture
from archdsl.backends.theme import KIND_NAMES, Theme

_FONT = "Helvetica,Arial,sans-serif"
_SPREAD = 14
"""Boxes of details that stand below each other before a new column begins, at the least."""
_FRAME = 2
"""What the frame of a detail adds to its height, in boxes."""


def write_dot(picture: Picture, theme: Theme) -> str:
    """Write a picture as DOT. The same picture gives the same text."""
    graph = Digraph(name=None)
    graph.attr(
        rankdir="LR" if picture.direction == "right" else "TB",
        nodesep="0.3",
        ranksep="0.28",
        fontname=_FONT,
        label=_caption(picture, theme),
        bgcolor=theme.background,
        fontcolor=theme.ink,
        labelloc="b",
        fontsize="11",
    )
    node = {"shape": "box", "style": "filled", "fontsize": "10", "margin": "0.1,0.05", "height": "0.3"}
    graph.attr("node", fontname=_FONT, fontcolor=theme.ink, **node)
    graph.attr("edge", arrowsize="0.55", fontname=_FONT, fontsize="8", color=theme.edge, fontcolor=theme.muted)
    columns = _columns(picture)
    if columns:
        _write_apart(graph, picture, theme, columns)
    else:
        _write_level(graph, picture, theme, None)
    trunk = _trunk(picture)
    for edge in picture.edges:
        _write_edge(graph, edge, theme, is_trunk=(edge.source, edge.target) in trunk)
    return graph.source


def _write_apart(graph: Digraph, picture: Picture, theme: Theme, columns: Sequence[Sequence[Sequence[str]]]) -> None:
    """Write the main flow and each column of details so that none stretches the ranks of another.

    They are packed in the order of their first clusters, which those without any follow: so the first box is one.
    """
    graph.attr(pack="16", packmode=f"array_it{len(columns) + 1}")
    first = Digraph(name="cluster_main")
    first.attr(label="", peripheries="0", margin="0")
    first.node(picture.boxes[0].id)
    graph.subgraph(first)
    _write_level(graph, picture, theme, None)
    for column in columns:
        for above, below in pairwise(column):
            graph.edge(above[-1], below[0], style="invis")


def _write_level(graph: Digraph, picture: Picture, theme: Theme, parent: str | None) -> None:
    for box in picture.boxes:
        if box.group == parent:
            _write_box(graph, box, theme)
    for group in picture.groups:
        if group.parent == parent:
            _write_group(graph, picture, theme, group)


def _write_group(graph: Digraph, picture: Picture, theme: Theme, group: BoxGroup) -> None:
    inside = Digraph(name=f"cluster_{group.id}")
    inside.attr(
        label=_label([group.title]),
        labelloc="t",
        labeljust="l",
        fontsize="10",
        fontcolor=theme.ink if group.is_detail else theme.muted,
        style="rounded" if group.is_detail else "rounded,filled",
        color=theme.edge if group.is_detail else theme.frame_line,
        fillcolor=theme.frame,
        margin="8",
    )
    _write_level(inside, picture, theme, group.id)
    graph.subgraph(inside)


def _write_box(graph: Digraph, box: Box, theme: Theme) -> None:
    fill, line = theme.frozen if box.is_frozen else theme.fills[box.kind], theme.lines[box.kind]
    look = {"fillcolor": fill, "color": line, "tooltip": _label([", ".join(box.paths[:6]) or box.texts[0]])}
    if box.kind == "join" and len(box.lines[0]) == 1:
        look |= {"shape": "circle", "width": "0.26", "fixedsize": "true", "fontsize": "13", "margin": "0"}
    elif box.kind == "join":
        look |= {
            "fillcolor": theme.edge,
            "fontcolor": theme.ink_on(theme.edge),
            "height": "0.16",
            "margin": "0.25,0.02",
        }
    elif box.kind in ("input", "output"):
        look |= {"shape": "plaintext", "style": "", "height": "0", "width": "0", "margin": "0.05,0.03"}
    elif box.kind in ("activation", "norm", "shape", "regularise"):
        look |= {"height": "0.2", "margin": "0.1,0.03"}
    # Not every font that Graphviz finds has a sign for it.
    graph.node(box.id, _label([*box.texts, *(["(frozen)"] if box.is_frozen else [])]), **look)


def _write_edge(graph: Digraph, edge: Edge, theme: Theme, *, is_trunk: bool) -> None:
    look = {"weight": "12"} if is_trunk else {}
    if edge.is_shortcut:
        look = {"color": theme.shortcut, "penwidth": "1.4", "weight": "0"}
    # The spaces keep the text off the line that it stands beside.
    graph.edge(edge.source, edge.target, nohtml(f"  {_label(edge.texts)} ") if edge.texts else None, **look)


def _trunk(picture: Picture) -> set[tuple[str, str]]:
    """Find the edges of the longest paths, which are drawn straight."""
    depth, height = _longest(picture.edges), _longest([Edge(e.target, e.source) for e in reversed(picture.edges)])
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for edge in picture.edges:
        if edge.target not in before or depth[edge.source] > depth[before[edge.target]]:
            before[edge.target] = edge.source
        if edge.source not in after or height[edge.target] > height[after[edge.source]]:
            after[edge.source] = edge.target
    return {(source, target) for target, source in before.items() if after[source] == target}


def _longest(edges: Sequence[Edge]) -> dict[str, int]:
    """Return the length of the longest path to each box. Requires: edges into a box before those out of it."""
    found: dict[str, int] = {}
    for edge in edges:
        found[edge.target] = max(found.get(edge.target, 0), found.setdefault(edge.source, 0) + 1)
    return found


def _columns(picture: Picture) -> list[list[list[str]]]:
    """Stack the details' boxes in columns that are about as long as the main flow."""
    details = _details(picture)
    inside = {box for boxes in details for box in boxes}
    depth = _longest(picture.edges)
    longest = max([_SPREAD, *(depth.get(box.id, 0) for box in picture.boxes if box.id not in inside)])
    columns: list[list[list[str]]] = []
    height = 0
    for boxes in details:
        own = max(depth.get(box, 0) for box in boxes) + _FRAME
        if columns and height + own <= longest:
            columns[-1].append(boxes)
            height += own
        else:
            columns.append([boxes])
            height = own
    return columns


def _details(picture: Picture) -> list[list[str]]:
    """List the boxes of each detail."""
    parents = {group.id: group.parent for group in picture.groups}
    found: dict[str, list[str]] = {group.id: [] for group in picture.groups if group.is_detail}
    for box in picture.boxes:
        group = box.group
        while group is not None and group not in found:
            group = parents[group]
        if group is not None:
            found[group].append(box.id)
    return [boxes for boxes in found.values() if boxes]


def _caption(picture: Picture, theme: Theme) -> str:
    cells = "".join(f'<td bgcolor="{theme.fills[kind]}"> {KIND_NAMES[kind]} </td>' for kind in picture.kinds)
    has_shortcuts = any(edge.is_shortcut for edge in picture.edges)
    cells += f'<td><font color="{theme.shortcut}">→ shortcut</font></td>' if has_shortcuts else ""
    legend = f"<tr>{cells}</tr>" if cells else ""
    span = max(len(picture.kinds) + has_shortcuts, 1)
    title = f"<b>{escape_html(_clean(picture.title))}</b>  {escape_html(_clean(picture.subtitle))}"
    head = f'<tr><td colspan="{span}" border="0">{title}</td></tr>'
    return f'<<table border="0" cellborder="0" cellspacing="3" cellpadding="2">{head}{legend}</table>>'


def _label(lines: Sequence[str]) -> str:
    """Write lines of text as a label in which nothing has a meaning of its own, neither escapes nor entities."""
    return nohtml(r"\n".join(escape_dot(_clean(line).replace("&", "&amp;")) for line in lines))


def _clean(text: str) -> str:
    """Replace what no SVG may hold: control characters and halves of surrogate pairs."""
    return "".join("\ufffd" if not c.isprintable() and c != " " else c for c in text)
