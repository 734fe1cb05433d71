"""Binary states as little-endian indices: bit *i* of an index is unit *i*."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from iitcore._arrays import Floats, Ints


def spread(units: Sequence[int]) -> Ints:
    """Universe index of each state of some units, all other units OFF; first unit fastest."""
    states = np.arange(2 ** len(units), dtype=np.int64)
    index = np.zeros_like(states)
    for position, unit in enumerate(units):
        index |= ((states >> position) & 1) << unit
    return index


def gather(states: Ints, units: Sequence[int]) -> Ints:
    """State index of some units within each universe state index.

    Args:
        states: universe state indices, of any shape.
        units: the units, the first fastest.
    """
    index = np.zeros_like(states)
    for position, unit in enumerate(units):
        index |= ((states >> unit) & 1) << position
    return index


def state_codes(states: Ints) -> Ints:
    """Index of each state, (..., n) zeros and ones -> (...)."""
    return np.asarray(states @ (1 << np.arange(states.shape[-1], dtype=np.int64)))


def joint(on: Floats) -> Floats:
    """(..., k) P(ON) of independent units -> (..., 2**k) probability of each joint state."""
    product = np.ones((*on.shape[:-1], 1))
    for i in range(on.shape[-1]):
        p = on[..., i, None]
        product = np.concatenate([product * (1.0 - p), product * p], axis=-1)
    return product


def average_over(column: Floats, units: Sequence[int]) -> Floats:
    """Average a (2**n,) column uniformly over the states of some units, keeping its length.

    Args:
        column: (2**n,) one value per universe state.
        units: those averaged out.
    """
    n = len(column).bit_length() - 1
    axes = tuple(n - 1 - i for i in units)
    grid = column.reshape([2] * n)
    return np.array(np.broadcast_to(grid.mean(axis=axes, keepdims=True), grid.shape)).reshape(-1)


def others(n: int, units: Iterable[int]) -> tuple[int, ...]:
    """All of n units but these, ascending.

    Args:
        n: number of units.
        units: those left out.
    """
    taken = set(units)
    return tuple(i for i in range(n) if i not in taken)
