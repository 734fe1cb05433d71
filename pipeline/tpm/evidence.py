"""The Gaussian of one unit's weights given Pólya-Gamma variables, and the evidence of its model.

The product of two products of ±1 states is a product again, so that all their weighted sums are Walsh coefficients, and
are had at once.
"""

from __future__ import annotations

from math import log, sqrt
from typing import NamedTuple

import numba
import numpy as np

from pipeline.base.arrays import Floats, Ints
from pipeline.tpm.features import Features, in_model


class Space(NamedTuple):
    """Room for one unit's Gaussian.

    Attributes:
        omega: (row,) Pólya-Gamma variables.
        kappa: (row,) transitions to ON, less half of all.
        gram: (2, state) Walsh coefficients of omega, by the bit mask of the product: summed over the drive's levels,
            and the same weighted by the level.
        side: (2, state) those of kappa.
        drive: (1,) sum of omega times the squared level.
        column: (feature,) what is in the model.
        root: (feature, feature) triangular root of the precision.
        right: (feature,) the root's inverse times the right-hand side.
        precision: (feature,) of the weights' prior.
    """

    gram: Floats
    side: Floats
    drive: Floats
    column: Ints
    root: Floats
    right: Floats
    omega: Floats
    kappa: Floats
    precision: Floats


@numba.njit(cache=True)
def new_space(made: Features) -> Space:
    """Return room for the largest Gaussian."""
    n_rows, n = made.values.shape
    n_states = 1 << len(made.permitted)
    return Space(
        np.zeros((2, n_states)),
        np.zeros((2, n_states)),
        np.zeros(1),
        np.zeros(n, np.int64),
        np.zeros((n, n)),
        np.zeros(n),
        np.zeros(n_rows),
        np.zeros(n_rows),
        np.zeros(n),
    )


@numba.njit(cache=True)
def evidence(parents: int, family: int, made: Features, space: Space) -> float:
    """Log-evidence of a model given the Pólya-Gamma variables, up to a constant.

    Leaves the model's features, the triangular root of its precision and the root's inverse times the right-hand side
    in `space`.
    """
    n = 0
    for f in range(len(made.size)):
        if in_model(f, parents, family, made):
            space.column[n] = f
            n += 1
    value = 0.0
    for i in range(n):
        f = space.column[i]
        for j in range(i + 1):
            total = entry(f, space.column[j], made, space)
            if i == j:
                total += space.precision[f]
            for k in range(j):
                total -= space.root[i, k] * space.root[j, k]
            space.root[i, j] = sqrt(max(total, 1e-12)) if i == j else total / space.root[j, j]
        driven = made.members[f] == len(space.gram[0])
        right = space.side[1, 0] if driven else space.side[0, made.members[f]]
        for k in range(i):
            right -= space.root[i, k] * space.right[k]
        space.right[i] = right / space.root[i, i]
        value += 0.5 * space.right[i] ** 2 + 0.5 * log(space.precision[f]) - log(space.root[i, i])
    return value


@numba.njit(cache=True)
def sum_up(made: Features, space: Space) -> None:
    """Sum omega and kappa, times every product of units, over all rows, into `gram`, `side` and `drive`."""
    n_states = len(space.gram[0])
    space.gram[:], space.side[:], space.drive[0] = 0.0, 0.0, 0.0
    driven = made.members[-1] == n_states
    for row in range(len(space.omega)):
        s, level = row % n_states, made.values[row, -1] if driven else 0.0
        space.gram[0, s] += space.omega[row]
        space.gram[1, s] += space.omega[row] * level
        space.side[0, s] += space.kappa[row]
        space.side[1, s] += space.kappa[row] * level
        space.drive[0] += space.omega[row] * level**2
    for k in range(2):
        walsh(space.gram[k])
        walsh(space.side[k])


@numba.njit(cache=True)
def walsh(values: Floats) -> None:
    """Turn values (state,) into their sums times the product of the ±1 states of every set of units, in place."""
    half = 1
    while half < len(values):
        for start in range(0, len(values), 2 * half):
            for i in range(start, start + half):
                off, on = values[i], values[i + half]
                values[i], values[i + half] = off + on, on - off
        half *= 2


@numba.njit(cache=True)
def entry(f: int, g: int, made: Features, space: Space) -> float:
    """Sum of omega times two features."""
    drive = len(space.gram[0])
    a, b = made.members[f], made.members[g]
    if a == drive and b == drive:
        return float(space.drive[0])
    if a == drive or b == drive:
        return float(space.gram[1, (a ^ b) & ~drive])
    return float(space.gram[0, a ^ b])
