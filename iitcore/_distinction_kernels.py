"""Compiled search for the causes and effects of mechanisms (Eqs. 27-46).

Layout. Each unit j has k_j values and one more digit, k_j, for "averaged uniformly"; an *extended*
index is mixed radix over these k_j + 1 digits, first unit fastest. One extended table holds every
conditional marginal that a mechanism, a purview or a part of a partition can ask for, so that the
rest is products and look-ups. Subsets of units are bit masks. Loops are written out because array
expressions compile many times slower.
"""

from __future__ import annotations

import numpy as np

from iitcore._jit import Floats, Ints, compiled
from iitcore._mechanism_partitions import TIE, count_bits, minimum_partition

Geometry = tuple[Ints, Ints, Ints, Ints, Ints, Ints]
_LOG2_E = 1.4426950408889634


@compiled
def extend(values: Floats, alphabet: Ints, divisor: Ints) -> Floats:
    """Add to a (states, columns) table the rows in which units are summed out and divided."""
    n = alphabet.size
    size = 1
    for j in range(n):
        size *= alphabet[j] + 1
    columns = values.shape[1]
    out = np.zeros((size, columns))
    digits = np.zeros(n, np.int64)
    row = 0
    for x in range(size):
        axis, stride = 0, 1
        while axis < n and digits[axis] < alphabet[axis]:
            stride *= alphabet[axis] + 1
            axis += 1
        for c in range(columns):
            if axis == n:
                out[x, c] = values[row, c]
            else:
                total = 0.0
                for v in range(1, alphabet[axis] + 1):
                    total += out[x - v * stride, c]
                out[x, c] = total / divisor[axis]
        if axis == n:
            row += 1
        j = 0
        while j < n and digits[j] == alphabet[j]:
            digits[j] = 0
            j += 1
        if j < n:
            digits[j] += 1
    return out


@compiled
def present(state: Ints, geometry: Geometry) -> Ints:
    """Extended index of the present state of each set of units, the others averaged."""
    alphabet, _, strides, _, start, _ = geometry
    out = np.zeros(start.size - 1, np.int64)
    for j in range(alphabet.size):
        out[0] += alphabet[j] * strides[j]
    for j in range(alphabet.size):
        step = (alphabet[j] - state[j]) * strides[j]
        for mask in range(1 << j):
            out[mask | 1 << j] = out[mask] - step
    return out


@compiled
def tables(
    cause: Floats, effect: Floats, state: Ints, geometry: Geometry
) -> tuple[Floats, Floats, Floats, Floats]:
    """Extended marginals and their -log2: of the present values (cause), of all (effect)."""
    alphabet, offsets = geometry[0], geometry[1]
    now = np.empty((cause.shape[0], alphabet.size))
    for x in range(cause.shape[0]):
        for j in range(alphabet.size):
            now[x, j] = cause[x, offsets[j] + state[j]]
    causes = extend(now, alphabet, alphabet)
    effects = extend(effect, alphabet, alphabet)
    return causes, _surprise(causes), effects, _surprise(effects)


@compiled
def _surprise(table: Floats) -> Floats:
    """-log2 of every entry."""
    out = np.empty(table.shape)
    for x in range(table.shape[0]):
        for c in range(table.shape[1]):
            out[x, c] = -np.log2(table[x, c])
    return out


@compiled
def _products(row: Floats, alphabet: Ints, offsets: Ints, levels: Ints, out: Floats) -> None:
    """Product of a row's unit marginals for every state; averaged units contribute 1.

    `levels` is the number of digits per unit: k_j for plain states, k_j + 1 for extended ones.
    """
    out[0] = 1.0
    size = 1
    for j in range(alphabet.size):
        k = alphabet[j]
        if levels[j] > k:
            for i in range(size):
                out[k * size + i] = out[i]
        for v in range(k - 1, -1, -1):  # value 0 last: it overwrites the factor being spread
            f = row[offsets[j] + v]
            for i in range(size):
                out[v * size + i] = out[i] * f
        size *= levels[j]


@compiled
def _levels(alphabet: Ints, more: int) -> Ints:
    out = np.empty(alphabet.size, np.int64)
    for j in range(alphabet.size):
        out[j] = alphabet[j] + more
    return out


@compiled
def effect_profile(
    mask: int, table: Floats, now: Ints, geometry: Geometry
) -> tuple[Floats, Floats, Floats]:
    """Effect side of a mechanism, for every purview state: pi(z|m) twice, and pi(z;M)."""
    alphabet, offsets, _, states, start, _ = geometry
    p = np.empty(table.shape[0])
    _products(table[now[mask]], alphabet, offsets, _levels(alphabet, 1), p)
    n_states = 1
    for k in alphabet:
        n_states *= k
    joint = np.empty(n_states)
    total = np.zeros((n_states, 1))
    for r in range(start[mask], start[mask + 1]):
        _products(table[states[r]], alphabet, offsets, alphabet, joint)
        for i in range(n_states):
            total[i, 0] += joint[i]
    count = start[mask + 1] - start[mask]
    for i in range(n_states):
        total[i, 0] /= count
    reference = extend(total, alphabet, np.ones(alphabet.size, np.int64))
    return p, p, reference.reshape(table.shape[0])


@compiled
def cause_profile(mask: int, table: Floats, geometry: Geometry) -> tuple[Floats, Floats, Floats]:
    """Cause side, for every purview state: pi(m|z), pi<-(z|m) and pi(m;Z)."""
    _, _, _, states, start, _ = geometry
    size = table.shape[0]
    p = np.ones(size)
    for x in range(size):
        for j in range(table.shape[1]):
            if mask >> j & 1:
                p[x] *= table[x, j]
    selectivity = np.zeros(size)
    reference = np.zeros(size)
    for purview in range(start.size - 1):
        total = 0.0
        for r in range(start[purview], start[purview + 1]):
            total += p[states[r]]
        if total > 0.0:
            average = total / (start[purview + 1] - start[purview])
            for r in range(start[purview], start[purview + 1]):
                x = states[r]
                selectivity[x] = p[x] / total
                reference[x] = average
    return p, selectivity, reference


@compiled
def specified(
    states: Ints, p: Floats, selectivity: Floats, reference: Floats, out: Ints
) -> tuple[int, float]:
    """States of a purview whose intrinsic information is largest (Eqs. 34-37), ties included.

    Writes their extended indices to `out`; returns how many and the intrinsic information.
    """
    best, count = 0.0, 0
    for again in range(2):
        for r in range(states.size):
            x = states[r]
            excess = p[x] - reference[x]
            least = best - again * TIE
            if selectivity[x] * excess * _LOG2_E < least * reference[x] or excess <= 0.0:
                continue  # log2(1 + y) <= y log2(e): most states need no logarithm
            information = selectivity[x] * np.log2(p[x] / reference[x])
            if again == 0:
                best = max(best, information)
            elif information >= least:
                out[count] = x
                count += 1
        if best < TIE:
            break
    return count, best


@compiled
def select(mask: int, n: int) -> Ints:
    """Positions of the set bits."""
    out = np.empty(count_bits(mask), np.int64)
    i = 0
    for j in range(n):
        if mask >> j & 1:
            out[i] = j
            i += 1
    return out


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
def _cause_blocks(
    units: Ints, x: int, rows: Ints, logs: Floats, geometry: Geometry, out: Floats
) -> None:
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
def _effect_cuts(
    mask: int, table: Floats, now: Ints, geometry: Geometry, alone: Floats, weaker: Floats
) -> None:
    """Per purview state, probability under the complete cut and under the best cut of one unit.

    The second leaves all of the purview with the mechanism less one unit, whichever matters least.
    """
    alphabet, offsets = geometry[0], geometry[1]
    levels = _levels(alphabet, 1)
    _products(table[table.shape[0] - 1], alphabet, offsets, levels, alone)
    p = np.empty(alone.size)
    for x in range(alone.size):
        weaker[x] = alone[x]
    for j in range(alphabet.size):
        if mask >> j & 1 and mask != 1 << j:
            _products(table[now[mask ^ 1 << j]], alphabet, offsets, levels, p)
            for x in range(p.size):
                weaker[x] = max(weaker[x], p[x])


@compiled
def _cause_cuts(mask: int, table: Floats, p: Floats, alone: Floats, weaker: Floats) -> None:
    """The same for causes, where the unit cut is one of the mechanism's."""
    last = table.shape[0] - 1
    for x in range(p.size):
        alone[x] = weaker[x] = p[last]
        for j in range(table.shape[1]):
            if mask >> j & 1 and mask != 1 << j and p[x] > 0.0:
                weaker[x] = max(weaker[x], p[x] / table[x, j] * table[last, j])


@compiled
def _candidates(
    n_mechanism: int,
    p: Floats,
    selectivity: Floats,
    reference: Floats,
    alone: Floats,
    weaker: Floats,
    geometry: Geometry,
) -> tuple[int, Ints, Ints, Floats, Floats]:
    """Purviews in their specified states: count, extended index, units, information, bound of phi.

    A partition with log-ratio G and norm N bounds phi by G / N times the largest norm, that of the
    complete cut: one bound from that cut, one from a cut with norm |Z|.
    """
    states, start = geometry[3], geometry[4]
    largest = geometry[0].size  # of a purview; TIE times the norm is what tied partitions differ by
    index = np.empty(p.size, np.int64)
    purview = np.empty(p.size, np.int64)
    information = np.empty(p.size)
    bound = np.empty(p.size)
    tied = np.empty(p.size, np.int64)
    count = 0
    for units in range(1, start.size - 1):
        purview_states = states[start[units] : start[units + 1]]
        n_tied, best = specified(purview_states, p, selectivity, reference, tied)
        for i in range(n_tied):
            x = tied[i]
            complete = np.log2(p[x] / alone[x])
            one = np.log2(p[x] / weaker[x])
            most = selectivity[x] * min(complete, n_mechanism * (one + TIE * largest))
            if one > TIE and most > TIE:
                index[count], purview[count] = x, units
                information[count], bound[count] = best, most
                count += 1
    return count, index, purview, information, bound


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
    last = table.shape[0] - 1
    alone, weaker = np.empty(last + 1), np.empty(last + 1)
    if cause:
        p, selectivity, reference = cause_profile(mask, table, geometry)
        _cause_cuts(mask, table, p, alone, weaker)
    else:
        p, selectivity, reference = effect_profile(mask, table, now, geometry)
        _effect_cuts(mask, table, now, geometry, alone, weaker)
    mechanism = select(mask, n)
    count, index, purview, information, bound = _candidates(
        mechanism.size, p, selectivity, reference, alone, weaker, geometry
    )
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
        at = -1
        for c in range(count):
            if at < 0 or bound[c] > bound[at]:
                at = c
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
