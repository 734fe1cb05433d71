"""What could be known at best: the posterior of phi_s where the form of the model is known, and its weights are not.

An estimator has to find out which units act on which, and how. Nobody who knows that beforehand could tell phi_s of
the same recording more closely than the posterior here; how much wider an interval is says what not knowing it costs.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import hadamard
from scipy.special import expit, logit

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.raster import encode
from pipeline.integration.batch import system_phi
from pipeline.simulation.regimes import Regime
from pipeline.tpm.laplace import INTERCEPT_PRECISION, posterior_mode
from pipeline.tpm.transitions import Counts, count

LEVEL = 0.95
ABSENT = 1e-9  # weights of the true model below this are not in it [logit]


def terms_of(p_on: Floats) -> tuple[Floats, Bools]:
    """Write a TPM as logistic models in the ±1 states and their products.

    Args:
        p_on: (state, unit) P(ON).

    Returns:
        (state, term) values of the terms, and (term, unit) which of them a unit's model has.

    >>> terms, has = terms_of(np.array([[0.2, 0.5], [0.2, 0.9], [0.6, 0.5], [0.6, 0.9]]))
    >>> has[:, 0].tolist(), has[:, 1].tolist()  # unit 0 has the state of unit 1, and unit 1 that of unit 0
    ([True, False, True, False], [True, True, False, False])
    """
    terms = np.asarray(hadamard(len(p_on)), float)
    weights = terms @ logit(p_on) / len(p_on)
    has: Bools = np.abs(weights) > ABSENT
    has[0] = True
    return terms, has


def true_model_draws(states: Array, p_on: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draw TPMs of a raster from the posterior of the model that it was made with, (draw, state, unit).

    The weights of the terms that each unit's model truly has get a flat prior (standard deviation 10 logits) and
    Laplace's approximation; no other term is there.

    Args:
        states: (frame, unit) of 0 and 1, without a border.
        p_on: (state, unit) the TPM that made them.
        draws: how many.
        rng: source of all chance.
    """
    terms, has = terms_of(p_on)
    counts = count(encode(states[:-1]), states[1:])
    found = np.empty((draws, *p_on.shape))
    for u in range(p_on.shape[1]):
        design = terms[:, has[:, u]]
        own = Counts(counts.transitions, counts.on[:, [u]])
        mode, precision = posterior_mode(design, own, np.full(design.shape[1], INTERCEPT_PRECISION))
        root = np.linalg.cholesky(precision[0]).T
        weights = mode[0] + np.linalg.solve(root, rng.standard_normal((design.shape[1], draws))).T
        found[..., u] = expit(weights @ design.T)
    return found


def best_interval(states: Array, regime: Regime, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the central 95% interval of phi_s [ibit] of the true model's posterior; NaN where a drive or a drift acts.

    Args:
        states: (frame, unit) of 0 and 1.
        regime: what made them; its stationary law weights the states.
        draws: from the posterior.
        rng: source of all chance.
    """
    if regime.amplitude or regime.drift or regime.hidden:
        return float("nan"), float("nan")
    p_on = true_model_draws(states, regime.p_on, draws, rng)
    phi = system_phi(p_on, np.arange(2**regime.n)) @ regime.occupancy
    low, high = np.quantile(phi, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
