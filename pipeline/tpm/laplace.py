"""Logistic models of all units at once: posterior mode by Newton's method, draws by Laplace's approximation."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
from scipy.special import expit

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.tpm.transitions import Counts

INTERCEPT_PRECISION = 0.01  # a standard deviation of 10 logits: it only keeps the optimum finite
JEFFREYS = 0.5
NEWTON_STEPS, HALVINGS = 100, 30
CONVERGED = 1e-12  # what the quadratic model of the log-posterior still promises to gain


class LogisticPosterior:
    """Posterior of logistic models, one per unit (see `pipeline.tpm.logistic`).

    The weights have the prior N(0, 1/prior), that is a ridge penalty prior/2 · w²; the intercept N(0, 10²). `p_on`
    is at the posterior mode; draws come from the Gaussian approximation around it (Laplace). A unit that never
    changes over the transitions teaches nothing about its inputs: it gets the Jeffreys posterior
    Beta(ON + ½, OFF + ½) of its rate, the same after every state.

    Args:
        counts: transitions.
        prior: precision of the weights' prior.
        pairwise: whether products of two states are features too.

    Attributes:
        p_on: (..., state, unit) P(ON) at the mode.
        mode: (..., unit, feature) weights at the mode.
        precision: (..., unit, feature, feature) of the Gaussian approximation.
    """

    connection: Floats | None = None  # every unit acts on every other

    def __init__(self, counts: Counts, prior: float, pairwise: bool = False) -> None:
        n_units = counts.on.shape[-1]
        self.design = design_matrix(n_units, pairwise)
        penalty = np.full(self.design.shape[1], float(prior))
        penalty[0] = INTERCEPT_PRECISION
        total = counts.per_unit.sum(-2)
        on = counts.on.sum(-2)
        self.constant: Bools = (on == 0) | (on == total)
        self.rate: tuple[Floats, Floats] = (on + JEFFREYS, total - on + JEFFREYS)
        self.mode, self.precision = posterior_mode(self.design, counts, penalty)
        self.p_on = self._probability(self.mode, self.rate[0] / (total + 2 * JEFFREYS))

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` draws, (n, ..., state, unit); of units that never change from Jeffreys' posterior."""
        root = np.swapaxes(np.linalg.cholesky(self.precision), -1, -2)
        noise = rng.standard_normal((n, *self.mode.shape))
        weights = self.mode + np.linalg.solve(root, noise[..., None])[..., 0]
        return self._probability(weights, rng.beta(*self.rate, size=(n, *self.constant.shape)))

    def _probability(self, weights: Floats, rate: Floats) -> Floats:
        """P(ON), (..., state, unit), from weights (..., unit, feature); `rate` where a unit never changes."""
        p_on = np.swapaxes(expit(weights @ self.design.T), -1, -2)
        return np.where(self.constant[..., None, :], rate[..., None, :], p_on)


@lru_cache(maxsize=32)
def design_matrix(n_units: int, pairwise: bool) -> Floats:
    """Return the features of every joint state: 1, the ±1 states, and their products if `pairwise`.

    Args:
        n_units: number of units.
        pairwise: with the product of every two units.

    Returns:
        (2**n, features), read-only.
    """
    signs = 2.0 * (np.arange(2**n_units)[:, None] >> np.arange(n_units) & 1) - 1.0
    columns = [np.ones(2**n_units), *signs.T]
    if pairwise:
        columns += [signs[:, i] * signs[:, j] for i, j in combinations(range(n_units), 2)]
    matrix: Floats = np.stack(columns, axis=1)
    matrix.flags.writeable = False
    return matrix


def posterior_mode(design: Floats, counts: Counts, penalty: Floats) -> tuple[Floats, Floats]:
    """Find the weights at which the penalised log-likelihood is largest, for every unit of every set of counts.

    Args:
        design: (state, feature) features of the joint states.
        counts: transitions, with any leading axes.
        penalty: (feature,) precision of each weight's prior.

    Returns:
        The mode (..., unit, feature), and minus the curvature there (..., unit, feature, feature).
    """
    seen: Bools = np.asarray(counts.per_unit.any(axis=(*range(counts.on.ndim - 2), -1)))
    x = design[seen]
    n = _by_unit(counts.per_unit, seen)
    on = _by_unit(counts.on, seen)
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    weights: Floats = np.zeros((*on.shape[:-1], x.shape[1]))

    def objective(w: Floats) -> Floats:
        logit = w @ x.T
        gain: Floats = (on * logit - n * np.logaddexp(0.0, logit)).sum(-1) - (penalty * w**2).sum(-1) / 2
        return gain

    value = objective(weights)
    for _ in range(NEWTON_STEPS):
        p = expit(weights @ x.T)
        gradient = (on - n * p) @ x - penalty * weights
        curvature = ((n * p * (1 - p)) @ products).reshape(*weights.shape, x.shape[1])
        precision = curvature + np.diag(penalty)
        step = np.linalg.solve(precision, gradient[..., None])[..., 0]
        if (gradient * step).sum(-1).max() < CONVERGED:
            break
        scale = np.ones(weights.shape[:-1])
        for _ in range(HALVINGS):  # halve the steps that would overshoot
            trial = objective(weights + scale[..., None] * step)
            worse = trial < value - 1e-9 * (1 + np.abs(value))
            if not worse.any():
                break
            scale[worse] /= 2
        weights = weights + scale[..., None] * step
        value = objective(weights)
    return weights, precision


def _by_unit(counts: Array, seen: Bools) -> Floats:
    """Counts (..., state, unit) of the states seen as (..., unit, state)."""
    return np.swapaxes(counts[..., seen, :], -1, -2).astype(float, order="C")
