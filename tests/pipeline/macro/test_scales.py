"""Groupings at several scales, for effective information and for phi_s, against every grouping that there is."""

import time

import numpy as np
import pytest
from planted import planted, simulate, states_dataset

from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.integration.batch import system_phi
from pipeline.integration.occupancy import weighted_mean
from pipeline.macro import How, Learner, coarse_grain, learn_grouping
from pipeline.macro.ascent import Ascent, Candidate, Descent, Micro
from pipeline.macro.crossfit import search
from pipeline.macro.groupings import Grouping, exhaustive_common
from pipeline.macro.objectives import EI, MOST_STATES, SystemPhi, objective_of
from pipeline.macro.parameters import MAPPINGS
from pipeline.simulation.registry import SUBSTRATES
from pipeline.simulation.substrate import Circumstances
from pipeline.tpm import estimate

GOALS = [EI, SystemPhi()]


def substrate(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    signed = 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1
    return 1 / (1 + np.exp(-(rng.normal(-0.5, 0.5, n) + signed @ rng.normal(0, 1.2, (n, n)))))


def micro_of(n: int, windows: int, seed: int = 0) -> Micro:
    rng = np.random.default_rng(seed)
    p_on = np.stack([substrate(n, 10 * seed + w) for w in range(windows)])
    return Micro(p_on, rng.integers(0, 50, (windows, 2**n)))


def of_substrate(name: str, n: int = 4) -> np.ndarray:
    entry = SUBSTRATES[name]
    return entry.regime(entry.draw(n, 0.05, np.random.default_rng(0)), Circumstances()).p_on


@pytest.mark.parametrize("goal", GOALS)
def test_a_candidate_is_worth_what_its_macro_tpm_is(goal) -> None:
    micro = micro_of(5, 2)
    ascent = Ascent(micro, MAPPINGS, goal)
    candidates = [Candidate(((0, 2), (1, 3, 4)), (2, 2)), Candidate(((0, 1, 2, 3), (4,)), (3, 1))]
    for candidate, value in zip(candidates, ascent.values(candidates), strict=True):
        grouping = candidate.grouping(MAPPINGS, value)
        own = []
        for p_on, visits in zip(*micro, strict=True):
            macro = grouping.macro_p_on(p_on)
            seen = np.bincount(grouping.macro_state(), weights=visits, minlength=4)
            phi = weighted_mean(system_phi(macro[None], np.arange(4)), seen)
            own.append(float(effective_information(state_by_state(macro)) if goal is EI else phi[0]))
        assert value == pytest.approx(np.mean(own), abs=1e-12)


def test_phi_s_of_many_macro_units_is_of_the_states_visited_most() -> None:
    p_on, visits = substrate(6, 1)[None], np.arange(64.0)[None] ** 2
    top = np.argsort(-visits[0])[:MOST_STATES]
    expected = weighted_mean(system_phi(p_on, top), visits[0, top])
    np.testing.assert_allclose(SystemPhi().values(p_on, visits), expected)
    assert SystemPhi("2026").values(p_on, visits)[0] <= expected[0]
    assert objective_of("phi_s", "2026") == SystemPhi("2026")


@pytest.mark.parametrize("goal", GOALS)
def test_descent_finds_the_best_of_all_groupings_at_every_scale(goal) -> None:
    """Six units, 195 to 540 groupings a scale, two windows: what the descent knows of seven and more is tried here."""
    hits = []
    for seed in range(6):
        micro = micro_of(6, 2, seed)
        descent = Descent(Ascent(micro, MAPPINGS, goal))
        for size in range(5, 0, -1):
            best = exhaustive_common(micro.p_on, size, MAPPINGS, goal, micro.visits).objective
            found = descent.ascent.values(descent.at(size)[:1])[0]
            assert found <= best + 1e-9
            hits.append(found > best - 1e-9)
    assert np.mean(hits) > 0.95


def test_a_descent_takes_the_scales_above_as_they_are() -> None:
    ascent = Ascent(micro_of(7, 1), MAPPINGS)
    once = Descent(ascent)
    tops = {size: once.at(size) for size in (6, 5, 4)}
    assert {4, 5, 6, 7} == set(once.tops)
    assert Descent(Ascent(ascent.micro, MAPPINGS)).at(4) == tops[4]
    counted = len(ascent._values)
    once.at(4)
    assert len(ascent._values) == counted


def test_planted_pairs_are_found_at_every_scale_beyond_six_units() -> None:
    """Two motifs of joined pairs, eight units: four pairs at scale 4, and at 6 and 5 blocks of pairs only."""
    p_on = of_substrate("joined", 8)
    found = {size: search(p_on[None], size, MAPPINGS) for size in (7, 6, 5, 4)}
    assert found[4].group == (0, 0, 1, 1, 2, 2, 3, 3)
    for size in (7, 6, 5):
        joined = [block for block in found[size].blocks if len(block) > 1]
        assert all(block in ((0, 1), (2, 3), (4, 5), (6, 7)) for block in joined)
    again = search(p_on[None], 4, MAPPINGS)
    assert again == found[4]


@pytest.mark.parametrize("objective", ["effective_information", "phi_s"])
@pytest.mark.parametrize("name", ["pairs", "joined"])
def test_all_scales_in_one_call_and_the_pairs_by_either_objective(name: str, objective: str) -> None:
    tpm = estimate(states_dataset(simulate(of_substrate(name), 3000, seed=0)[0]), draws=5)
    how = {"restarts": 2, "steps": 30, "objective": objective}
    macro = coarse_grain(tpm, "all", **how)
    assert list(macro) == [3, 2, 1]
    assert macro[2]["group"].values.tolist() == [0, 0, 1, 1]
    for size, dataset in macro.items():
        assert dataset.attrs["objective"] == objective
        assert dataset.identical(coarse_grain(tpm, size, **how))
        p_on, visits = tpm["p_on"].values[None], tpm["visits"].values[None]
        best = exhaustive_common(p_on, size, MAPPINGS, objective_of(objective), visits)
        assert dataset.attrs["objective_bits"] == pytest.approx(best.objective)
        found = Grouping(tuple(dataset["group"].values.tolist()), tuple(dataset["mapping"].values.tolist()))
        assert (found.group, found.mapping) == (best.group, best.mapping)
    assert coarse_grain(tpm, [2], **how)[2].identical(macro[2])


def test_groupings_of_several_sizes_come_as_a_dict() -> None:
    found = learn_grouping(planted(), [3, 2], restarts=2, steps=30)
    assert found[2] == learn_grouping(planted(), 2, restarts=2, steps=30)
    assert len(found[3].mapping) == 3
    by_phi = learn_grouping(planted(), 2, method="exhaustive", objective="phi_s")
    macro = by_phi.macro_p_on(planted())
    seen = np.bincount(by_phi.macro_state())
    assert by_phi.objective == pytest.approx(weighted_mean(system_phi(macro[None], np.arange(4)), seen)[0])


def test_beyond_six_units_the_better_of_encoder_and_descent_is_taken() -> None:
    p_on = of_substrate("pairs", 8)
    tpm = estimate(states_dataset(simulate(p_on, 3000, seed=0)[0]))
    learner = Learner([tpm], How(restarts=1, steps=2), shared=False)
    for size in (6, 4):
        learned = learner.at(size)
        descended = learner.ascent.values(learner.descent.at(size)[:1])[0]
        assert learned.found["objective_bits"] >= descended - 1e-9
        missed = "encoder_bits" in learned.found
        assert learned.found["method"] == ("descent" if missed else "encoder")
        assert (learned.found["restarts_agreeing"] == 0) == missed
        assert "exhaustive_bits" not in learned.found
    assert learner.at(4).grouping.group == (0, 0, 1, 1, 2, 2, 3, 3)


@pytest.mark.slow
def test_ten_units_are_grouped_at_all_scales_in_a_minute() -> None:
    p_on = substrate(10, 3)
    started = time.process_time()
    for size in range(9, 0, -1):
        assert len(search(p_on[None], size, MAPPINGS).mapping) == size
    assert time.process_time() - started < 60
