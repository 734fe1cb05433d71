"""What a p-value, its correction and an interval hold: how often they are right, and what so few subjects can reach."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from test_compare import cohort, secondary

from pipeline.inference.contrasts import compare
from pipeline.inference.corrections import CORRECTIONS, correct
from pipeline.inference.families import subjects_and_flips_needed
from pipeline.inference.parameters import Compare
from pipeline.inference.resampling import bootstrap_interval, sign_flip


def test_correction_runs_over_all_secondary_tests_of_the_study():
    rng = np.random.default_rng(0)
    tables = [
        cohort(rng.normal(0.3, 0.2, 8), measure=measure, scale=scale, route=route)
        for measure in ("phi_s", "big_phi")
        for scale, route in ((4, "micro"), (2, "macro_units"))
    ]
    table = compare(pd.concat(tables), [("awake", "sleep"), ("sleep", "awake")])
    assert len(table) == 8
    others = secondary(table)
    assert len(others) == 7
    assert list(others["p_corrected"]) == pytest.approx(list(correct(others["p"], "holm")))
    assert (others["p_corrected"] >= others["p"]).all()
    assert (others["correction"] == "holm").all()
    assert (others["n_tests"] == 7).all()
    assert list(zip(table["route"], table["scale"], table["measure"], strict=True))[:4] == [
        ("micro", 4, "phi_s"),
        ("micro", 4, "big_phi"),
        ("macro_units", 2, "phi_s"),
        ("macro_units", 2, "big_phi"),
    ]


@pytest.mark.parametrize(("n_tests", "attainable"), [(1, 0.03125), (4, 0.125), (40, 1.0)])
def test_smallest_p_after_holm_is_what_the_best_data_give(n_tests, attainable):
    """Six subjects who all differ alike, in every measure."""
    tables = [cohort([0.3] * 6, measure=f"measure{i}") for i in range(n_tests)]
    table = secondary(compare(pd.concat(tables), [("awake", "sleep")], bootstrap=100))
    assert (table["smallest_p"] == 0.03125).all()
    assert table["smallest_p_corrected"].to_numpy() == pytest.approx(attainable)
    assert table["p_corrected"].to_numpy() == pytest.approx(attainable)


def test_smallest_p_after_false_discovery_rate():
    everywhere = [cohort([0.3] * 6, measure=f"measure{i}") for i in range(4)]
    mixed = [0.3, -0.3] * 3
    once = [cohort(mixed if i else [0.3] * 6, measure=f"measure{i}") for i in range(4)]
    for tables, expected in ((everywhere, 0.03125), (once, 0.125)):
        table = secondary(compare(pd.concat(tables), [("awake", "sleep")], correction="fdr", bootstrap=100))
        assert table["p_corrected"].iloc[0] == pytest.approx(expected)
        assert table["smallest_p_corrected"].iloc[0] == 0.03125
        assert (table["n_tests"] * table["smallest_p"]).iloc[0] == 0.125


def test_smallest_p_after_correction_where_tests_have_different_subjects():
    """Three subjects in one measure do not raise what eight can reach in another to more than Holm's share."""
    tables = [cohort([0.3] * 8, measure="one"), cohort([0.3] * 3, measure="two")]
    table = secondary(compare(pd.concat(tables), [("awake", "sleep")], bootstrap=100)).set_index("measure")
    assert table.loc["one", "p_corrected"] == pytest.approx(2 * 2 / 2**8)
    assert table.loc["two", "p_corrected"] == pytest.approx(0.25)
    assert table["smallest_p_corrected"].to_list() == pytest.approx(table["p_corrected"].to_list())


def test_without_correction_p_stays_what_it_is():
    table = compare(cohort([0.1] * 3, measure="other"), [("awake", "sleep")], correction="none")
    row = secondary(table).iloc[0]
    assert (row["correction"], row["n_tests"]) == ("none", 1)
    assert row["smallest_p_corrected"] == row["smallest_p"] == 0.25


@pytest.mark.parametrize(
    ("tests", "permutations", "subjects", "flips"),
    [(1, 10000, 6, np.nan), (21, 10000, 10, np.nan), (21, 100, 10, 419)],
)
def test_what_is_needed_is_enough_and_no_more(tests, permutations, subjects, flips):
    assert subjects_and_flips_needed(tests, "holm", permutations) == pytest.approx((subjects, flips), nan_ok=True)
    rng = np.random.default_rng(0)
    enough, too_few = (sign_flip(np.ones(n), 10000, rng)[2] for n in (subjects, subjects - 1))
    assert correct([enough] * tests, "holm")[0] <= 0.05 < correct([too_few] * tests, "holm")[0]


def test_a_study_may_name_every_correction_that_there_is():
    assert set(get_args(Compare.model_fields["correction"].annotation)) == set(CORRECTIONS)
    alike = {name: correct([0.01] * 5, name)[0] > 0.01 for name in CORRECTIONS}
    assert alike == {name: found.multiplies_smallest for name, found in CORRECTIONS.items()}


def test_what_is_needed_is_a_column():
    tables = [cohort([0.3] * 6, measure=f"measure{i}") for i in range(21)]
    table = secondary(compare(pd.concat(tables), [("awake", "sleep")], bootstrap=100, permutations=100))
    assert set(table["n_subjects_needed"]) == {10}
    assert set(table["n_flips_needed"]) == {419}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("holm", [0.04, 0.06, 0.06, np.nan, 0.5]),
        ("fdr", [0.04 * 1, 0.04, 0.04, np.nan, 0.5]),
        ("none", [0.01, 0.02, 0.03, np.nan, 0.5]),
    ],
)
def test_corrections_by_hand(method, expected):
    corrected = correct([0.01, 0.02, 0.03, np.nan, 0.5], method)
    np.testing.assert_allclose(corrected, expected)


def test_corrected_p_never_exceeds_one_and_keeps_the_order():
    p = np.random.default_rng(3).uniform(size=40)
    for method in ("holm", "fdr"):
        corrected = correct(p, method)
        assert corrected.max() <= 1.0
        assert (np.diff(corrected[np.argsort(p)]) >= 0).all()


def test_unknown_correction_is_refused():
    with pytest.raises(ValueError, match="holm, fdr, none"):
        compare(cohort([0.1]), [("awake", "sleep")], correction="bonferroni")


def test_random_flips_approach_the_exact_test():
    d = np.random.default_rng(5).normal(0.4, 1.0, 12)
    exact, flips, smallest = sign_flip(d, 10**4, np.random.default_rng(0))
    assert (flips, smallest) == (4096, 2 / 4096)
    sampled, flips, smallest = sign_flip(d, 4000, np.random.default_rng(0))
    assert (flips, smallest) == (4000, 1 / 4001)
    assert sampled == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4000))


def test_no_difference_at_all_has_p_one():
    assert sign_flip(np.zeros(5), 10000, np.random.default_rng(0))[0] == 1.0


@pytest.mark.parametrize("subjects", [6, 10])
def test_sign_flip_false_positives_on_null_cohorts(subjects):
    """Symmetric, heavy-tailed differences without effect: at most alpha below alpha."""
    rng = np.random.default_rng(11)
    p = np.array([sign_flip(rng.standard_t(3, subjects), 10000, rng)[0] for _ in range(1000)])
    for alpha in (0.05, 0.1, 0.25):
        limit = alpha + 3 * np.sqrt(alpha * (1 - alpha) / len(p))
        assert (p <= alpha).mean() <= limit
    assert (p <= 0.25).mean() > 0.25 - 2 / 2**subjects - 3 * np.sqrt(0.19 / len(p))  # not idle


def test_holm_keeps_the_family_wise_error_on_null_cohorts():
    rng = np.random.default_rng(12)
    hits = [
        min(correct([sign_flip(rng.normal(size=8), 10000, rng)[0] for _ in range(6)], "holm")) <= 0.05
        for _ in range(400)
    ]
    assert np.mean(hits) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("subjects", [3, 6, 15])
def test_interval_covers_the_true_mean(subjects):
    """Between-subject spread and estimation noise together; the plain bootstrap covers 75% at n = 3."""
    rng = np.random.default_rng(13)
    covered = []
    for _ in range(400):
        differences = 0.2 + rng.normal(0, 0.1, subjects) + rng.normal(0, 0.05, subjects)
        low, high = bootstrap_interval(differences, 1000, 0.95, rng)
        covered.append(low <= 0.2 <= high)
    assert 0.91 <= np.mean(covered) <= 0.99


def test_interval_keeps_the_skew_of_the_data():
    low, high = bootstrap_interval(np.array([0.0, 0.0, 0.1, 0.1, 1.0]), 4000, 0.95, np.random.default_rng(0))
    assert high - 0.24 > 0.24 - low
