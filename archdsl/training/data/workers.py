"""Processes that load batches ahead, by torch's DataLoader with an order of our own."""

# torch leaves parts of its loader untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from archdsl.training.data.dataset import DataPart
from archdsl.training.data.loading import Loaded, Loader, Wanted
from archdsl.training.data.order import Draw
from archdsl.training.error import TrainingError

T = TypeVar("T")
_AHEAD = 2
"""Batches that each worker has ready."""


# A batch as it is sent to a worker: lists, for a tensor would take a file handle.
_Order: TypeAlias = tuple[DataPart, int, list[int], list[int]]


class _Batches(Dataset[Loaded]):
    """What a worker is asked: a batch for what is wanted."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getitem__(self, index: _Order) -> Loaded:
        part, epoch, indices, keys = index
        return self._loader.load(Wanted(part, epoch, Draw(torch.tensor(indices), torch.tensor(keys))))


class _Pass(Sampler[_Order]):
    """The batches of the pass that comes next."""

    wanted: Sequence[Wanted] = ()

    def __init__(self) -> None:
        """Leave out torch's initialiser, which has nothing to do."""

    def __iter__(self) -> Iterator[_Order]:
        for part, epoch, draw in self.wanted:
            yield part, epoch, draw.indices.tolist(), draw.keys.tolist()

    def __len__(self) -> int:
        return len(self.wanted)


class Workers:
    """Some processes that live until `close`, or until this is forgotten."""

    def __init__(self, loader: Loader, count: int, *, pin: bool) -> None:
        self._pass = _Pass()
        self._turn = 0
        with _quiet():
            self._loader = _loader(_Batches(loader), self._pass, count, pin=pin)
        self._end = weakref.finalize(self, _stop, self._loader)

    def load(self, wanted: Sequence[Wanted]) -> Iterator[Loaded]:
        """Yield the batches in order. A new pass ends one that is under way.

        Errors: TrainingError where a process was killed
        """
        self._turn += 1
        turn, self._pass.wanted = self._turn, wanted
        if turn == 1:  # processes start now, and CUDA may have been put to use since the beginning
            self._loader.multiprocessing_context = _way_to_start()
        with _quiet(), _own_handler():
            batches: Iterator[Any] = iter(self._loader)
        while self._turn == turn:
            loaded = _next(batches)
            if loaded is None:
                return
            yield loaded
        raise RuntimeError("another pass over the data has begun")

    def close(self) -> None:
        """End the processes."""
        self._turn += 1
        self._end()


def _loader(batches: _Batches, order: _Pass, count: int, *, pin: bool) -> DataLoader[Loaded]:
    return DataLoader(
        batches,
        batch_size=None,
        sampler=order,
        num_workers=count,
        collate_fn=_as_it_is,
        pin_memory=pin,
        persistent_workers=True,
        worker_init_fn=_begin,
        prefetch_factor=_AHEAD,
        # Else it would take a number from the generator that dropout uses, and workers would change a run.
        generator=torch.Generator(),
    )


@contextmanager
def _quiet() -> Generator[None]:
    """Silence two warnings.

    Python 3.12 warns of a fork beside threads, whose locks the workers do not take, and torch of more workers than
    cores, whose number is the user's.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*multi-threaded.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message="This DataLoader will create", category=UserWarning)
        yield


@contextmanager
def _own_handler() -> Generator[None]:
    """Keep torch from raising wherever the program is when a process ends: it is noticed in the next batch."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGCHLD) if is_main and hasattr(signal, "SIGCHLD") else None
    yield
    if before is not None:
        signal.signal(signal.SIGCHLD, before)


def _next(batches: Iterator[Loaded]) -> Loaded | None:
    try:
        return next(batches, None)
    except (EOFError, ConnectionError, FileNotFoundError):
        pass  # it took along the memory in which a batch was
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
    raise TrainingError(
        "a process that reads images was killed from outside",
        "memory may be full, or the shared memory that batches are passed in, /dev/shm: take fewer --workers, or 0",
    )


def _way_to_start() -> str:
    """Fork where that is safe, for it is at once; else a new Python has to import torch."""
    return "fork" if sys.platform == "linux" and not torch.cuda.is_initialized() else "spawn"


def _begin(number: int) -> None:
    """Leave signals, which reach all processes of a terminal, to the parent; it ends its workers in time."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _stop(loader: DataLoader[Loaded]) -> None:
    running: Any = loader.__dict__.get("_iterator")
    if running is None:
        return
    processes: list[Any] = list(running._workers)
    running._shutdown_workers()
    for process in processes:
        if process.is_alive():  # it does not hear `terminate`
            process.kill()
            process.join()
    loader.__dict__["_iterator"] = None


def _as_it_is(loaded: T) -> T:
    return loaded
