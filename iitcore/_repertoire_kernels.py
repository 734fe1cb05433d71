"""Compiled cause and effect repertoires of mechanisms, and the states they specify (Eqs. 27-37).

Layout. Each unit j has k_j values and one more digit, k_j, for "averaged uniformly"; an *extended*
index is mixed radix over these k_j + 1 digits, first unit fastest. One extended table holds every
conditional marginal that a mechanism, a purview or a part of a partition can ask for, so that the
rest is products and look-ups. Subsets of units are bit masks. What has a value for every purview state
comes in the order of `Geometry`'s states: purviews by their masks, so that the states of one lie side by
side. Loops are written out because array expressions compile many times slower.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TINY, joint
from iitcore._kernels import TOLERANCE as TIE
from iitcore._mechanism_partitions import count_bits

Geometry = tuple[Ints, Ints, Ints, Ints, Ints, npt.NDArray[np.int16]]
_LOG2_E = 1.4426950408889634
_CHUNK = 1 << 12  # products that stay in cache


@compiled
def select(mask: int, n: int) -> Ints:
    """Positions of the set bits.

    Args:
        mask: set of units.
        n: number of units.
    """
    out = np.empty(count_bits(mask), np.int64)
    i = 0
    for j in range(n):
        if mask >> j & 1:
            out[i] = j
            i += 1
    return out


@compiled
def extend(values: Floats, alphabet: Ints) -> Floats:
    """Add to a (states, columns) table the rows in which units are averaged out.

    Args:
        values: (states, columns), first unit fastest.
        alphabet: (n,) values per unit.

    Returns:
        (extended indices, columns).
    """
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
                out[x, c] = total / alphabet[axis]
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
    """Extended index of the present state of each set of units, the others averaged.

    Args:
        state: (n,) present state.
        geometry: see `distinctions.geometry`.

    Returns:
        (2**n,) one index per set, as a mask.
    """
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
def tables(cause: Floats, effect: Floats, state: Ints, geometry: Geometry) -> tuple[Floats, Floats, Floats, Floats]:
    """Extended marginals and their -log2: of the present values (cause), of all (effect).

    Args:
        cause: packed cause TPM of a system.
        effect: its effect TPM.
        state: (n,) its present state.
        geometry: see `distinctions.geometry`.

    Returns:
        T_c (n, purview states) and its -log2 (extended indices, n); T_e (extended indices, sum of alphabet) and its
        -log2.
    """
    alphabet, offsets, _, states, _, _ = geometry
    now = np.empty((cause.shape[0], alphabet.size))
    for x in range(cause.shape[0]):
        for j in range(alphabet.size):
            now[x, j] = cause[x, offsets[j] + state[j]]
    causes = extend(now, alphabet)
    effects = extend(effect, alphabet)
    ordered = np.empty((alphabet.size, states.size))
    for j in range(alphabet.size):
        for r in range(states.size):
            ordered[j, r] = causes[states[r], j]
    return ordered, _surprise(causes), effects, _surprise(effects)


@compiled
def _surprise(table: Floats) -> Floats:
    """-log2 of every entry."""
    out = np.empty(table.shape)
    for x in range(table.shape[0]):
        for c in range(table.shape[1]):
            out[x, c] = -np.log2(table[x, c])
    return out


@compiled
def effect_profile(mask: int, table: Floats, now: Ints, geometry: Geometry) -> tuple[Floats, Floats]:
    """Effect side of a mechanism, for every purview state: pi(z|m), and pi(z;M) with which it is compared.

    Args:
        mask: the mechanism.
        table: extended marginals T_e.
        now: extended index of the present state of each set of units, the others averaged.
        geometry: see `distinctions.geometry`.

    Returns:
        Each (purview states,).
    """
    alphabet, offsets, _, states, start, _ = geometry
    p, row = np.empty(states.size), table[now[mask]]
    p[0] = 1.0
    for j in range(alphabet.size):
        for below in range(1 << j):
            source = p[start[below] : start[below + 1]]
            target = p[start[below | 1 << j] : start[(below | 1 << j) + 1]]
            for v in range(alphabet[j]):
                f, first = row[offsets[j] + v], v * source.size
                for i in range(source.size):
                    target[first + i] = source[i] * f
    reference = np.empty(states.size)
    _mean_joint(mask, table, geometry, reference[start[start.size - 2] :])
    _sum_out(reference, geometry)
    return p, reference


@compiled
def _mean_joint(mask: int, table: Floats, geometry: Geometry, out: Floats) -> None:
    """Probability of every next state of all units, averaged over the states of a mechanism.

    A sum of products of two halves of the units.
    """
    alphabet, offsets, _, states, start, _ = geometry
    n, size = alphabet.size, 1
    for j in range(n // 2):
        size *= alphabet[j]
    low, high = np.empty(size), np.empty(out.size // size)
    out[:] = 0.0
    for r in range(start[mask], start[mask + 1]):
        row = table[states[r]]
        joint(row, offsets, 0, n // 2, low)
        joint(row, offsets, n // 2, n, high)
        for h in range(high.size):
            p, total = high[h], out[h * size : (h + 1) * size]
            for i in range(size):
                total[i] += p * low[i]
    for i in range(out.size):
        out[i] /= start[mask + 1] - start[mask]


@compiled
def _sum_out(values: Floats, geometry: Geometry) -> None:
    """Fill in every marginal of a distribution over the states of all units, which come last."""
    alphabet, _, _, _, start, _ = geometry
    for units in range(start.size - 3, -1, -1):
        j = alphabet.size - 1
        while units >> j & 1:
            j -= 1
        more = units | 1 << j  # the unit summed over is the last of those that are missing: long runs
        below = units & (1 << j) - 1
        run = start[below + 1] - start[below]
        source, target = values[start[more] : start[more + 1]], values[start[units] : start[units + 1]]
        for o in range(target.size // run):
            out, first = target[o * run : (o + 1) * run], source[o * run * alphabet[j] :]
            for i in range(run):
                out[i] = first[i] + first[run + i]
            for v in range(2, alphabet[j]):
                for i in range(run):
                    out[i] += first[v * run + i]


@compiled
def cause_profile(mask: int, table: Floats) -> Floats:
    """Cause side of a mechanism: pi(m|z) for every purview state.

    Args:
        mask: the mechanism.
        table: extended marginals T_c, of the present values.

    Returns:
        (purview states,); over a common factor where they would underflow.
    """
    size = table.shape[1]
    p = np.empty(size)
    units = select(mask, table.shape[0])
    for first in range(0, size, _CHUNK):
        product = p[first : first + _CHUNK]
        product[:] = table[units[0], first : first + _CHUNK]
        for a in range(1, units.size):
            factor = table[units[a], first : first + _CHUNK]
            for i in range(product.size):
                product[i] *= factor[i]
    if p[0] < TINY and p.max() < TINY:  # what is made of them depends on ratios only
        for x in range(size):
            total = 0.0
            for a in range(units.size):
                total += np.log(table[units[a], x])
            p[x] = total
        top = p.max()
        for x in range(size):
            p[x] = np.exp(p[x] - top) if top > -np.inf else 0.0
    return p


@compiled
def specified_effect(p: Floats, reference: Floats, likely: int, out: Ints, information: Floats) -> tuple[int, float]:
    """States of a purview whose intrinsic information is largest (Eqs. 34-37), ties included.

    Args:
        p: (states of the purview,) pi(z|m).
        reference: (states of the purview,) pi(z;M).
        likely: a state to begin with, best the most probable.
        out: receives the states found.
        information: scratch, as long as `out`.

    Returns:
        How many, and the intrinsic information in ibits.
    """
    best, count = 0.0, 0
    if p[likely] > reference[likely]:
        best = p[likely] * np.log2(p[likely] / reference[likely])
    for x in range(p.size):
        least = max(best - TIE, TIE)
        if p[x] * (p[x] - reference[x]) * _LOG2_E < least * reference[x]:
            continue  # log2(1 + y) <= y log2(e): most states need no logarithm
        if p[x] <= 0.0:
            continue
        value = p[x] * np.log2(p[x] / reference[x])
        if value >= least:
            out[count], information[count] = x, value
            count += 1
            best = max(best, value)
    return _ties(out, information, count, best), best


@compiled
def specified_cause(p: Floats, out: Ints, information: Floats) -> tuple[int, float, float]:
    """States of a purview whose intrinsic information is largest (Eqs. 34-37), ties included.

    It grows with pi(m|z), the faster the larger that is, and at least as fast as pi<-(z|m) log2(e).

    Args:
        p: (states of the purview,) pi(m|z).
        out: receives the states found.
        information: scratch, as long as `out`.

    Returns:
        How many, the intrinsic information in ibits, and the sum of pi(m|z), which over it makes pi<-(z|m).
    """
    total, top = 0.0, 0.0
    for x in range(p.size):
        total += p[x]
        top = p[x] if p[x] > top else top
    mean = total / p.size
    best, count = 0.0, 0
    if total <= 0.0 or top <= mean or top / total * np.log2(top / mean) < TIE:
        return 0, 0.0, total
    least = top - TIE * total
    for x in range(p.size):
        if p[x] >= least:
            value = p[x] / total * np.log2(p[x] / mean)
            if value >= TIE:
                out[count], information[count] = x, value
                count += 1
                best = max(best, value)
    return _ties(out, information, count, best), best, total


@compiled
def _ties(out: Ints, information: Floats, count: int, best: float) -> int:
    """Keep those states whose information ties with the best; how many."""
    tied = 0
    for i in range(count):
        if information[i] >= best - TIE:
            out[tied] = out[i]
            tied += 1
    return tied
