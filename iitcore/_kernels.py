"""Compiled arithmetic. Everything here is serial and releases the GIL: callers thread over systems.

Shapes: `packed` (n_states, sum of alphabet) as in `_layout`; a *mask* is a set of units as bits.
A *side* is the cause or the effect of a system. Its table `gain[K, j]`, shape (2**n, n), in ibits, is
what unit j loses when only its inputs in K are kept and the rest become uniform noise:
selectivity * log2(F[j, all] / F[j, K]), F being the probability of the value that j must take.
"""

from __future__ import annotations

import numpy as np

from iitcore._arrays import Bools, Floats, Ints
from iitcore._jit import compiled

TOLERANCE = 1e-10  # closer values are ties, smaller ones zero
TINY = 1e-200  # products of probabilities below this are taken again as sums of logarithms: they would underflow


@compiled
def row_of(state: Ints, offsets: Ints) -> int:
    """Index of a state.

    Args:
        state: (n,) value of each unit.
        offsets: (n + 1,) column at which each unit's values start.
    """
    row, step = 0, 1
    for j in range(len(state)):
        row += state[j] * step
        step *= offsets[j + 1] - offsets[j]
    return row


@compiled
def values_of(index: int, offsets: Ints) -> Ints:
    """Unit values of a state index.

    Args:
        index: of the state.
        offsets: (n + 1,) column at which each unit's values start.
    """
    values = np.empty(len(offsets) - 1, np.int64)
    for j in range(len(values)):
        k = offsets[j + 1] - offsets[j]
        values[j] = index % k
        index //= k
    return values


@compiled
def room_for(units: Ints, offsets: Ints) -> tuple[Ints, Floats, Floats]:
    """The offsets of some units by themselves, and empty cause and effect TPMs of theirs (for `condition`)."""
    n, rows = len(units), 1
    own = np.zeros(n + 1, np.int64)
    for i in range(n):
        k = offsets[units[i] + 1] - offsets[units[i]]
        own[i + 1] = own[i] + k
        rows *= k
    return own, np.empty((rows, own[n])), np.empty((rows, own[n]))


@compiled
def relative_likelihood(packed: Floats, offsets: Ints, state: Ints) -> Floats:
    """Probability that a state follows each state, (n_states,), over the largest of them: it never underflows to 0.

    Args:
        packed: TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) the state that follows.

    Returns:
        All 0 where no state leads to it.
    """
    logs = np.zeros(len(packed))
    for x in range(len(packed)):
        for j in range(len(state)):
            logs[x] += np.log(packed[x, offsets[j] + state[j]])
    top = logs.max()
    if top == -np.inf:
        return np.zeros(len(packed))
    ratios: Floats = np.exp(logs - top)
    return ratios


@compiled
def condition(packed: Floats, offsets: Ints, state: Ints, units: Ints, cause: Floats, effect: Floats) -> bool:
    """Fill cause and effect TPMs of some units given all others as background (Eqs. 3-4).

    Args:
        packed: TPM of the universe.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state of the universe.
        units: (m,) positions of the system's units, ascending.
        cause: receives the packed cause TPM of the system.
        effect: receives its effect TPM, of the same shape.

    Returns:
        Whether the present state has a predecessor at all.
    """
    n = len(state)
    inside = np.zeros(n, np.bool_)
    for i in units:
        inside[i] = True
    step = np.zeros(n, np.int64)  # what a unit's value adds to the system's or background's index
    m_in, m_out = 1, 1
    now = 0
    for i in range(n):
        k = offsets[i + 1] - offsets[i]
        if inside[i]:
            step[i] = m_in
            m_in *= k
        else:
            step[i] = m_out
            now += state[i] * m_out
            m_out *= k
    posterior = np.zeros(m_out)
    row_in = np.empty(len(packed), np.int64)  # index within the system
    row_out = np.empty(len(packed), np.int64)  # index within the background
    value = np.zeros(n, np.int64)
    a, b = 0, 0
    for x in range(len(packed)):
        row_in[x] = a
        row_out[x] = b
        p = 1.0
        for i in range(n):
            p *= packed[x, offsets[i] + state[i]]
        posterior[b] += p
        for i in range(n):  # count up, first unit fastest
            wrap = value[i] + 1 == offsets[i + 1] - offsets[i]
            change = -value[i] * step[i] if wrap else step[i]
            value[i] = 0 if wrap else value[i] + 1
            if inside[i]:
                a += change
            else:
                b += change
            if not wrap:
                break
    total = posterior.sum()
    if total < TINY:
        given = relative_likelihood(packed, offsets, state)
        posterior[:] = 0.0
        for x in range(len(packed)):
            posterior[row_out[x]] += given[x]
        total = posterior.sum()
    reachable = total > 0
    for b in range(m_out):
        posterior[b] = posterior[b] / total if reachable else 1.0 / m_out
    cause[:] = 0.0
    for x in range(len(packed)):
        row, background = row_in[x], row_out[x]
        q = posterior[background]
        if q == 0 and background != now:
            continue
        column = 0
        for i in units:
            for c in range(offsets[i], offsets[i + 1]):
                cause[row, column] += q * packed[x, c]
                if background == now:
                    effect[row, column] = packed[x, c]
                column += 1
    return bool(reachable)


@compiled
def condition_effect(packed: Floats, offsets: Ints, state: Ints, units: Ints, effect: Floats) -> None:
    """Fill the effect TPM of some units given all others as background (Eq. 3); arguments as `condition`."""
    n = len(state)
    step = np.ones(n + 1, np.int64)
    for i in range(n):
        step[i + 1] = step[i] * (offsets[i + 1] - offsets[i])
    row = np.zeros(len(effect), np.int64)
    for i in range(n):
        row[0] += state[i] * step[i]
    size = 1
    for i in units:
        row[0] -= state[i] * step[i]
    for i in units:
        for v in range(1, offsets[i + 1] - offsets[i]):
            for x in range(size):
                row[v * size + x] = row[x] + v * step[i]
        size *= offsets[i + 1] - offsets[i]
    for x in range(len(effect)):
        column = 0
        for i in units:
            for c in range(offsets[i], offsets[i + 1]):
                effect[x, column] = packed[row[x], c]
                column += 1


@compiled
def condition_cause(
    now: Floats, likelihood: Floats, offsets: Ints, state: Ints, units: Ints, scratch: Floats, cause: Floats
) -> bool:
    """Fill the columns of the present values in the cause TPM of some units (Eq. 4): all that bounds of phi_s ask for.

    Args:
        now: (n, n_states) probability of the present value of each unit.
        likelihood: (n_states,) product of these.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state of the universe.
        units: (m,) positions of the system's units, ascending.
        scratch: (2, n_states).
        cause: receives the columns.

    Returns:
        False, and nothing is filled, where the likelihood of all states together nearly underflows.
    """
    given, weight = scratch[0], scratch[1]
    inside = np.zeros(len(state), np.bool_)
    for i in units:
        inside[i] = True
    given[:] = likelihood
    background = given[: _sum_over(given, offsets, inside)]
    total = background.sum()
    if total < TINY:
        return False
    for b in range(len(background)):
        background[b] /= total
    size, block = 1, 1
    place = np.empty(len(likelihood), np.int32)
    place[0] = 0
    for i in range(len(state)):
        for v in range(1, offsets[i + 1] - offsets[i]):
            step = 0 if inside[i] else v * block
            for x in range(size):
                place[v * size + x] = place[x] + step
        size *= offsets[i + 1] - offsets[i]
        block *= 1 if inside[i] else offsets[i + 1] - offsets[i]
    outside = ~inside
    own = 0
    for i in units:
        column = now[i]
        for x in range(size):
            weight[x] = column[x] * background[place[x]]
        for row in range(_sum_over(weight, offsets, outside)):
            cause[row, own + state[i]] = weight[row]
        own += offsets[i + 1] - offsets[i]
    return True


@compiled
def _sum_over(values: Floats, offsets: Ints, units: Bools) -> int:
    """Sum a function of the state over some units, in place; the number of states that are left."""
    size, run = len(values), len(values)
    for i in range(len(units) - 1, -1, -1):
        k = offsets[i + 1] - offsets[i]
        run //= k
        if units[i]:
            for block in range(size // (run * k)):
                out, first = values[block * run : (block + 1) * run], block * run * k
                for v in range(k):
                    more = values[first + v * run : first + (v + 1) * run]
                    for x in range(run):
                        out[x] = more[x] if v == 0 else out[x] + more[x]
            size //= k
    return size


@compiled
def cause_information(cause: Floats, offsets: Ints, state: Ints) -> tuple[Floats, Floats]:
    """Intrinsic information and selectivity of every past state (Eqs. 9-13), both (n_states,).

    Args:
        cause: packed cause TPM of a system.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) its present state.
    """
    states = len(cause)
    forward = np.ones(states)
    for s in range(states):
        for j in range(len(state)):
            forward[s] *= cause[s, offsets[j] + state[j]]
    total = forward.sum()
    if total < TINY:  # what follows depends on ratios only
        forward = relative_likelihood(cause, offsets, state)
        total = forward.sum()
    mean = total / states
    information = np.zeros(states)
    selectivity = np.zeros(states)
    for s in range(states):
        if forward[s] > 0:
            selectivity[s] = forward[s] / total
            information[s] = selectivity[s] * np.log2(forward[s] / mean)
    return information, selectivity


@compiled
def joint(row: Floats, offsets: Ints, first: int, last: int, out: Floats) -> int:
    """Joint distribution of some units given one row of a TPM, first unit fastest.

    Args:
        row: one row of a packed TPM.
        offsets: (n + 1,) column at which each unit's values start.
        first: first of the units.
        last: the one after their last.
        out: receives it.

    Returns:
        Number of their states.
    """
    out[0] = 1.0
    size = 1
    for j in range(first, last):
        k = offsets[j + 1] - offsets[j]
        for v in range(k - 1, -1, -1):  # the lowest block is overwritten last
            p = row[offsets[j] + v]
            for i in range(size):
                out[v * size + i] = out[i] * p
        size *= k
    return size


@compiled
def effect_information(effect: Floats, offsets: Ints, state_row: int) -> tuple[Floats, Floats]:
    """Intrinsic information and selectivity of every next state (Eqs. 5-8), both (n_states,).

    A state's information is at most selectivity * log2(n_states), because its mean probability is
    at least the present state's share. States that cannot reach the maximum get -inf.

    Args:
        effect: packed effect TPM of a system.
        offsets: (n + 1,) column at which each unit's values start.
        state_row: index of its present state.
    """
    states, n = len(effect), len(offsets) - 1
    selectivity = np.empty(states)
    joint(effect[state_row], offsets, 0, n, selectivity)
    information = np.full(states, -np.inf)
    top = int(np.argmax(selectivity))
    best = _information_of(effect, offsets, top, selectivity[top])
    limit = (best - 2 * TOLERANCE) / np.log2(states)
    count = 0
    for s in range(states):
        count += selectivity[s] >= limit
    if count * n * 16 > states:  # many: all means at once
        mean = _mean_joint(effect, offsets)
        for s in range(states):
            p = selectivity[s]
            information[s] = p * np.log2(p / mean[s]) if p > 0 else 0.0
    else:
        for s in range(states):
            if selectivity[s] >= limit:
                information[s] = _information_of(effect, offsets, s, selectivity[s])
    return information, selectivity


@compiled
def _information_of(effect: Floats, offsets: Ints, index: int, selectivity: float) -> float:
    """Intrinsic information of one next state."""
    states, n = len(effect), len(offsets) - 1
    columns = offsets[:n] + values_of(index, offsets)
    total = 0.0
    for s in range(states):
        p = 1.0
        for c in columns:
            p *= effect[s, c]
        total += p
    return selectivity * np.log2(selectivity * states / total) if selectivity > 0 else 0.0


@compiled
def _mean_joint(effect: Floats, offsets: Ints) -> Floats:
    """Probability of every next state, averaged over present states: (n_states,).

    A sum of products of two halves of the units, taken in chunks that stay in cache.
    """
    states, n = len(effect), len(offsets) - 1
    half = n // 2
    low, high = 1, 1
    for j in range(n):
        if j < half:
            low *= offsets[j + 1] - offsets[j]
        else:
            high *= offsets[j + 1] - offsets[j]
    chunk = min(states, 64)
    total = np.zeros((high, low))
    lows = np.empty((chunk, low))
    highs = np.empty((chunk, high))
    for start in range(0, states, chunk):
        count = min(chunk, states - start)
        for s in range(count):
            joint(effect[start + s], offsets, 0, half, lows[s])
            joint(effect[start + s], offsets, half, n, highs[s])
        for h in range(high):
            for s in range(count):
                p = highs[s, h]
                if p > 0:
                    for i in range(low):
                        total[h, i] += p * lows[s, i]
    return total.ravel() / states


@compiled
def surprise(packed: Floats, offsets: Ints, state: Ints) -> float:
    """-log2 of the probability that a state follows itself; 0 where that is 0.

    Args:
        packed: TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) the state.
    """
    row = row_of(state, offsets)
    total = 0.0
    for j in range(len(state)):
        total -= np.log2(packed[row, offsets[j] + state[j]])
    return total if 0.0 < total < np.inf else 0.0


@compiled
def connections(packed: Floats, offsets: Ints) -> Bools:
    """(n, n); whether the value of the row's unit changes the probabilities of the column's unit.

    Args:
        packed: TPM.
        offsets: (n + 1,) column at which each unit's values start.
    """
    n = len(offsets) - 1
    found = np.zeros((n, n), np.bool_)
    step = 1
    for i in range(n):
        k = offsets[i + 1] - offsets[i]
        for block in range(0, len(packed), step * k):
            for x in range(block, block + step):
                for a in range(k):
                    for b in range(a):
                        _note_changes(packed, offsets, x + a * step, x + b * step, found[i])
            if found[i].all():
                break
        step *= k
    return found


@compiled
def _note_changes(packed: Floats, offsets: Ints, x: int, y: int, found: Bools) -> None:
    """Mark the units whose probabilities differ between two rows."""
    for j in range(len(found)):
        if not found[j]:
            for c in range(offsets[j], offsets[j + 1]):
                if abs(packed[x, c] - packed[y, c]) > TOLERANCE:
                    found[j] = True


@compiled
def tied(values: Floats) -> Ints:
    """Indices of all values within the tolerance of the largest."""
    return np.flatnonzero(values >= values.max() - TOLERANCE)


@compiled
def room_for_gain(n: int) -> Floats:
    """An empty (2**n, n) table, all of one unit's losses side by side."""
    return np.empty((n, 1 << n)).T


@compiled
def fill_gain(packed: Floats, offsets: Ints, required: Ints, held: Ints, selectivity: float, gain: Floats) -> None:
    """Fill `gain` for one side.

    Args:
        packed: the side's TPM.
        offsets: (n + 1,) column at which each unit's values start.
        required: (n,) the value whose probability counts, per unit.
        held: (n,) the state of the kept inputs.
        selectivity: of the state that the side specifies.
        gain: (2**n, n) receives the table, in ibits; see `room_for_gain`.
    """
    n = len(required)
    masks = 1 << n
    old = np.empty(max(len(packed), masks))
    new = np.empty(max(len(packed), masks))
    for j in range(n):
        column = offsets[j] + required[j]
        size = len(packed)
        for s in range(size):
            old[s] = packed[s, column]
        low = 1  # masks over the units already replaced by held-or-averaged
        for i in range(n):
            k = offsets[i + 1] - offsets[i]
            blocks = size // (low * k)
            for b in range(blocks):
                for a in range(low):
                    total = 0.0
                    for v in range(k):
                        total += old[a + low * (v + k * b)]
                    new[a + low * 2 * b] = total / k
                    new[a + low * (2 * b + 1)] = old[a + low * (held[i] + k * b)]
            low *= 2
            size = low * blocks
            old, new = new, old
        whole = old[masks - 1]
        column = gain[:, j]
        for mask in range(masks):
            column[mask] = selectivity * np.log2(whole / old[mask])
