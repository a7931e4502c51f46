"""Going on with a run from its folder, exactly as if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

from archdsl.training.data.dataset import DataSet
from archdsl.training.error import TrainingError
from archdsl.training.phases import is_over
from archdsl.training.run.checkpoint import load_checkpoint
from archdsl.training.run.folder import clear
from archdsl.training.run.loading import OpenRun, open_run
from archdsl.training.run.record import RECIPE, SPEC, TEST

_MOST_LINES = 12


class Resumable:
    """A run that can go on: its folder, and the state of its newest sound checkpoint, None before the first."""

    def __init__(self, path: Path) -> None:
        """Open a run.

        Errors: TrainingError with E370 where it cannot go on: it has ended, or was changed
        """
        self.path = path
        clear(path)
        found = load_checkpoint(path)
        self.state: Mapping[str, Any] | None = found[1] if found is not None else None
        self.notes: tuple[str, ...] = ()
        if found is not None and found[2]:
            self.notes = (f"damaged, and passed over for {found[0].name}: {', '.join(found[2])}",)
        if self.state is not None:
            for name, kept in ((SPEC, self.state["spec"]), (RECIPE, self.state["recipe"])):
                self._check_text(name, kept)  # before a changed text is read, so that the change is what is told
        self.run: OpenRun = open_run(path)
        if self._has_ended():
            raise TrainingError(
                f"`{path}` has ended, after epoch {self.state['counts'][0] - 1 if self.state else 0}",
                f"to train it further, start a new run from its weights: `archdsl train SPEC --weights {path}`",
                "E370",
            )

    @property
    def threads(self) -> int:
        """With how many threads the run was begun; other numbers add in another order."""
        threads = self.state["threads"] if self.state is not None else self.run.record.environment.get("threads", 0)
        return int(threads)

    def check_data(self, data: DataSet) -> None:
        """Check that a data set is the one that the run was begun with.

        Errors: TrainingError with E370 shows what differs
        """
        record = self.run.record
        if data.digest == record.data_digest:
            return
        before, now = dict(record.data_listing), dict(data.listing)
        changed = [
            f"{key}: {before.get(key, 'nothing')} then, {now.get(key, 'nothing')} now"
            for key in dict.fromkeys([*before, *now])
            if before.get(key) != now.get(key)
        ]
        shown = "; ".join(changed[:_MOST_LINES]) or "as many images, of other names, sizes or contents"
        help = f"a run on other data is a new one: `archdsl train SPEC --weights {self.path}`"
        raise TrainingError(f"{data.name} is not what `{self.path}` was trained on: {shown}", help, "E370")

    def _check_text(self, name: str, kept: str) -> None:
        try:
            now = (self.path / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return  # that is told where it is opened
        if now == kept:
            return
        lines = list(unified_diff(kept.splitlines(), now.splitlines(), "then", "now", lineterm="", n=0))[2:]
        shown = "; ".join(line.strip() for line in lines if not line.startswith("@@"))[:1000]
        help = f"put it back, or start a new run from the weights: `archdsl train SPEC --weights {self.path}`"
        raise TrainingError(f"`{self.path / name}` was changed since the run began: {shown}", help, "E370")

    def _has_ended(self) -> bool:
        if self.state is None:
            return False
        return is_over(self.run.recipe, self.state) and (self.path / TEST).exists()
