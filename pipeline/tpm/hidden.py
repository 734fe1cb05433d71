"""Hidden states: draws of what the units did, given what was seen of them and how they act on each other.

A threshold makes errors, and a bin that is out of phase with the units shows a late event in the next bin. Both are
modelled instead of ignored:

- the joint state s_t of all units is hidden, and follows the TPM of its window (`pipeline.tpm.parent_sets`);
- what is seen of a unit in a bin is one of a few categories of its signal, with probabilities that depend on its own
  state in this bin and in the bin before, and are the same in all windows of a recording, so that conditions cannot
  differ by detection. Where bins hold few frames and not always as many, they depend on how the bin lies to the frames
  (its *kind*) as well: a bin that begins long before its first frame shows more of the state before.

Paths are drawn by forward filtering and backward sampling: over all 2^n joint states of few units, of many units one
after the other.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numba
import numpy as np

from pipeline.base.arrays import Array, Floats, Ints

if TYPE_CHECKING:
    from pipeline.tpm.recorded import Recorded

OFF_CATEGORIES, ON_CATEGORIES = 7, 8  # of the signal below and above the threshold
EMISSION_PRIOR = 0.3  # Dirichlet weight of every category
LEAST_FILTERED = 1e-7  # joint states less probable than this are passed over


def categories(signal: Floats, states: Array) -> Ints:
    """Sort each unit's signal into categories of equal frequency below and above its threshold.

    Args:
        signal: (frame, unit) any unit.
        states: (frame, unit) 1 where the signal is above the unit's threshold.

    Returns:
        (frame, unit) category, increasing with the signal.
    """
    found = np.empty(signal.shape, np.int64)
    for u in range(signal.shape[1]):
        column, on = signal[:, u], np.asarray(states)[:, u] == 1
        edges = [
            np.quantile(column[part], np.arange(1, n) / n) if part.any() else np.empty(0)
            for part, n in ((~on, OFF_CATEGORIES), (on, ON_CATEGORIES))
        ]
        limit = column[on].min() if on.any() else np.inf
        edge = np.concatenate([edges[0], [limit], edges[1]])
        found[:, u] = np.searchsorted(np.maximum.accumulate(edge), column, side="right")
    return found


@numba.njit(cache=True)
def draw_emission(rng: np.random.Generator, recorded: Recorded, path: Ints, emission: Floats) -> None:
    """Draw (unit, 4 · kind, category) emissions given the path, in place."""
    weight = np.full(emission.shape, EMISSION_PRIOR)
    for t in range(1, len(path)):
        if not recorded.first[t]:
            for u in range(len(emission)):
                both = (path[t] >> u & 1) + 2 * (path[t - 1] >> u & 1)
                weight[u, both + 4 * recorded.kind[t], recorded.category[t, u]] += 1
    for u in range(len(emission)):
        for c in range(emission.shape[1]):
            for k in range(emission.shape[2]):
                emission[u, c, k] = rng.gamma(weight[u, c, k], 1.0) + 1e-12
            emission[u, c] /= emission[u, c].sum()


@numba.njit(cache=True)
def draw_path(
    rng: np.random.Generator, recorded: Recorded, window: int, logit: Floats, level: Ints, emission: Floats, path: Ints
) -> None:
    """Draw the path of one window given its TPM, its drive and the emissions, in place: all units at once.

    Args:
        rng: what is drawn from.
        recorded: the whole recording.
        window: its number.
        logit: (unit, row) logit of P(ON); rows are states, once for every level of the drive.
        level: (frame,) level of the drive.
        emission: (unit, 4 · kind, category) probabilities.
        path: (frame,) of the whole recording.
    """
    start, end = recorded.border[window], recorded.border[window + 1]
    n_units = len(logit)
    steps = joint_steps(1 / (1 + np.exp(-logit)))
    filtered, _ = filter_forward(recorded, start, end, steps, level, emission)
    n_states = filtered.shape[1]
    back, seen = np.empty(n_states), np.empty(n_states)
    for t in range(end - 1, start - 1, -1):
        total = 0.0
        if t < end - 1 and not recorded.first[t + 1]:
            after, rows = path[t + 1], level[t + 1] << n_units
            seen_after(recorded, t + 1, after, emission, seen)
            for b in range(n_states):
                back[b] = filtered[t - start, b] * steps[rows + b, after] * seen[b]
                total += back[b]
        else:
            back[:] = filtered[t - start]
            total = back.sum()
        rest = rng.random() * total
        state = 0
        while state < n_states - 1 and rest >= back[state]:
            rest -= back[state]
            state += 1
        path[t] = state


@numba.njit(cache=True)
def joint_steps(p_on: Floats) -> Floats:
    """Return (row, state) P(joint state | row) of (unit, row) P(ON | row)."""
    n_units, n_rows = p_on.shape
    steps = np.empty((n_rows, 1 << n_units))
    for row in range(n_rows):
        steps[row, 0] = 1.0
        for u in range(n_units):
            size = 1 << u
            for a in range(size):
                steps[row, a + size] = steps[row, a] * p_on[u, row]
                steps[row, a] *= 1 - p_on[u, row]
    return steps


@numba.njit(cache=True)
def seen_after(recorded: Recorded, t: int, after: int, emission: Floats, seen: Floats) -> None:
    """Write (state before,) the probability of what is seen in frame t, whose joint state is `after`."""
    seen[0] = 1.0
    for u in range(len(emission)):
        size, on, category = 1 << u, (after >> u & 1) + 4 * recorded.kind[t], recorded.category[t, u]
        for b in range(size):
            seen[b + size] = seen[b] * emission[u, on + 2, category]
            seen[b] *= emission[u, on, category]


@numba.njit(cache=True)
def filter_forward(
    recorded: Recorded, start: int, end: int, steps: Floats, level: Ints, emission: Floats
) -> tuple[Floats, float]:
    """Return (frame, state) P(state | all seen so far) of the frames start ... end - 1, and the log-likelihood.

    Before the first frame of a stretch every state is equally likely, and so is every state in it but for what is seen.

    Args:
        recorded: the whole recording.
        start: first frame.
        end: the frame after the last.
        steps: (row, state) of `joint_steps`.
        level: (frame,) level of the drive.
        emission: (unit, 4 · kind, category) probabilities.
    """
    n_units, n_states = len(emission), steps.shape[1]
    seen = np.ascontiguousarray(emission.transpose(0, 2, 1))
    filtered, now, joint = np.empty((end - start, n_states)), np.empty(n_states), np.empty(n_states)
    likelihood = 0.0
    for t in range(start, end):
        begins, rows = recorded.first[t], level[t] << n_units
        now[:] = 0.0
        for b in range(n_states):
            before = 1.0 / n_states if begins else filtered[t - start - 1, b]
            if before < LEAST_FILTERED:
                continue
            joint[0] = before
            size = 1
            for u in range(n_units):
                category, was = recorded.category[t, u], 2 * (b >> u & 1) + 4 * recorded.kind[t]
                off, on = seen[u, category, was], seen[u, category, was + 1]
                for a in range(size):
                    joint[a + size] = joint[a] * on
                    joint[a] *= off
                size *= 2
            for a in range(n_states):
                now[a] += joint[a] * (1.0 / n_states if begins else steps[rows + b, a])
        total = 0.0
        for a in range(n_states):
            total += now[a]
        for a in range(n_states):
            filtered[t - start, a] = now[a] / total
        likelihood += log(total)
    return filtered, likelihood


@numba.njit(cache=True)
def draw_path_by_units(
    rng: np.random.Generator, recorded: Recorded, window: int, logit: Floats, level: Ints, emission: Floats, path: Ints
) -> None:
    """Draw the path of one window, in place, one unit after the other given all others; arguments as `draw_path`."""
    start, end = recorded.border[window], recorded.border[window + 1]
    p_on = 1 / (1 + np.exp(-logit))
    forward = np.empty((end - start, 2))
    onward = np.empty((end - start, 2, 2))  # P(own state, what is seen of it, the others' states | own state before)
    for u in range(len(logit)):
        for t in range(start, end):
            _step(recorded, t, u, p_on, level, emission, path, onward[t - start])
            now = forward[t - start]
            for x in range(2):
                if recorded.first[t]:
                    now[x] = onward[t - start, 0, x] + onward[t - start, 1, x]
                else:
                    past = forward[t - start - 1]
                    now[x] = past[0] * onward[t - start, 0, x] + past[1] * onward[t - start, 1, x]
            now /= now[0] + now[1]
        for t in range(end - 1, start - 1, -1):
            off, on = forward[t - start]
            if t < end - 1 and not recorded.first[t + 1]:
                after = path[t + 1] >> u & 1
                off *= onward[t + 1 - start, 0, after]
                on *= onward[t + 1 - start, 1, after]
            chosen = 1 if rng.random() * (off + on) < on else 0
            path[t] = (path[t] & ~(1 << u)) | (chosen << u)


@numba.njit(cache=True)
def _step(
    recorded: Recorded, t: int, u: int, p_on: Floats, level: Ints, emission: Floats, path: Ints, onward: Floats
) -> None:
    """Write (own state before, own state) the chance of one unit's step into frame t, up to a common factor."""
    category, n_units = recorded.category[t, u], len(p_on)
    for before in range(2):
        others, p = 1.0, 0.5
        if not recorded.first[t]:
            row = (path[t - 1] & ~(1 << u)) | (before << u)
            row += level[t] << n_units
            p = p_on[u, row]
            for v in range(n_units):
                if v != u:
                    others *= p_on[v, row] if path[t] >> v & 1 else 1 - p_on[v, row]
        off = 2 * before + 4 * recorded.kind[t]
        onward[before, 0] = others * (1 - p) * emission[u, off, category]
        onward[before, 1] = others * p * emission[u, off + 1, category]
