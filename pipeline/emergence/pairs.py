"""Pairs of frames a lag apart, and the information that samples show, by plug-in estimators and their shuffles."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import transition_frames

Kind = Literal["gaussian", "discrete"]

DEPENDENT = 1e-10  # variance of a combination of variables, relative to the largest, below which it is rounding
LEAST_SHIFT = 0.1  # of the number of pairs: a shift keeps autocorrelation, but not what two series share


def columns(values: Array) -> Floats:
    """Return values as (frame, variable); one variable may come as (frame,).

    Args:
        values: a series.

    Raises:
        ValueError: more axes, or values that are not finite.
    """
    series = np.asarray(values, dtype=float)
    series = series[:, None] if series.ndim == 1 else series
    if series.ndim != 2:
        raise ValueError(f"a series of shape {series.shape}: (frame, variable) is needed")
    if not np.isfinite(series).all():
        raise ValueError("a series is not finite; leave those frames out and give the runs")
    return series


def pairs(n_frames: int, lag: int, runs: Array | None) -> tuple[Ints, Ints]:
    """Return the frames (pair,) and those a lag later, both within one run.

    Args:
        n_frames: number of frames.
        lag: [frames].
        runs: (frame,) run of consecutive frames; one by default.

    Raises:
        ValueError: fewer than two pairs, or runs of another length.
    """
    numbers = np.zeros(n_frames, dtype=np.int64) if runs is None else np.asarray(runs)
    if numbers.shape != (n_frames,):
        raise ValueError(f"runs of shape {numbers.shape} for {n_frames} frames")
    now, later = transition_frames(numbers, lag)
    if len(now) < 2:
        raise ValueError(f"{n_frames} frames hold {len(now)} pairs at lag {lag}; at least 2 are needed")
    return now, later


def encoded(values: Array, kind: Kind) -> Array:
    """Return samples in the form of which `information` is estimated, row by row as they were.

    Args:
        values: (sample, variable).
        kind: "gaussian" or "discrete".

    Returns:
        "gaussian": (sample, rank), an orthonormal basis of the centred variables. "discrete": (sample,), a number for
        each joint value.

    Raises:
        ValueError: an unknown kind.
    """
    if kind == "gaussian":
        return _orthonormal(np.asarray(values, dtype=float))
    if kind == "discrete":
        return np.asarray(np.unique(values, axis=0, return_inverse=True)[1].ravel())
    raise ValueError(f"kind '{kind}' is not 'gaussian' or 'discrete'")


def information(a: Array, b: Array) -> float:
    """Estimate the information [bit] between `encoded` samples by plug-in: covariance of Gaussians, or frequencies.

    It is biased upwards by some (degrees of freedom) / (2 N ln 2), by more where the series are autocorrelated: hold
    it against series that are turned against each other (`shifts`).

    Args:
        a: (sample, rank), or (sample,) of discrete values.
        b: likewise, of the same kind.
    """
    if a.ndim == 2:
        rho = np.linalg.svd(a.T @ b, compute_uv=False)
        return float(-0.5 * np.log2(1 - np.clip(rho, 0, 1 - 1e-15) ** 2).sum())
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    outer = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    seen = joint > 0
    return float((joint[seen] * np.log2(joint[seen] / outer[seen])).sum())


def shifts(n_pairs: int, n: int, rng: np.random.Generator) -> Ints:
    """Draw by how many pairs a series is turned against the other, (n,), so that both keep their autocorrelation.

    Args:
        n_pairs: number of pairs.
        n: how many to draw.
        rng: source of chance.
    """
    least = max(1, int(LEAST_SHIFT * n_pairs))
    return rng.integers(least, max(least + 1, n_pairs - least + 1), n)


def resampled(n_pairs: int, block: int, n: int, rng: np.random.Generator) -> Ints:
    """Draw samples of contiguous blocks of pairs with replacement, (n, n_pairs) indices (circular block bootstrap).

    Args:
        n_pairs: number of pairs.
        block: pairs in a block.
        n: how many to draw.
        rng: source of chance.
    """
    starts = rng.integers(0, n_pairs, (n, -(-n_pairs // block)))
    rows = (starts[:, :, None] + np.arange(block)) % n_pairs
    return np.asarray(rows.reshape(n, -1)[:, :n_pairs])


def _orthonormal(values: Floats) -> Floats:
    """Orthonormal basis of the centred columns; columns that depend on others are left out."""
    z = values - values.mean(axis=0)
    scale = np.sqrt((z**2).sum(axis=0))
    z = z[:, scale > 0] / scale[scale > 0]
    if not z.size:
        return np.zeros((len(values), 0))
    values, vectors = np.linalg.eigh(z.T @ z)
    kept = values > DEPENDENT * values[-1]
    basis: Floats = z @ (vectors[:, kept] / np.sqrt(values[kept]))
    return basis
