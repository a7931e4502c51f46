"""The difference of two networks: what was added, removed, changed, renamed, and what follows from it."""

from archdsl.passes.difference.compare import Subject, compare
from archdsl.passes.difference.model import (
    Change,
    Difference,
    Figure,
    Follow,
    Kind,
    Place,
    SettingChange,
    Side,
    Step,
    WeightsKept,
)

__all__ = [
    "Change",
    "Difference",
    "Figure",
    "Follow",
    "Kind",
    "Place",
    "SettingChange",
    "Side",
    "Step",
    "Subject",
    "WeightsKept",
    "compare",
]
