"""Compiled search for the causes and effects of mechanisms (Eqs. 38-47).

Ints, tables and masks are those of `_repertoire_kernels`.
"""

from __future__ import annotations

import numpy as np

from iitcore import _screens as screens
from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE as TIE
from iitcore._mechanism_partitions import minimum_partition
from iitcore._repertoire_kernels import (
    Geometry,
    cause_profile,
    effect_profile,
    select,
    specified_cause,
    specified_effect,
)

_SCREEN = 3  # units of a mechanism from which its purviews are screened

Candidates = tuple[int, Ints, Ints, Floats, Floats, Floats]


@compiled
def _effect_blocks(units: Ints, logs: Floats, now: Ints, out: Floats) -> None:
    """Gather -log2 P(value | block of the mechanism held) for every column and block."""
    for b in range(1 << units.size):
        full = 0
        for i in range(units.size):
            if b >> i & 1:
                full |= 1 << units[i]
        for c in range(logs.shape[1]):
            out[c, b] = logs[now[full], c]


@compiled
def _cause_blocks(units: Ints, x: int, mechanism: Ints, logs: Floats, geometry: Geometry, out: Floats) -> None:
    """Gather -log2 P(mechanism unit | block of the purview in its specified state)."""
    alphabet, _, strides, _, _, digits = geometry
    index = np.empty(1 << units.size, np.int64)
    index[0] = logs.shape[0] - 1
    for i in range(units.size):
        j, half = units[i], 1 << i
        step = (alphabet[j] - digits[x, j]) * strides[j]
        for b in range(half):
            index[b | half] = index[b] - step
    for b in range(index.size):
        row = logs[index[b]]
        for a in range(mechanism.size):
            out[a, b] = row[mechanism[a]]


@compiled
def _few_cause_blocks(units: Ints, x: int, mechanism: Ints, logs: Floats, geometry: Geometry, out: Floats) -> None:
    """As `_cause_blocks`, for no unit, one, all but one, and all."""
    alphabet, _, strides, _, _, digits = geometry
    full, last = (1 << units.size) - 1, logs.shape[0] - 1
    none, whole = logs[last], logs[x]
    for a in range(mechanism.size):
        out[a, 0], out[a, full] = none[mechanism[a]], whole[mechanism[a]]
    for i in range(units.size):
        j = units[i]
        step = (alphabet[j] - digits[x, j]) * strides[j]
        alone, others = logs[last - step], logs[x + step]
        for a in range(mechanism.size):
            out[a, 1 << i], out[a, full ^ 1 << i] = alone[mechanism[a]], others[mechanism[a]]


@compiled
def _effect_cuts(blocks: Floats, n_mechanism: int) -> Floats:
    """Log-ratio, per column, of cutting each unit of the mechanism, and of cutting all of them (the last)."""
    full = (1 << n_mechanism) - 1
    cuts = np.empty((blocks.shape[0], n_mechanism + 1))
    for c in range(blocks.shape[0]):
        for i in range(n_mechanism):
            cuts[c, i] = blocks[c, full ^ 1 << i] - blocks[c, full]
        cuts[c, n_mechanism] = blocks[c, 0] - blocks[c, full]
    return cuts


@compiled
def _likely(row: Floats, geometry: Geometry) -> Ints:
    """Place, among the states of each purview, of its most probable state."""
    alphabet, offsets, _, _, start, _ = geometry
    out = np.zeros(start.size - 1, np.int64)
    for j in range(alphabet.size):
        top = 0
        for v in range(1, alphabet[j]):
            if row[offsets[j] + v] > row[offsets[j] + top]:
                top = v
        for below in range(1 << j):
            out[below | 1 << j] = out[below] + top * (start[below + 1] - start[below])
    return out


@compiled
def _effect_candidates(
    mask: int, table: Floats, blocks: Floats, n_mechanism: int, now: Ints, geometry: Geometry
) -> Candidates:
    """Purviews in their specified states, with what bounds their phi.

    A partition with log-ratio G and norm N bounds phi by G / N times the largest norm, that of the complete cut. The
    complete cut is one; another, of norm |Z|, cuts the unit of the mechanism that matters least.

    Returns:
        Count, extended indices, units, selectivity, intrinsic information, bound.
    """
    alphabet, offsets, _, states, start, digits = geometry
    p, reference = effect_profile(mask, table, now, geometry)
    cuts, likely = _effect_cuts(blocks, n_mechanism), _likely(table[now[mask]], geometry)
    count, index, purview, selectivity, information, bound = _room(p.size)
    tied, scratch = np.empty(p.size, np.int64), np.empty(p.size)
    sums = np.empty(n_mechanism + 1)
    # TIE times the norm, over |Z|, is what the log-ratios of tied partitions can differ by.
    slack = TIE * alphabet.size
    for units in range(1, start.size - 1):
        a, b = start[units], start[units + 1]
        n_tied, best = specified_effect(p[a:b], reference[a:b], likely[units], tied, scratch)
        for i in range(n_tied):
            x = states[a + tied[i]]
            sums[:] = 0.0
            for j in range(alphabet.size):
                if units >> j & 1:
                    loss = cuts[offsets[j] + digits[x, j]]
                    for k in range(n_mechanism + 1):
                        sums[k] += loss[k]
            one = np.inf
            for k in range(n_mechanism):
                one = sums[k] if sums[k] < one else one
            most = p[a + tied[i]] * min(sums[n_mechanism], n_mechanism * (one + slack))
            if one > TIE and most > TIE:
                index[count], purview[count], selectivity[count] = x, units, p[a + tied[i]]
                information[count], bound[count] = best, most
                count += 1
    return count, index, purview, selectivity, information, bound


@compiled
def _cause_candidates(mask: int, table: Floats, logs: Floats, units_in: Ints, geometry: Geometry) -> Candidates:
    """As `_effect_candidates`; what is cut besides everything is the unit of the mechanism that matters least."""
    _, _, _, states, start, _ = geometry
    p = cause_profile(mask, table)
    count, index, purview, selectivity, information, bound = _room(p.size)
    tied, scratch = np.empty(p.size, np.int64), np.empty(p.size)
    slack = TIE * table.shape[0]
    averaged = logs[logs.shape[0] - 1]
    for units in range(1, start.size - 1):
        a, b = start[units], start[units + 1]
        n_tied, best, total = specified_cause(p[a:b], tied, scratch)
        for i in range(n_tied):
            x = states[a + tied[i]]
            complete, one = 0.0, np.inf
            for j in units_in:
                loss = averaged[j] - logs[x, j]
                complete += loss
                one = loss if loss < one else one
            weight = p[a + tied[i]] / total
            most = weight * min(complete, units_in.size * (one + slack))
            if one > TIE and most > TIE:
                index[count], purview[count], selectivity[count] = x, units, weight
                information[count], bound[count] = best, most
                count += 1
    return count, index, purview, selectivity, information, bound


@compiled
def _room(size: int) -> Candidates:
    """Room for as many candidates as there are purview states."""
    index, purview = np.empty(size, np.int64), np.empty(size, np.int64)
    return 0, index, purview, np.empty(size), np.empty(size), np.empty(size)


@compiled
def _sink(heap: Ints, count: int, at: int, bound: Floats) -> None:
    """Let a candidate of a heap, the one with the largest bound first, sink to its place."""
    c = heap[at]
    while 2 * at + 1 < count:
        child = 2 * at + 1
        if child + 1 < count and bound[heap[child + 1]] > bound[heap[child]]:
            child += 1
        if bound[heap[child]] <= bound[c]:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = c


@compiled
def maximal(
    mask: int, cause: bool, table: Floats, logs: Floats, now: Ints, geometry: Geometry
) -> tuple[Ints, Floats, Ints, Floats, Ints]:
    """Purviews of a mechanism with the largest phi on one side (Eqs. 42-47), ties included.

    Candidates are refined in order of an upper bound, first by a few partitions, then by a screen, then exactly,
    until no bound reaches the best phi.

    Args:
        mask: the mechanism.
        cause: which side.
        table: see `_repertoire_kernels.tables`: T_e, or T_c.
        logs: -log2 of the table, by extended index.
        now: extended index of the present state of each set of units, the others averaged.
        geometry: see `distinctions.geometry`.

    Returns one row each: extended index of the purview in its specified state, phi, norm of the
    minimum partition, intrinsic information, and per partitioned unit (purview units for effects,
    mechanism units for causes, ascending) the block of the other side that it stays with, as a
    mask over that side's units.
    """
    n = geometry[0].size
    mechanism = select(mask, n)
    blocks = np.empty((mechanism.size if cause else logs.shape[1], 1 << (n if cause else mechanism.size)))
    if cause:
        found = _cause_candidates(mask, table, logs, mechanism, geometry)
    else:
        _effect_blocks(mechanism, logs, now, blocks)
        found = _effect_candidates(mask, table, blocks, mechanism.size, now, geometry)
    count, index, _, _, information, _ = found
    phi, norm, kept = np.zeros(count), np.zeros(count, np.int64), np.empty((count, n), np.int64)
    best = _search(cause, found, blocks, mechanism, logs, geometry, phi, norm, kept)
    wins = 0
    for c in range(count):  # keep the winners, in place
        if phi[c] >= max(best - TIE, TIE):
            index[wins], phi[wins], norm[wins] = index[c], phi[c], norm[c]
            information[wins], kept[wins] = information[c], kept[c]
            wins += 1
    return index[:wins].copy(), phi[:wins].copy(), norm[:wins].copy(), information[:wins].copy(), kept[:wins].copy()


@compiled
def _search(
    cause: bool,
    found: Candidates,
    blocks: Floats,
    mechanism: Ints,
    logs: Floats,
    geometry: Geometry,
    phi: Floats,
    norm: Ints,
    kept: Ints,
) -> float:
    """Fill in phi, norm and partition of all candidates that may have the largest phi; the largest phi."""
    count, index, purview, selectivity, _, bound = found
    offsets, digits = geometry[1], geometry[5]
    heap, bounded = np.arange(count), np.zeros(count, np.bool_)
    for at in range(count // 2 - 1, -1, -1):
        _sink(heap, count, at, bound)
    screen = screens.room(0 if cause else mechanism.size, logs.shape[1])
    members, rows = np.empty(geometry[0].size, np.int64), np.arange(geometry[0].size)
    best = 0.0
    while count > 0:
        at = heap[0]
        cutoff = max(best - TIE, TIE)
        if bound[at] < cutoff:
            break
        units = _members(purview[at], members)
        n_side, n_rows = units.size, mechanism.size
        if cause and bounded[at]:
            _cause_blocks(units, index[at], mechanism, logs, geometry, blocks)
        elif cause:
            _few_cause_blocks(units, index[at], mechanism, logs, geometry, blocks)
        else:
            n_side, n_rows = n_rows, n_side
            for a in range(n_rows):
                rows[a] = offsets[units[a]] + digits[index[at], units[a]]
        scale = selectivity[at], n_rows * n_side
        screened = not cause and not bounded[at] and n_side >= _SCREEN
        if screened:
            bound[at] = screens.bound(screen, blocks, rows[:n_rows], bound[at], scale)
            if bound[at] < cutoff:
                _sink(heap, count, 0, bound)
                continue
        value, cut = minimum_partition(
            blocks, rows[:n_rows], n_side, cause, selectivity[at], cutoff, bounded[at], kept[at]
        )
        if cut == 0 and not bounded[at]:
            if screened and value >= cutoff:
                value = screens.bound(screen, blocks, rows[:n_rows], value, scale)
            bounded[at] = True
            bound[at] = min(value, bound[at])
        else:
            phi[at], norm[at] = value, cut
            best = max(best, value)
            count -= 1
            heap[0] = heap[count]
        _sink(heap, count, 0, bound)
    return best


@compiled
def _members(mask: int, out: Ints) -> Ints:
    """Positions of the units of a set, in an array given."""
    count = 0
    while mask >> count:
        count += 1
    size = 0
    for j in range(count):
        if mask >> j & 1:
            out[size] = j
            size += 1
    return out[:size]
