"""Pólya-Gamma variables have the moments that theory gives them, on both sides of the switch to the normal."""

import numpy as np
import pytest

from pipeline.tpm.polya_gamma import EXACT, moments, polya_gamma

N = 20_000


@pytest.mark.parametrize("tilt", [0.0, 0.7, -4.0, 30.0])
@pytest.mark.parametrize("trials", [1, 3, EXACT, EXACT + 1, 200])
def test_draws_have_mean_and_variance_of_theory(trials, tilt):
    rng = np.random.default_rng(trials)
    drawn = np.array([polya_gamma(rng, trials, tilt) for _ in range(N)])
    mean, variance = moments(trials, tilt)
    assert (drawn > 0).all()
    assert drawn.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / N))
    assert drawn.var() == pytest.approx(variance, rel=0.15)


def test_moments_at_zero_and_far_out_are_finite():
    assert moments(8, 0.0) == (2.0, pytest.approx(8 / 24))
    assert moments(8, 1e-3)[0] == pytest.approx(2.0, rel=1e-5)
    assert all(np.isfinite(moments(8, 1e6)))


def test_laplace_transform():
    """E exp(-t ω) = cosh(c/2) / cosh(√(c²/2 + t) / √2), which defines PG(1, c)."""
    rng = np.random.default_rng(3)
    drawn = np.array([polya_gamma(rng, 1, 1.3) for _ in range(N)])
    for t in (0.5, 4.0):
        exact = np.cosh(1.3 / 2) / np.cosh(np.sqrt((1.3**2 / 2 + t) / 2))
        assert np.exp(-t * drawn).mean() == pytest.approx(exact, abs=0.01)
