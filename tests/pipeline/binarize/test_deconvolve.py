"""Deconvolution against an independent solver, and its noise level against simulation."""

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.signal import lfilter

from pipeline.binarize.deconvolve import amplitude_noise, frame_noise, nonnegative_ar1, transients

GAMMA = float(np.exp(-1 / 7))  # 0.7 s at 10 Hz


def reference(y: np.ndarray, gamma: float, weight: np.ndarray) -> np.ndarray:
    """Calcium by general non-negative least squares on c(0) and the rises."""
    n = len(y)
    lag = np.subtract.outer(np.arange(n), np.arange(n))
    kernel = np.where(lag >= 0, gamma ** np.maximum(lag, 0), 0.0)
    root = np.sqrt(weight)
    return kernel @ nnls(root[:, None] * kernel, root * y)[0]


@pytest.mark.parametrize("seed", range(20))
def test_is_the_least_squares_solution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    gamma = float(rng.uniform(0.3, 0.98))
    y = rng.normal(rng.uniform(-1, 1), 1, n)
    weight = (rng.random(n) > 0.2) * rng.uniform(0.5, 2, n)
    c, s = nonnegative_ar1(y, gamma, weight)
    expected = reference(y, gamma, weight)
    loss = [(weight * (y - fit) ** 2).sum() for fit in (c, expected)]
    assert loss[0] == pytest.approx(loss[1], abs=1e-9)
    used = weight > 0
    np.testing.assert_allclose(c[used], expected[used], atol=1e-7)
    assert (s >= 0).all()
    np.testing.assert_allclose(c[1:], gamma * c[:-1] + s[1:], atol=1e-12)


def test_noise_free_transients_are_returned_exactly() -> None:
    s = np.zeros(200)
    s[[20, 50, 52, 120]] = [1.0, 0.5, 2.0, 0.3]
    found = nonnegative_ar1(lfilter([1], [1, -GAMMA], s), GAMMA, np.ones(200))[1]
    np.testing.assert_allclose(found, s, atol=1e-10)


def test_dropped_frames_are_bridged_whatever_they_hold() -> None:
    s = np.zeros(100)
    s[[10, 60]] = 1.0
    y = lfilter([1], [1, -GAMMA], s)
    weight = np.ones(100)
    weight[[15, 16, 17, 40]] = 0
    y[weight == 0] = 50.0
    np.testing.assert_allclose(nonnegative_ar1(y, GAMMA, weight)[1], s, atol=1e-10)


def false_alarms(share_on: float, z: float) -> float:
    """Share of the bins right after a transient (or of all, without any) that pass by noise alone."""
    rng = np.random.default_rng(1)
    n, m = 100_000, 5
    bins, on = np.arange(n) // m, rng.random(n // m) < share_on
    s = np.zeros(n)
    s[np.flatnonzero(on) * m + 1] = 8.0
    y = 3 + lfilter([1], [1, -GAMMA], s) + rng.normal(0, 1, n)
    found = transients(y, 10.0, 0.7, bins, m, np.ones(n))
    assert found.noise_sd == pytest.approx(1, rel=0.06)
    passed = np.bincount(bins, found.onset) > z * found.noise_sd * amplitude_noise(GAMMA, m)
    assert passed[on].all()
    return float(passed[~on & np.append(share_on == 0, on[:-1] | (share_on == 0))].mean())


def test_false_alarms_are_at_most_those_of_a_gaussian() -> None:
    """P(Z > 2) = .0228, P(Z > 3) = .0013; fewer at rest, where calcium cannot fall below 0."""
    assert 0.0005 < false_alarms(0.0, 2.0) < 0.012
    assert 0.01 < false_alarms(0.3, 2.0) < 0.03
    assert 0.0003 < false_alarms(0.3, 3.0) < 0.005


def test_amplitude_noise_is_that_of_least_squares_per_bin() -> None:
    rng = np.random.default_rng(2)
    for m in (1, 3, 8):
        decay = GAMMA ** np.arange(m)
        level = rng.normal(0, 1, (40_000, m)) @ decay / (decay**2).sum()
        rise = level[1:] - GAMMA**m * level[:-1]
        assert amplitude_noise(GAMMA, m) == pytest.approx(rise.std(), rel=0.02)


def test_transients_hardly_raise_the_noise_estimate() -> None:
    rng = np.random.default_rng(3)
    s = (rng.random(20_000) < 0.05) * 5.0
    y = lfilter([1], [1, -GAMMA], s) + rng.normal(0, 1, 20_000)
    assert frame_noise(y, GAMMA, np.ones(20_000)) == pytest.approx(1.0, rel=0.08)


def test_baseline_follows_drift_not_transients() -> None:
    rng = np.random.default_rng(4)
    n = 20_000
    drift = 5 + 2 * np.sin(2 * np.pi * np.arange(n) / 6000)
    s = (rng.random(n) < 0.03) * 2.0
    y = drift + lfilter([1], [1, -GAMMA], s) + rng.normal(0, 0.3, n)
    found = transients(y, 10.0, 0.7, np.arange(n) // 5, 5, np.ones(n))
    error = (found.baseline - drift)[300:-300]
    assert np.abs(np.median(error)) < 0.05
    assert np.quantile(np.abs(error), 0.95) < 0.2


@pytest.mark.parametrize("y", [np.zeros(50), np.full(50, 3.0), np.arange(50.0)])
def test_traces_without_noise_do_not_break_it(y: np.ndarray) -> None:
    found = transients(y, 10.0, 0.7, np.arange(50) // 5, 5, np.ones(50))
    assert np.isfinite(found.onset).all()
    assert np.isfinite(found.baseline).all()
