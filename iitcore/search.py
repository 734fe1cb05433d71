"""Exact minimum partition of one side of a system, without enumerating partitions.

With the table `gain` of `_kernels.fill_gain`, a partition's loss is a sum over units, and so is the
number of connections it cuts: the minimum of their ratio comes from a few minimisations of
loss - rate * norm (Dinkelbach), each a dynamic programme over set partitions.

A partition is two arrays: `parts[j]`, the mask of the part unit j is in, and `marks[j]`, which of
that part's connections are cut.
"""

from __future__ import annotations

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE

INPUTS, OUTPUTS, BOTH = 0, 1, 2  # marks <-, ->, <->
_NOISE = 1e-13  # rounding in a sum of table entries


@compiled
def evaluate(gain: Floats, parts: Ints, marks: Ints) -> tuple[float, int]:
    """Information lost (ibits, may be negative) and connections cut by one partition.

    Args:
        gain: (2**n, n) table of one side.
        parts: (n,) mask of the part each unit is in.
        marks: (n,) which of that part's connections are cut.
    """
    n = len(parts)
    all_units = (1 << n) - 1
    feeding = 0  # union of the parts whose outputs still reach others
    for j in range(n):
        if marks[j] == INPUTS:
            feeding |= 1 << j
    loss, norm = 0.0, 0
    for j in range(n):
        kept = parts[j]
        if marks[j] == OUTPUTS:
            kept |= feeding
        if n == 1:
            kept = 0
        loss += gain[kept, j]
        cut = all_units & ~kept
        while cut:
            norm += 1
            cut &= cut - 1
    return loss, norm


@compiled
def first_guess(gain: Floats, parts: Ints, marks: Ints) -> None:
    """Cheapest per connection among all two-part partitions and the complete one (an upper bound).

    Args:
        gain: (2**n, n) table of one side.
        parts: (n,) receives the partition.
        marks: (n,) receives its marks.
    """
    n = len(parts)
    if n == 1:
        parts[0] = 1
        marks[0] = BOTH
        return
    full = (1 << n) - 1
    apart = np.zeros(full + 1)
    size = np.zeros(full + 1, np.int64)
    for mask in range(1, full + 1):
        size[mask] = size[mask >> 1] + (mask & 1)
        for j in range(n):
            if mask >> j & 1:
                apart[mask] += gain[mask, j]
    complete = 0.0
    for j in range(n):
        complete += gain[1 << j, j]
    best, which, both = complete / (n * (n - 1)), 0, True
    for mask in range(1, full):
        cut = size[mask] * (n - size[mask])
        one = apart[mask] / cut
        two = (apart[mask] + apart[full ^ mask]) / (2 * cut)
        if two < best:
            best, which, both = two, mask, True
        if one < best:
            best, which, both = one, mask, False
    for j in range(n):
        inside = which >> j & 1
        if which == 0:
            parts[j] = 1 << j
            marks[j] = BOTH
        else:
            parts[j] = which if inside else full ^ which
            marks[j] = BOTH if both else (INPUTS if inside else OUTPUTS)


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


@compiled
def improve(gain: Floats, loss: float, norm: int, parts: Ints, marks: Ints) -> tuple[float, int, bool]:
    """Lower an incumbent partition to the minimum of loss / norm (Dinkelbach); ties: larger loss.

    Args:
        gain: (2**n, n) table of one side.
        loss: of the incumbent, in ibits; with `norm` it may come from the other side of the system, so
            that one search shows that this side has nothing better.
        norm: connections that the incumbent cuts.
        parts: (n,) receives the partition where it improves.
        marks: (n,) receives its marks where it improves.

    Returns:
        Loss, norm and whether this side improved on them.
    """
    n = len(parts)
    changed = False
    new_parts = np.empty(n, np.int64)
    new_marks = np.empty(n, np.int64)
    while n > 1 and loss > TOLERANCE:
        rate = loss / norm
        threshold = -TOLERANCE * norm - _NOISE * (1 + loss)
        if search(gain, rate + TOLERANCE, threshold, new_parts, new_marks) >= threshold:
            break
        new_loss, new_norm = evaluate(gain, new_parts, new_marks)
        lower = new_loss / new_norm < rate - TOLERANCE
        if lower or new_loss > loss:
            loss, norm = new_loss, new_norm
            parts[:] = new_parts
            marks[:] = new_marks
            changed = True
        if not lower:
            break
    return loss, norm, changed


@compiled
def minimum(gain: Floats, parts: Ints, marks: Ints) -> tuple[float, int]:
    """Minimum partition of one side on its own.

    Args:
        gain: (2**n, n) table of the side.
        parts: (n,) receives the partition.
        marks: (n,) receives its marks.

    Returns:
        Its loss in ibits, and its norm.
    """
    first_guess(gain, parts, marks)
    loss, norm = evaluate(gain, parts, marks)
    loss, norm, _ = improve(gain, loss, norm, parts, marks)
    return loss, norm


@compiled
def minimum_of_both(gain_c: Floats, gain_e: Floats, parts: Ints, marks: Ints) -> tuple[float, int]:
    """Minimum partition over both sides (Eqs. 19-23).

    The side with the better first guess is searched first; the other then only has to show that it
    cannot do better.

    Args:
        gain_c: (2**n, n) table of the cause side.
        gain_e: (2**n, n) table of the effect side.
        parts: (n,) receives the partition.
        marks: (n,) receives its marks.

    Returns:
        Loss in ibits, and norm, on the side that has less.
    """
    n = len(parts)
    other_parts = np.empty(n, np.int64)
    other_marks = np.empty(n, np.int64)
    first_guess(gain_c, parts, marks)
    first_guess(gain_e, other_parts, other_marks)
    loss, norm = evaluate(gain_c, parts, marks)
    other_loss, other_norm = evaluate(gain_e, other_parts, other_marks)
    first, second = gain_c, gain_e
    if other_loss * norm < loss * other_norm:
        loss, norm = other_loss, other_norm
        parts[:] = other_parts
        marks[:] = other_marks
        first, second = gain_e, gain_c
    loss, norm, _ = improve(first, loss, norm, parts, marks)
    loss, norm, _ = improve(second, loss, norm, parts, marks)
    return loss, norm
