"""The difference of two networks for programs (JSON), and for pull requests (Markdown)."""

from __future__ import annotations

from dataclasses import asdict

from archdsl.backends.difference.text import listed, names, notes, weights
from archdsl.backends.difference.words import (
    SIGNS,
    change_text,
    costs,
    figure_text,
    label,
    operator,
    places,
    ratio_text,
    title,
    value_text,
)
from archdsl.backends.summary import write_json
from archdsl.passes.difference import Change, Difference, Element, Figure, Side, Site


def write_record(difference: Difference) -> str:
    """Write a difference as JSON, with every place of every change."""
    follows = difference.follows
    return write_json(
        {
            "before": _side(difference.before),
            "after": _side(difference.after),
            "same": not difference,
            **_frozen(difference),
            "changes": [_change(change) for change in difference.changes],
            "follows": {
                "parameters": follows.parameters,
                "macs": follows.macs,
                "places": [_place(place) for place in follows.places],
            },
            "totals": {figure.name.replace(" ", "_"): _figure(figure) for figure in difference.totals},
            "weights": asdict(difference.weights),
        }
    )


def write_markdown(difference: Difference) -> str:
    """Write a difference as Markdown: a list of the changes, and a table of the totals."""
    if not difference:
        return f"**{names(difference)}**: the same network\n"
    lines = [f"**{names(difference)}**", ""]
    for change in difference.changes:
        if not change.is_initial:
            count = f" ×{len(change.places)}" if len(change.places) > 1 else ""
            where = ", ".join(f"`{place}`" for place in places(change)[:8])
            more = len(places(change)) - 8
            text = costs(change.parameters, change.macs)
            tail = (f" and {more} more" if more > 0 else "") + (f"; {text}" if text else "")
            lines.append(f"- `{SIGNS[change.kind]}` **{title(change)}**{count}: {where}{tail}")
    lines += [f"- {note}" for note in notes(difference)]
    lines += ["", f"| | {difference.before.title} | {difference.after.title} | change | |", "|---|---:|---:|---:|---:|"]
    for figure in difference.totals:
        cells = (label(figure), figure_text(figure, figure.before), figure_text(figure, figure.after))
        lines.append(f"| {' | '.join((*cells, change_text(figure), ratio_text(figure)))} |")
    return "\n".join([*lines, "", weights(difference.weights)]) + "\n"


def _frozen(difference: Difference) -> dict[str, object]:
    """Return what is frozen in each, where that differs."""
    before, after = map(list, difference.frozen)
    return {"frozen": {"before": before, "after": after}} if difference.is_frozen_otherwise else {}


def _side(side: Side) -> dict[str, object]:
    return {"title": side.title, "model": side.name, "spec": side.spec, "digest": side.digest}


def _change(change: Change) -> dict[str, object]:
    return {
        "kind": change.kind,
        "title": title(change),
        "block": change.block,
        "settings": [
            {
                "name": setting.name,
                "values": [[value_text(before), value_text(after)] for before, after in setting.values],
            }
            for setting in change.settings
        ],
        "parameters": change.parameters,
        "macs": change.macs,
        "count": len(change.places),
        "where": listed(places(change), len(change.places)),
        "places": [_place(place) for place in change.places],
    }


def _place(place: Site) -> dict[str, object]:
    return {"before": _step(place.before), "after": _step(place.after)}


def _step(step: Element | None) -> dict[str, object] | None:
    if step is None:
        return None
    return {
        "path": step.path,
        "op": step.op,
        "operator": operator(step),
        "output": list(step.output.numbers()),
        "parameters": step.parameters,
        "macs": step.macs,
    }


def _figure(figure: Figure) -> dict[str, object]:
    return {"before": figure.before, "after": figure.after, "change": figure.change, "ratio": figure.ratio}
