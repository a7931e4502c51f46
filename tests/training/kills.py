"""Kill runs at random moments, mid-save included, go on with them, and hold them against undisturbed ones.

    python -m tests.training.kills [--kills N] [--results FILE]

`make soak` kills 100 times with SIGKILL, half of them with two workers; the slow tests do a small part.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import torch

from archdsl.training import Means, resume
from archdsl.training.run.folder import settle
from archdsl.training.run.record import RECORD, TEST
from tests.training.small import differences, trained

STATEMENTS = """
ema 0.9; schedule plateau on=train patience=1; early_stop patience=9
phase { freeze "*" except head; epochs 2 }
phase { freeze "stem.0"; epochs 1; optimizer adamw lr=1e-3 }
phase { epochs 1 }
"""
KILLS = 100
_LONGEST = 300
_IN_A_WRITE = 0.5


@dataclass(slots=True)
class Kills:
    """What came of killing."""

    workers: int
    kills: int = 0
    runs: int = 0
    restarts: int = 0
    """Kills before the first checkpoint, after which a run began anew."""
    mid_save: int = 0
    """Kills that left a temporary file, in the middle of a write."""
    differing: list[str] = field(default_factory=list[str])
    seconds: float = 0


def kill(count: int, workers: int, seed: int, folder: Path) -> Kills:
    """Kill runs until there were so many kills, and take the last run to its end."""
    torch.set_num_threads(1)
    random, found, began = Random(seed), Kills(workers), time.monotonic()
    whole = folder / "whole"
    _in_child(lambda: trained(whole, STATEMENTS))
    usual = _time(lambda: trained(folder / "timed", STATEMENTS, workers=workers, checkpoint_every=1))
    while found.kills < count:
        run = folder / f"run-{found.runs}"
        while not (run / TEST).exists() or _is_new(run):
            delay = random.uniform(0, usual) if found.kills < count else _LONGEST
            has_begun = (run / RECORD).exists()
            if _child(run, workers, delay, has_begun=has_begun, in_a_write=random.random() < _IN_A_WRITE):
                found.kills += 1
                found.restarts += not (run / "checkpoints").exists()
                found.mid_save += _is_writing(run)
            settle(run)
            if not _is_new(run):
                break
        found.runs += 1
        found.differing += [f"{run.name}: {name}" for name in differences(run, whole)]
    found.seconds = time.monotonic() - began
    return found


def _is_new(run: Path) -> bool:
    """Return whether a run has not ended; its reports come after the test figures, and are left aside."""
    return not (run / TEST).exists()


def _child(run: Path, workers: int, delay: float, *, has_begun: bool, in_a_write: bool) -> bool:
    """Begin a run or go on with it in another process; return whether it was killed, after some seconds.

    With `in_a_write` it is killed at the first temporary file that is seen from then on.
    """
    means = Means("cpu", workers, checkpoint_every=1)

    def work() -> object:
        if has_begun:
            return resume(run, means=means)
        return trained(run, STATEMENTS, workers=workers, checkpoint_every=1)

    child = _start(work)
    until = time.monotonic() + delay
    while time.monotonic() < until or (in_a_write and not _is_writing(run)):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the run failed with {status}"
            return False
        time.sleep(0 if in_a_write else 0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _is_writing(run: Path) -> bool:
    return any((run / "checkpoints").glob(".archdsl-*"))


def _start(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        # Its own session, so that its workers, which see that it is gone, take nobody else along.
        os.setsid()
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the parent is told
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def _in_child(work: Callable[[], object]) -> None:
    _, status = os.waitpid(_start(work), 0)
    assert status == 0


def _time(work: Callable[[], object]) -> float:
    began = time.monotonic()
    _in_child(work)
    return time.monotonic() - began


def main() -> int:
    """Kill, and write the results; a difference makes it fail."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    rows: list[Kills] = []
    with tempfile.TemporaryDirectory() as folder:
        for workers in (0, 2):
            place = Path(folder) / str(workers)
            place.mkdir()
            rows.append(kill(options.kills // 2, workers, options.seed, place))
            sys.stderr.write(f"{rows[-1]}\n")
    lines = ["| workers | kills | of them in a write | before the first checkpoint | runs | runs that differ |"]
    lines.append("| ---: | ---: | ---: | ---: | ---: | ---: |")
    lines += [
        f"| {row.workers} | {row.kills} | {row.mid_save} | {row.restarts} | {row.runs} | {len(row.differing)} |"
        for row in rows
    ]
    text = (
        "# Kills\n\n"
        f"`python -m tests.training.kills --kills {options.kills} --seed {options.seed}`; Python "
        f"{platform.python_version()}, torch {torch.__version__}.\n\n"
        "Runs of a small network, of 24 steps in three phases with a checkpoint after each, are ended by SIGKILL at "
        "random moments, half of them in the write that comes next, and gone on with, until they end. The best and "
        "last weights, the "
        "test figures, the texts and the metrics without times are then compared, byte for byte, with those of an "
        "undisturbed run.\n\n" + "\n".join(lines) + "\n"
    )
    sys.stdout.write(text)
    if options.results is not None:
        options.results.write_text(text, "utf-8")
    return 1 if any(row.differing for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
