"""Simulated recordings of TPMs: states along the runs of a window, and what would be seen of hidden ones."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.base.raster import transition_frames
from pipeline.emergence.discrete import state_by_state

SQUARINGS = 20  # of the lazy chain: a million steps


NO_SWITCHING: Floats = np.ones((1, 1))


def simulate(
    p_on: Floats,
    runs: Ints,
    occupancy: Floats,
    rng: np.random.Generator,
    lag: int = 1,
    switching: Floats | None = None,
) -> Ints:
    """Simulate states that follow TPMs, one path per TPM, along the runs of a window.

    Args:
        p_on: (tpm, state, unit) P(unit ON next | state), or (tpm, level, state, unit) under each level of a drive.
        runs: (frame,) numbers of the runs of consecutive frames.
        occupancy: (state,) shares from which the first `lag` states of each run are drawn.
        rng: fixes the paths.
        lag: of a transition [frames].
        switching: (tpm, level, level) how the drive switches from frame to frame; None without one.

    Returns:
        (tpm, frame) joint states, bit i = unit i.

    >>> always_next = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])  # 0 -> 1 -> 2 -> 3 -> 0
    >>> runs, starts = np.array([0, 0, 0, 1, 1]), np.array([1.0, 0, 0, 0])
    >>> simulate(always_next[None], runs, starts, np.random.default_rng(0)).tolist()
    [[0, 1, 2, 0, 1]]
    """
    starts = np.ones(len(runs), dtype=bool)
    starts[transition_frames(runs, lag)[1]] = False
    by_level = p_on if switching is not None else p_on[:, None]
    return np.stack(
        [
            simulate_path(
                rng,
                np.ascontiguousarray(one, dtype=float),
                NO_SWITCHING if switching is None else switching[i],
                starts,
                lag,
                np.cumsum(occupancy),
            )
            for i, one in enumerate(by_level)
        ]
    )


@numba.njit(cache=True)
def simulate_path(
    rng: np.random.Generator, p_on: Floats, switching: Floats, starts: Bools, lag: int, cumulative: Floats
) -> Ints:
    """Simulate the states of one TPM.

    Args:
        rng: what is drawn from.
        p_on: (level, state, unit) P(unit ON next | state) under each level of a drive.
        switching: (level, level) how it switches from frame to frame.
        starts: (frame,) True where no frame lies `lag` before in the same run.
        lag: of a transition [frames].
        cumulative: (state,) running sums of the shares from which states are drawn where a run starts.

    Returns:
        (frame,) joint states.
    """
    path = np.empty(len(starts), np.int64)
    level = first_level(rng, switching)
    for t in range(len(starts)):
        level = any_of(rng, np.cumsum(switching[level]))
        path[t] = any_of(rng, cumulative) if starts[t] else _next(rng, p_on[level, path[t - lag]])
    return path


@numba.njit(cache=True)
def first_level(rng: np.random.Generator, switching: Floats) -> int:
    """Draw a level of the drive as it stands after long."""
    share = np.full(len(switching), 1 / len(switching))
    for _ in range(200):
        share = share @ switching
    return any_of(rng, np.cumsum(share))


@numba.njit(cache=True)
def _next(rng: np.random.Generator, p_on: Floats) -> int:
    """Draw a joint state from each unit's own P(ON)."""
    state = 0
    for u in range(len(p_on)):
        if rng.random() < p_on[u]:
            state |= 1 << u
    return state


@numba.njit(cache=True)
def any_of(rng: np.random.Generator, cumulative: Floats) -> int:
    """Draw an index given cumulative weights."""
    x = rng.random() * cumulative[-1]
    i = 0
    while i < len(cumulative) - 1 and x >= cumulative[i]:
        i += 1
    return i


@numba.njit(cache=True)
def simulate_seen(
    rng: np.random.Generator,
    p_on: Floats,
    switching: Floats,
    occupancy: Floats,
    emission: Floats,
    first: Bools,
    kind: Ints,
    category: Ints,
) -> None:
    """Simulate what is seen of hidden states in one window.

    Args:
        rng: what is drawn from.
        p_on: (level, state, unit) P(unit ON next | state) under each level of a drive.
        switching: (level, level) how it switches from frame to frame.
        occupancy: (state,) shares from which the unseen state before each stretch is drawn.
        emission: (unit, 4 · kind, category) probability of each category, by state + 2 · state before + 4 · kind.
        first: (frame,) True where the frame before is not the one before in time.
        kind: (frame,) how the bin lies to the frames of the recording.
        category: (frame, unit) that is written.
    """
    cumulative = np.cumsum(occupancy)
    now, level = 0, first_level(rng, switching)
    for t in range(len(first)):
        level = any_of(rng, np.cumsum(switching[level]))
        before = any_of(rng, cumulative) if first[t] else now
        now = _next(rng, p_on[level, before])
        for u in range(len(emission)):
            both = (now >> u & 1) + 2 * (before >> u & 1)
            category[t, u] = any_of(rng, np.cumsum(emission[u, both + 4 * kind[t]]))


def stationary(p_on: Floats, start: Floats) -> Floats:
    """Return the distribution of states to which TPMs lead.

    Args:
        p_on: (..., state, unit) P(unit ON next | state).
        start: (..., state) where they start from, which only matters where a TPM falls into parts that do not meet.

    Returns:
        (..., state), sum 1: the mean over all times.

    >>> stationary(np.array([[0.1], [0.7]]), np.array([0.5, 0.5])).round(3).tolist()  # 0.1 / (0.1 + 0.3) is ON
    [0.75, 0.25]
    """
    chain = (state_by_state(p_on) + np.eye(p_on.shape[-2])) / 2  # staying half of the time, it has no period
    for _ in range(SQUARINGS):
        chain = chain @ chain
        chain /= chain.sum(axis=-1, keepdims=True)
    reached: Floats = (start[..., None, :] @ chain)[..., 0, :]
    return reached
