"""The moving-block bootstrap beside posterior draws."""

import numpy as np
import xarray as xr

from pipeline.base.raster import autocorrelation_time
from pipeline.tpm.bootstrap import block_length, bootstrapped, resampled
from pipeline.tpm.estimation import estimate_window


def dataset_of(states, window="w"):
    frames = len(states)
    coords = {
        "unit": [f"e{i}" for i in range(states.shape[1])],
        "window": ("frame", np.full(frames, window)),
        "condition": ("frame", np.full(frames, "awake")),
        "segment": ("frame", np.zeros(frames, int)),
    }
    return xr.Dataset({"states": (("frame", "unit"), states.astype(np.uint8))}, coords, {"recording": "r"})


def slow_units(frames, stay, rng):
    """Two independent units that keep their state with probability `stay`."""
    switches = rng.random((frames, 2)) > stay
    return np.cumsum(switches, axis=0) % 2


def test_blocks_are_consecutive_and_every_transition_is_as_likely():
    rng = np.random.default_rng(0)
    drawn = np.array([resampled(20, 4, rng) for _ in range(2000)])
    steps = np.diff(drawn, axis=1) % 20
    assert (steps[:, [0, 1, 2, 4, 5, 6]] == 1).all()
    share = np.bincount(drawn.ravel(), minlength=20) / drawn.size
    np.testing.assert_allclose(share, 0.05, atol=0.006)


def test_a_block_is_as_long_as_units_stay_correlated():
    states = slow_units(4000, 0.98, np.random.default_rng(1))
    runs = np.zeros(4000, int)
    time = autocorrelation_time(states, runs).max()
    assert time > 25
    assert block_length(states, runs) >= time
    assert block_length(np.random.default_rng(2).integers(0, 2, (1000, 2)), np.zeros(1000, int)) == 10


def test_resamples_scatter_as_recordings_do():
    """The spread over resamples of one recording is that of the estimate over recordings."""
    rng = np.random.default_rng(3)
    made = [dataset_of(rng.random((1500, 2)) < 0.4) for _ in range(40)]
    over = np.std([estimate_window(d, "w", prior=1.0)["p_on"].values for d in made], axis=0)
    within = np.mean(
        [bootstrapped(estimate_window(d, "w", draws=60), d)["p_on_draws"].std("draw").values for d in made[:10]], axis=0
    )
    np.testing.assert_allclose(within, over, rtol=0.35)


def test_the_same_seed_gives_the_same_draws_and_other_fields_stay():
    data = dataset_of(np.random.default_rng(4).random((400, 2)) < 0.5)
    tpm = estimate_window(data, "w", draws=5)
    first, again, other = (bootstrapped(tpm, data, seed)["p_on_draws"].values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    kept = bootstrapped(tpm, data, 1)
    xr.testing.assert_equal(kept.drop_vars("p_on_draws"), tpm.drop_vars("p_on_draws"))
    assert kept.attrs["block_transitions"] == 8
    assert "p_on_draws" not in bootstrapped(estimate_window(data, "w"), data)


def test_hidden_states_are_resampled_path_by_path():
    """Each resample is of another path that was drawn, so that not knowing the states counts as well."""
    rng = np.random.default_rng(5)
    data = dataset_of(rng.random((600, 1)) < 0.5)
    tpm = estimate_window(data, "w", draws=6)
    paths = np.stack([np.zeros((600, 1)), np.ones((600, 1))]).astype(np.uint8)
    paths[:, ::50] = 1 - paths[:, ::50]
    drawn = bootstrapped(tpm.assign(paths=(("path", "frame", "unit"), paths)), data)["p_on_draws"].values.mean((1, 2))
    assert (drawn[::2] < 0.5).all()
    assert (drawn[1::2] > 0.5).all()
