"""Gaussian processes with the covariances of traces, and what the nulls made of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.base.registry import Entry
from pipeline.nulls.drawn import LEFT_OUT


class OfTraces(Entry):
    """A null that replaces activity by a Gaussian process; what a study needs are its states, binarized anew."""

    references: ClassVar[tuple[str, ...]] = (
        "Theiler J, Eubank S, Longtin A, Galdrikian B, Farmer JD (1992). Testing for nonlinearity in time series: the "
        "method of surrogate data. Physica D 58(1-4): 77-94.",
    )
    flags: ClassVar[Mapping[str, str]] = LEFT_OUT
    acts_on: ClassVar[Literal["states", "traces"]] = "traces"
    takes: ClassVar[tuple[str, ...]] = ("traces",)


def autoregressions(values: Floats, runs: Ints, n: int, rng: np.random.Generator, *, coupled: bool) -> Floats:
    """Draw Gaussian first-order autoregressions with the data's mean and covariances; each run starts afresh.

    The coefficients solve the Yule-Walker equations, A = C₁ C₀⁻¹, of the covariances C₀, C₁ at lags 0 and 1 [frames].

    Args:
        values: (frame, unit) traces.
        runs: (frame,) run of consecutive frames.
        n: how many to draw.
        rng: source of the noise.
        coupled: one process of all units; otherwise one for each unit by itself.

    Returns:
        (n, frame, unit).
    """
    mean = values.mean(axis=0)
    z = values - mean
    within = runs[1:] == runs[:-1]
    now, later = z[:-1][within], z[1:][within]
    pairs = max(1, len(now))
    covariance, cross = now.T @ now / pairs, later.T @ now / pairs
    if not coupled:
        covariance, cross = np.diag(np.diag(covariance)), np.diag(np.diag(cross))
    step = cross @ np.linalg.pinv(covariance)
    innovation = root(covariance - step @ covariance @ step.T)
    start = root(covariance)
    fresh = starts(runs)
    drawn = np.empty((n, *values.shape))
    for out in drawn:
        noise = rng.standard_normal(values.shape)
        out[:] = np.where(fresh[:, None], noise @ start, noise @ innovation)  # the roots are symmetric
        for t in np.flatnonzero(~fresh):
            out[t] += step @ out[t - 1]
        out += mean
    return drawn


def random_walks(values: Floats, runs: Ints, n: int, rng: np.random.Generator) -> Floats:
    """Draw Gaussian random walks with the covariance of the data's increments, each run from its own first frame.

    Args:
        values: (frame, unit) traces.
        runs: (frame,) run of consecutive frames.
        n: how many to draw.
        rng: source of the noise.

    Returns:
        (n, frame, unit).
    """
    within = runs[1:] == runs[:-1]
    increments = np.diff(values, axis=0)[within]
    increments = increments - increments.mean(axis=0) if len(increments) else increments
    spread = root(increments.T @ increments / max(1, len(increments)))
    begins = np.flatnonzero(starts(runs))
    drawn = np.empty((n, *values.shape))
    for out in drawn:
        steps = rng.standard_normal(values.shape) @ spread
        steps[begins] = values[begins]
        for rows in np.split(np.arange(len(values)), begins[1:]):
            out[rows] = np.cumsum(steps[rows], axis=0)
    return drawn


def starts(runs: Ints) -> Bools:
    """Tell where a run begins, (frame,)."""
    fresh: Bools = np.concatenate([np.ones(min(1, len(runs)), bool), runs[1:] != runs[:-1]])
    return fresh


def root(covariance: Floats) -> Floats:
    """Symmetric square root; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    found: Floats = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return found
