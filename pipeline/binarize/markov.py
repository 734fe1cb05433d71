"""A hidden Markov chain with two Gaussian states: fit, and the more probable state of every frame."""

from __future__ import annotations

import numba
import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.binarize.otsu import otsu

ROUNDS, TOLERANCE = 200, 1e-7  # of expectation maximisation; gain in log-likelihood per frame


def hidden_markov(values: Floats, segments: Array) -> tuple[float, Bools]:
    """Fit a hidden Markov chain with two Gaussian states by expectation maximisation.

    Baum-Welch (Rabiner 1989, Proc IEEE 77: 257-286), from the two classes of Otsu's threshold.

    Args:
        values: (frame,) signal.
        segments: (frame,) label of the stretch of consecutive frames; no transition crosses them.

    Returns:
        The value at which both states are equally likely without regard to time, and (frame,)
        whether the state with the larger mean is the more probable one given all frames of the
        stretch.
    """
    cut = otsu(values)
    high = values > cut
    mean = np.array([values[~high].mean(), values[high].mean()])
    floor = 1e-6 * values.var()  # a state may not shrink to a single repeated value
    variance = np.maximum([values[~high].var(), values[high].var()], max(floor, 1e-300))
    chain, start = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([1 - high.mean(), high.mean()])
    first = np.append(True, segments[1:] != segments[:-1])
    last = -np.inf
    for _ in range(ROUNDS):
        log_density = -0.5 * ((values[:, None] - mean) ** 2 / variance + np.log(2 * np.pi * variance))
        gain, posterior, moves = _forward_backward(log_density, chain, start, first)
        weight = posterior.sum(axis=0)
        mean = posterior.T @ values / weight
        variance = (posterior * (values[:, None] - mean) ** 2).sum(axis=0) / weight
        variance = np.maximum(variance, max(floor, 1e-300))
        chain = (moves + 0.5) / (moves + 0.5).sum(axis=1, keepdims=True)
        start = weight / weight.sum()
        if gain - last < TOLERANCE * len(values):
            break
        last = gain
    on = int(np.argmax(mean))
    return _crossing(mean, variance, start), posterior[:, on] > 0.5


@numba.njit(cache=True)
def _forward_backward(log_density: Floats, chain: Floats, start: Floats, first: Bools) -> tuple[float, Floats, Floats]:
    """Log-likelihood, (frame, 2) posterior, and (2, 2) expected transitions."""
    n = len(log_density)
    forward, scale, density = np.empty((n, 2)), np.empty(n), np.empty((n, 2))
    total = 0.0
    for t in range(n):
        top = max(log_density[t, 0], log_density[t, 1])
        for k in range(2):
            density[t, k] = np.exp(log_density[t, k] - top)
            before = start[k]
            if not first[t]:
                before = forward[t - 1, 0] * chain[0, k] + forward[t - 1, 1] * chain[1, k]
            forward[t, k] = before * density[t, k]
        scale[t] = forward[t, 0] + forward[t, 1]
        forward[t] /= scale[t]
        total += np.log(scale[t]) + top
    posterior, moves = np.empty((n, 2)), np.zeros((2, 2))
    backward = np.ones(2)
    for t in range(n - 1, -1, -1):
        posterior[t] = forward[t] * backward / (forward[t] * backward).sum()
        if first[t]:
            backward = np.ones(2)
            continue
        ahead = density[t] * backward / scale[t]
        for i in range(2):
            for k in range(2):
                moves[i, k] += forward[t - 1, i] * chain[i, k] * ahead[k]
        backward = np.array(
            [
                chain[0, 0] * ahead[0] + chain[0, 1] * ahead[1],
                chain[1, 0] * ahead[0] + chain[1, 1] * ahead[1],
            ]
        )
    return total, posterior, moves


def _crossing(mean: Floats, variance: Floats, share: Floats) -> float:
    """Value between the two means at which the weighted densities are equal (midway if nowhere)."""
    grid = np.linspace(mean.min(), mean.max(), 2001)[:, None]
    score = np.log(share) - 0.5 * ((grid - mean) ** 2 / variance + np.log(variance))
    on = int(np.argmax(mean))
    above = np.flatnonzero(score[:, on] >= score[:, 1 - on])
    if not above.size or above[0] == 0:
        return float(mean.mean())
    return float(grid[above[0], 0])
