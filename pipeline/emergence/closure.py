"""Markov-closure gap of a macro variable: what the units know of its future that its present does not tell.

I(x(t); y(t+1) | y(t)) is 0 exactly when y is a Markov process by itself given the units, so that dynamics in y alone
are dynamics, and no shadow of something below. Three estimates, since none is right alone:

- `bits`: of Gaussian variables with the data's covariances, less what units turned in time against y show (their
  part that y does not explain is turned, so that y and the autocorrelation of both stay). It finds linear gaps. Where
  y(t+1) depends on y(t) by a curve, units that are another function of y help a *linear* prediction along, and the
  gap is too large.
- `held_out`: the gain in predictive log-likelihood of frames that took no part in the fit, of the same linear model. A
  lower bound in expectation of what linear prediction gains; it can be negative.
- `held_out_nonlinear`: likewise, of ridge regression on random Fourier features (Rahimi & Recht 2007) of y, against
  those of y and x together. It knows curves; with few frames it sees less than there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.base.arrays import Array, Floats
from pipeline.emergence.pairs import columns, encoded, information, pairs, shifts

SURROGATES, FOLDS, FEATURES = 99, 5, 50
PENALTIES = np.logspace(-4, 4, 9)


@dataclass(frozen=True)
class ClosureGap:
    """Estimates of I(x(t); y(t+1) | y(t)) [bit]; the module says what each of them finds.

    Attributes:
        raw: plug-in estimate of the Gaussian linear gap; biased upwards.
        bias: mean of the surrogates.
        bits: `raw` less `bias`.
        p: one-sided, of surrogates with a gap as large: a small one rejects closure.
        held_out: gain in held-out log-likelihood, linear, per frame.
        held_out_nonlinear: likewise with nonlinear features.
    """

    raw: float
    bias: float
    bits: float
    p: float
    held_out: float
    held_out_nonlinear: float


def closure_gap(
    micro: Array,
    macro: Array,
    lag: int = 1,
    runs: Array | None = None,
    gap: int = 0,
    surrogates: int = SURROGATES,
    seed: int = 0,
) -> ClosureGap:
    """Estimate the Markov-closure gap I(x(t); y(t+1) | y(t)) of a macro variable.

    Args:
        micro: (frame, unit) x.
        macro: (frame, variable) y, a function of x.
        lag: [frames].
        runs: (frame,) run of consecutive frames; one by default.
        gap: pairs left out on both sides of a held-out block; should exceed the autocorrelation time.
        surrogates: how many.
        seed: same seed, same numbers.

    Raises:
        ValueError: series that are not finite, or fewer pairs than variables ask for.
    """
    x, y = columns(micro), columns(macro)
    now, later = pairs(len(x), lag, runs)
    if len(now) < 2 * (x.shape[1] + y.shape[1] + 1):
        raise ValueError(f"{len(now)} pairs for {x.shape[1]} units and {y.shape[1]} macro variables are too few")
    rng = np.random.default_rng(seed)
    x, here, ahead = _standard(x[now]), _standard(y[now]), _standard(y[later])
    known = encoded(here, "gaussian")
    target = encoded(_residual(ahead, known), "gaussian")
    beyond = _residual(x, known)
    raw = information(encoded(beyond, "gaussian"), target)
    null = np.array([_turned(beyond, known, target, shift) for shift in shifts(len(now), surrogates, rng)])
    bias = float(null.mean()) if surrogates else 0.0
    p = (1 + int((null >= raw).sum())) / (surrogates + 1)
    curved, all_curved = _features(here, rng), _features(np.concatenate([here, x], axis=1), rng)
    return ClosureGap(
        raw,
        bias,
        raw - bias,
        p,
        _held_out(here, np.concatenate([here, x], axis=1), ahead, gap),
        _held_out(curved, np.concatenate([curved, all_curved], axis=1), ahead, gap),
    )


def _standard(values: Floats) -> Floats:
    """Columns with mean 0 and variance 1; those that never vary become 0."""
    spread = values.std(axis=0)
    z: Floats = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return z


def _residual(values: Floats, basis: Floats) -> Floats:
    """What regression on an orthonormal basis leaves of centred columns; rounding of what it explains becomes 0."""
    left: Floats = values - basis @ (basis.T @ values)
    left[:, (left**2).sum(axis=0) < 1e-12 * (values**2).sum(axis=0)] = 0.0
    return left


def _turned(beyond: Floats, known: Floats, target: Floats, shift: int) -> float:
    """The plug-in gap with what lies beyond y turned in time."""
    return information(encoded(_residual(np.roll(beyond, shift, axis=0), known), "gaussian"), target)


def _features(values: Floats, rng: np.random.Generator) -> Floats:
    """The columns and random Fourier features of them, of a Gaussian kernel as wide as their number asks."""
    d = values.shape[1]
    angles = values @ rng.normal(0, 1 / np.sqrt(d), (d, FEATURES)) + rng.uniform(0, 2 * np.pi, FEATURES)
    return np.concatenate([values, np.cos(angles)], axis=1)


def _held_out(less: Floats, more: Floats, target: Floats, gap: int) -> float:
    """Gain in Gaussian log-likelihood [bit per frame] of blocks that were left out, from less to more predictors."""
    n, gained = len(target), 0.0
    for block in np.array_split(np.arange(n), FOLDS):
        train = np.ones(n, dtype=bool)
        train[max(0, block[0] - gap) : block[-1] + 1 + gap] = False
        if train.sum() < target.shape[1] + 2:
            raise ValueError(f"a gap of {gap} pairs leaves too few of {n} to fit")
        scores = [_log_likelihood(z[train], target[train], z[block], target[block]) for z in (less, more)]
        gained += scores[1] - scores[0]
    return gained / n


def _log_likelihood(z: Floats, y: Floats, z_new: Floats, y_new: Floats) -> float:
    """Log-likelihood [bit] of new frames under ridge regression, its penalty by generalised cross-validation."""
    mean, level = z.mean(axis=0), y.mean(axis=0)
    z, y, n = z - mean, y - level, len(y)
    values, vectors = np.linalg.eigh(z.T @ z)
    values, known = np.clip(values, 0, None), vectors.T @ (z.T @ y)
    best = (np.inf, known, y.T @ y / n)
    for penalty in PENALTIES:
        weights = known / (values + penalty)[:, None]
        left = y.T @ y - 2 * weights.T @ known + weights.T @ (values[:, None] * weights)
        freedom = max(n - 1 - (values / (values + penalty)).sum(), 1.0)
        score = float(np.trace(left) / freedom**2)
        if score < best[0]:
            best = (score, weights, left / freedom)
    error = y_new - level - (z_new - mean) @ (vectors @ best[1])
    covariance = best[2] + 1e-9 * np.eye(y.shape[1])
    quadratic = np.einsum("ti,ti->", error @ np.linalg.inv(covariance), error)
    log_det = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return float(-0.5 * (quadratic + len(y_new) * log_det) / np.log(2))
