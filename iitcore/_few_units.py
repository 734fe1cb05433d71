"""Cheapest partition at one rate for systems of few units, in which tables of everything are soon filled.

As in `_unions` the union of the parts marked <- is fixed first; here the cheapest set partition of every union is
known from one table, and there is little to set up for each.
"""

from __future__ import annotations

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled

INPUTS, OUTPUTS, BOTH = 0, 1, 2  # marks <-, ->, <->


@compiled
def _costs(gain: Floats, rate: float) -> tuple[Floats, Floats, Ints]:
    """Cost of each unit for each kept set (inf without itself), of each part alone; set sizes."""
    masks, n = gain.shape
    cost = np.empty((masks, n))
    apart = np.zeros(masks)
    size = np.zeros(masks, np.int64)
    for mask in range(masks):
        size[mask] = size[mask >> 1] + (mask & 1)
        for j in range(n):
            if mask >> j & 1:
                cost[mask, j] = gain[mask, j] - rate * (n - size[mask])
                apart[mask] += cost[mask, j]
            else:
                cost[mask, j] = np.inf
    return cost, apart, size


@compiled
def _bounds(cost: Floats, n: int) -> tuple[Floats, Floats]:
    """Cheapest cost of each unit over kept sets inside (below) and around (above) each mask."""
    below = cost.copy()
    above = cost.copy()
    for b in range(n):
        bit = 1 << b
        for mask in range(1 << n):
            if mask & bit:
                for j in range(n):
                    below[mask, j] = min(below[mask, j], below[mask ^ bit, j])
            else:
                for j in range(n):
                    above[mask, j] = min(above[mask, j], above[mask | bit, j])
    return below, above


@compiled
def _cheapest_blocks(apart: Floats, n: int) -> tuple[Floats, Ints]:
    """Cheapest set partition of every mask under additive block costs; the full mask has >= 2 blocks.

    Also returns the block that holds the lowest unit.
    """
    full = (1 << n) - 1
    value = np.zeros(full + 1)
    block = np.zeros(full + 1, np.int64)
    for mask in range(1, full + 1):
        low = mask & -mask
        rest = mask ^ low
        s = (rest - 1) & rest if mask == full else rest
        best, which = np.inf, mask
        while True:
            x = apart[s | low] + value[rest ^ s]
            if x < best:
                best, which = x, s | low
            if s == 0:
                break
            s = (s - 1) & rest
        value[mask] = best
        block[mask] = which
    return value, block


@compiled
def _mark(mask: int, block: Ints, parts: Ints, marks: Ints, mark: int) -> None:
    """Write the blocks of the cheapest set partition of a mask."""
    while mask:
        part = block[mask]
        mask ^= part
        for j in range(len(parts)):
            if part >> j & 1:
                parts[j] = part
                marks[j] = mark


@compiled
def search(gain: Floats, rate: float, threshold: float, parts: Ints, marks: Ints) -> float:
    """Partition that minimises sum_j gain[kept(j), j] - rate * norm, if below the threshold.

    For every union `feeding` of the parts marked <- the others form a set partition, each block
    keeping itself alone or itself and `feeding`. Each unit's cheapest kept set bounds what is left
    to gain; the bound is raised by what every block around a unit costs beyond it; blocks are then
    added only while their regret over the bound fits the budget, in a dynamic programme over the
    units left. Exact; most unions are never looked at, and few blocks are.

    Args:
        gain: (2**n, n) table of one side.
        rate: ibits per connection cut.
        threshold: what the minimum has to be below.
        parts: (n,) receives the partition.
        marks: (n,) receives its marks.

    Returns:
        The minimum; the threshold if nothing is below it.
    """
    n = len(parts)
    full = (1 << n) - 1
    cost, apart, size = _costs(gain, rate)
    below, above = _bounds(cost, n)
    value, block = _cheapest_blocks(apart, n)
    best = threshold
    if value[full] < best:
        best = value[full]
        _mark(full, block, parts, marks, BOTH)
    least = np.empty(n)
    members = np.empty(n, np.int64)
    spread = np.empty(full + 1, np.int64)
    regret = np.empty(full + 1)
    spent = np.empty(full + 1)
    origin = np.empty(full + 1, np.int64)
    for feeding in range(1, full):
        others = full ^ feeding
        base = value[feeding]
        for j in range(n):
            if others >> j & 1:
                base += min(below[others, j], above[feeding, j])
        if base >= best:
            continue
        m = size[others]
        inside, outside = 0, m  # the others first, then the feeding units
        for j in range(n):
            if others >> j & 1:
                members[inside] = j
                least[inside] = min(below[others, j], above[feeding, j])
                inside += 1
            else:
                members[outside] = j
                outside += 1
        _regrets(cost, apart, feeding, members, least, m, spread, regret)
        base = _raise_bound(regret, m, base, best)
        if base >= best:
            continue
        base += _add_blocks(regret, m, best - base, spent, origin)
        if base < best:
            best = base
            _mark(feeding, block, parts, marks, INPUTS)
            _mark_added(cost, apart, feeding, spread, origin, (1 << m) - 1, parts, marks)
    return best


@compiled
def _regrets(
    cost: Floats,
    apart: Floats,
    feeding: int,
    members: Ints,
    least: Floats,
    m: int,
    spread: Ints,
    regret: Floats,
) -> None:
    """What each block of the first m members costs beyond its units' bounds, alone or joined.

    The remaining members are the feeding units. Blocks are numbered over the first m; `spread`
    gives their masks over all units.
    """
    spread[0] = 0
    regret[0] = 0.0
    for i in range(m):
        for b in range(1 << i):
            spread[1 << i | b] = spread[b] | 1 << members[i]
            regret[1 << i | b] = regret[b] + least[i]
    n = len(members)
    for b in range(1, 1 << m):
        row = spread[b] | feeding
        if n - m <= m:
            joined = apart[row]
            for i in range(m, n):
                joined -= cost[row, members[i]]
        else:
            joined = 0.0
            for i in range(m):
                if b >> i & 1:
                    joined += cost[row, members[i]]
        regret[b] = min(joined, apart[spread[b]]) - regret[b]


@compiled
def _raise_bound(regret: Floats, m: int, base: float, best: float) -> float:
    """Charge each member in turn the least regret of any block around it; lowers all regrets."""
    for i in range(m):
        bit = 1 << i
        least = np.inf
        for start in range(bit, 1 << m, 2 * bit):
            for b in range(start, start + bit):
                least = min(least, regret[b])
        base += least
        if base >= best:
            break
        for start in range(bit, 1 << m, 2 * bit):
            for b in range(start, start + bit):
                regret[b] -= least
    return base


@compiled
def _add_blocks(regret: Floats, m: int, budget: float, spent: Floats, origin: Ints) -> float:
    """Least total regret of a set partition of the members, if within the budget (else inf).

    `origin[left]` leads back from the members left to those left before the last block.
    """
    everyone = (1 << m) - 1
    spent[: everyone + 1] = np.inf
    spent[everyone] = 0.0
    for left in range(everyone, 0, -1):
        here = budget - spent[left]
        if here <= 0:
            continue
        low = left & -left
        rest = left ^ low
        s = rest
        while True:
            if regret[s | low] < here:
                total = spent[left] + regret[s | low]
                if total < spent[rest ^ s]:
                    spent[rest ^ s] = total
                    origin[rest ^ s] = left
                    if rest == s:
                        budget = total
                        here = budget - spent[left]
            if s == 0:
                break
            s = (s - 1) & rest
    return float(spent[0])


@compiled
def _mark_added(
    cost: Floats,
    apart: Floats,
    feeding: int,
    spread: Ints,
    origin: Ints,
    everyone: int,
    parts: Ints,
    marks: Ints,
) -> None:
    """Write the blocks that `_add_blocks` chose, each with the cheaper of its marks."""
    left = 0
    while left != everyone:
        part = spread[origin[left] ^ left]
        left = origin[left]
        joined = 0.0
        for j in range(len(parts)):
            if part >> j & 1:
                joined += cost[part | feeding, j]
        for j in range(len(parts)):
            if part >> j & 1:
                parts[j] = part
                marks[j] = OUTPUTS if joined < apart[part] else BOTH
