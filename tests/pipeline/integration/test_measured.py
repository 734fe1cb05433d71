"""Surrogates of hidden states: seen and fitted again like the recording."""

import numpy as np
import pytest
import xarray as xr

from pipeline.integration import integrate_nulls
from pipeline.integration.measured import Measured, emission_of
from pipeline.tpm.estimation import estimate_window, fit_recording
from pipeline.tpm.recorded import Recorded


@pytest.fixture(scope="module")
def hidden():
    """States dataset and TPMs of two windows: two units that follow each other, seen through noise."""
    rng, frames = np.random.default_rng(0), 300
    path, state = np.zeros((2 * frames, 2)), np.zeros(2)
    for t, luck in enumerate(rng.random((2 * frames, 2))):
        path[t] = state = luck < np.where(state[::-1] > 0, 0.85, 0.15)
    signal = path + 0.3 * rng.standard_normal(path.shape)
    window = np.repeat(["awake", "sleep"], frames)
    states = xr.Dataset(
        {"states": (("frame", "unit"), (signal > 0.5).astype(np.uint8)), "signal": (("frame", "unit"), signal)},
        coords={
            "unit": ["a", "b"],
            "window": ("frame", window),
            "condition": ("frame", window),
            "segment": ("frame", np.zeros(2 * frames, int)),
            "matched": ("frame", np.ones(2 * frames, bool)),
        },
        attrs={"recording": "r1"},
    )
    fitted = fit_recording(states, "latent", draws=20)
    made = {w: estimate_window(states, w, recording=fitted, method="latent", draws=20) for w in ("awake", "sleep")}
    return states, made


def test_windows_share_what_was_made_and_the_seed_fixes_it(hidden, monkeypatch):
    states, tpms = hidden
    measured, calls = Measured(states, tpms, seed=1, most=3), []
    made = Measured._made
    monkeypatch.setattr(Measured, "_made", lambda self, n: calls.append(n) or made(self, n))
    both = [measured.surrogates(100, window) for window in tpms]
    assert calls == [3]
    for found in both:
        assert found.paths.shape == (3, 300, 2)
        assert found.p_on.shape == (3, 4, 2)
        np.testing.assert_allclose(found.visits.sum(axis=1), 300)
    again = Measured(states, tpms, seed=1, most=3).surrogates(3, "sleep")
    np.testing.assert_array_equal(again.p_on, both[1].p_on)


@pytest.mark.parametrize("most", [3, 0])
def test_the_null_of_integration_is_made_of_what_was_fitted_again(hidden, most):
    """Or of none, where a study asks for none of them."""
    states, tpms = hidden
    measured = Measured(states, tpms, seed=1, most=most)
    nulls = integrate_nulls(
        states, tpms["awake"], window="awake", surrogates=9, measured=measured, big_phi_surrogates=0
    )
    count = np.isfinite(nulls["value"].sel(measure="phi_s")).sum("surrogate")
    assert dict(zip(nulls["null"].values, count.values, strict=True)) == {"integration": most, "interaction": 9}


def test_what_is_seen_of_a_state_is_counted_by_that_state_and_the_one_before():
    path = np.array([[0], [1], [1], [0]])
    category = np.array([[0], [1], [2], [0]])
    first, one_kind = np.array([True, False, False, False]), np.zeros(4, np.int64)
    recorded = Recorded(category, first, np.ones((4, 1), bool), np.array([0, 4]), 1, one_kind, 1)
    emission = emission_of(path, recorded)[0]
    assert emission[1].argmax() == 1  # ON after OFF
    assert emission[3].argmax() == 2  # ON after ON
    assert emission[2].argmax() == 0  # OFF after ON
    np.testing.assert_allclose(emission[0], 1 / 3)  # never seen
