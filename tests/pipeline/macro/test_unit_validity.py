"""Macro units that predict well are not always units by the theory's criterion."""

import numpy as np
from planted import simulate, states_dataset

from pipeline.base.raster import states_of
from pipeline.macro import derive, learn
from pipeline.macro.groupings import Grouping
from pipeline.macro.validity import _most_visited, unit_validity, valid_shares
from pipeline.simulation import planted
from pipeline.simulation.registry import SUBSTRATES
from pipeline.simulation.substrate import Circumstances
from pipeline.tpm import estimate

STATES = states_of(4)
WEIGHTS = np.zeros((4, 4))
for source, target in (planted.PAIRS, planted.PAIRS[::-1]):
    WEIGHTS[np.ix_(source, target)] = planted.WEIGHT
P_ON = 1 / (1 + np.exp(-(planted.BIAS + STATES @ WEIGHTS)))
VISITS = np.full(16, 10)
JOINED = SUBSTRATES["joined"].regime(SUBSTRATES["joined"].draw(4, 0.0, np.random.default_rng(0)), Circumstances()).p_on
NAMES = ["a", "b", "c", "d"]


def test_members_of_a_planted_pair_do_not_act_on_each_other() -> None:
    (first, why), (second, _) = unit_validity(P_ON, Grouping((0, 0, 1, 1), ("and", "and")), VISITS, NAMES)
    assert (first, second) == (0, 0)
    assert "a, b" in why
    assert "reducible" in why


def test_units_that_act_on_each_other_are_valid() -> None:
    found = unit_validity(P_ON, Grouping((0, 1, 0, 1), ("or", "or")), VISITS, NAMES)
    assert [holds for holds, _ in found] == [1, 1]


def test_single_units_are_valid() -> None:
    single = unit_validity(P_ON, Grouping((0, 1, 1, 1), ("and", "and")), VISITS, NAMES)[0]
    assert single == (1, "a micro unit")


def test_the_verdict_is_that_of_the_formalism_that_was_asked_for() -> None:
    tpm = estimate(states_dataset(simulate(JOINED, 800, seed=1)[0]))
    learned = learn([tpm], 2, method="exhaustive")
    told = {}
    for formalism in ("2023", "2026"):
        macro = derive(tpm, learned, 2, formalism)
        told[formalism] = macro["validity"].values.tolist()
        names = list(map(str, tpm["unit"].values))
        own = unit_validity(tpm["p_on"].values, learned.grouping, tpm["visits"].values, names, formalism)
        assert told[formalism] == [why for _, why in own]
        assert macro.attrs["formalism"] == formalism
    assert told["2023"] != told["2026"]


def test_pairs_whose_members_act_on_each_other_are_units_at_rates_that_recordings_have() -> None:
    for seed in range(5):
        tpm = estimate(states_dataset(simulate(JOINED, 2500, seed=seed)[0]))
        macro = derive(tpm, learn([tpm], 2, method="exhaustive"), 0)
        assert macro["group"].values.tolist() == [0, 0, 1, 1]
        assert macro["mapping"].values.tolist() == ["or", "or"]
        assert macro["valid_unit"].values.tolist() == [1, 1]
        assert "reducible_within" not in macro.attrs["flag"]


def test_large_macro_units_of_large_substrates_are_not_checked_and_small_ones_are() -> None:
    rng = np.random.default_rng(0)
    many, visits, names = rng.uniform(0.1, 0.9, (2**8, 8)), rng.integers(0, 9, 2**8), list("abcdefgh")
    found = unit_validity(many, Grouping((0, 0, 1, 1, 1, 1, 1, 2), ("and", "and", "and")), visits, names)
    assert [holds for holds, _ in found] == [0, -1, 1]
    assert "more than 4 of more than 6 units" in found[1][1]


def test_phi_s_is_averaged_over_the_states_visited_most() -> None:
    visits = np.arange(2**7)
    assert _most_visited(visits).tolist() == list(range(64, 128))
    assert _most_visited(np.array([0, 3, 0, 5])).tolist() == [1, 3]


def test_shares_are_those_of_the_whole_criterion_draw_by_draw() -> None:
    """Of random TPMs whose pairs are units in some and not in others."""
    rng = np.random.default_rng(1)
    weights = rng.normal(0, 2, (40, 4, 4)) * np.array([[0.5, 1, 0.2, 0.2], [1, 0.5, 0.2, 0.2], [0.2] * 4, [0.2] * 4])
    draws = 1 / (1 + np.exp(-np.einsum("su,dtu->dst", 2.0 * STATES - 1, weights)))
    visits, grouping = rng.integers(1, 20, 16), Grouping((0, 0, 1, 2), ("or", "and", "and"))
    expected = [unit_validity(p, grouping, visits, NAMES)[0][0] for p in draws]
    assert 0 < np.mean(expected) < 1
    assert valid_shares(draws, grouping, visits) == [np.mean(expected), 1.0, 1.0]
    assert np.isnan(valid_shares(draws, Grouping((0, 0, 0, 1), ("or", "and")), visits)[0])
    assert np.isnan(valid_shares(draws[:0], grouping, visits)[0])
