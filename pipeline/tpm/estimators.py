"""P(ON) of every unit given the joint past state, with its posterior: Beta-Binomial or logistic.

Both work on counts, so a fit costs the same for a thousand frames as for a million, and on any
number of leading axes at once (folds, surrogates).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import Protocol

import numpy as np
from scipy.special import expit

from pipeline.tpm.transitions import Counts

METHODS = ("logistic", "logistic_pairwise", "beta")
INTERCEPT_PRECISION = 0.01  # a standard deviation of 10 logits: it only keeps the optimum finite
JEFFREYS = 0.5


class Posterior(Protocol):
    """What a fit gives: `p_on` (..., state, unit) and draws of it."""

    p_on: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` posterior draws of P(ON), (n, ..., state, unit)."""
        ...


def fit(counts: Counts, method: str, prior: float) -> Posterior:
    """Fit one of `METHODS`; `prior` is its strength (see `BetaBinomial` and `Logistic`)."""
    if method == "beta":
        return BetaBinomial(counts, prior)
    return Logistic(counts, prior, pairwise=method == "logistic_pairwise")


class BetaBinomial:
    """Each unit and source state on its own, with a Beta(prior, prior) in front.

    `p_on` is the posterior mean; a state that was never left keeps the prior's 1/2.
    """

    def __init__(self, counts: Counts, prior: float) -> None:
        self.on = counts.on + prior
        self.off = counts.per_unit - counts.on + prior
        self.p_on = self.on / (self.on + self.off)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` draws from the Beta posteriors."""
        return rng.beta(self.on, self.off, size=(n, *self.on.shape))


class Logistic:
    """logit P(unit ON) = b + Σ_i w_i s_i (+ Σ_{i<j} w_ij s_i s_j), with s = -1 for OFF and +1 for ON.

    In this coding nothing depends on which of the two states is called ON. The weights have the prior
    N(0, 1/prior), that is a ridge penalty prior/2 · w²; the intercept N(0, 10²). `p_on` is at the
    posterior mode (Newton's method); draws come from the Gaussian approximation around it (Laplace).
    A unit that never changes over the transitions teaches nothing about its inputs: it gets the
    Jeffreys posterior Beta(ON + ½, OFF + ½) of its rate, the same after every state.
    """

    def __init__(self, counts: Counts, prior: float, pairwise: bool = False) -> None:
        n_units = counts.on.shape[-1]
        self.design = design_matrix(n_units, pairwise)
        penalty = np.full(self.design.shape[1], float(prior))
        penalty[0] = INTERCEPT_PRECISION
        total = counts.per_unit.sum(-2)
        on = counts.on.sum(-2)
        self.constant = (on == 0) | (on == total)
        self.rate = (on + JEFFREYS, total - on + JEFFREYS)
        self.mode, self.precision = _newton(self.design, counts, penalty)
        self.p_on = self._probability(self.mode, self.rate[0] / (total + 2 * JEFFREYS))

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` draws from the Laplace posterior (Jeffreys' for units that never change)."""
        root = np.swapaxes(np.linalg.cholesky(self.precision), -1, -2)
        noise = rng.standard_normal((n, *self.mode.shape))
        weights = self.mode + np.linalg.solve(root, noise[..., None])[..., 0]
        return self._probability(weights, rng.beta(*self.rate, size=(n, *self.constant.shape)))

    def _probability(self, weights: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """P(ON), (..., state, unit), from weights (..., unit, feature); `rate` where a unit never changes."""
        p_on = np.swapaxes(expit(weights @ self.design.T), -1, -2)
        return np.where(self.constant[..., None, :], rate[..., None, :], p_on)


@lru_cache(maxsize=32)
def design_matrix(n_units: int, pairwise: bool) -> np.ndarray:
    """Features of every joint state, (2**n, features): 1, the ±1 states, and their products if `pairwise`."""
    signs = 2.0 * (np.arange(2**n_units)[:, None] >> np.arange(n_units) & 1) - 1.0
    columns = [np.ones(2**n_units), *signs.T]
    if pairwise:
        columns += [signs[:, i] * signs[:, j] for i, j in combinations(range(n_units), 2)]
    matrix = np.stack(columns, axis=1)
    matrix.flags.writeable = False
    return matrix


def _newton(design: np.ndarray, counts: Counts, penalty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mode (..., unit, feature) and precision there (..., unit, feature, feature)."""
    seen = counts.per_unit.any(axis=(*range(counts.on.ndim - 2), -1))
    x = design[seen]
    n = np.swapaxes(counts.per_unit[..., seen, :], -1, -2).astype(float, order="C")
    on = np.swapaxes(counts.on[..., seen, :], -1, -2).astype(float, order="C")
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    weights = np.zeros((*on.shape[:-1], x.shape[1]))

    def objective(w: np.ndarray) -> np.ndarray:
        logit = w @ x.T
        return (on * logit - n * np.logaddexp(0.0, logit)).sum(-1) - (penalty * w**2).sum(-1) / 2

    value = objective(weights)
    for _ in range(100):
        p = expit(weights @ x.T)
        gradient = (on - n * p) @ x - penalty * weights
        curvature = ((n * p * (1 - p)) @ products).reshape(*weights.shape, x.shape[1])
        precision = curvature + np.diag(penalty)
        step = np.linalg.solve(precision, gradient[..., None])[..., 0]
        if (gradient * step).sum(-1).max() < 1e-12:
            break
        scale = np.ones(weights.shape[:-1])
        for _ in range(30):  # halve the steps that would overshoot
            trial = objective(weights + scale[..., None] * step)
            worse = trial < value - 1e-9 * (1 + np.abs(value))
            if not worse.any():
                break
            scale[worse] /= 2
        weights = weights + scale[..., None] * step
        value = objective(weights)
    return weights, precision
