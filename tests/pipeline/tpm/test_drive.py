"""The common drive: its levels against enumeration, its two TPMs against long simulations, what it keeps from phi."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit
from test_parent_sets import logistic, run

from pipeline.base.raster import encode
from pipeline.integration.batch import system_phi
from pipeline.tpm import drive
from pipeline.tpm.estimation import estimate
from pipeline.tpm.simulated import simulate

SLOW = np.array([[0.96, 0.03, 0.01], [0.02, 0.96, 0.02], [0.01, 0.03, 0.96]])


def driven(p_on_of_level, n, seed):
    """States (frame, unit) under a drive, by the package's own simulator."""
    runs = np.zeros(n, int)
    occupancy = np.full(p_on_of_level.shape[1], 1 / p_on_of_level.shape[1])
    rng = np.random.default_rng(seed)
    path = simulate(p_on_of_level[None], runs, occupancy, rng, switching=SLOW[None])[0]
    return path[:, None] >> np.arange(p_on_of_level.shape[2]) & 1


def common(weights, bias, amplitude):
    """P(ON) (level, state, unit) of logistic units with a common drive."""
    return np.stack([logistic(weights, bias + amplitude * level) for level in drive.LEVELS])


def test_levels_are_drawn_as_enumeration_has_them():
    rng = np.random.default_rng(0)
    path, joined = np.array([0, 3, 1, 2, 3]), np.ones((5, 2), bool)
    joined[0], joined[3, 1] = False, False
    logit = rng.normal(size=(2, 12))
    p_on = expit(logit)

    def chance(levels):
        total = 1 / 3
        for t in range(1, 5):
            total *= SLOW[levels[t - 1], levels[t]]
            for u in range(2):
                p = p_on[u, path[t - 1] + 4 * levels[t]]
                if joined[t, u]:
                    total *= p if path[t] >> u & 1 else 1 - p
        return total

    every = list(product(range(3), repeat=5))
    expected = np.array([chance(levels) for levels in every])
    times, level = np.zeros(len(every)), np.zeros(5, np.int64)
    for _ in range(40_000):
        drive.draw_levels(rng, path, joined, 1, logit, SLOW, 0, 5, level)
        times[int(level @ 3 ** np.arange(5)[::-1])] += 1
    np.testing.assert_allclose(times / times.sum(), expected / expected.sum(), atol=0.01)


def test_both_tpms_are_those_of_a_long_recording():
    by_level = common(np.array([[0.0, 0.7], [0.0, 0.4]]), -0.3, 1.0)
    observed, held = drive.observational(by_level[None], SLOW[None])[0], drive.drive_held(by_level, SLOW)
    states = driven(by_level, 200_000, 1)
    code = encode(states)
    counted = np.array([states[1:][code[:-1] == s].mean(axis=0) for s in range(4)])
    np.testing.assert_allclose(observed, counted, atol=0.012)
    assert np.abs(held - counted).max() > 0.05
    np.testing.assert_allclose(held, np.einsum("k,ksu->su", drive.standing(SLOW), by_level))
    occupancy = np.bincount(code, minlength=4) / len(code)
    np.testing.assert_allclose(drive.stationary_with_drive(by_level, SLOW).sum(axis=0), occupancy, atol=0.01)


def test_stationarity_is_the_same_solved_and_run_for(monkeypatch):
    by_level = common(np.random.default_rng(2).normal(0, 0.5, (3, 3)), -0.5, 0.8)
    solved = drive.stationary_with_drive(by_level, SLOW)
    monkeypatch.setattr(drive, "MAX_SOLVED", 0)
    np.testing.assert_allclose(drive.stationary_with_drive(by_level, SLOW), solved, atol=1e-6)


def test_a_common_drive_is_not_taken_for_integration():
    states = driven(common(np.zeros((4, 4)), -1.0, 1.0), 2000, 3)
    with_drive, without = (estimate(states, "average", draws=100, drive=d, seed=0) for d in (True, False))
    phi = {
        name: system_phi(tpm["p_on_draws"].values, np.arange(16)) @ tpm["occupancy"].values
        for name, tpm in (("with", with_drive), ("without", without))
    }
    assert (phi["without"] > 1e-6).mean() > 0.9
    assert (phi["with"] > 1e-6).mean() < 0.2
    assert with_drive["driven"].values.min() > 0.9
    assert with_drive.attrs["tpm_kind"] == "drive-held"
    assert "p_on_observational" not in without
    observational = system_phi(with_drive["p_on_observational_draws"].values, np.arange(16))
    assert (observational @ with_drive["occupancy"].values).mean() > 3 * phi["with"].mean()


def test_no_drive_is_found_where_there_is_none():
    weights = np.zeros((4, 4))
    weights[[1, 0, 3, 2], [0, 1, 2, 3]] = 0.9
    tpm = estimate(run(logistic(weights), 2000, 5), "average", draws=100, seed=0)
    assert tpm["drive_amplitude"].values.max() < 0.25
    acts = tpm["connection"].values
    assert acts[[1, 0, 3, 2], [0, 1, 2, 3]].min() > 0.95


@pytest.mark.parametrize("lag", [1, 2])
def test_borders_and_lags_are_heeded(lag):
    states = run(logistic(np.array([[0.0, 1.5], [1.5, 0.0]])), 1200, 4)
    segments = np.repeat([0, 1, 2], 400)
    tpm = estimate(states, "average", lag=lag, segments=segments, draws=50, seed=1, drive=False)
    assert tpm.attrs["n_transitions"] == 1200 - 3 * lag
    assert (tpm["connection"].values[[0, 1], [1, 0]] > 0.9).all() == (lag == 1)
