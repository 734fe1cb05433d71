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
    none_cut, second_cut = n_side, n_side - count_bits(second)
    first_cut = n_side - count_bits(first)
    gain = 0.0
    norm = 0
    same = True
    for a in range(rows.size):
        row = table[rows[a]]
        low, block, cut = row[0] - rate * none_cut, 0, none_cut
        cost = row[first] - rate * first_cut
        if cost < low:
            low, block, cut = cost, first, first_cut
        cost = row[second] - rate * second_cut
        if cost < low:
            low, block, cut = cost, second, second_cut
        pick[a] = block
        gain += row[block] - row[full]
        norm += cut
        same = same and block != 0 and block == pick[0]
    if cause and same:  # all of the mechanism may not stay with one part of the purview
        repair, other = _least_regret(table, rows, n_side, (first, second), rate)
        row = table[rows[repair]]
        gain += row[other] - row[pick[repair]]
        norm += count_bits(pick[repair]) - count_bits(other)
        pick[repair] = other
    return gain, norm


@compiled
def _least_regret(table: Floats, rows: Ints, n_side: int, blocks: tuple[int, int], rate: float) -> tuple[int, int]:
    """The row that loses least by its second choice of two blocks or none, and that choice."""
    repair, regret, other = -1, np.inf, 0
    choices = (0, blocks[0], blocks[1])
    for a in range(rows.size):
        row = table[rows[a]]
        low, next_low = np.inf, np.inf
        at, next_at = 0, 0
        for b in range(3):
            cost = row[choices[b]] - rate * (n_side - count_bits(choices[b]))
            if cost < low:
                next_low, next_at = low, at
                low, at = cost, b
            elif cost < next_low and choices[b] != choices[at]:
                next_low, next_at = cost, b
        if next_low - low < regret:
            regret, repair, other = next_low - low, a, choices[next_at]
    return repair, other


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
def _costs(table: Floats, rows: Ints, n_side: int, rate: float, cause: bool, cost: Floats) -> None:
    """Cost of each row for every block at a rate per cut connection."""
    size = 1 << n_side
    cut = np.empty(size)
    cut[0] = n_side
    for i in range(n_side):
        for b in range(1 << i):
            cut[b | 1 << i] = cut[b] - 1.0
    for a in range(rows.size):
        row, out = table[rows[a]], cost[a]
        base = row[size - 1]
        for b in range(size):
            out[b] = row[b] - base - rate * cut[b]
        if not cause:
            out[size - 1] = np.inf  # all of a mechanism goes with the empty purview only


@compiled
def least_inside(values: Floats) -> None:
    """Take minima over subsets, in place.

    Args:
        values: one per mask.
    """
    step = 1
    while step < values.size:
        for start in range(0, values.size, 2 * step):
            _fold(values[start + step : start + 2 * step], values[start : start + step])
        step *= 2


@compiled
def _fold(first: Floats, second: Floats) -> None:
    """Minimum of two arrays, into the first."""
    for b in range(first.size):
        first[b] = second[b] if second[b] < first[b] else first[b]


@compiled
def _least_with_one_block(cost: Floats, floor: Floats, total: Floats) -> float:
    """Least total when all rows choose the block that holds the last unit, or what is cheapest inside the others.

    Fills the lower half of `floor`: the least cost of each row inside sets without that unit.
    """
    half = total.size
    total[:] = 0.0
    for a in range(cost.shape[0]):
        around, inside = cost[a, half:], floor[a, :half]
        inside[:] = cost[a, :half]
        least_inside(inside)
        for b in range(half):
            x, y = around[b], inside[half - 1 - b]
            total[b] += x if x < y else y
    least = np.inf
    for x in total:
        least = x if x < least else least
    return least


@compiled
def _complete_floor(cost: Floats, floor: Floats) -> None:
    """Fill the upper half of `floor`."""
    half = cost.shape[1] // 2
    for a in range(cost.shape[0]):
        inside = floor[a, half:]
        inside[:] = cost[a, half:]
        least_inside(inside)
        _fold(inside, floor[a, :half])


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
    largest = rows.size * n_side
    only_complete = rows.size == 1 if cause else n_side == 1
    if not thorough:
        pick[: rows.size] = 0
    gain, norm = _value(table, rows, n_side, pick)
    if not only_complete and not thorough:
        gain, norm = _first_guess(table, rows, n_side, cause, (selectivity, cutoff), (gain, norm), pick)
    bound = selectivity * (gain / norm + _SLACK) * largest
    if gain <= TIE or bound < cutoff:
        return -1.0, 0
    if only_complete:
        return selectivity * gain, norm
    if not thorough:
        return bound, 0
    trial = np.empty(rows.size, np.int64)
    half = 1 << (n_side - 1)
    cost, floor, total = np.empty((rows.size, 2 * half)), np.empty((rows.size, 2 * half)), np.empty(half)
    while True:
        _costs(table, rows, n_side, gain / norm + _SLACK, cause, cost)
        limit = -_SLACK * (norm + 0.5)
        if _least_with_one_block(cost, floor, total) >= limit:
            return selectivity * gain, norm
        _complete_floor(cost, floor)
        if _cheapest(cost, floor, n_side, cause, limit, trial) >= limit:
            return selectivity * gain, norm
        pick[: rows.size] = trial
        gain, norm = _value(table, rows, n_side, pick)
        if gain <= TIE or selectivity * (gain / norm + _SLACK) * largest < cutoff:
            return -1.0, 0


@compiled
def _value(table: Floats, rows: Ints, n_side: int, pick: Ints) -> tuple[float, int]:
    """Log-ratio and norm of a partition."""
    full = (1 << n_side) - 1
    gain, norm = 0.0, 0
    for a in range(rows.size):
        row = table[rows[a]]
        gain += row[pick[a]] - row[full]
        norm += n_side - count_bits(pick[a])
    return gain, norm


@compiled
def _first_guess(
    table: Floats,
    rows: Ints,
    n_side: int,
    cause: bool,
    scale: tuple[float, float],
    value: tuple[float, int],
    pick: Ints,
) -> tuple[float, int]:
    """Improve on a partition by those into a unit and the others, until phi is below what is of interest.

    `scale` is the selectivity, and the phi of interest; `value` log-ratio and norm of the partition in `pick`.
    """
    gain, norm = value
    full, largest = (1 << n_side) - 1, rows.size * n_side
    trial = np.empty(rows.size, np.int64)
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
                pick[: rows.size] = trial
        if gain <= TIE or scale[0] * (gain / norm + _SLACK) * largest < scale[1]:
            break
    return gain, norm
