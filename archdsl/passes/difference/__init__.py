"""The difference of two networks: what was added, removed, changed, renamed, and what follows from it."""

from archdsl.passes.difference.compare import Subject, compare
from archdsl.passes.difference.model import (
    Change,
    ChangeKind,
    Difference,
    Element,
    Figure,
    Follow,
    SettingChange,
    Side,
    Site,
    WeightsKept,
)

__all__ = [
    "Change",
    "ChangeKind",
    "Difference",
    "Element",
    "Figure",
    "Follow",
    "SettingChange",
    "Side",
    "Site",
    "Subject",
    "WeightsKept",
    "compare",
]
