"""The mixed model beside the permutation test."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.inference.mixed import mixed_model

PAIR = ("awake", "sleep")


def values_of(awake, sleep):
    rows = [
        {"subject": f"m{i}", "condition": condition, "value": value}
        for condition, values in zip(PAIR, (awake, sleep), strict=True)
        for i, value in enumerate(values)
        if np.isfinite(value)
    ]
    return pd.DataFrame(rows)


def test_complete_pairs_give_the_paired_t_test():
    """With a value in both conditions of each subject the model is the paired t test, by algebra."""
    rng = np.random.default_rng(0)
    own = rng.normal(0.3, 0.1, 9)
    awake, sleep = own + 0.05 + rng.normal(0, 0.03, 9), own + rng.normal(0, 0.03, 9)
    found = mixed_model(values_of(awake, sleep), PAIR, 0.9)
    test = stats.ttest_rel(awake, sleep)
    low, high = test.confidence_interval(0.9)
    assert found["mixed"] == "fitted"
    assert found["mixed_estimate"] == pytest.approx((awake - sleep).mean(), rel=1e-4)
    assert found["mixed_p"] == pytest.approx(test.pvalue, rel=1e-2)
    assert (found["mixed_low"], found["mixed_high"]) == (pytest.approx(low, rel=2e-2), pytest.approx(high, rel=2e-2))


def test_subjects_with_one_condition_are_learned_from():
    rng = np.random.default_rng(1)
    awake, sleep = rng.normal(0.4, 0.05, 8), rng.normal(0.3, 0.05, 8)
    sleep[:3] = np.nan
    with_them = mixed_model(values_of(awake, sleep), PAIR, 0.95)["mixed_estimate"]
    without = mixed_model(values_of(awake[3:], sleep[3:]), PAIR, 0.95)["mixed_estimate"]
    assert with_them != pytest.approx(without, rel=1e-3)


@pytest.mark.parametrize(
    ("awake", "sleep", "word"),
    [
        ([0.3, 0.4], [0.1, 0.3], "not fitted: 2 subjects"),
        ([0.3] * 4, [0.3] * 4, "not fitted: all differences are the same"),
        ([0.3, 0.4, 0.5, 0.6], [0.2, 0.3, 0.4, 0.5], "not fitted: all differences are the same"),
        ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.5, 1.2], "did not converge"),
    ],
)
def test_what_cannot_be_fitted_says_so(awake, sleep, word):
    found = mixed_model(values_of(awake, sleep), PAIR, 0.95)
    assert found["mixed"].startswith(word)
    assert np.isnan(found["mixed_p"]) == (not word.startswith("fitted"))
