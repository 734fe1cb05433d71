"""What may enter a unit's logit, and which models are made of it (see `pipeline.tpm.parent_sets`)."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numba
import numpy as np

from pipeline.base.arrays import Floats, Ints
from pipeline.base.raster import states_of

LOGISTIC, PAIRWISE, TABLE = 1, 2, 3
TABLE_PARENTS = 4  # a free table of more parents has too many entries
NO_DRIVE: Floats = np.zeros(1)


class Features(NamedTuple):
    """What may enter a unit's logit: products of units, and the drive.

    Rows are joint states, once for every level of the drive: state + 2^n · level.

    Attributes:
        values: (row, feature) the first one 1 throughout, ±1 for products, the level of the drive.
        members: (feature,) bit mask of the units whose product it is; bit n is the drive.
        size: (feature,) how many these are.
        family: (feature,) least family that has it.
        permitted: (unit,) bit mask of the parents that a unit may have.
    """

    values: Floats
    members: Ints
    size: Ints
    family: Ints
    permitted: Ints


def features(n_units: int, family: int, levels: Floats = NO_DRIVE, permitted: Ints | None = None) -> Features:
    """Return the features that models of `n_units` up to a family are made of.

    Args:
        n_units: number of units.
        family: the largest family.
        levels: (level,) of the drive; a single one is no drive.
        permitted: (unit,) bit mask of the parents that each unit may have; by default all.
    """
    largest = {LOGISTIC: 1, PAIRWISE: 2, TABLE: TABLE_PARENTS}[family]
    sets = [s for size in range(min(largest, n_units) + 1) for s in combinations(range(n_units), size)]
    signs = 2.0 * states_of(n_units) - 1.0
    products = np.stack([signs[:, list(s)].prod(axis=1) for s in sets], axis=1)
    values, members = np.tile(products, (len(levels), 1)), [sum(1 << i for i in s) for s in sets]
    size = [len(s) for s in sets]
    if len(levels) > 1:
        values = np.column_stack([values, np.repeat(levels, 2**n_units)])
        members, size = [*members, 1 << n_units], [*size, 1]
    every = np.full(n_units, (2 << n_units) - 1)
    return Features(
        np.ascontiguousarray(values),
        np.array(members),
        np.array(size),
        np.clip(size, LOGISTIC, TABLE),
        every if permitted is None else np.asarray(permitted, np.int64),
    )


@numba.njit(cache=True)
def in_model(f: int, parents: int, family: int, made: Features) -> bool:
    """Whether a model with these parents and of this family has a feature."""
    return bool(made.members[f] & ~parents == 0 and made.family[f] <= family)


@numba.njit(cache=True)
def allowed(u: int, parents: int, family: int, made: Features) -> bool:
    """Whether a unit has such a model: its parents are permitted, and free tables have up to four units."""
    if parents & ~made.permitted[u]:
        return False
    n = 0
    for j in range(len(made.permitted)):
        n += parents >> j & 1
    return family < TABLE or n <= TABLE_PARENTS
