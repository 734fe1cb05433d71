import numpy as np
import pytest

from pipeline.encoder.flow import Flow, estimate_flow, flow_of_map, metastability, residence
from pipeline.encoder.local_linear import fit, noise, steps

RATE, SPREAD = 0.1, 0.2


def double_well(frames: int, seed: int) -> np.ndarray:
    """Wells at -1 and 1, a barrier of RATE / (2 SPREAD²) = 1.25 between them."""
    noise_ = SPREAD * np.random.default_rng(seed).normal(size=frames)
    y = np.ones(frames)
    for t in range(1, frames):
        y[t] = y[t - 1] + RATE * (y[t - 1] - y[t - 1] ** 3) + noise_[t]
    return y


def ornstein_uhlenbeck(frames: int, seed: int, kept: float = 0.95) -> np.ndarray:
    noise_ = np.random.default_rng(seed).normal(size=frames)
    y = np.zeros(frames)
    for t in range(1, frames):
        y[t] = kept * y[t - 1] + noise_[t]
    return y


@pytest.fixture(scope="module")
def long_well() -> np.ndarray:
    return double_well(20000, 0)


def test_flow_of_a_double_well(long_well):
    flow = estimate_flow(long_well)
    assert [p.stable for p in flow.points] == [True, False, True]
    np.testing.assert_allclose([p.position for p in flow.points], [-1, 0, 1], atol=0.12)
    np.testing.assert_allclose([p.slope for p in flow.points], [-2 * RATE, RATE, -2 * RATE], atol=0.06)
    inner = np.abs(flow.position) < 1.2
    expected = RATE * (flow.position - flow.position**3)
    np.testing.assert_allclose(flow.drift[inner], expected[inner], atol=0.015)
    np.testing.assert_allclose(flow.noise_variance[inner], SPREAD**2, rtol=0.1)
    assert flow.barrier == pytest.approx(1.25, abs=0.3)


def test_potential_is_that_of_the_stationary_density():
    """Of small steps: p(y) ~ exp -U(y)."""
    y = ornstein_uhlenbeck(20000, 1)
    flow = estimate_flow(y)
    expected = 0.05 * flow.position**2
    np.testing.assert_allclose(flow.potential, expected - expected.min(), rtol=0.2, atol=0.2)
    at_peak = flow.position[flow.density.argmax()]
    assert abs(at_peak - y.mean()) < 0.5 * y.std()


def test_a_planted_double_well_is_metastable_and_a_linear_process_is_not():
    wells = [metastability(double_well(1500, seed), n_surrogates=19, seed=seed) for seed in range(10)]
    linear = [metastability(ornstein_uhlenbeck(1500, seed), n_surrogates=19, seed=seed) for seed in range(10)]
    assert sum(found.metastable for found in wells) >= 9
    assert sum(found.metastable for found in linear) <= 1
    clear = [found for found in wells if found.metastable]
    assert all(found.p == 0.05 and found.interval[1] > 0 and found.null_barriers.shape == (19,) for found in clear)
    assert all((found.residence.time > 3 * found.relaxation).all() for found in clear)


@pytest.mark.slow
def test_other_processes_without_wells_are_not_metastable():
    rng = np.random.default_rng(0)
    claims = {}
    for name, make in {
        "memory": lambda s: ornstein_uhlenbeck(1000, s, 0.995) / 10 + rng.normal(size=1000) / 2,
        "fast": lambda s: ornstein_uhlenbeck(1000, s, 0.2),
        "slow": lambda s: ornstein_uhlenbeck(1000, s, 0.99),
        "skewed": lambda s: np.exp(0.15 * ornstein_uhlenbeck(1000, s)),
        "walk": lambda s: rng.normal(size=1000).cumsum(),
        "step": lambda s: ornstein_uhlenbeck(1000, s, 0.8) + 4 * (np.arange(1000) > 500),
    }.items():
        claims[name] = sum(metastability(make(seed), n_surrogates=19, seed=seed).metastable for seed in range(10))
    assert max(claims.values()) <= 1, claims
    assert sum(claims.values()) <= 3, claims


def test_surrogates_can_be_given():
    y = double_well(1500, 3)
    others = [double_well(1500, seed) for seed in range(20, 39)]
    against_itself = metastability(y, surrogates=others)
    assert against_itself.p > 0.05
    assert not against_itself.metastable
    assert metastability(y, n_surrogates=19, seed=1).p == metastability(y, n_surrogates=19, seed=1).p


def test_flow_of_a_learned_map():
    y = double_well(3000, 4)
    flow = flow_of_map(lambda at: RATE * (at - at**3), y)
    np.testing.assert_allclose([p.position for p in flow.points], [-1, 0, 1], atol=1e-3)
    assert [p.stable for p in flow.points] == [True, False, True]
    assert flow.barrier == pytest.approx(1.25, abs=0.1)
    swinging = flow_of_map(lambda at: -2.5 * at, y)
    assert [p.stable for p in swinging.points] == [False]
    assert swinging.wells == ()
    assert swinging.barrier == 0


def by_hand(position: np.ndarray, drift: np.ndarray) -> Flow:
    return flow_of_map(lambda at: np.interp(at, position, drift), np.linspace(-2, 2, 1000))


def test_stays_end_halfway_down_in_another_well():
    flow = by_hand(np.array([-2, -1, -0.5, 0.5, 1, 2.0]), np.array([1, 0, -0.5, 0.5, 0, -1.0]))
    np.testing.assert_allclose(flow.wells, [-1, 1], atol=1e-2)
    y = np.array([0.0, -1, 0.3, -0.8, 0.2, 0.9, 1.0, 0.1, -0.9, 0.2, 1.0, 1.0])
    runs = np.array([0] * 9 + [1] * 3)
    stays = residence(y, flow, runs)
    np.testing.assert_array_equal(stays.well, [-1, 0, 0, 0, 0, 1, 1, 1, 0, -1, 1, 1])
    assert stays.switches == 2
    np.testing.assert_allclose(stays.time, [5 / 1, 5 / 1])
    np.testing.assert_allclose(stays.occupancy, [5 / 12, 5 / 12])
    alone = residence(y, by_hand(np.array([-2, 2.0]), np.array([1.0, -1])))
    assert alone.switches == 0
    assert np.isinf(alone.time).all()


def test_runs_share_no_steps():
    y = np.concatenate([ornstein_uhlenbeck(300, 0), 1e3 + ornstein_uhlenbeck(300, 1)])
    data = steps(y, np.repeat([0, 1], 300), 1)
    assert len(data.step) == 598
    assert np.abs(data.step).max() < 10


def test_local_regression_is_exact_for_a_line_at_any_bandwidth():
    x = np.random.default_rng(0).normal(size=(400, 2)) * [1, 50] + [3, -20]
    linear = np.array([[-0.3, 0.02], [5.0, -0.5]])
    y = np.empty((800, 2))
    y[::2], y[1::2] = x, x + (x - [3, -20]) @ linear.T + [0.1, 0.2]
    data = steps(y, np.repeat(np.arange(400), 2), 1)
    for bandwidth in (0.7, np.inf):
        found = fit(data, x[:5], bandwidth)
        np.testing.assert_allclose(found.step[0], (x[:5] - [3, -20]) @ linear.T + [0.1, 0.2], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found.slope[0], np.broadcast_to(linear, (5, 2, 2)), rtol=1e-5)
    assert noise(data, x[:5], np.inf).shape == (5, 2, 2)


def test_latents_that_cannot_be_read_are_refused():
    for bad, match in (
        (np.zeros(100), "that vary"),
        (np.arange(20.0), "at least 40"),
        (np.full(100, np.nan), "finite"),
        (np.zeros((100, 2)), "is needed"),
    ):
        with pytest.raises(ValueError, match=match):
            estimate_flow(bad)
    with pytest.raises(ValueError, match="runs of shape"):
        estimate_flow(double_well(100, 0), runs=np.zeros(50))
