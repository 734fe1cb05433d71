"""The sampler over parent sets: its algebra against plain linear algebra, what it finds against what is there."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.base.raster import encode, states_of
from pipeline.tpm import evidence, features
from pipeline.tpm import parent_sets as ps
from pipeline.tpm.transitions import count


def run(p_on, n_frames, seed):
    """States (frame, unit) of a substrate with P(ON) (state, unit)."""
    rng = np.random.default_rng(seed)
    luck, state, path = rng.random((n_frames, p_on.shape[1])), 0, []
    for u in luck:
        path.append(u < p_on[state])
        state = int(encode(path[-1]))
    return np.array(path, dtype=int)


def logistic(weights, bias=-0.5):
    """P(ON) (state, unit) of logistic units; weights[u, j] acts from j on u, in ±1 coding."""
    return expit(bias + (2.0 * states_of(len(weights)) - 1) @ np.asarray(weights, float).T)


def draws_of(states, family=features.TABLE, n=200, seed=0):
    code = encode(states)
    counts = count(code[:-1], states[1:])
    return ps.sample(counts.per_unit, counts.on, family, n, 3, 200, np.random.default_rng(seed))


def test_features_are_products_of_parents():
    made = features.features(5, features.TABLE)
    assert made.values.shape == (32, 1 + 5 + 10 + 10 + 5)
    for f, members in enumerate(made.members):
        chosen = [i for i in range(5) if members >> i & 1]
        np.testing.assert_array_equal(made.values[:, f], (2 * states_of(5) - 1)[:, chosen].prod(axis=1))
    assert features.features(5, features.LOGISTIC).values.shape == (32, 6)
    assert set(features.features(2, features.TABLE).family) == {features.LOGISTIC, features.PAIRWISE}


@pytest.mark.parametrize("levels", [[0.0], [-1.0, 0.0, 1.0]])
def test_evidence_is_that_of_the_gaussian_model(levels):
    rng = np.random.default_rng(0)
    made = features.features(3, features.PAIRWISE, np.array(levels))
    space = evidence.new_space(made)
    n_rows = 8 * len(levels)
    space.omega[:], space.kappa[:] = rng.gamma(3.0, size=n_rows), rng.standard_normal(n_rows)
    space.precision[:] = rng.gamma(2.0, size=len(made.size))
    evidence.sum_up(made, space)

    def exact(parents, family):
        inside = [f for f in range(len(made.size)) if made.members[f] & ~parents == 0 and made.family[f] <= family]
        x, prior = made.values[:, inside], np.diag(space.precision[inside])
        precision, right = x.T @ (space.omega[:, None] * x) + prior, x.T @ space.kappa
        dets = np.linalg.slogdet(prior)[1] - np.linalg.slogdet(precision)[1]
        return 0.5 * dets + 0.5 * right @ np.linalg.solve(precision, right)

    for parents, family in ((0, 1), (0b011, 1), (0b011, 2), (0b111, 2), (0b1011, 2), (0b1000, 1)):
        assert evidence.evidence(parents, family, made, space) == pytest.approx(exact(parents, family))


def test_weights_are_drawn_from_their_gaussian():
    made = features.features(2, features.PAIRWISE)
    space, rng = evidence.new_space(made), np.random.default_rng(1)
    space.omega[:], space.kappa[:], space.precision[:] = [3.0, 1.0, 2.0, 4.0], [1.0, -2.0, 0.5, 1.0], 1.0
    models = ps.first_models(np.full((4, 2), 9), np.full((4, 2), 4), made, 0)
    models.parents[0], models.family[0] = 0b11, features.PAIRWISE
    evidence.sum_up(made, space)
    drawn = []
    for _ in range(20_000):
        ps.draw_weights(rng, 0, made, models, space)
        drawn.append(models.weight[0].copy())
    precision = made.values.T @ (space.omega[:, None] * made.values) + np.eye(4)
    np.testing.assert_allclose(
        np.mean(drawn, axis=0), np.linalg.solve(precision, made.values.T @ space.kappa), atol=0.02
    )
    np.testing.assert_allclose(np.cov(np.transpose(drawn)), np.linalg.inv(precision), atol=0.02)
    np.testing.assert_allclose(models.logit[0], made.values @ models.weight[0])


def test_connections_are_found_and_absent_ones_left_out():
    weights = np.zeros((4, 4))
    weights[1, 0], weights[2, 1], weights[3, 2], weights[0, 3] = 1.0, 0.8, -1.0, 0.6
    drawn = draws_of(run(logistic(weights), 3000, 2))
    share = (drawn.parents[:, :, None] >> np.arange(4) & 1).mean(axis=0)
    there = weights != 0
    assert share[there].min() > 0.95
    others = ~there & ~np.eye(4, dtype=bool)
    assert share[others].mean() < 0.15


def test_only_what_is_permitted_is_a_parent():
    states = run(logistic(np.full((3, 3), 0.8)), 1000, 2)
    code = encode(states)
    counts = count(code[:-1], states[1:])
    permitted, rng = np.array([0b111, 0b010, 0b110]), np.random.default_rng(0)
    drawn = ps.sample(counts.per_unit, counts.on, features.TABLE, 200, 2, 100, rng, permitted)
    assert (drawn.parents & ~permitted == 0).all()
    assert (drawn.parents[:, 0] == 0b111).mean() > 0.9


def test_units_that_do_not_act_on_each_other_are_told_so():
    drawn = draws_of(np.random.default_rng(5).integers(0, 2, (2000, 5)))
    share = (drawn.parents[:, :, None] >> np.arange(5) & 1).mean(axis=0)
    assert share[~np.eye(5, dtype=bool)].mean() < 0.1


def test_a_gate_needs_more_than_single_parents():
    both = states_of(3)[:, [0, 1]]
    p_on = np.full((8, 3), 0.5)
    p_on[:, 2] = np.where(both[:, 0] ^ both[:, 1], 0.9, 0.1)
    states = run(p_on, 3000, 3)
    table = draws_of(states)
    assert (table.parents[:, 2] & 0b011 == 0b011).mean() > 0.95
    assert (table.family[:, 2] >= features.PAIRWISE).all()
    np.testing.assert_allclose(expit(table.logits).mean(axis=0)[:, 2], p_on[:, 2], atol=0.05)
    alone = draws_of(states, features.LOGISTIC)
    assert (alone.family == features.LOGISTIC).all()
    assert np.abs(expit(alone.logits).mean(axis=0)[:, 2] - 0.5).max() < 0.15


def test_intervals_of_the_tpm_cover_it():
    covered = []
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        p_on = logistic(np.where(rng.random((4, 4)) < 0.4, rng.standard_normal((4, 4)), 0.0))
        p = expit(draws_of(run(p_on, 1000, seed), n=300, seed=seed).logits)
        low, high = np.quantile(p, [0.025, 0.975], axis=0)
        covered.append(((low <= p_on) & (p_on <= high)).mean())
    assert np.mean(covered) > 0.9


def test_a_unit_that_never_changes_is_left_alone():
    states = np.random.default_rng(1).integers(0, 2, (500, 3))
    states[:, 1] = 1
    drawn = draws_of(states)
    assert (drawn.parents[:, 1] == 0).all()
    assert np.ptp(drawn.logits[:, :, 1]) == 0


def test_the_seed_fixes_the_draws():
    states = run(logistic(np.eye(3)), 400, 0)
    np.testing.assert_array_equal(draws_of(states, seed=1).logits, draws_of(states, seed=1).logits)
    assert not np.array_equal(draws_of(states, seed=1).logits, draws_of(states, seed=2).logits)
