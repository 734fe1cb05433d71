"""The test of a specification curve: exact for one specification, at its level on null data, and not blind."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inference.contrasts import sign_flip
from pipeline.multiverse.curve import curve_test, explained


def differences(rng: np.random.Generator, effect: float, subjects: int = 8, specifications: int = 12) -> np.ndarray:
    """Specifications of the same subjects: what they share is larger than what each adds."""
    shared = rng.standard_normal(subjects)
    return effect + shared + 0.5 * rng.standard_normal((specifications, subjects))


def test_one_specification_has_the_p_of_its_sign_flip_test() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        d = rng.standard_normal(7) + 0.5
        assert curve_test(d[None], 1000, rng).p_median == pytest.approx(sign_flip(d, 1000, rng)[0])


def test_on_null_data_it_errs_no_more_often_than_it_says() -> None:
    """400 studies without a difference: 5 % of them may have p <= .05; 5.0 % + 3 standard errors is 8.3 %."""
    rng = np.random.default_rng(2)
    tests = [curve_test(differences(rng, 0.0), 1000, rng) for _ in range(400)]
    found = np.array([[t.p_median <= 0.05, t.p_significant <= 0.05] for t in tests]).mean(axis=0)
    assert np.all(found <= 0.083)
    assert found[0] > 0.02  # exact, not merely cautious
    naive = np.mean([t.significant > 0 for t in tests])
    assert naive > 0.1  # any one significant specification would have been called a finding


def test_it_finds_what_is_there() -> None:
    rng = np.random.default_rng(3)
    tests = [curve_test(differences(rng, 2.0), 1000, rng) for _ in range(50)]
    assert np.mean([t.p_median <= 0.05 for t in tests]) > 0.9
    assert np.mean([t.p_significant <= 0.05 for t in tests]) > 0.9
    assert curve_test(differences(rng, 5.0), 1000, rng).significant == 12


def test_the_sign_does_not_matter_and_the_order_neither() -> None:
    rng = np.random.default_rng(4)
    d = differences(rng, 1.0)
    test, turned, mixed = (curve_test(x, 1000, rng) for x in (d, -d, d[::-1, ::-1]))
    assert (test.p_median, test.significant) == (turned.p_median, turned.significant)
    assert vars(test) == pytest.approx(vars(mixed))
    assert test.median == pytest.approx(-turned.median)


def test_random_flips_hold_the_data_and_never_give_zero() -> None:
    rng = np.random.default_rng(5)
    test = curve_test(differences(rng, 9.0, subjects=20), 199, rng)
    assert (test.flips, test.p_median, test.smallest_p) == (200, 1 / 200, 1 / 200)


def test_a_specification_may_lack_subjects_or_all_of_them() -> None:
    d = np.array([[1.0, 2.0, 3.0, np.nan], [2.0, np.nan, 2.0, 2.0], [np.nan] * 4])
    test = curve_test(d, 100, np.random.default_rng(0))
    assert (test.specifications, test.median, test.flips) == (2, 2.0, 16)
    assert test.p_median == 2 / 16 * 1  # only flips that leave all signs alike
    assert curve_test(d[2:], 100, np.random.default_rng(0)).specifications == 0


def test_few_subjects_cannot_give_a_small_p() -> None:
    test = curve_test(differences(np.random.default_rng(0), 9.0, subjects=4), 1000, np.random.default_rng(0))
    assert test.smallest_p == test.p_median == 2 / 16
    assert (test.significant, test.p_significant) == (0, 1.0)


def test_a_choice_that_does_not_apply_is_a_value_like_any_other() -> None:
    choices = [{"m": "otsu"}, {"m": "otsu"}, {"m": "zscore", "z": 2}, {"m": "zscore", "z": 3}]
    found = explained(choices, np.array([0.0, 0.0, 1.0, 3.0]))
    assert found["m"] == pytest.approx(4 / 6)
    assert found["z"] == pytest.approx(1.0)
    assert explained(choices, np.ones(4)) == {"m": 0.0, "z": 0.0}
