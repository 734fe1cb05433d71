"""The best reducible models: which cut, what its models may do, and what they are like."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline import nulls
from pipeline.base.raster import encode, states_of
from pipeline.integration.batch import system_phi
from pipeline.nulls.reducible import Cuts, evidence, find_cuts, models, permitted_parents
from pipeline.tpm.estimation import point_estimates
from pipeline.tpm.transitions import count


def logistic(weights, bias=-0.5):
    """P(ON) (state, unit); weights[u, j] acts from j on u, in ±1 coding."""
    return expit(bias + (2.0 * states_of(len(weights)) - 1) @ np.asarray(weights, float).T)


def run(p_on, n_frames, seed):
    rng = np.random.default_rng(seed)
    luck, state, path = rng.random((n_frames, p_on.shape[1])), 0, []
    for u in luck:
        path.append(u < p_on[state])
        state = int(encode(path[-1]))
    return np.array(path, dtype=np.uint8)


def counts_of(states):
    return count(encode(states)[:-1], states[1:])


def chain(n, strength=1.0):
    """Unit i acts on unit i + 1."""
    return np.diag(np.full(n, 0.5)) + strength * np.eye(n, k=-1)


def ring(n, strength=1.0):
    return chain(n, strength) + strength * np.eye(n)[[0]].T @ np.eye(n)[[n - 1]]


def driven_coins(frames, units, amplitude, seed):
    """Units that do nothing to each other under a common telegraph signal."""
    rng = np.random.default_rng([seed, 4])
    drive = np.where(np.cumsum(rng.random(frames) < 0.05) % 2, -amplitude, amplitude)
    return (rng.random((frames, units)) < expit(drive - 0.8)[:, None]).astype(np.uint8)


def weighted_phi(rasters, **estimator):
    p_on, code = point_estimates(rasters, **estimator), encode(rasters)
    visits = np.stack([np.bincount(c, minlength=p_on.shape[1]) for c in code])
    return (system_phi(p_on, np.arange(p_on.shape[1])) * visits).sum(axis=1) / visits.sum(axis=1)


def p_of(states, seed=0, surrogates=39, **estimator):
    drawn = nulls.surrogates(states, "integration", n=surrogates, seed=seed)
    value = weighted_phi(states[None], **estimator)[0]
    return (1 + (weighted_phi(drawn, **estimator) >= value - 1e-10).sum()) / (1 + surrogates)


def test_the_cuts_that_cost_nothing_are_those_of_the_substrate():
    """In a chain 0 -> 1 -> 2 no unit acts on one before it; in a ring every cut costs much."""
    cuts = find_cuts(counts_of(run(logistic(chain(3)), 1500, 1)))
    free = {0b100, 0b110}
    assert set(cuts.source[cuts.weights() > 0]) == free
    assert cuts.loss[~np.isin(cuts.source, list(free))].min() > 20
    assert find_cuts(counts_of(run(logistic(ring(3)), 1500, 1))).loss.min() > 20


def test_an_interaction_of_two_parents_is_not_overlooked():
    """Unit 2 is the XOR of 0 and 1, which are coins: no single parent predicts it, and yet 0 and 1 act on it."""
    parity = np.array([0.1, 0.9, 0.9, 0.1] * 2)
    p_on = np.stack([np.full(8, 0.5), np.full(8, 0.5), parity], axis=1)
    cuts = find_cuts(counts_of(run(p_on, 1000, 2)))
    lost = dict(zip(cuts.source.tolist(), cuts.loss, strict=True))
    assert min(lost[0b001], lost[0b010], lost[0b011]) > 100
    assert lost[0b100] < 2


def test_evidence_of_one_parent_by_hand():
    """The table of a coin with one parent: two Beta-Binomials, of which each prediction has its share."""
    total, on = np.array([[10.0], [10.0]]), np.array([[1.0], [9.0]])
    found = evidence(total, on)
    assert found.shape == (1, 2)
    assert found[0, 1] - found[0, 0] > 3


def test_likely_cuts_share_the_surrogates_and_unlikely_ones_have_none():
    weights = Cuts(np.arange(1, 5), np.array([0.0, np.log(2), 9.0, 0.0])).weights()
    np.testing.assert_allclose(weights, [0.4, 0.2, 0.0, 0.4])
    assert (Cuts(np.arange(30), np.zeros(30)).weights() > 0).sum() == 30  # ties are all kept


def test_models_obey_their_cut_and_keep_the_rest():
    states = run(logistic(ring(3)), 2000, 3)
    by_level, switching = models(states, np.zeros(2000, int), 1, 40, np.random.default_rng(0))
    np.testing.assert_allclose(switching.sum(axis=2), 1)
    drawn = by_level.mean(axis=1)
    phi = system_phi(drawn, np.arange(8))
    assert phi.max() < 1e-9
    full = point_estimates(states)
    kept = np.abs(drawn - full).max(axis=1) < 0.25  # (draw, unit): one unit at least is as it was
    assert kept.any(axis=1).all()
    assert [f"{mask:04b}" for mask in permitted_parents(0b010, 3)] == ["1101", "1111", "1101"]


def test_a_single_unit_is_cut_from_itself():
    """What looks like its memory may be that of a drive."""
    slow = (np.cumsum(np.random.default_rng(0).random((500, 1)) < 0.1, axis=0) % 2).astype(np.uint8)
    by_level, _ = models(slow, np.zeros(500, int), 1, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(by_level[:, :, 0], by_level[:, :, 1])
    assert nulls.surrogates(slow, "integration", n=5).shape == (5, 500, 1)


def test_runs_and_lag_are_those_of_the_data():
    """At lag 2 odd and even frames are strangers; a lag of 1 finds nothing to keep."""
    states = np.repeat(run(logistic(chain(2, 2.0)), 600, 4), 2, axis=0)
    states[1::2] = run(logistic(chain(2, 2.0)), 600, 5)
    segments = np.repeat([0, 1], 600)
    drawn = nulls.draw(states, "integration", n=3, segments=segments, lag=2)
    np.testing.assert_array_equal(drawn.runs, segments)
    follows = [np.corrcoef(s[:-2, 0], s[2:, 1])[0, 1] for s in drawn.values]
    assert min(follows) > 0.5
    follows = [np.corrcoef(s[:-2, 0], s[2:, 1])[0, 1] for s in nulls.draw(states, "integration", n=3).values]
    assert max(np.abs(follows)) < 0.35


def test_a_ring_is_integrated_and_a_chain_is_not():
    assert p_of(run(logistic(ring(3)), 1500, 6)) == 1 / 40
    assert p_of(run(logistic(chain(3)), 1500, 6)) > 0.05


def test_units_that_share_a_slow_input_are_not_integrated_by_it():
    """Coins under a telegraph signal of one logit, which makes all of them predict each other."""
    states = driven_coins(1500, 3, 1.0, 8)
    shifted = nulls.surrogates(states, "interaction", n=39)
    value = weighted_phi(states[None])[0]
    assert (weighted_phi(shifted) < value).all()
    assert p_of(states) > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["modules", "chain", "slow", "driven"])
def test_reducible_systems_are_called_integrated_at_the_stated_rate(kind):
    """4 units, 2,000 frames: 5% of 20 is 1; 6 or more have a chance below .001."""

    def weights(rng):
        if kind == "slow":
            return np.diag(rng.uniform(1.2, 2.2, 4))
        own = np.diag(rng.normal(0, 0.5, 4))
        pairs = ((0, 1), (1, 0), (2, 3), (3, 2)) if kind == "modules" else ((1, 0), (2, 1), (3, 2))
        for a, b in pairs:
            own[a, b] = rng.normal(1, 0.3)
        return own

    if kind == "driven":
        p = [p_of(driven_coins(2000, 4, 0.64, s), seed=s) for s in range(20)]
        assert (np.array(p) <= 0.05).sum() <= 5
        return
    p = [p_of(run(logistic(weights(np.random.default_rng([s, 3]))), 2000, s), seed=s) for s in range(20)]
    assert (np.array(p) <= 0.05).sum() <= 5
