"""Exact minimum partition of one side of a system, without enumerating partitions.

With the table `gain` of `_kernels.fill_gain`, a partition's loss is a sum over units, and so is the
number of connections it cuts: the minimum of their ratio comes from a few minimisations of
loss - rate * norm (Dinkelbach), each a dynamic programme over set partitions.

A partition is two arrays: `parts[j]`, the mask of the part unit j is in, and `marks[j]`, which of
that part's connections are cut.
"""

from __future__ import annotations

import numpy as np

from iitcore import _few_units
from iitcore import _unions as unions
from iitcore._arrays import Floats, Ints
from iitcore._few_units import BOTH, INPUTS, OUTPUTS
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE

_FEW = 9  # units up to which every table is filled (`_few_units`)
_NOISE = 1e-13  # rounding in a sum of table entries

Incumbent = tuple[float, int, float, float, bool]
Room = tuple[tuple[Floats, Floats, Floats], Floats, tuple[Floats, Floats, Floats], Ints, unions.Masks]


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
    apart = unions.alone(gain)
    size = np.zeros(full + 1, np.int64)
    for mask in range(1, full + 1):
        size[mask] = size[mask >> 1] + (mask & 1)
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
    if len(parts) == 1 or loss <= TOLERANCE:
        return loss, norm, False
    if len(parts) <= _FEW:
        return _improve_few(gain, loss, norm, parts, marks)
    return improve_many(gain, loss, norm, parts, marks)


@compiled
def improve_many(gain: Floats, loss: float, norm: int, parts: Ints, marks: Ints) -> tuple[float, int, bool]:
    """`improve` for two units or more.

    For every union of the parts marked <-, unless a bound excludes it, the cheapest set partition at the rate of the
    best partition so far is sought; a better one lowers the rate for the unions that follow. Those before have nothing
    better at a lower rate either. Unions grow by one unit at a time, in ascending order: the losses of blocks are
    those of the union before, less what the new unit changes.

    Args:
        gain: (2**n, n) table of one side.
        loss: of the incumbent, in ibits, above zero.
        norm: connections that the incumbent cuts.
        parts: (n,) receives the partition where it improves.
        marks: (n,) receives its marks where it improves.

    Returns:
        Loss, norm and whether this side improved on them.
    """
    n = len(parts)
    room = _room(gain)
    apart, size, inverse = room[0][:3]
    rate, limit = loss / norm + TOLERANCE, _limit(loss, norm)
    best: Incumbent = (loss, norm, rate, limit, False)
    inner, outer = unions.bounds(gain, apart, size, inverse, rate)
    open_, parent = unions.alive(inner + outer, limit)
    start, chosen, following = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    best = _visit(gain, room, (0, 0, 0), (0.0, 0.0), best, parts, marks)
    depth, union = 0, 0
    while depth >= 0:
        unit = following[depth]
        following[depth] += 1
        if unit == n:
            union ^= 1 << chosen[depth] if depth > 0 else 0
            depth -= 1
        elif open_[union | 1 << unit]:
            child = union | 1 << unit
            half, p, worth = len(gain) >> (depth + 1), unit - depth, False
            unions.own_losses(gain[:, unit], child, unit, room[4], room[2][2][:half])
            spared = (rate - best[2]) * (depth + 1) * (n - depth - 1)  # inputs of the union are cut in any case
            if inner[child] + outer[child] + spared < best[3]:
                rates = best[2], best[2] * (depth + 1), best[2] * n
                outer[child] = _bound_after(room, start[depth], half, p, rates)
                worth = inner[child] + outer[child] < best[3]
            if worth or parent[child]:
                unions.add_unit(room[1], start[depth], half, p, room[2][2])
                start[depth + 1] = start[depth] + 2 * half
                union = child
                depth += 1
                chosen[depth], following[depth] = unit, unit + 1
            if worth:
                low = inner[child], outer[child]
                best = _visit(gain, room, (child, depth, start[depth]), low, best, parts, marks)
    return best[0], best[1], best[4]


@compiled
def _improve_few(gain: Floats, loss: float, norm: int, parts: Ints, marks: Ints) -> tuple[float, int, bool]:
    """`improve` for few units: the cheapest of all partitions, again and again at the rate of the last."""
    changed = False
    new_parts, new_marks = np.empty(len(parts), np.int64), np.empty(len(parts), np.int64)
    while loss > TOLERANCE:
        rate, limit = loss / norm, _limit(loss, norm)
        if _few_units.search(gain, rate + TOLERANCE, limit, new_parts, new_marks) >= limit:
            break
        new_loss, new_norm = evaluate(gain, new_parts, new_marks)
        lower = new_loss / new_norm < rate - TOLERANCE
        if lower or new_loss > loss:
            loss, norm, changed = new_loss, new_norm, True
            parts[:] = new_parts
            marks[:] = new_marks
        if not lower:
            break
    return loss, norm, changed


@compiled
def _limit(loss: float, norm: int) -> float:
    """What a partition's loss less (loss / norm + TOLERANCE) for each connection cut has to be below to be better."""
    return -TOLERANCE * norm - _NOISE * (1 + loss)


@compiled
def _room(gain: Floats) -> Room:
    """Tables of masks (loss alone, size, its inverse), room for the losses of blocks, and scratch."""
    masks, n = gain.shape
    size, inverse = unions.sizes_of(n)
    apart = unions.alone(gain)
    blocks = np.empty((2, 2 * masks))  # of blocks alone, and joined to the union, of one union after the other
    blocks[0, :masks] = apart
    blocks[1, :masks] = apart
    cost, spent, sums = np.empty(masks), np.empty(masks), np.empty(masks)
    origins, spread = np.empty((2, masks), np.int64), np.empty(masks, np.uint64)
    return (apart, size, inverse), blocks, (cost, spent, sums), origins, spread


@compiled
def _bound_after(room: Room, start: int, half: int, p: int, rates: tuple[float, float, float]) -> float:
    """Bound of what the blocks of the other units cost after one more has joined, see `unions.shares_after`."""
    (_, size, inverse), blocks, (cost, spent, sums), _, _ = room
    both = blocks[0, start : start + 2 * half], blocks[1, start : start + 2 * half]
    unions.shares_after(both, p, sums[:half], (size[:half], inverse[:half]), rates, spent[:half])
    m = 0
    while 1 << m < half:
        m += 1
    return unions.least_shares(spent, m, cost)


@compiled
def _visit(
    gain: Floats,
    room: Room,
    where: tuple[int, int, int],
    low: tuple[float, float],
    best: Incumbent,
    parts: Ints,
    marks: Ints,
) -> Incumbent:
    """Improve on the incumbent by partitions with one union of parts marked <-.

    Args:
        gain: (2**n, n) table of one side.
        room: see `_room`.
        where: the union, its size, and where the losses of its blocks begin.
        low: bounds of what the blocks of the union cost, and of what those of the others do.
        best: loss, norm, rate (with the tolerance), limit of the incumbent, and whether it has changed.
        parts: (n,) receives the partition where it improves.
        marks: (n,) receives its marks where it improves.
    """
    loss, norm, rate, limit, changed = best
    new_parts, new_marks = np.empty(len(parts), np.int64), np.empty(len(parts), np.int64)
    while loss > TOLERANCE:
        value = _cheapest(room, where, low, rate, limit, len(parts))
        if value >= limit:
            break
        _mark(room, where, rate, new_parts, new_marks)
        new_loss, new_norm = evaluate(gain, new_parts, new_marks)
        lower = new_loss / new_norm < rate - 2 * TOLERANCE
        limit = value - _NOISE * (1 + loss)
        if lower or new_loss > loss:
            loss, norm, changed = new_loss, new_norm, True
            parts[:] = new_parts
            marks[:] = new_marks
        if not lower:
            break
        rate, limit = loss / norm + TOLERANCE, _limit(loss, norm)
    return loss, norm, rate, limit, changed


@compiled
def _cheapest(
    room: Room, where: tuple[int, int, int], low: tuple[float, float], rate: float, limit: float, n: int
) -> float:
    """Least value of a partition with one union of parts marked <-, if below the limit (else inf).

    The smaller of the union and the others comes first: what it costs may leave nothing to be sought.
    """
    _, _, scratch, origins, _ = room
    union, depth, _ = where
    inverse = room[0][2]
    if union == 0:
        _cost_of_others(room, where, rate, n)
        scratch[0][(1 << n) - 1] = np.inf  # one block of all units is no partition
        return unions.cheapest(scratch, n, limit, inverse, origins[1])
    total = 0.0
    for turn in range(2):
        rest = low[1 - turn if 2 * depth <= n else turn] if turn == 0 else total
        if (turn == 0) == (2 * depth <= n):
            _cost_of_union(room, where, rate, n)
            value = unions.cheapest(scratch, depth, limit - rest, inverse, origins[0])
        else:
            _cost_of_others(room, where, rate, n)
            value = unions.cheapest(scratch, n - depth, limit - rest, inverse, origins[1])
        total += value
        if total + (rest if turn == 0 else 0.0) >= limit:
            return np.inf
    return total


@compiled
def _cost_of_union(room: Room, where: tuple[int, int, int], rate: float, n: int) -> None:
    """Cost of every block of the union's units."""
    (apart, size, _), _, (cost, _, _), _, spread = room
    union, depth, _ = where
    unions.spread_over(_members(union, n), 0, spread)
    for b in range(1 << depth):
        cost[b] = apart[spread[b]] - rate * size[b] * (n - size[b])


@compiled
def _cost_of_others(room: Room, where: tuple[int, int, int], rate: float, n: int) -> None:
    """Cost of every block of the other units, alone or joined to the union, whichever is cheaper."""
    (_, size, _), blocks, (cost, _, _), _, _ = room
    _, depth, start = where
    for b in range(1 << (n - depth)):
        cuts = size[b] * (n - size[b])
        alone, joined = blocks[0, start + b], blocks[1, start + b] + rate * depth * size[b]
        cost[b] = (joined if joined < alone else alone) - rate * cuts


@compiled
def _members(union: int, n: int) -> Ints:
    """Units of a mask."""
    members = np.empty(n, np.int64)
    count = 0
    for j in range(n):
        if union >> j & 1:
            members[count] = j
            count += 1
    return members[:count]


@compiled
def _mark(room: Room, where: tuple[int, int, int], rate: float, parts: Ints, marks: Ints) -> None:
    """Write the partition that `_cheapest` found, the blocks of the others with the cheaper of their marks."""
    n = len(parts)
    (_, size, _), blocks, _, origins, spread = room
    union, depth, start = where
    for side in range(2):
        units = _members(union if side == 0 else (1 << n) - 1 ^ union, n)
        unions.spread_over(units, 0, spread)
        left = 0
        while left != (1 << len(units)) - 1:
            block = origins[side, left] ^ left
            left = origins[side, left]
            part = np.int64(spread[block])
            joined = blocks[1, start + block] + rate * depth * size[block] < blocks[0, start + block]
            for j in range(n):
                if part >> j & 1:
                    parts[j] = part
                    marks[j] = INPUTS if side == 0 else OUTPUTS if joined and depth > 0 else BOTH


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
