"""A slow common drive: a hidden influence from outside on all units, that comes and goes over many bins.

Units that share an input look as if they acted on each other: the state of one tells how the input stands, and that
tells what the others will do. Here the input is a variable of its own, z_t, with the levels -1, 0 and 1. It changes
slowly, by a transition matrix of its window, and adds a_u z_t to the logit of unit u, with an amplitude of the unit's
own in each window; the amplitude may be absent, as any connection (`pipeline.tpm.parent_sets`). With it there are two
TPMs of the same units:

- *observational*, P(ON | state), what an unlimited recording shows: the state tells of the drive as well;
- *drive-held*, P(ON | state) averaged over how the drive stands, whatever the state: what the state does by itself.
  It is the best stand-in for an intervention that a recording gives, and none where the drive is misspecified.
"""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.emergence.discrete import state_by_state

LEVELS: Floats = np.array([-1.0, 0.0, 1.0])
N_LEVELS = len(LEVELS)  # known to the compiler, so that loops over them are unrolled
SMALL = 1e-100  # sums of probabilities below which they are scaled up
MOST_KNOWN = 7  # units up to which pairs of joint states are tabled
STAY, MOVE = 95.0, 2.5  # Dirichlet weights: a level stays for some 20 bins
SMOOTHED = 20  # bins over which the units are counted where a chain starts
MAX_SOLVED = 256  # states and levels together up to which stationarity is solved for; beyond, it is run for
STEPS = 100


def first_levels(states: Array, border: Ints) -> Ints:
    """Return the levels (frame,) from which a chain starts: thirds of the number of units ON, smoothed in time.

    Args:
        states: (frame, unit) of 0 and 1.
        border: (window + 1,) first frame of each window, and the number of frames.
    """
    found = np.ones(len(states), np.int64)
    for start, end in pairwise(border.tolist()):
        total = np.asarray(states[start:end], float).sum(axis=1)
        around = np.ones(min(SMOOTHED, len(total)))
        smooth = np.convolve(total, around, "same") / np.convolve(np.ones(len(total)), around, "same")
        found[start:end] = np.searchsorted(np.quantile(smooth, [1 / 3, 2 / 3]), smooth)
    return found


@numba.njit(cache=True)
def draw_levels(
    rng: np.random.Generator,
    path: Ints,
    joined: Bools,
    lag: int,
    logit: Floats,
    switching: Floats,
    start: int,
    end: int,
    level: Ints,
) -> None:
    """Draw the levels of a window given the states and the models, in place, by forward filtering.

    Args:
        rng: what is drawn from.
        path: (frame,) joint states.
        joined: (frame, unit) False where the unit's transition into the frame does not count.
        lag: of a transition [frames].
        logit: (unit, row) logit of P(ON); the rows are states, once for every level.
        switching: (level, level) probability of the next level (column).
        start: first frame of the window.
        end: the frame after its last.
        level: (frame,) that is written.
    """
    chance = _chances(1 / (1 + np.exp(-logit)), path, joined, lag, start, end)
    forward = np.empty((end - start, N_LEVELS))
    carried = np.ones(N_LEVELS)
    for t in range(end - start):
        total = 0.0
        for k in range(N_LEVELS):
            forward[t, k] = chance[t, k] * carried[k]
            total += forward[t, k]
        scale = 1.0 if total > SMALL else 1 / total  # only their ratios count; a division a frame would take longest
        for k in range(N_LEVELS):
            carried[k] = 0.0
            for j in range(N_LEVELS):
                carried[k] += forward[t, j] * switching[j, k]
            carried[k] *= scale
    now = np.empty(N_LEVELS)
    for t in range(end - start - 1, -1, -1):
        total = 0.0
        for k in range(N_LEVELS):
            now[k] = forward[t, k] * (switching[k, level[start + t + 1]] if start + t + 1 < end else 1.0)
            total += now[k]
        rest, k = rng.random() * total, 0
        while k < N_LEVELS - 1 and rest >= now[k]:
            rest -= now[k]
            k += 1
        level[start + t] = k


@numba.njit(cache=True)
def _chances(p_on: Floats, path: Ints, joined: Bools, lag: int, start: int, end: int) -> Floats:
    """Return (frame, level) the probability of each frame's joint state after the one `lag` before, under each level.

    A pair of states is met many times: what all units do together is worked out once for each pair.
    """
    n_units = len(p_on)
    n_states = 1 << n_units
    known = n_states <= end - start and n_units <= MOST_KNOWN
    size = n_states if known else 0
    of_pair = np.full((size, size, N_LEVELS), -1.0)
    found = np.empty((end - start, N_LEVELS))
    for t in range(start, end):
        counted = 0
        for u in range(n_units):
            counted += joined[t, u]
        if counted == 0:
            found[t - start] = 1.0
            continue
        before, now = path[t - lag], path[t]
        if known and counted == n_units:
            if of_pair[before, now, 0] < 0:
                for k in range(N_LEVELS):
                    of_pair[before, now, k] = _chance(p_on, before + (k << n_units), now, joined[t])
            for k in range(N_LEVELS):
                found[t - start, k] = of_pair[before, now, k]
        else:
            for k in range(N_LEVELS):
                found[t - start, k] = _chance(p_on, before + (k << n_units), now, joined[t])
    return found


@numba.njit(cache=True)
def _chance(p_on: Floats, row: int, now: int, counts: Bools) -> float:
    """Return the probability of the joint state `now` after a row of the TPM, of the units that count."""
    found = 1.0
    for u in range(len(p_on)):
        if counts[u]:
            found *= p_on[u, row] if now >> u & 1 else 1 - p_on[u, row]
    return found


@numba.njit(cache=True)
def draw_switching(rng: np.random.Generator, level: Ints, start: int, end: int, switching: Floats) -> None:
    """Draw the transition matrix of the drive in a window given its levels, in place."""
    n_levels = len(switching)
    weight = np.full((n_levels, n_levels), MOVE)
    for k in range(n_levels):
        weight[k, k] = STAY
    for t in range(start + 1, end):
        weight[level[t - 1], level[t]] += 1
    for k in range(n_levels):
        for m in range(n_levels):
            switching[k, m] = rng.gamma(weight[k, m], 1.0) + 1e-12
        switching[k] /= switching[k].sum()


def standing(switching: Floats) -> Floats:
    """Return the stationary probability (..., level) of each level of a transition matrix (..., level, level).

    >>> standing(np.array([[0.9, 0.1], [0.3, 0.7]])).round(3).tolist()
    [0.75, 0.25]
    """
    n = switching.shape[-1]
    equations = np.swapaxes(switching, -1, -2) - np.eye(n)
    equations[..., -1, :] = 1.0
    right = np.zeros((*switching.shape[:-2], n, 1))
    right[..., -1, 0] = 1.0
    found: Floats = np.clip(np.linalg.solve(equations, right)[..., 0], 0.0, 1.0)
    return found


def drive_held(p_on: Floats, switching: Floats) -> Floats:
    """Average P(ON) over how the drive stands, whatever the state.

    Args:
        p_on: (..., level, state, unit).
        switching: (..., level, level).

    Returns:
        (..., state, unit).
    """
    held: Floats = np.einsum("...k,...ksu->...su", standing(switching), p_on)
    return held


def stationary_with_drive(p_on: Floats, switching: Floats) -> Floats:
    """Return the stationary probability of the state now together with the level that acts on the next.

    Args:
        p_on: (level, state, unit).
        switching: (level, level).

    Returns:
        (level, state), sum 1.
    """
    n_levels, n_states = p_on.shape[:2]
    chains, size = state_by_state(p_on), n_levels * n_states
    if size <= MAX_SOLVED:
        joint = np.einsum("kst,km->ksmt", chains, switching).reshape(size, size)
        equations = joint.T - np.eye(size)
        equations[-1] = 1.0
        found = np.linalg.solve(equations, np.eye(size)[-1]).reshape(n_levels, n_states)
        return np.clip(found, 0.0, 1.0)
    share = standing(switching)[:, None] * np.full(n_states, 1 / n_states)
    for _ in range(STEPS):
        share = switching.T @ np.einsum("ks,kst->kt", share, chains)
    normed: Floats = share / share.sum()
    return normed


def observational(p_on: Floats, switching: Floats) -> Floats:
    """Return P(ON | state) that an unlimited recording shows, in which the state tells of the drive as well.

    Args:
        p_on: (draw, level, state, unit).
        switching: (draw, level, level).

    Returns:
        (draw, state, unit).
    """
    seen = np.empty((len(p_on), *p_on.shape[2:]))
    for d in range(len(p_on)):
        joint = stationary_with_drive(p_on[d], switching[d])
        weight = joint + 1e-12 * standing(switching[d])[:, None]  # of a state that never comes, the drive's own
        seen[d] = np.einsum("ks,ksu->su", weight, p_on[d]) / weight.sum(axis=0)[:, None]
    return seen
