import numpy as np
import pytest
from planted import planted, simulate, states_dataset
from scipy.optimize import minimize

from pipeline import tpm
from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.base.raster import autocorrelation_time, encode, runs_of, transition_frames
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.tpm import ESTIMATORS
from pipeline.tpm.registry import RasterEstimator
from pipeline.tpm.support import MAX_UNITS
from pipeline.tpm.transitions import count


@pytest.mark.parametrize(
    ("method", "prior", "expected"),
    [("logistic", 1.0, (0.012, 0.026, 0.048)), ("beta", 0.5, (0.04, 0.26, 1.03))],
)
def test_bias_on_independent_fair_coins_is_the_known_one(method, prior, expected):
    for n, ei in zip((4, 6, 8), expected, strict=True):
        coins = np.random.default_rng(n).integers(0, 2, (100, 1000, n))
        p_on = tpm.point_estimates(coins, method, prior=prior)
        measured = effective_information(state_by_state(p_on)).mean()
        assert measured == pytest.approx(ei, rel=0.1)


def test_logistic_is_the_posterior_mode_found_by_a_general_optimiser():
    states = simulate(planted(), 300, seed=1)[0]
    signs = 2.0 * states[:-1] - 1
    x = np.column_stack([np.ones(len(signs)), signs])
    dataset = tpm.estimate(states, prior=2.5)
    every = 2.0 * (np.arange(16)[:, None] >> np.arange(4) & 1) - 1
    for unit in range(4):
        y = states[1:, unit]

        def loss(w, y=y):
            z = x @ w
            penalty = 0.01 * w[0] ** 2 + 2.5 * (w[1:] ** 2).sum()
            return (np.logaddexp(0, z) - y * z).sum() + penalty / 2

        w = minimize(loss, np.zeros(5), tol=1e-12).x
        p = 1 / (1 + np.exp(-(w[0] + every @ w[1:])))
        np.testing.assert_allclose(dataset["p_on"][:, unit], p, atol=1e-4)


def test_beta_counts_by_hand():
    states = np.array([[0], [1], [1], [0], [1], [1], [1]])  # from 0: 1, 1; from 1: 1, 0, 1, 1
    dataset = tpm.estimate(np.tile(states, (20, 1)), method="beta", prior=0.5, segments=np.repeat(np.arange(20), 7))
    assert dataset["visits"].values.tolist() == [40, 100]
    assert dataset["transitions"].values.tolist() == [40, 80]
    np.testing.assert_allclose(dataset["p_on"][:, 0], [40.5 / 41, 60.5 / 81])


@pytest.mark.parametrize("method", ESTIMATORS)
def test_a_known_substrate_is_recovered(method):
    states = simulate(planted(), 20_000, seed=3)[0]
    dataset = tpm.estimate(states, method=method)
    seen = dataset["transitions"].values >= 300
    assert seen.sum() >= 8
    np.testing.assert_allclose(dataset["p_on"].values[seen], planted()[seen], atol=0.06)
    gain = dataset.attrs["held_out_bits"] - dataset.attrs["held_out_bits_rate"]
    assert gain > 0.2


@pytest.mark.parametrize("frames", [400, 3000])
def test_logistic_draws_cover_the_truth_at_the_nominal_rate(frames):
    states = simulate(planted(), frames, seed=frames, runs=60)
    code = encode(states)
    counts = count(code[:, :-1], states[:, 1:])
    draws = ESTIMATORS["logistic"].fit(counts, prior=1.0).draw(400, np.random.default_rng(0))
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    inside = (low <= planted()) & (planted() <= high)
    visited = counts.transitions >= 5
    assert inside[visited].mean() == pytest.approx(0.9, abs=0.05)


def test_beta_draws_cover_truths_drawn_from_the_prior_at_the_nominal_rate():
    rng = np.random.default_rng(5)
    truth = rng.beta(1, 1, (200, 16, 4))
    source = rng.integers(0, 16, (200, 500))
    target = rng.random((200, 500, 4)) < np.take_along_axis(truth, source[..., None], axis=1)
    draws = ESTIMATORS["beta"].fit(count(source, target), prior=1.0).draw(500, rng)
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.9, abs=0.01)


def test_naming_the_off_state_on_mirrors_the_tpm():
    states = simulate(planted(), 2000, seed=2)[0]
    straight, mirrored = tpm.point_estimates(states), tpm.point_estimates(1 - states)
    np.testing.assert_allclose(mirrored, 1 - straight[::-1], atol=1e-8)


def test_transitions_stay_within_segments_and_matched_frames():
    states = np.random.default_rng(0).integers(0, 2, (600, 2))
    segment = np.repeat([0, 1, 2], 200)
    matched = np.ones(600, dtype=bool)
    matched[50:60] = False
    matched[400:] = False
    dataset = tpm.estimate(states_dataset(states, segment=segment, matched=matched), lag=3)
    assert dataset.attrs["n_frames"] == 390
    assert dataset.attrs["n_transitions"] == (50 - 3) + (140 - 3) + (200 - 3)
    assert dataset["visits"].sum() == 390
    assert dataset["transitions"].sum() == 381
    code = encode(states)
    pairs = [(t, t + 3) for t in range(400) if t // 200 == (t + 3) // 200 and t + 3 < 400]
    pairs = [(a, b) for a, b in pairs if matched[a : b + 1].all()]
    expected = np.bincount([code[a] for a, _ in pairs], minlength=4)
    assert dataset["transitions"].values.tolist() == expected.tolist()


def test_a_segment_label_that_returns_is_another_run():
    runs = runs_of([0, 0, 1, 0, 0], 5)
    assert runs.tolist() == [0, 0, 1, 2, 2]
    assert transition_frames(runs, 1)[0].tolist() == [0, 3]
    assert transition_frames(runs, 3)[0].size == 0


@pytest.mark.parametrize("method", ESTIMATORS)
def test_a_unit_that_never_changes_is_flagged_and_keeps_its_rate(method):
    states = np.random.default_rng(0).integers(0, 2, (1000, 3))
    states[:, 1] = 1
    dataset = tpm.estimate(states_dataset(states), method=method, draws=50)
    assert "constant_unit:e1" in dataset.attrs["flag"].split(";")
    assert "unvisited_states:4" in dataset.attrs["flag"].split(";")
    visited = dataset["visits"].values > 0
    assert (dataset["p_on"].values[visited, 1] > 0.98).all()
    assert np.isfinite(dataset["p_on_draws"].values).all()
    assert np.isnan(dataset["residual_correlation"].values[1]).all()
    if method != "beta":
        np.testing.assert_allclose(dataset["p_on"][:, 1], 999.5 / 1000, atol=5e-4)


def test_simultaneous_correlation_that_the_past_does_not_explain_is_reported():
    rng = np.random.default_rng(1)
    common = rng.random((2000, 1)) < 0.5
    states = np.where(rng.random((2000, 3)) < [0.6, 0.6, 0.0], common, rng.random((2000, 3)) < 0.5)
    dataset = tpm.estimate(states_dataset(states.astype(int)))
    assert dataset["residual_correlation"].values[0, 1] == pytest.approx(0.36, abs=0.06)
    assert dataset.attrs["flag"] == "instantaneous_correlation:e0-e1"
    independent = tpm.estimate(simulate(planted(), 3000, seed=4)[0])
    assert "instantaneous_correlation" not in independent.attrs["flag"]


def test_held_out_likelihood_prefers_the_estimator_that_fits():
    rng = np.random.default_rng(0)
    coins = tpm.estimate(rng.integers(0, 2, (1000, 3)))
    assert coins.attrs["held_out_bits"] == pytest.approx(-1, abs=0.01)
    assert coins.attrs["held_out_bits"] < coins.attrs["held_out_bits_rate"] + 0.002
    s = np.arange(4)
    parity = (s & 1) ^ (s >> 1)
    xor = simulate(np.stack([0.1 + 0.8 * parity, np.full(4, 0.5)], axis=1), 1000, seed=1)[0]
    held_out = {m: tpm.estimate(xor, method=m).attrs["held_out_bits"] for m in ESTIMATORS}
    assert held_out["logistic_pairwise"] > held_out["logistic"] + 0.1
    assert held_out["beta"] > held_out["logistic"] + 0.1


def test_memorising_does_not_pay_in_held_out_blocks():
    """A slow unit makes neighbouring frames alike; blocks with a gap do not reward that."""
    rng = np.random.default_rng(3)
    slow = np.repeat(rng.integers(0, 2, (40, 4)), 25, axis=0)
    fast = rng.integers(0, 2, (1000, 1))
    beta = tpm.estimate(np.hstack([slow, fast]), method="beta", prior=0.5)
    logistic = tpm.estimate(np.hstack([slow, fast]))
    assert beta.attrs["held_out_bits"] < logistic.attrs["held_out_bits"]


def test_autocorrelation_time_of_a_persistent_chain():
    flips = np.random.default_rng(0).random((200_000, 2)) < [0.05, 0.5]
    states = np.cumsum(flips, axis=0) % 2
    time = autocorrelation_time(states, runs_of(None, len(states)))
    np.testing.assert_allclose(time, [1.9 / 0.1, 1.0], rtol=0.1)
    assert autocorrelation_time(np.ones((50, 1)), runs_of(None, 50)).tolist() == [1.0]


def test_more_units_than_the_data_carry_are_refused_with_the_number_that_they_can():
    assert tpm.largest_supported(1000, "logistic") == 10
    assert tpm.largest_supported(100, "logistic") == 4
    assert tpm.largest_supported(220, "logistic_pairwise") == 4
    assert tpm.largest_supported(639, "beta") == 5
    assert tpm.largest_supported(5, "beta") == 0
    rng = np.random.default_rng(0)
    for method in ESTIMATORS:
        can = tpm.largest_supported(300, method)
        tpm.estimate(rng.integers(0, 2, (301, can)), method=method)
        if can < MAX_UNITS:
            with pytest.raises(PhiscaleError, match=f"carry at most {can} with"):
                tpm.estimate(rng.integers(0, 2, (301, can + 1)), method=method)
    with pytest.raises(PhiscaleError, match="at most 10 are supported"):
        tpm.estimate(rng.integers(0, 2, (9000, 11)))
    with pytest.raises(PhiscaleError, match="not even one unit"):
        tpm.estimate(rng.integers(0, 2, (6, 1)), method="beta")


def test_short_data_are_flagged():
    rng = np.random.default_rng(0)
    assert "few_frames" in tpm.estimate(rng.integers(0, 2, (150, 4))).attrs["flag"]
    assert "few_frames" not in tpm.estimate(rng.integers(0, 2, (250, 4))).attrs["flag"]
    assert "few_frames" in tpm.estimate(rng.integers(0, 2, (1001, 5)), "beta").attrs["flag"]


@pytest.mark.parametrize(
    ("states", "options", "said"),
    [
        (np.full((300, 2), 0.5), {}, "unit u0 is 0.5 at frame 0"),
        (np.array([[0.0, 1.0]] * 200 + [[0.0, np.nan]]), {}, "unit u1 is nan at frame 200"),
        (np.zeros(300), {}, "instead of \\(frame, unit\\)"),
        (np.zeros((0, 2)), {}, "instead of \\(frame, unit\\)"),
        (np.zeros((300, 2)), {"method": "magic"}, "'magic' is not one of"),
        (np.zeros((300, 2)), {"lag": 0}, "tpm.lag: is 0"),
        (np.zeros((300, 2)), {"segments": [0, 1]}, "one label per frame"),
        (np.zeros((300, 2)), {"segments": np.arange(300)}, "0 transitions"),
    ],
)
def test_bad_input_is_told_in_words(states, options, said):
    with pytest.raises(PhiscaleError, match=said):
        tpm.estimate(states, **options)


def test_faults_are_told_together():
    with pytest.raises(PhiscaleError) as error:
        tpm.estimate(np.full((300, 2), 7), method="magic", lag=-1)
    assert len(error.value.problems) == 3


def test_one_window_of_several():
    states = np.random.default_rng(0).integers(0, 2, (700, 3))
    window = np.repeat(["a", "b"], [400, 300])
    dataset = states_dataset(states, window=window, condition=np.repeat(["awake", "asleep"], [400, 300]))
    with pytest.raises(PhiscaleError, match="hold 2 windows"):
        tpm.estimate(dataset)
    b = tpm.estimate_window(dataset, "b", min_frames=350)
    assert (b.attrs["window"], b.attrs["condition"], b.attrs["n_frames"]) == ("b", "asleep", 300)
    assert b.attrs["flag"] == "few_frames"
    assert b.attrs["binarize_method"] == "events"
    np.testing.assert_array_equal(b["p_on"], tpm.point_estimates(states[400:]))
    assert tpm.estimate_window(dataset, "a", min_frames=350).attrs["flag"] == ""
    with pytest.raises(PhiscaleError, match="windows that have: a, b"):
        tpm.estimate_window(dataset, "c")


@pytest.mark.parametrize("method", ESTIMATORS)
def test_many_rasters_at_once_give_what_each_gives_alone(method):
    states = simulate(planted(), 500, seed=9, runs=5)
    states[2, :, 1] = 0
    segments = np.repeat([0, 1], 250)
    own = {"prior": 0.7} if "prior" in ESTIMATORS[method].Parameters.model_fields else {}
    together = tpm.point_estimates(states, method, lag=2, segments=segments, **own)
    for one, p_on in zip(states, together, strict=True):
        sampled = isinstance(ESTIMATORS[method], RasterEstimator)  # of surrogates by a shorter chain
        how = {"lag": 2, "segments": segments, **own}
        alone = tpm.point_estimates(one, method, **how) if sampled else tpm.estimate(one, method, **how)["p_on"]
        np.testing.assert_allclose(p_on, alone, atol=1e-7)


@pytest.mark.parametrize("method", ["logistic", "beta"])
def test_units_may_have_borders_of_their_own(method):
    states = simulate(planted(), 600, seed=2)[0]
    shared = np.repeat([0, 1], 300)
    own = np.tile(shared[:, None], (1, 4))
    with_shared = tpm.point_estimates(states, method, segments=shared)
    np.testing.assert_allclose(tpm.point_estimates(states, method, segments=own), with_shared)
    own[100:, 2] += 1
    p_on = tpm.point_estimates(states, method, segments=own)
    np.testing.assert_allclose(p_on[:, [0, 1, 3]], with_shared[:, [0, 1, 3]])
    alone = tpm.point_estimates(states, method, segments=own[:, 2])
    np.testing.assert_allclose(p_on[:, 2], alone[:, 2])


def test_same_seed_same_draws_and_the_file_keeps_them(tmp_path):
    states = simulate(planted(), 500, seed=6)[0]
    first, again, other = (tpm.estimate(states, draws=20, seed=s) for s in (1, 1, 2))
    assert first.identical(again)
    assert not np.array_equal(first["p_on_draws"], other["p_on_draws"])
    assert first.sizes == {"state": 16, "unit": 4, "unit_b": 4, "draw": 20}
    assert all({"units", "long_name"} <= set(v.attrs) for v in first.variables.values())
    files.save(first, tmp_path / "micro-4.nc")
    assert files.load(tmp_path / "micro-4.nc").identical(first)
