"""Groups of simulated animals: what their conditions differ in, and what a study decides."""

import numpy as np
import pytest

from pipeline.validation.cohorts import CONDITIONS, DETECTION, QUESTIONS, RATIO, animal, cohort, detected, main


def many(name, bins=20, n=12):
    return [animal(QUESTIONS[name], bins, np.random.default_rng(i)) for i in range(n)]


def test_conditions_differ_in_what_is_asked_and_in_nothing_else():
    truths = {name: np.array([[a[c][1] for c in CONDITIONS] for a in many(name)]) for name in QUESTIONS}
    for name in ("detection", "nothing"):
        np.testing.assert_array_equal(truths[name][:, 0], truths[name][:, 1])
    assert np.median(truths["drive"][:, 0] / truths["drive"][:, 1]) == pytest.approx(1.0, rel=0.1)
    assert np.median(truths["power"][:, 0] / truths["power"][:, 1]) == pytest.approx(RATIO, rel=0.15)
    on = [[a[c][0].mean() for c in CONDITIONS] for a in many("power", bins=20000, n=1)]
    assert on[0][0] == pytest.approx(on[0][1], rel=0.1)


def test_a_detector_misses_and_sees_what_it_is_said_to():
    states = np.repeat([[0], [1]], 20000, axis=0)
    for miss, false in DETECTION.values():
        seen = detected(states, miss, false, np.random.default_rng(0))
        assert seen[:20000].mean() == pytest.approx(false, abs=0.003)
        assert 1 - seen[20000:].mean() == pytest.approx(miss, abs=0.01)


def test_a_group_is_compared_as_a_study_is():
    found = cohort(QUESTIONS["power"], "logistic", animals=4, bins=300, seed=1, repeats=1)
    again = cohort(QUESTIONS["power"], "logistic", animals=4, bins=300, seed=1)
    assert found["p"] == again["p"] >= 2 / 2**4  # sign flips of four animals
    assert found["p_matched"] >= 2 / 2**4
    assert np.isnan(again["p_matched"])


@pytest.mark.slow
def test_eight_animals_find_an_effect_and_do_not_find_one_where_there_is_none():
    """States that are known, phi_s that differs by half: at least 75 of 100 are asked for; here 8 of 10 groups."""
    p = [cohort(QUESTIONS["power"], "logistic", 8, 2000, seed)["p"] for seed in range(10)]
    assert np.count_nonzero(np.array(p) <= 0.05) >= 8
    p = [cohort(QUESTIONS["nothing"], "logistic", 8, 2000, seed)["p"] for seed in range(20)]
    assert np.count_nonzero(np.array(p) <= 0.05) <= 4  # more in 1 of 400


def test_the_command_says_how_many(capsys: pytest.CaptureFixture[str]):
    main(["nothing", "--cohorts", "2", "--animals", "3", "--bins", "300", "--method", "logistic"])
    assert capsys.readouterr().out.startswith("nothing, logistic: p <= 0.05 in 0 of 2 (0.00 to 0.84)")
