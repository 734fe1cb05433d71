"""Compiled cause and effect repertoires of mechanisms, and the states they specify (Eqs. 27-37).

Layout. Each unit j has k_j values and one more digit, k_j, for "averaged uniformly"; an *extended*
index is mixed radix over these k_j + 1 digits, first unit fastest. One extended table holds every
conditional marginal that a mechanism, a purview or a part of a partition can ask for, so that the
rest is products and look-ups. Subsets of units are bit masks. Loops are written out because array
expressions compile many times slower.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TINY
from iitcore._kernels import TOLERANCE as TIE
from iitcore._mechanism_partitions import count_bits

Geometry = tuple[Ints, Ints, Ints, Ints, Ints, npt.NDArray[np.int16]]
_LOG2_E = 1.4426950408889634


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
        T_c (extended indices, n) and its -log2; T_e (extended indices, sum of alphabet) and its -log2.
    """
    alphabet, offsets = geometry[0], geometry[1]
    now = np.empty((cause.shape[0], alphabet.size))
    for x in range(cause.shape[0]):
        for j in range(alphabet.size):
            now[x, j] = cause[x, offsets[j] + state[j]]
    causes = extend(now, alphabet)
    effects = extend(effect, alphabet)
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
def effect_profile(mask: int, table: Floats, now: Ints, geometry: Geometry) -> tuple[Floats, Floats, Floats]:
    """Effect side of a mechanism, for every purview state: pi(z|m) twice, and pi(z;M).

    Args:
        mask: the mechanism.
        table: extended marginals T_e.
        now: extended index of the present state of each set of units, the others averaged.
        geometry: see `distinctions.geometry`.

    Returns:
        Each (extended indices,).
    """
    alphabet, offsets, _, states, start, _ = geometry
    p = np.empty(table.shape[0])
    _products(table[now[mask]], alphabet, offsets, _levels(alphabet, 1), p)
    n_states = 1
    for k in alphabet:
        n_states *= k
    joint = np.empty(n_states)
    total = np.zeros(p.size)
    for r in range(start[mask], start[mask + 1]):
        _products(table[states[r]], alphabet, offsets, alphabet, joint)
        for i in range(n_states):
            total[i] += joint[i]
    for i in range(n_states):
        total[i] /= start[mask + 1] - start[mask]
    return p, p, _marginals(total, alphabet, n_states)


@compiled
def _marginals(values: Floats, alphabet: Ints, outer: int) -> Floats:
    """Sum units out of a distribution, held in the first `outer` entries: every extended index."""
    source, target = values, np.empty(values.size)
    inner = 1
    for j in range(alphabet.size):
        k = alphabet[j]
        outer //= k
        for o in range(outer):
            at, to = o * k * inner, o * (k + 1) * inner
            for i in range(inner):
                total = 0.0
                for v in range(k):
                    value = source[at + v * inner + i]
                    target[to + v * inner + i] = value
                    total += value
                target[to + k * inner + i] = total
        inner *= k + 1
        source, target = target, source
    return source


@compiled
def cause_profile(mask: int, table: Floats, geometry: Geometry) -> tuple[Floats, Floats, Floats]:
    """Cause side, for every purview state: pi(m|z), pi<-(z|m) and pi(m;Z).

    Args:
        mask: the mechanism.
        table: extended marginals T_c, of the present values.
        geometry: see `distinctions.geometry`.

    Returns:
        Each (extended indices,); pi(m|z) and pi(m;Z) over a common factor where they would underflow.
    """
    _, _, _, states, start, _ = geometry
    size = table.shape[0]
    p = np.empty(size)
    units = select(mask, table.shape[1])
    for x in range(size):
        product = 1.0
        for a in range(units.size):
            product *= table[x, units[a]]
        p[x] = product
    if p.max() < TINY:  # what is made of them depends on ratios only
        for x in range(size):
            total = 0.0
            for a in range(units.size):
                total += np.log(table[x, units[a]])
            p[x] = total
        top = p.max()
        for x in range(size):
            p[x] = np.exp(p[x] - top) if top > -np.inf else 0.0
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
    states: Ints, p: Floats, selectivity: Floats, reference: Floats, out: Ints, information: Floats
) -> tuple[int, float]:
    """States of a purview whose intrinsic information is largest (Eqs. 34-37), ties included.

    Args:
        states: extended indices of the purview's states.
        p: (extended indices,) pi(z|m) for effects, pi(m|z) for causes.
        selectivity: (extended indices,) pi(z|m) for effects, pi<-(z|m) for causes.
        reference: (extended indices,) what `p` is compared with: pi(z;M) or pi(m;Z).
        out: receives the extended indices of the states found.
        information: scratch, as long as `states`.

    Returns:
        How many, and the intrinsic information in ibits.
    """
    best, count = 0.0, 0
    for r in range(states.size):
        x = states[r]
        least = max(best - TIE, TIE)
        if selectivity[x] * (p[x] - reference[x]) * _LOG2_E < least * reference[x]:
            continue  # log2(1 + y) <= y log2(e): most states need no logarithm
        if p[x] <= 0.0:
            continue
        value = selectivity[x] * np.log2(p[x] / reference[x])
        if value >= least:
            out[count], information[count] = x, value
            count += 1
            best = max(best, value)
    tied = 0
    for i in range(count):
        if information[i] >= best - TIE:
            out[tied] = out[i]
            tied += 1
    return tied, best
