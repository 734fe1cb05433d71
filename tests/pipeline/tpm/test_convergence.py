"""Chains that have settled, that wander, and that never move."""

import numpy as np
import pytest

from pipeline.tpm.convergence import effective_draws, split_r_hat


def ar1(rho, n=4000, seed=0):
    noise, x = np.random.default_rng(seed).standard_normal(n), np.zeros(n)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + noise[t]
    return x


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_effective_draws_of_an_autoregression_are_those_of_theory(rho):
    worth = np.mean([effective_draws(ar1(rho, seed=s)) for s in range(20)])
    assert worth == pytest.approx(4000 * (1 - rho) / (1 + rho), rel=0.15)


def test_r_hat_tells_a_drift_from_a_settled_chain():
    settled = np.stack([ar1(0.3, seed=s) for s in range(5)], axis=1)
    assert (split_r_hat(settled) < 1.02).all()
    assert (split_r_hat(settled + np.linspace(0, 5, 4000)[:, None]) > 1.5).all()


def test_a_quantity_that_never_changes_has_neither():
    still = np.ones((100, 2))
    assert np.isnan(split_r_hat(still)).all()
    assert np.isnan(effective_draws(still)).all()


def test_a_draw_or_two_tell_nothing_and_are_no_fault() -> None:
    for n in (1, 2, 3, 7):
        draws = np.random.default_rng(n).normal(size=(n, 3))
        assert np.isnan(split_r_hat(draws)).all()
        assert effective_draws(draws).shape == (3,)
