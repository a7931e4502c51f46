"""Random numbers that are a function of where they are used, so that there is no generator whose state must be kept.

Source: splitmix64, Steele, Lea and Flood 2014, figure 19
"""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def uniform(seed: int, epoch: int, indices: Tensor, change_number: int, count: int) -> Tensor:
    """Return numbers from 0 up to 1, float64 [N, count], for the images `indices`, int64 [N].

    An image's numbers depend on nothing but the seed, the epoch, its own index and the change's place in its list.
    """
    key = mixed(mixed(mixed(seed) + epoch) + change_number)
    rows = _mix(indices * _signed(_GOLDEN) + _signed(key))
    places = torch.arange(1, count + 1, dtype=torch.int64) * _signed(_GOLDEN)
    words = _mix(rows[:, None] + places)
    return _shifted(words, 11).to(torch.float64) * 2.0**-53


@contextmanager
def keyed(seed: int, epoch: int, key: int) -> Generator[None]:
    """Let the generators of torch, numpy and Python give what depends on these numbers alone, and restore them after.

    It is for what draws from them without being asked for a generator: a user's own transforms.
    """
    number = mixed(mixed(mixed(seed) + epoch) + key)
    states = torch.default_generator.get_state(), np.random.get_state(), random.getstate()
    torch.default_generator.manual_seed(number >> 1)
    np.random.seed(number % 2**32)
    random.seed(number)
    try:
        yield
    finally:
        torch.default_generator.set_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


def mixed(number: int) -> int:
    """Return 64 bits, each of which depends on every bit of a number.

    >>> hex(mixed(0))
    '0xe220a8397b1dcdaf'
    """
    z = (number + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


def epoch_seed(seed: int, epoch: int) -> int:
    """Return what the order of an epoch's images is drawn from."""
    return mixed(mixed(seed) ^ epoch) >> 1


def _mix(z: Tensor) -> Tensor:
    """Mix the bits of int64 words, whose arithmetic wraps as that of unsigned ones does."""
    z = z + _signed(_GOLDEN)
    z = (z ^ _shifted(z, 30)) * _signed(_FIRST)
    z = (z ^ _shifted(z, 27)) * _signed(_SECOND)
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Shift words right, zeros coming in from the left."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(word: int) -> int:
    return word - 2**64 if word >> 63 else word
