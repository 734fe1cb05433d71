"""Surrogate recordings in which one thing is known to be absent: interaction, or dynamics.

| kind | what it keeps | what it breaks |
|---|---|---|
| shift | each unit's own course, rate and autocorrelation | every relation between units |
| transition_shuffle | each frame's joint state, so occupancy and simultaneous correlation | all dynamics |
| markov | each unit's rate and persistence (two-state Markov chain per unit; states only) | every relation, and slower structure |
| ar1 | each unit's variance and lag-1 autocorrelation (Gaussian; traces only) | every relation, and all nonlinearity |
| brownian | the covariance of increments (Gaussian random walk; traces only) | everything but slow shared drift |
| var | covariances at lags 0 and 1 (Gaussian VAR(1); traces only) | all that is nonlinear or has longer memory |

A shift is no remedy for drift: a signal whose level changes over the window correlates with its
shifted copies, so the null is only as good as the window is stationary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import autocorrelation_time, raster
from pipeline.base.seeds import generator

KINDS = ("shift", "transition_shuffle", "markov", "ar1", "brownian", "var")
_FOR_TRACES = ("ar1", "brownian", "var")


@dataclass(frozen=True)
class Shift:
    """Least shift between any two units [frames], and the autocorrelation time that it should reach.

    `short`: the window is too short for it; then the units are spread as far apart as half of an even
    spacing allows, and the null may keep some interaction between slow units.
    """

    gap: int
    autocorrelation_time: int

    @property
    def short(self) -> bool:
        """Whether the window was too short for the full gap."""
        return self.gap < self.autocorrelation_time


def surrogates(
    states: np.ndarray | xr.DataArray | xr.Dataset,
    kind: str = "shift",
    n: int = 100,
    seed: int = 0,
    segments: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Draw `n` surrogates (n, frame, unit) of states, or of traces, (frame, unit); kinds: see module.

    Of a dataset only the matched frames are used, as `base.raster.raster` gives them.
    `shift` moves each unit along the joined frames of the window, any two units apart by at least the
    longest autocorrelation time (`least_shift`). Its borders move with it: `surrogate_runs` tells where
    they are. `transition_shuffle` permutes whole frames over the window. Raises `PhiscaleError` for an
    unknown kind, or one that does not fit the values.
    """
    array, runs, _, _ = raster(states, segments)
    _check(array, kind)
    rng = generator(seed, "surrogates", kind)
    if kind == "shift":
        frames = _shifted_frames(array, runs, n, seed) % len(array)
        return np.take_along_axis(array[None], frames, axis=1)
    draw = {
        "transition_shuffle": lambda: array[rng.permutation(len(array))],
        "markov": lambda: _markov(array, runs, rng),
        "ar1": lambda: _autoregression(array, runs, rng, diagonal=True),
        "brownian": lambda: _brownian(array, runs, rng),
        "var": lambda: _autoregression(array, runs, rng, diagonal=False),
    }[kind]
    drawn = [draw() for _ in range(n)]
    return np.stack(drawn) if drawn else np.empty((0, *array.shape), array.dtype)


def surrogate_runs(
    states: np.ndarray | xr.DataArray | xr.Dataset,
    kind: str = "shift",
    n: int = 100,
    seed: int = 0,
    segments: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Run of every frame of the surrogates that the same arguments draw; give it to `point_estimates`.

    (n, frame, unit) for `shift`, where each unit brings its own borders and the joint of the window's
    end with its start; (frame,) for the other kinds. Counting transitions across the joints would make
    slow units less predictable in the surrogates than in the data, and so the null too low.
    """
    array, runs, _, _ = raster(states, segments)
    if kind != "shift":
        return runs
    frames = _shifted_frames(array, runs, n, seed)
    return runs[frames % len(array)] + (runs.max(initial=0) + 1) * (frames // len(array))


def least_shift(
    states: np.ndarray | xr.DataArray | xr.Dataset,
    segments: Sequence[int] | np.ndarray | None = None,
) -> Shift:
    """Least shift between two units that `surrogates(kind="shift")` will use (see `Shift`)."""
    array, runs, _, _ = raster(states, segments)
    wanted = int(np.ceil(autocorrelation_time(array, runs).max()))
    return Shift(min(wanted, len(array) // (2 * array.shape[1])), wanted)


def _shifted_frames(array: np.ndarray, runs: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Frame that each unit shows, (n, frame, unit), counted on past the end of the window.

    The shifts are uniform among those at least the gap apart.
    """
    n_frames, n_units = array.shape
    gap = least_shift(array, runs).gap
    rng = generator(seed, "surrogates", "shift")
    shifts = np.zeros((n, n_units), dtype=np.int64)
    for row in shifts:
        spread = np.sort(rng.integers(0, n_frames - n_units * gap + 1, n_units - 1))
        row[1:] = spread + gap * np.arange(1, n_units)
        row[:] = rng.permutation((row + rng.integers(n_frames)) % n_frames)
    return np.arange(n_frames)[:, None] + shifts[:, None, :]


def _markov(array: np.ndarray, runs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One two-state chain per unit, its two probabilities (ON after OFF, ON after ON) from the data."""
    within = runs[1:] == runs[:-1]
    before, after = array[:-1][within], array[1:][within]
    rate = array.mean(axis=0)
    p_on = [((before == b) * after).sum(0) / np.maximum((before == b).sum(0), 1) for b in (0, 1)]
    draw = rng.random(array.shape)
    out = np.empty_like(array)
    fresh = np.concatenate([[True], ~within])
    for t in range(len(array)):
        out[t] = draw[t] < (rate if fresh[t] else np.where(out[t - 1] == 1, p_on[1], p_on[0]))
    return out


def _autoregression(array: np.ndarray, runs: np.ndarray, rng: np.random.Generator, diagonal: bool) -> np.ndarray:
    """Gaussian VAR(1), or one AR(1) per unit, with the data's covariances; each run starts afresh."""
    mean = array.mean(axis=0)
    z = array - mean
    within = runs[1:] == runs[:-1]
    now, later = z[:-1][within], z[1:][within]
    covariance, cross = now.T @ now / len(now), later.T @ now / len(now)
    if diagonal:
        covariance, cross = np.diag(np.diag(covariance)), np.diag(np.diag(cross))
    step = cross @ np.linalg.pinv(covariance)
    innovation = _root(covariance - step @ covariance @ step.T)
    start = _root(covariance)
    noise = rng.standard_normal(array.shape)
    out = np.empty(array.shape)
    fresh = np.concatenate([[True], ~within])
    for t in range(len(array)):
        out[t] = start @ noise[t] if fresh[t] else step @ out[t - 1] + innovation @ noise[t]
    return out + mean


def _brownian(array: np.ndarray, runs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random walk with the covariance of the data's increments, each run from its own first frame."""
    within = runs[1:] == runs[:-1]
    increments = np.diff(array, axis=0)[within]
    increments = increments - increments.mean(axis=0)
    steps = rng.standard_normal(array.shape) @ _root(increments.T @ increments / len(increments))
    out = np.empty(array.shape)
    for run in np.unique(runs):
        rows = runs == run
        steps[np.flatnonzero(rows)[0]] = array[rows][0]
        out[rows] = np.cumsum(steps[rows], axis=0)
    return out


def _root(covariance: np.ndarray) -> np.ndarray:
    """Symmetric square root; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T


def _check(array: np.ndarray, kind: str) -> None:
    if kind not in KINDS:
        raise PhiscaleError(Problem("nulls.kinds", f"'{kind}' is not one of {', '.join(KINDS)}", fix="choose one"))
    binary = np.isin(array, (0, 1)).all()
    if binary and kind in _FOR_TRACES:
        raise PhiscaleError(
            Problem("nulls.kinds", f"'{kind}' makes Gaussian traces, but the data are ON/OFF states",
                    "The surrogate would not be a raster", "use shift, transition_shuffle or markov")
        )  # fmt: skip
    if kind == "markov" and not binary:
        raise PhiscaleError(
            Problem("nulls.kinds", "'markov' needs ON/OFF states, but the data are traces",
                    fix="use shift, ar1, brownian or var, or binarise the traces first")
        )  # fmt: skip
