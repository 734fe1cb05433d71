"""Cheapest set partition for every union of the parts marked <-, without looking at most of them.

A partition's value at a rate is loss - rate * norm, a sum over its blocks. Fix L, the union of the parts whose inputs
are cut: its blocks stand alone, those of the other units stand alone or are joined to L, whichever is cheaper. What
one block costs can be shared out among its units in any way: each unit's least share over all blocks around it is a
bound for every set partition. Arrays over masks of some units number these units anew, in ascending order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Bools, Floats, Ints
from iitcore._jit import compiled

Masks = npt.NDArray[np.uint64]  # as indices they are not looked at for a sign
_CHUNK = 1 << 13  # entries of two arrays that stay in cache
_FEW = 3  # units side by side from which what they number is copied side by side
_ROUNDS = 3  # of sharing costs out evenly, before units are charged one by one
_SMALL = 4  # units up to which they are shared out once


@compiled
def sizes_of(n: int) -> tuple[Floats, Floats]:
    """Number of units in each mask of n units, and its inverse (0 for the empty mask)."""
    size = np.zeros(1 << n)
    inverse = np.zeros(1 << n)
    for b in range(n):
        for mask in range(1 << b):
            size[mask | 1 << b] = size[mask] + 1.0
    for mask in range(1, 1 << n):
        inverse[mask] = 1.0 / size[mask]
    return size, inverse


@compiled
def alone(gain: Floats) -> Floats:
    """Loss of each mask of units as a part whose inputs are cut, (2**n,).

    Args:
        gain: (2**n, n) table of one side.
    """
    masks, n = gain.shape
    total = np.zeros(masks)
    for j in range(n):
        column = gain[:, j]
        bit = 1 << j
        for start in range(bit, masks, 2 * bit):
            for mask in range(start, start + bit):
                total[mask] += column[mask]
    return total


@compiled
def bounds(gain: Floats, apart: Floats, size: Floats, inverse: Floats, rate: float) -> tuple[Floats, Floats]:
    """Bounds, for every union L, of what the blocks of L cost and of what those of the others cost, both (2**n,).

    A unit pays at least the least even share of a block that stands alone, or what it costs itself to keep a set that
    holds L. The block of all units is none.

    Args:
        gain: (2**n, n) table of one side.
        apart: `alone` of it.
        size: of each mask.
        inverse: of the sizes.
        rate: ibits per connection cut.
    """
    masks, n = gain.shape
    inner, outer = np.zeros(masks), np.zeros(masks)
    share = np.empty(masks)
    for mask in range(masks):
        share[mask] = apart[mask] * inverse[mask] - rate * (n - size[mask])
    share[masks - 1] = np.inf
    below, above = np.empty(masks), np.empty(masks)
    for j in range(n):
        _least_around(gain[:, j], share, size, rate, j, below, above)
        bit = 1 << j
        for start in range(0, masks, 2 * bit):
            alone, joined = below[masks - start - bit : masks - start], above[start + bit : start + 2 * bit]
            out, own = outer[start : start + bit], inner[start + bit : start + 2 * bit]
            inside = below[start + bit : start + 2 * bit]
            for b in range(bit):
                a = alone[bit - 1 - b]
                out[b] += a if a < joined[b] else joined[b]
                own[b] += inside[b]
    return inner, outer


@compiled
def _least_around(
    column: Floats, share: Floats, size: Floats, rate: float, j: int, below: Floats, above: Floats
) -> None:
    """Of unit j: least share over the masks around it inside each mask, least own cost over those that hold it."""
    masks, n = len(share), 0
    while 1 << n < masks:
        n += 1
    bit, chunk = 1 << j, min(masks, _CHUNK)
    for first in range(0, masks, 2 * bit):
        below[first : first + bit] = np.inf
        above[first : first + bit] = np.inf
        at = slice(first + bit, first + 2 * bit)
        below[at] = share[at]
        around, own, sizes = above[at], column[at], size[at]
        for b in range(bit):
            around[b] = own[b] - rate * (n - sizes[b])
    for first in range(0, masks, chunk):
        for b in range(n):
            if 1 << b < chunk and b != j:
                _spread_minima(below[first : first + chunk], above[first : first + chunk], 1 << b)
    for b in range(n):
        if 1 << b >= chunk and b != j:
            _spread_minima(below, above, 1 << b)


@compiled
def _spread_minima(below: Floats, above: Floats, step: int) -> None:
    """Take one unit into the minima over subsets and over supersets."""
    for start in range(0, len(below), 2 * step):
        _fold(below[start + step : start + 2 * step], below[start : start + step])
        _fold(above[start : start + step], above[start + step : start + 2 * step])


@compiled
def _fold(first: Floats, second: Floats) -> None:
    """Minimum of two arrays, into the first."""
    for i in range(len(first)):
        first[i] = second[i] if second[i] < first[i] else first[i]


@compiled
def least_shares(shares: Floats, m: int, charges: Floats) -> float:
    """Least share of each of m units over all blocks around it, and their sum; the shares are overwritten.

    Args:
        shares: (2**m or more,) what one unit of a block has to pay.
        m: number of units.
        charges: (m or more,) receives what each unit is charged.
    """
    total = 0.0
    for i in range(m - 1, -1, -1):
        half = 1 << i
        around = shares[half : 2 * half]
        _fold(shares[:half], around)
        while half > 1:  # halves at a time: a single running minimum takes eight times as long
            half >>= 1
            _fold(around[:half], around[half : 2 * half])
        charges[i] = around[0]
        total += charges[i]
    return total


@compiled
def _lower(cost: Floats, m: int, charges: Floats, sums: Floats) -> None:
    """Take what its units are charged off the cost of every block."""
    sums[0] = 0.0
    for i in range(m):
        half, charge = 1 << i, charges[i]
        for b in range(half):
            x = sums[b] + charge
            sums[b + half] = x
            cost[b + half] -= x


@compiled
def _charge_each(cost: Floats, m: int, base: float, limit: float) -> float:
    """Charge each unit in turn the least cost, not below zero, of any block around it; lowers these costs."""
    for i in range(m):
        bit = 1 << i
        least = np.inf
        for start in range(bit, 1 << m, 2 * bit):
            for x in cost[start : start + bit]:
                least = x if x < least else least
        base += least
        if base >= limit:
            break
        for start in range(bit, 1 << m, 2 * bit):
            around = cost[start : start + bit]
            for b in range(bit):
                around[b] -= least
    return base


@compiled
def _add_blocks(cost: Floats, m: int, budget: float, spent: Floats, origin: Ints) -> float:
    """Least total cost of a set partition, if within the budget (else inf).

    `origin[left]` leads back from the units left to those left before the last block. Of blocks that cost less than
    the budget there are few: they are listed by their lowest unit.
    """
    everyone = (1 << m) - 1
    first, blocks = _affordable(cost, m, budget)
    spent[: everyone + 1] = np.inf
    spent[everyone] = 0.0
    for left in range(everyone, 0, -1):
        here = budget - spent[left]
        if here <= 0:
            continue
        low = 0
        while not left >> low & 1:
            low += 1
        for k in range(first[low], first[low + 1]):
            block = blocks[k]
            if block & left == block and cost[block] < here:
                total = spent[left] + cost[block]
                if total < spent[left ^ block]:
                    spent[left ^ block] = total
                    origin[left ^ block] = left
                    if left == block:
                        budget = total
                        here = budget - spent[left]
    return float(spent[0])


@compiled
def _affordable(cost: Floats, m: int, budget: float) -> tuple[Ints, Ints]:
    """Blocks that cost less than the budget, by their lowest unit; where each unit's begin."""
    first = np.zeros(m + 1, np.int64)
    count = 0
    for b in range(1, 1 << m):
        count += cost[b] < budget
    blocks = np.empty(count, np.int64)
    count = 0
    for i in range(m):
        for b in range(1 << i, 1 << m, 2 << i):
            if cost[b] < budget:
                blocks[count] = b
                count += 1
        first[i + 1] = count
    return first, blocks


@compiled
def cheapest(scratch: tuple[Floats, Floats, Floats], m: int, limit: float, inverse: Floats, origin: Ints) -> float:
    """Cost of the cheapest set partition of m units, if below a limit (else inf).

    Args:
        scratch: three arrays of 2**m entries or more; the first holds the cost of each block, and is lowered by what
            units are charged.
        m: number of units.
        limit: what the cost has to be below.
        inverse: of the sizes of masks.
        origin: receives what leads back from the units left to those left before the last block.
    """
    cost, spent, sums = scratch
    charges = np.empty(m)
    base = 0.0
    for _ in range(_ROUNDS if m > _SMALL else 1):  # after the first no cost is below zero
        for b in range(1 << m):
            spent[b] = cost[b] * inverse[b]
        base += least_shares(spent, m, charges)
        if base >= limit:
            return np.inf
        _lower(cost, m, charges, sums)
    base = _charge_each(cost, m, base, limit)
    if base >= limit:
        return np.inf
    return base + _add_blocks(cost, m, limit - base, spent, origin)


@compiled
def own_losses(column: Floats, union: int, unit: int, spread: Masks, out: Floats) -> None:
    """Losses of a unit that joins a union, for every block of the units that remain.

    Args:
        column: (2**n,) the unit's losses.
        union: mask of the new union.
        unit: the last in it.
        spread: scratch, as long as `out`.
        out: (2**(units that remain),) receives them.
    """
    units = np.empty(unit, np.int64)
    side, p = 0, 0  # of the units below it that remain, those side by side from the first on
    for j in range(unit):
        if not union >> j & 1:
            units[p] = j
            side = p + 1 if j == p else side
            p += 1
    side = side if side >= _FEW else 0
    spread_over(units[side:p], union, spread)
    run, many = 1 << p, 1 << side
    step = len(column) // (len(out) // run)
    for k in range(len(out) // run):
        own, after = column[k * step : (k + 1) * step], out[k * run : (k + 1) * run]
        if many == 1:
            for b in range(run):
                after[b] = own[spread[b]]
        else:
            for b in range(run // many):
                first = np.int64(spread[b])
                after[b * many : (b + 1) * many] = own[first : first + many]


@compiled
def shares_after(
    blocks: tuple[Floats, Floats],
    p: int,
    own: Floats,
    sizes: tuple[Floats, Floats],
    rates: tuple[float, float, float],
    shares: Floats,
) -> None:
    """Even shares of the blocks that remain when one more unit joins a union, from the losses before.

    Args:
        blocks: (2**m,) losses of the blocks of the m units left, alone and joined to the union so far.
        p: place of the unit among them; all that are in the union lie below it.
        own: (2**(m - 1),) see `own_losses`.
        sizes: (2**(m - 1),) of masks, and their inverses.
        rates: per connection cut; times the size of the new union; times the number of all units.
        shares: (2**(m - 1),) receives them.
    """
    rate, kept, all_cut = rates
    run = 1 << p
    for k in range(len(shares) // run):
        alone = blocks[0][2 * k * run : (2 * k + 1) * run]
        joined = blocks[1][(2 * k + 1) * run : (2 * k + 2) * run]
        size, inverse = sizes[0][k * run : (k + 1) * run], sizes[1][k * run : (k + 1) * run]
        loss, out = own[k * run : (k + 1) * run], shares[k * run : (k + 1) * run]
        for b in range(run):
            x = joined[b] - loss[b] + kept * size[b]
            x = x if x < alone[b] else alone[b]
            out[b] = x * inverse[b] + rate * size[b] - all_cut


@compiled
def add_unit(blocks: Floats, start: int, half: int, p: int, own: Floats) -> None:
    """Put the losses of blocks after one more unit has joined a union behind those before.

    Args:
        blocks: losses of blocks alone, and joined to the union.
        start: where those of the union before begin.
        half: number of blocks that remain.
        p: place of the unit among those left before.
        own: (half,) see `own_losses`.
    """
    run, target = 1 << p, start + 2 * half
    for k in range(half // run):
        first, out = start + 2 * k * run, target + k * run
        blocks[0, out : out + run] = blocks[0, first : first + run]
        before, after = blocks[1, first + run : first + 2 * run], blocks[1, out : out + run]
        loss = own[k * run : (k + 1) * run]
        for b in range(run):
            after[b] = before[b] - loss[b]


@compiled
def spread_over(units: Ints, base: int, spread: Masks) -> None:
    """Masks over all units of the masks of some, each with a mask added.

    Args:
        units: positions, ascending.
        base: mask that is added.
        spread: (2**len(units) or more,) receives the masks.
    """
    spread[0] = base
    for i in range(len(units)):
        half, bit = 1 << i, np.uint64(1 << units[i])
        low, high = spread[:half], spread[half : 2 * half]
        for b in range(half):
            high[b] = low[b] | bit


@compiled
def alive(low: Floats, limit: float) -> tuple[Bools, Bools]:
    """Unions whose bound is below a limit, or from which one is made by adding units above all of theirs; the latter.

    Args:
        low: (2**n,) bound of each union.
        limit: what it has to be below.
    """
    found = low < limit
    found[len(low) - 1] = False
    parent = np.zeros(len(low), np.bool_)
    top = len(low) >> 1
    for union in range(len(low) - 2, 0, -1):
        while not union & top:
            top >>= 1
        if found[union]:
            found[union ^ top] = True
            parent[union ^ top] = True
    return found, parent
