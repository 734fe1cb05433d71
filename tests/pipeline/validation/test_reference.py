"""The posterior of the true model: what could be known of phi_s at best."""

import numpy as np

from pipeline.simulation.course import regimes_of
from pipeline.simulation.parameters import Simulate
from pipeline.validation.cells import GIVEN, TRUE_MODEL, Cell, known_best, truth_of_regime
from pipeline.validation.coverage import SETTINGS
from pipeline.validation.reference import best_interval, terms_of, true_model_draws

DRAWS = 200


def regime_of(seed=0, **fields):
    return regimes_of(0, ["awake"], seed, Simulate(step_s=0.5, **fields))["awake"]


def test_only_what_acts_on_a_unit_moves_its_draws():
    regime, rng = regime_of(substrate="gates"), np.random.default_rng(0)
    drawn = true_model_draws(regime.run(2000, rng), regime.p_on, DRAWS, rng)
    for bit in range(regime.n):
        other = np.arange(2**regime.n) ^ 1 << bit
        same = np.isclose(regime.p_on, regime.p_on[other]).all(axis=0)
        np.testing.assert_allclose(drawn[..., same], drawn[:, other][..., same])
        assert not np.isclose(drawn[..., ~same], drawn[:, other][..., ~same]).all(axis=1).any()


def test_sums_of_inputs_have_no_products_among_their_terms():
    terms, has = terms_of(regime_of(substrate="sparse").p_on)
    order = np.array([bin(term).count("1") for term in range(len(terms))])
    assert not has[order > 1].any()
    assert has[0].all()


def test_draws_hold_the_tpm_at_their_rate_and_narrow_with_data():
    inside, spread = [], []
    for seed in range(20):
        regime, rng = regime_of(seed, substrate="gates"), np.random.default_rng(seed)
        for n in (1000, 16_000):
            drawn = true_model_draws(regime.run(n, rng), regime.p_on, DRAWS, rng)
            low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
            inside.append((low <= regime.p_on) & (regime.p_on <= high))
            spread.append(drawn.std(axis=0).mean())
    assert 0.92 < np.mean(inside) < 0.97  # 2,560 probabilities, several of each unit alike
    assert 3.2 < np.mean(spread[::2]) / np.mean(spread[1::2]) < 4.8  # four times as sure of sixteen times as much


def test_phi_s_of_the_draws_surrounds_the_truth():
    regime, rng = regime_of(), np.random.default_rng(0)
    low, high = best_interval(regime.run(50_000, rng), regime, DRAWS, rng)
    truth = truth_of_regime(regime)["phi_s"]
    assert 0.85 * truth < low < truth < high < 1.15 * truth


def test_where_a_drive_acts_none_is_told():
    row = known_best(Cell("reference", "telegraph", 300, GIVEN, TRUE_MODEL, 0), SETTINGS["small"].effort)
    assert np.isnan([row["low"], row["high"]]).all()
