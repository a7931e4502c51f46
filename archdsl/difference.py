"""How two networks differ: what was added, removed, changed, renamed, and a picture of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from archdsl.api import load
from archdsl.network import Network
from archdsl.text.source import Source

if TYPE_CHECKING:
    from archdsl.backends.picture.drawing import ThemeName
    from archdsl.passes.difference import Difference, Subject


def diff(before: Network | str | Path | Source, after: Network | str | Path | Source) -> Difference:
    """Say how one network differs from another: what was added, removed, changed, renamed, and what that costs.

    A spec, as `load` takes it, stands for its network.
    Errors: SpecError where a spec has mistakes or is not found

    >>> [change.kind for change in diff("resnet18", "resnet34").changes]
    ['added', 'added', 'added', 'added']
    """
    from archdsl.passes.difference import compare

    one, other = (network if isinstance(network, Network) else load(network) for network in (before, after))
    return compare(subject_of(one), subject_of(other))


def draw_diff(
    before: Network,
    after: Network,
    difference: Difference | None = None,
    *,
    theme: ThemeName = "light",
    format: Literal["svg", "png", "pdf"] = "svg",
) -> bytes:
    """Draw two networks side by side, with what differs marked; `difference` is theirs, if it is known already."""
    from archdsl.backends.difference.picture import draw
    from archdsl.passes.difference import compare
    from archdsl.passes.difference.outline import outline

    one, other = subject_of(before), subject_of(after)
    found = difference or compare(one, other)
    return draw(found, outline(one, other, found), theme, format)


def subject_of(network: Network) -> Subject:
    """Return what a comparison reads of a network."""
    from archdsl.passes.difference import Side, Subject

    return Subject(Side(network.name, network.spec.name, network.digest), network.tables)
