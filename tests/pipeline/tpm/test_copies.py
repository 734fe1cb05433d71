"""Simulated copies: that they follow their TPM and heed runs, and that the seed fixes them."""

import numpy as np
import pytest
import xarray as xr
from planted import planted, simulate, states_dataset
from test_latent import N, recording

from pipeline.base.files import load, save
from pipeline.emergence.discrete import state_by_state
from pipeline.tpm.copies import ABOUT
from pipeline.tpm.estimation import estimate, estimate_window, fit_recording
from pipeline.tpm.simulated import simulate as simulated
from pipeline.tpm.simulated import simulate_seen, stationary
from pipeline.tpm.transitions import count

NAMES = [f"copy_{name}" for name in ABOUT if "observational" not in name]  # the others only with a drive
CYCLE = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])  # 0 -> 1 -> 2 -> 3 -> 0
ALWAYS_0 = np.array([1.0, 0, 0, 0])


def window(frames=600, seed=0):
    segment = np.repeat([0, 1], [frames // 3, frames - frames // 3])
    return states_dataset(simulate(planted(), frames, seed)[0], segment=segment)


def test_simulated_states_follow_each_tpm_of_its_own():
    p_on = np.stack([planted(), 1 - planted()])
    paths = simulated(p_on, np.zeros(60_000, int), np.full(16, 1 / 16), np.random.default_rng(0))
    raster = paths[..., None] >> np.arange(4) & 1
    counts = count(paths[:, :-1], raster[:, 1:])
    seen = counts.per_unit[..., 0] > 400
    share = counts.on / np.maximum(counts.per_unit, 1)
    error = np.abs(share - p_on) / np.sqrt(p_on * (1 - p_on) / np.maximum(counts.per_unit, 1))
    assert seen.sum() > 16
    assert error[seen].max() < 4.5  # standard errors


def test_runs_start_anew_from_the_occupancy():
    runs = np.repeat(np.arange(4000), 2)
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    path = simulated(CYCLE[None], runs, shares, np.random.default_rng(1))[0]
    assert np.abs(np.bincount(path[::2]) / 4000 - shares).max() < 0.03
    np.testing.assert_array_equal(path[1::2], (path[::2] + 1) % 4)


def test_a_lag_of_two_bins_leads_from_the_bin_before_the_last():
    path = simulated(CYCLE[None], np.zeros(8, int), ALWAYS_0, np.random.default_rng(0), lag=2)[0]
    assert path.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_what_is_seen_depends_on_this_bin_and_the_one_before():
    emission = np.tile(np.eye(8), (2, 1, 1))  # the category is the state + 2 · the state before + 4 · the kind of bin
    category, first = np.zeros((6, 2), int), np.array([True, False, False, True, False, False])
    kind = np.array([0, 1, 0, 0, 1, 1])
    simulate_seen(np.random.default_rng(0), CYCLE[None], np.ones((1, 1)), ALWAYS_0, emission, first, kind, category)
    path = np.array([1, 2, 3, 1, 2, 3])
    before = np.array([0, 1, 2, 0, 1, 2])
    bits = np.arange(2)
    told = (path[:, None] >> bits & 1) + 2 * (before[:, None] >> bits & 1) + 4 * kind[:, None]
    np.testing.assert_array_equal(category, told)


def test_stationary_probabilities_stay_also_where_the_chain_has_a_period_or_parts():
    p_on = np.stack([planted(), 1 - planted()])
    found = stationary(p_on, np.full((2, 16), 1 / 16))
    np.testing.assert_allclose(np.einsum("as,ast->at", found, state_by_state(p_on)), found, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(stationary(CYCLE, ALWAYS_0), 0.25)
    stays = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(stationary(stays, np.array([0.3, 0.7])), [0.3, 0.7])


@pytest.mark.parametrize("method", ["logistic", "beta", "average"])
def test_copies_are_draws_and_what_is_estimated_of_them(method, tmp_path):
    tpm = estimate(window(), method, draws=5, seed=1, copies=4)
    assert tpm["copy_p_on"].dims == ("copy", "state", "unit")
    assert tpm["copy_p_on_draws"].shape == (4, 50, 16, 4)
    assert tpm["copy_p_on_draws"].dtype == np.float32
    assert all({"units", "long_name"} <= set(tpm[name].attrs) for name in NAMES)
    for name in ("copy_occupancy", "copy_stationary"):
        np.testing.assert_allclose(tpm[name].sum("state"), 1)
    weight = tpm["copy_occupancy"].values[:, :, None]
    apart = np.abs(tpm["copy_p_on_draws"].mean("copy_draw") - tpm["copy_p_on"]).values
    own = (weight * apart).sum(axis=(1, 2))
    other = (weight * np.abs(tpm["copy_p_on_draws"].mean("copy_draw") - 0.5).values).sum(axis=(1, 2))
    assert (own < other / 2).all()
    save(tpm, tmp_path / "tpm.nc")
    xr.testing.assert_identical(load(tmp_path / "tpm.nc")[NAMES], tpm[NAMES])


def test_copies_are_fixed_by_the_seed_and_change_nothing_else():
    one, again, other = (estimate(window(), draws=5, seed=s, copies=3) for s in (1, 1, 2))
    none = estimate(window(), draws=5, seed=1)
    xr.testing.assert_identical(one, again)
    assert not np.array_equal(one["copy_p_on_draws"], other["copy_p_on_draws"])
    assert not np.array_equal(one["copy_occupancy"], other["copy_occupancy"])
    xr.testing.assert_equal(one.drop_vars(NAMES), none)
    assert one.attrs["history"] != none.attrs["history"]
    assert {k: v for k, v in one.attrs.items() if k != "history"} == {
        k: v for k, v in none.attrs.items() if k != "history"
    }


@pytest.fixture(scope="module")
def hidden():
    """States of a recording, its TPMs with copies (twice the same) by window."""
    states, _ = recording()
    how = {"method": "latent", "draws": 20, "seed": 4, "copies": 3}
    fitted = [fit_recording(states, **how) for _ in range(2)]
    return states, [{w: estimate_window(states, w, recording=f, **how) for w in ("on", "off")} for f in fitted]


def test_copies_of_hidden_states_are_fitted_as_recordings(hidden):
    (one, again) = hidden[1]
    for name, tpm in one.items():
        xr.testing.assert_identical(tpm[NAMES], again[name][NAMES])
        assert tpm["copy_p_on_draws"].shape == (3, 50, 16, 4)
        assert tpm["copy_p_on_draws"].dtype == np.float32
        assert tpm.attrs["n_frames"] in (N, N - 100)
        np.testing.assert_allclose(tpm["copy_occupancy"].sum("state"), 1)
        weight = tpm["copy_occupancy"].values[:, :, None]
        apart = np.abs(tpm["copy_p_on_draws"].mean("copy_draw") - tpm["copy_p_on"]).values
        assert (weight * apart).sum(axis=(1, 2)).max() / 4 < 0.06
    assert np.abs(one["on"]["copy_p_on"] - one["off"]["copy_p_on"]).max() > 0.3


def test_a_recording_that_was_fitted_without_copies_has_none(hidden):
    states = hidden[0]
    fitted = fit_recording(states, "latent", draws=20, seed=4)
    assert "copy_p_on" not in estimate_window(states, "on", recording=fitted, method="latent", draws=20)
    with pytest.raises(ValueError, match="fitted without"):
        estimate_window(states, "on", recording=fitted, method="latent", draws=20, copies=3)
