from itertools import product

import numpy as np
import pytest
from planted import planted, simulate

from pipeline.base.errors import PhiscaleError
from pipeline.emergence.discrete import coarse_grain, effective_information, state_by_state
from pipeline.encoder import Grouping, learn_grouping
from pipeline.macro import groupings
from pipeline.macro.groupings import exhaustive, matched_groupings, objective
from pipeline.tpm import estimation as tpm

PAIRS = ((0, 0, 1, 1), ("and", "and"))


def substrate(n: int, seed: int, kind: str = "logistic") -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        return rng.random((2**n, n))
    signs = 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1
    return 1 / (1 + np.exp(-(signs @ rng.normal(0, 1.5, (n, n)) + rng.normal(0, 1, n))))


def by_definition(p_on: np.ndarray, blocks, ks) -> np.ndarray:
    """Macro P(ON) from the joint micro TPM, sum over next states and mean over present ones."""
    n = p_on.shape[1]
    bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
    on = np.stack([bits[:, b].sum(1) >= k for b, k in zip(map(list, blocks), ks, strict=True)], 1)
    code = on @ (1 << np.arange(len(ks)))
    later = state_by_state(p_on) @ on
    return np.stack([later[code == s].mean(axis=0) for s in range(2 ** len(ks))])


@pytest.fixture(scope="module")
def recorded() -> np.ndarray:
    """P(ON) from 3,000 frames of the planted pairs, main effects only."""
    return tpm.point_estimates(simulate(planted(), 3000, seed=0)[0])


def test_planted_pairs_are_found_in_the_true_tpm():
    for method in ("exhaustive", "encoder"):
        found = learn_grouping(planted(), 2, method=method)
        assert (found.group, found.mapping) == PAIRS
        assert found.objective == pytest.approx(1.10152, abs=1e-5)


def test_planted_pairs_are_found_in_a_recording(recorded):
    for method in ("exhaustive", "encoder"):
        found = learn_grouping(recorded, 2, method=method)
        assert (found.group, found.mapping) == PAIRS
    assert found.agreement >= 4


def test_planted_pairs_are_found_in_nearly_every_recording():
    rasters = simulate(planted(), 3000, seed=1, runs=40)
    found = exhaustive(tpm.point_estimates(rasters), 2)
    assert sum((g.group, g.mapping) == PAIRS for g in found) >= 38


def test_states_can_be_given_instead_of_a_tpm(recorded):
    states = simulate(planted(), 3000, seed=0)[0]
    assert learn_grouping(states, 2, method="exhaustive") == exhaustive(recorded, 2)[0]
    assert learn_grouping(tpm.estimate(states), 2, method="exhaustive").group == PAIRS[0]


def test_encoder_finds_the_best_grouping_of_random_substrates():
    sizes = [(4, 2), (5, 2), (5, 3)]
    hits = []
    for seed, (n, m) in enumerate(sizes * 3):
        p_on = substrate(n, seed, ("logistic", "uniform")[seed % 2])
        best = exhaustive(p_on, m)[0]
        found = learn_grouping(p_on, m, steps=100, seed=seed)
        assert found.objective <= best.objective + 1e-9
        hits.append(found.objective > best.objective - 1e-9)
    assert sum(hits) >= 8


@pytest.mark.slow
def test_rate_at_which_the_encoder_finds_the_best_of_six_units():
    hits = []
    for seed in range(30):
        p_on = substrate(6, seed, ("logistic", "uniform")[seed % 2])
        best = exhaustive(p_on, 3)[0].objective
        hits.append(learn_grouping(p_on, 3, seed=seed).objective > best - 1e-9)
    assert np.mean(hits) >= 0.9


@pytest.mark.slow
def test_learning_does_more_than_the_ascent_that_ends_it():
    """Where a unit belongs is learned: one step of training finds the best from fewer restarts."""
    systems = [substrate(6, seed) for seed in range(4)]
    agreeing = {steps: sum(learn_grouping(p, 3, steps=steps, seed=1).agreement for p in systems) for steps in (1, 150)}
    best = [exhaustive(p, 3)[0].objective for p in systems]
    assert [learn_grouping(p, 3, seed=1).objective for p in systems] == pytest.approx(best)
    assert agreeing[150] > agreeing[1]


def test_same_seed_same_grouping():
    p_on = substrate(5, 3)
    first = learn_grouping(p_on, 2, steps=60, seed=7)
    assert first == learn_grouping(p_on, 2, steps=60, seed=7)
    assert 1 <= first.agreement <= 8


def test_encoder_works_beyond_the_exhaustive_search():
    """Planted pairs twice, side by side: eight units, four pairs."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    drive = np.stack([bits[:, [2, 3, 0, 1, 6, 7, 4, 5][i] // 2 * 2 :][:, :2].sum(1) for i in range(8)], 1)
    p_on = 1 / (1 + np.exp(4 - 3.5 * drive))
    found = learn_grouping(p_on, 4, restarts=4, steps=60)
    assert found.group == (0, 0, 1, 1, 2, 2, 3, 3)
    assert set(found.mapping) == {"and"}
    with pytest.raises(PhiscaleError, match="'exhaustive' with 8 units \\(at most 6\\)"):
        learn_grouping(p_on, 4, method="exhaustive")


@pytest.mark.parametrize(("n", "m"), [(3, 1), (4, 2), (5, 3), (4, 4)])
def test_exhaustive_search_agrees_with_brute_force(n, m):
    p_on = substrate(n, seed=n + m, kind="uniform")
    best = -1.0
    for group in product(range(m), repeat=n):
        blocks = [[i for i in range(n) if group[i] == j] for j in range(m)]
        if not all(blocks):
            continue
        for ks in product(*(range(1, len(b) + 1) for b in blocks)):
            macro = by_definition(p_on, blocks, ks)
            best = max(best, effective_information(state_by_state(macro)))
    found = exhaustive(p_on, m)[0]
    assert found.objective == pytest.approx(best, abs=1e-12)
    np.testing.assert_allclose(found.macro_p_on(p_on), by_definition(p_on, found.blocks, found.thresholds), atol=1e-12)
    assert objective(found, p_on) == pytest.approx(best, abs=1e-12)


def test_many_tpms_are_searched_at_once():
    many = np.stack([substrate(4, s) for s in range(6)])
    together = exhaustive(many, 2)
    assert together == [exhaustive(p, 2)[0] for p in many]
    macro = together[0].macro_p_on(many.reshape(2, 3, 16, 4))
    assert macro.shape == (2, 3, 4, 2)
    np.testing.assert_allclose(macro[1, 2], together[0].macro_p_on(many[5]))


def test_mappings_have_the_fields_meaning():
    g = Grouping((0, 0, 0, 1, 1, 2), ("majority", "threshold:1", "and"))
    assert g.blocks == ((0, 1, 2), (3, 4), (5,))
    assert g.thresholds == (2, 1, 1)
    assert g.truth_tables == ((0, 0, 0, 1, 0, 1, 1, 1), (0, 1, 1, 1), (0, 1))
    assert g.macro_state()[0b011011] == 0b011
    assert groupings.mapping_name(2, 3) == "majority"
    assert groupings.mapping_name(2, 3, ("and", "threshold")) == "threshold:2"
    assert groupings.allowed_thresholds(4, ("and", "or", "majority")) == (1, 3, 4)


@pytest.mark.parametrize("method", ["encoder", "exhaustive"])
@pytest.mark.parametrize("allowed", [("or",), ("majority", "and"), ("threshold",)])
def test_only_allowed_mappings_are_used(method, allowed):
    found = learn_grouping(planted(), 2, mappings=allowed, method=method, steps=60)
    assert all(m.split(":")[0] in allowed for m in found.mapping)
    assert found.objective == pytest.approx(exhaustive(planted(), 2, allowed)[0].objective)


def test_as_many_macro_units_as_units_is_the_system_itself():
    found = exhaustive(planted(), 4)[0]
    assert found.group == (0, 1, 2, 3)
    np.testing.assert_allclose(found.macro_p_on(planted()), planted())
    assert learn_grouping(planted(), 4, steps=60).objective == pytest.approx(found.objective)


def test_derived_macro_tpm_is_the_coarse_grained_one_when_that_factorises():
    """With one macro unit there is nothing to factorise."""
    p_on = substrate(4, 8)
    found = exhaustive(p_on, 1)[0]
    code = found.macro_state()
    macro = coarse_grain(state_by_state(p_on), [np.flatnonzero(code == s).tolist() for s in (0, 1)])
    np.testing.assert_allclose(state_by_state(found.macro_p_on(p_on)), macro, atol=1e-12)


def test_matched_groupings_keep_sizes_and_mappings():
    learned = Grouping((0, 0, 1, 1), ("and", "or"))
    others = matched_groupings(learned, 50, np.random.default_rng(0))
    assert len(others) == 5
    assert learned.group not in [g.group for g in others if g.mapping == learned.mapping]
    for g in others:
        assert sorted(zip(map(len, g.blocks), g.mapping, strict=True)) == [(2, "and"), (2, "or")]
    assert others == matched_groupings(learned, 50, np.random.default_rng(9))
    large = Grouping((0, 0, 1, 1, 2, 2, 2, 3, 3, 3), ("and", "and", "or", "majority"))
    some = matched_groupings(large, 40, np.random.default_rng(0))
    assert len({(g.group, g.mapping) for g in some}) == 40
    kinds = sorted(zip(map(len, large.blocks), large.mapping, strict=True))
    assert all(sorted(zip(map(len, g.blocks), g.mapping, strict=True)) == kinds for g in some)
    assert matched_groupings(Grouping((0, 1), ("and", "and")), 50, np.random.default_rng(0)) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_macro": 5}, "5 macro units out of 4 units"),
        ({"n_macro": 0}, "0 macro units"),
        ({"n_macro": 2, "mappings": ("xor",)}, "'xor' is not a mapping"),
        ({"n_macro": 2, "mappings": ()}, "macro.mappings: is empty"),
        ({"n_macro": 2, "method": "magic"}, "'magic' is not 'encoder'"),
    ],
)
def test_bad_requests_are_told_in_words(options, said):
    with pytest.raises(PhiscaleError, match=said):
        learn_grouping(planted(), **options)
