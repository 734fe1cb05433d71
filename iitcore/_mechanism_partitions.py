"""Compiled minimum over the disintegrating partitions of a mechanism and a purview (Eqs. 38-46).

For effects, fix how the mechanism falls into blocks: each purview unit independently stays with its
cheapest block or with none. For causes the roles are mirrored. One side, the *partitioned* one, is
therefore a set of bits here, the other a list of rows that each choose a block; a partition's
log-ratio and norm are sums over rows, and their ratio is minimised by Dinkelbach's method around an
exact branch and bound.
"""

from __future__ import annotations

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE as TIE

_SLACK = 1e-10  # on a normalised log-ratio: partitions this close count as tied


@compiled
def count_bits(mask: int) -> int:
    """Number of units in a set."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@compiled
def _two_blocks(
    table: Floats,
    rows: Ints,
    n_side: int,
    first: int,
    second: int,
    rate: float,
    cause: bool,
    pick: Ints,
) -> tuple[float, int]:
    """Cheapest assignment of each row to one of two blocks or none; log-ratio and norm of it."""
    full = (1 << n_side) - 1
    sizes = (0, count_bits(first), count_bits(second))
    blocks = (0, first, second)
    gain = 0.0
    norm = 0
    same = True
    repair, regret = -1, np.inf
    for a in range(rows.size):
        row = table[rows[a]]
        low, next_low = np.inf, np.inf
        at, next_at = 0, 0
        for b in range(3):
            cost = row[blocks[b]] - rate * (n_side - sizes[b])
            if cost < low:
                next_low, next_at = low, at
                low, at = cost, b
            elif cost < next_low and blocks[b] != blocks[at]:
                next_low, next_at = cost, b
        if blocks[at] == 0 or (a > 0 and blocks[at] != pick[0]):
            same = False
        if next_low - low < regret:
            regret, repair = next_low - low, a
            other = next_at
        pick[a] = blocks[at]
        gain += row[blocks[at]] - row[full]
        norm += n_side - sizes[at]
    if cause and same:  # all of the mechanism may not stay with one part of the purview
        row = table[rows[repair]]
        gain += row[blocks[other]] - row[pick[repair]]
        norm += count_bits(pick[repair]) - sizes[other]
        pick[repair] = blocks[other]
    return gain, norm


@compiled
def _cheapest(cost: Floats, floor: Floats, n_side: int, cause: bool, limit: float, pick: Ints) -> float:
    """Assignment of rows to disjoint blocks of the other side with the smallest total cost.

    Depth-first over the block that holds the lowest unassigned unit; `floor[a, R]` is the least
    cost of row a inside R, so that chosen blocks and floor bound every completion from below.
    Returns the total, or `limit` when nothing is below it.
    """
    n_rows = cost.shape[0]
    rest = np.zeros(n_side + 1, np.int64)
    sub = np.zeros(n_side + 1, np.int64)
    low = np.empty((n_side + 1, n_rows))
    next_low = np.full((n_side + 1, n_rows), np.inf)
    at = np.zeros((n_side + 1, n_rows), np.int64)
    next_at = np.zeros((n_side + 1, n_rows), np.int64)
    for a in range(n_rows):
        low[0, a] = cost[a, 0]
    depth = 0
    rest[0] = (1 << n_side) - 1
    sub[0] = rest[0] & (rest[0] - 1)
    while depth >= 0:
        if sub[depth] < 0:
            depth -= 1
            continue
        others = rest[depth] & (rest[depth] - 1)
        block = sub[depth] | (rest[depth] ^ others)
        left = rest[depth] ^ block
        sub[depth] = -1 if sub[depth] == 0 else (sub[depth] - 1) & others
        total = 0.0
        settled, same = True, True
        new = depth + 1
        for a in range(n_rows):
            c = cost[a, block]
            if c < low[depth, a]:
                low[new, a], at[new, a] = c, block
                next_low[new, a], next_at[new, a] = low[depth, a], at[depth, a]
            else:
                low[new, a], at[new, a] = low[depth, a], at[depth, a]
                if c < next_low[depth, a]:
                    next_low[new, a], next_at[new, a] = c, block
                else:
                    next_low[new, a], next_at[new, a] = next_low[depth, a], next_at[depth, a]
            f = floor[a, left]
            if f < low[new, a]:
                total += f
                settled = False
            else:
                total += low[new, a]
            if at[new, a] == 0 or at[new, a] != at[new, 0]:
                same = False
        if total >= limit:
            continue
        if not settled:
            depth = new
            rest[depth] = left
            sub[depth] = left & (left - 1)
            continue
        repair = -1
        if cause and same:  # not a partition: move the row that regrets it least
            regret = np.inf
            for a in range(n_rows):
                r = min(next_low[new, a], floor[a, left]) - low[new, a]
                if r < regret:
                    regret, repair = r, a
            total += regret
            if total >= limit:
                continue
        limit = total
        for a in range(n_rows):
            pick[a] = at[new, a]
        if repair >= 0:
            pick[repair] = next_at[new, repair]
            if floor[repair, left] < next_low[new, repair]:
                s = left
                while cost[repair, s] > floor[repair, left]:
                    s = (s - 1) & left
                pick[repair] = s
    return limit


@compiled
def _cost_and_floor(table: Floats, rows: Ints, n_side: int, rate: float, cause: bool) -> tuple[Floats, Floats]:
    """Cost of each row for every block at a rate per cut connection, and its subset minimum."""
    size = 1 << n_side
    cost = np.empty((rows.size, size))
    floor = np.empty((rows.size, size))
    cut = np.empty(size)
    cut[0] = n_side
    for b in range(1, size):
        cut[b] = cut[b & (b - 1)] - 1.0
    for a in range(rows.size):
        row = table[rows[a]]
        base = row[size - 1]
        for b in range(size):
            cost[a, b] = row[b] - base - rate * cut[b]
        if not cause:
            cost[a, size - 1] = np.inf  # all of a mechanism goes with the empty purview only
        for b in range(size):
            floor[a, b] = cost[a, b]
        for i in range(n_side):
            bit = 1 << i
            for b in range(size):
                if b & bit and floor[a, b ^ bit] < floor[a, b]:
                    floor[a, b] = floor[a, b ^ bit]
    return cost, floor


@compiled
def minimum_partition(
    table: Floats,
    rows: Ints,
    n_side: int,
    cause: bool,
    selectivity: float,
    cutoff: float,
    thorough: bool,
    pick: Ints,
) -> tuple[float, int]:
    """Integrated information of a mechanism over a purview state (Eqs. 38-46).

    Minimises log-ratio / norm by Dinkelbach's method; among ties the largest norm.

    Args:
        table: `table[rows[a], B]` is -log2 of the probability of row a's value when only the units of
            block B act on (effect) or are specified for (cause) it.
        rows: rows of the table that count, one per unit of the side that chooses blocks.
        n_side: number of units of the partitioned side.
        cause: which side of the mechanism.
        selectivity: of the purview state.
        cutoff: phi below it is of no interest.
        thorough: False to find an upper bound of phi only.
        pick: receives each row's block; with `thorough` it holds a partition to begin with (none kept:
            the complete one).

    Returns:
        phi and norm; -1 and 0 when phi is below `cutoff`; with `thorough` False only an upper bound of
        phi.
    """
    n_rows = rows.size
    full = (1 << n_side) - 1
    largest = n_rows * n_side
    gain, norm = 0.0, 0
    for a in range(n_rows):
        if not thorough:
            pick[a] = 0
        gain += table[rows[a], pick[a]] - table[rows[a], full]
        norm += n_side - count_bits(pick[a])
    only_complete = n_rows == 1 if cause else n_side == 1
    trial = np.empty(n_rows, np.int64)
    if not only_complete and not thorough:
        for t in range(n_side + 1 if cause else n_side):
            first = full if t == n_side else full ^ (1 << t)
            second = 0 if t == n_side else 1 << t
            better = True
            while better and gain > TIE:
                rate = gain / norm + _SLACK
                g, m = _two_blocks(table, rows, n_side, first, second, rate, cause, trial)
                better = g - rate * m < -_SLACK * (norm + 0.5)
                if better:
                    gain, norm = g, m
                    for a in range(n_rows):
                        pick[a] = trial[a]
    bound = selectivity * (gain / norm + _SLACK) * largest
    if gain <= TIE or bound < cutoff:
        return -1.0, 0
    if only_complete:
        return selectivity * gain, norm
    if not thorough:
        return bound, 0
    while True:
        rate = gain / norm + _SLACK
        cost, floor = _cost_and_floor(table, rows, n_side, rate, cause)
        limit = -_SLACK * (norm + 0.5)
        if _cheapest(cost, floor, n_side, cause, limit, trial) >= limit:
            return selectivity * gain, norm
        gain, norm = 0.0, 0
        for a in range(n_rows):
            row = table[rows[a]]
            gain += row[trial[a]] - row[full]
            norm += n_side - count_bits(trial[a])
            pick[a] = trial[a]
        if gain <= TIE or selectivity * (gain / norm + _SLACK) * largest < cutoff:
            return -1.0, 0
