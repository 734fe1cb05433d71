import numpy as np
import pytest
import xarray as xr

from pipeline import nulls
from pipeline.base.errors import PhiscaleError
from pipeline.base.raster import autocorrelation_time, encode, runs_of
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.tpm.estimation import point_estimates


def coupled(frames: int = 2000, seed: int = 0) -> np.ndarray:
    """Unit 1 copies unit 0 one frame later, unit 2 stays for 10 frames on average."""
    rng = np.random.default_rng(seed)
    leader = rng.integers(0, 2, frames + 1)
    slow = np.cumsum(rng.random(frames) < 0.1) % 2
    return np.stack([leader[1:], leader[:-1], slow], axis=1).astype(np.uint8)


def coupled_traces(frames: int = 4000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    step = np.array([[0.5, 0.4, 0.0], [0.0, 0.8, 0.0], [0.3, 0.0, 0.2]])
    x = np.zeros((frames, 3))
    for t in range(1, frames):
        x[t] = step @ x[t - 1] + rng.standard_normal(3)
    return x + np.array([1.0, 2.0, 3.0])


def lagged(x: np.ndarray, lag: int = 1) -> np.ndarray:
    """Correlation (unit, unit) of unit a `lag` frames later with unit b now."""
    n = x.shape[1]
    return np.corrcoef(x[lag:].T, x[: len(x) - lag].T)[:n, n:]


def test_interaction_keeps_each_unit_and_breaks_their_relation():
    data = coupled()
    assert lagged(data)[1, 0] == 1
    for surrogate in nulls.surrogates(data, "interaction", n=20, seed=1):
        assert (surrogate.sum(axis=0) == data.sum(axis=0)).all()
        changes = np.abs(np.diff(surrogate.astype(int), axis=0)).sum(axis=0)
        np.testing.assert_allclose(changes, np.abs(np.diff(data.astype(int), axis=0)).sum(0), atol=1)
        assert abs(lagged(surrogate)[1, 0]) < 0.1


def test_any_two_units_are_shifted_apart_by_the_autocorrelation_time():
    markers = np.zeros((200, 4), dtype=np.uint8)
    markers[:20] = 1  # one block of 20 frames, the same in every unit
    least = nulls.least_shift(markers)
    assert least.gap >= 10
    assert not least.short
    gaps, offsets = [], []
    for surrogate in nulls.surrogates(markers, "interaction", n=300, seed=0):
        starts = np.flatnonzero((surrogate == 1) & (np.roll(surrogate, 1, axis=0) == 0)) // 4
        offsets.append(starts[0])
        apart = np.abs(starts[:, None] - starts)[np.triu_indices(4, 1)]
        gaps.append(np.minimum(apart, 200 - apart).min())
    assert min(gaps) == least.gap
    assert max(gaps) > least.gap + 5
    assert np.ptp(offsets) > 50


def test_each_unit_brings_its_borders_and_the_windows_ends():
    times = np.tile(np.arange(90.0)[:, None], (1, 3))
    segments = np.repeat([0, 1, 2], 30)
    options = {"kind": "interaction", "n": 20, "seed": 2, "segments": segments}
    both = nulls.draw(times, **options)
    drawn, runs = both.values, both.runs
    assert runs.shape == drawn.shape
    follows = np.diff(drawn, axis=1) == 1
    inside = follows & (segments[drawn[:, :-1].astype(int)] == segments[drawn[:, 1:].astype(int)])
    np.testing.assert_array_equal(np.diff(runs, axis=1) == 0, inside)
    shuffled = nulls.draw(times, "no_dynamics", n=1, segments=segments).runs
    np.testing.assert_array_equal(shuffled, segments)


@pytest.mark.parametrize("segment_length", [1000, 50])
def test_independent_units_are_not_called_interacting_more_often_than_stated(segment_length):
    """Units of different persistence: p-values of EI against shifts are uniform."""
    rng = np.random.default_rng(0)
    segments = np.arange(1000) // segment_length
    p_values = []
    for seed in range(120):
        states = np.cumsum(rng.random((1000, 3)) < [0.5, 0.15, 0.05], axis=0) % 2
        for start in range(0, 1000, segment_length):  # runs that have nothing to do with each other
            states[start : start + segment_length] ^= rng.integers(0, 2, 3)
        options = {"kind": "interaction", "n": 39, "seed": seed, "segments": segments}
        drawn = nulls.draw(states, **options)
        null = effective_information(state_by_state(point_estimates(drawn.values, segments=drawn.runs)))
        value = effective_information(state_by_state(point_estimates(states, segments=segments)))
        p_values.append((1 + (null >= value).sum()) / 40)
    assert np.mean(np.array(p_values) <= 0.1) <= 0.19  # 10% expected; 99.9% of such samples pass
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.09)


def test_a_window_too_short_for_the_gap_is_said_to_be():
    slow = np.repeat([[0] * 4, [1] * 4, [0] * 4, [1] * 4], 15, axis=0)
    least = nulls.least_shift(slow)
    assert least.short
    assert least.gap == 60 // 8
    assert nulls.surrogates(slow, "interaction", n=5).shape == (5, 60, 4)


def test_borders_do_not_count_as_slow_change():
    """Runs whose level differs from frame to frame inside, but repeats from run to run."""
    rng = np.random.default_rng(0)
    states = rng.integers(0, 2, (400, 2))
    joined = autocorrelation_time(states, runs_of(None, 400))
    apart = nulls.least_shift(states, segments=np.arange(400)).autocorrelation_time
    assert apart == 1
    assert joined.max() < 3


def test_no_dynamics_keeps_occupancy_and_loses_the_dynamics():
    data = coupled()
    data[:, 2] = data[:, 0]
    surrogate = nulls.surrogates(data, "no_dynamics", n=1, seed=1)[0]
    np.testing.assert_array_equal(np.bincount(encode(surrogate)), np.bincount(encode(data)))
    assert np.corrcoef(surrogate.T)[0, 2] == pytest.approx(1)
    assert np.abs(lagged(surrogate)).max() < 0.1


def test_markov_keeps_rate_and_persistence_of_each_unit_alone():
    data = coupled(20_000)
    surrogate = nulls.surrogates(data, "markov", n=1, seed=2)[0]
    np.testing.assert_allclose(surrogate.mean(0), data.mean(0), atol=0.04)
    np.testing.assert_allclose(np.diag(lagged(surrogate)), np.diag(lagged(data)), atol=0.04)
    assert abs(lagged(surrogate)[1, 0]) < 0.03


def test_var_keeps_the_covariances_and_ar1_only_each_units_own():
    data = coupled_traces(20_000)
    var = nulls.surrogates(data, "var", n=1, seed=3)[0]
    np.testing.assert_allclose(np.cov(var.T), np.cov(data.T), rtol=0.15, atol=0.1)
    np.testing.assert_allclose(lagged(var), lagged(data), atol=0.06)
    np.testing.assert_allclose(var.mean(0), data.mean(0), atol=0.2)
    ar1 = nulls.surrogates(data, "ar1", n=1, seed=3)[0]
    np.testing.assert_allclose(np.diag(lagged(ar1)), np.diag(lagged(data)), atol=0.05)
    np.testing.assert_allclose(ar1.var(0), data.var(0), rtol=0.15)
    assert np.abs(np.corrcoef(ar1.T)[np.triu_indices(3, 1)]).max() < 0.08


def test_brownian_keeps_the_covariance_of_increments_in_every_run():
    data = coupled_traces(6000)
    segments = np.repeat([0, 1, 2], 2000)
    walk = nulls.surrogates(data, "brownian", n=1, seed=3, segments=segments)[0]
    inside = np.diff(segments) == 0
    steps = np.diff(walk, axis=0)[inside]
    np.testing.assert_allclose(np.cov(steps.T), np.cov(np.diff(data, axis=0)[inside].T), atol=0.1)
    np.testing.assert_array_equal(walk[[0, 2000, 4000]], data[[0, 2000, 4000]])
    assert lagged(walk).diagonal().min() > 0.99


def test_only_matched_frames_of_a_dataset_are_used():
    data = coupled(400)
    matched = np.arange(400) < 250
    array = xr.DataArray(data, dims=("frame", "unit"), coords={"matched": ("frame", matched), "unit": list("abc")})
    drawn = nulls.surrogates(array, "interaction", n=2, seed=1)
    np.testing.assert_array_equal(drawn, nulls.surrogates(data[:250], "interaction", n=2, seed=1))


@pytest.mark.parametrize("kind", ["ar1", "brownian", "var"])
def test_gaussian_kinds_are_refused_for_states(kind):
    with pytest.raises(PhiscaleError, match=f"'{kind}' makes Gaussian traces"):
        nulls.surrogates(coupled(100), kind)


def test_unknown_kinds_and_traces_for_markov_are_refused():
    with pytest.raises(PhiscaleError, match="'magic' is not one of integration, interaction"):
        nulls.surrogates(coupled(100), "magic")
    with pytest.raises(PhiscaleError, match="needs ON/OFF states"):
        nulls.surrogates(coupled_traces(100), "markov")
