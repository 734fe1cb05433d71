"""Compiled search for the causes and effects of mechanisms (Eqs. 38-47).

Ints, tables and masks are those of `_repertoire_kernels`.
"""

from __future__ import annotations

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE as TIE
from iitcore._mechanism_partitions import count_bits, minimum_partition
from iitcore._repertoire_kernels import (
    Geometry,
    cause_profile,
    effect_profile,
    select,
    specified,
)


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
def _cause_blocks(units: Ints, x: int, rows: Ints, logs: Floats, geometry: Geometry, out: Floats) -> None:
    """Gather -log2 P(mechanism unit | block of the purview in its specified state)."""
    alphabet, _, strides, _, _, digits = geometry
    index = np.empty(1 << units.size, np.int64)
    index[0] = logs.shape[0] - 1
    for i in range(units.size):
        j = units[i]
        step = (alphabet[j] - digits[x, j]) * strides[j]
        for b in range(1 << i):
            index[b | 1 << i] = index[b] - step
    for a in range(rows.size):
        for b in range(index.size):
            out[a, b] = logs[index[b], rows[a]]


@compiled
def _cuts(mask: int, cause: bool, x: int, logs: Floats, now: Ints, geometry: Geometry) -> tuple[float, float]:
    """Log-ratios, over a purview state, of the complete cut and of the best cut of one unit.

    The second has norm |Z|: the purview keeps the mechanism less one unit (effect), or one unit of
    the mechanism is cut from the purview (cause), whichever unit matters least.
    """
    alphabet, offsets, _, _, _, digits = geometry
    last = logs.shape[0] - 1
    complete, one = 0.0, np.inf
    for j in range(alphabet.size):
        if cause and mask >> j & 1:
            loss = logs[last, j] - logs[x, j]
            complete += loss
            one = min(one, loss)
        elif not cause and digits[x, j] < alphabet[j]:
            c = offsets[j] + digits[x, j]
            complete += logs[last, c] - logs[now[mask], c]
    if not cause:
        for i in range(alphabet.size):
            if mask >> i & 1:
                loss = 0.0
                for j in range(alphabet.size):
                    if digits[x, j] < alphabet[j]:
                        c = offsets[j] + digits[x, j]
                        loss += logs[now[mask ^ 1 << i], c] - logs[now[mask], c]
                one = min(one, loss)
    return complete, one


@compiled
def _candidates(
    mask: int,
    cause: bool,
    p: Floats,
    selectivity: Floats,
    reference: Floats,
    logs: Floats,
    now: Ints,
    geometry: Geometry,
) -> tuple[int, Ints, Ints, Floats, Floats]:
    """Purviews in their specified states: count, extended index, units, information, bound of phi.

    A partition with log-ratio G and norm N bounds phi by G / N times the largest norm, that of the
    complete cut.
    """
    states, start = geometry[3], geometry[4]
    # TIE times the norm, over |Z|, is what the log-ratios of tied partitions can differ by.
    slack = TIE * geometry[0].size
    n_mechanism = count_bits(mask)
    index = np.empty(p.size, np.int64)
    purview = np.empty(p.size, np.int64)
    information = np.empty(p.size)
    bound = np.empty(p.size)
    tied = np.empty(p.size, np.int64)
    scratch = np.empty(p.size)
    count = 0
    for units in range(1, start.size - 1):
        purview_states = states[start[units] : start[units + 1]]
        n_tied, best = specified(purview_states, p, selectivity, reference, tied, scratch)
        for i in range(n_tied):
            x = tied[i]
            complete, one = _cuts(mask, cause, x, logs, now, geometry)
            most = selectivity[x] * min(complete, n_mechanism * (one + slack))
            if one > TIE and most > TIE:
                index[count], purview[count] = x, units
                information[count], bound[count] = best, most
                count += 1
    return count, index, purview, information, bound


@compiled
def _first_largest(values: Floats, count: int) -> int:
    """Position of the largest of the first values; -1 for none."""
    at = -1
    for c in range(count):
        if at < 0 or values[c] > values[at]:
            at = c
    return at


@compiled
def maximal(
    mask: int, cause: bool, table: Floats, logs: Floats, now: Ints, geometry: Geometry
) -> tuple[Ints, Floats, Ints, Floats, Ints]:
    """Purviews of a mechanism with the largest phi on one side (Eqs. 42-47), ties included.

    Candidates are refined in order of an upper bound, first by a few partitions, then exactly,
    until no bound reaches the best phi.

    Args:
        mask: the mechanism.
        cause: which side.
        table: extended marginals of T_e (every value) or T_c (present values only).
        logs: -log2 of the table.
        now: extended index of the present state of each set of units, the others averaged.
        geometry: see `distinctions.geometry`.

    Returns one row each: extended index of the purview in its specified state, phi, norm of the
    minimum partition, intrinsic information, and per partitioned unit (purview units for effects,
    mechanism units for causes, ascending) the block of the other side that it stays with, as a
    mask over that side's units.
    """
    alphabet, offsets, _, _, _, digits = geometry
    n = alphabet.size
    if cause:
        p, selectivity, reference = cause_profile(mask, table, geometry)
    else:
        p, selectivity, reference = effect_profile(mask, table, now, geometry)
    count, index, purview, information, bound = _candidates(mask, cause, p, selectivity, reference, logs, now, geometry)
    mechanism = select(mask, n)
    width = mechanism.size if cause else table.shape[1]
    blocks = np.empty((width, 1 << (n if cause else mechanism.size)))
    if not cause:
        _effect_blocks(mechanism, logs, now, blocks)
    refined = np.zeros(count, np.bool_)
    phi = np.zeros(count)
    norm = np.zeros(count, np.int64)
    kept = np.zeros((count, n), np.int64)
    best = 0.0
    while True:
        at = _first_largest(bound, count)
        cutoff = max(best - TIE, TIE)
        if at < 0 or bound[at] < cutoff:
            break
        units = select(purview[at], n)
        side = units if cause else mechanism
        rows = np.arange(mechanism.size if cause else units.size)
        if cause:
            _cause_blocks(units, index[at], mechanism, logs, geometry, blocks)
        else:
            for a in range(units.size):
                rows[a] = offsets[units[a]] + digits[index[at], units[a]]
        value, cut = minimum_partition(
            blocks, rows, side.size, cause, selectivity[index[at]], cutoff, refined[at], kept[at]
        )
        if cut == 0 and not refined[at]:
            refined[at] = True
            bound[at] = min(value, bound[at])
            continue
        bound[at] = -1.0
        phi[at], norm[at] = value, cut
        best = max(best, value)
    wins = 0
    for c in range(count):  # keep the winners, in place
        if phi[c] >= max(best - TIE, TIE):
            index[wins], phi[wins], norm[wins] = index[c], phi[c], norm[c]
            information[wins] = information[c]
            for a in range(n):
                kept[wins, a] = kept[c, a]
            wins += 1
    return index[:wins], phi[:wins], norm[:wins], information[:wins], kept[:wins]
