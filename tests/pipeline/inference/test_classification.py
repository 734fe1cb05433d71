"""Telling the condition of a subject that was left out."""

import numpy as np
import pandas as pd

from pipeline.inference.classification import classify, logistic_weights
from pipeline.results.columns import CLASSIFICATION

PAIR = ("awake", "sleep")


def classified(phi_s, rate, **options):
    """phi_s and rate: (subject, condition)."""
    rows = [
        {"subject": f"m{i}", "condition": condition, "value": values[i][j], "measure": measure}
        for measure, values in (("phi_s", phi_s), ("event_rate_hz", rate))
        for i in range(len(phi_s))
        for j, condition in enumerate(PAIR)
    ]
    table = pd.DataFrame(rows)
    own = table["measure"] == "phi_s"
    return classify(table[own], table[~own], PAIR, "phi_s", **options)


def test_what_differs_tells_and_what_does_not_stays_at_chance():
    rng = np.random.default_rng(0)
    phi_s = rng.normal(0, 0.1, (8, 2)) + np.array([1.0, 0.0])
    rate = np.repeat(rng.normal(1, 0.1, (8, 1)), 2, axis=1)
    found = classified(phi_s, rate).set_index("features")
    assert list(found.index) == ["phi_s", "rate", "phi_s+rate"]
    assert found.loc["phi_s", "accuracy"] == 1.0
    assert found.loc["phi_s", "p"] == 1 / 128 == found.loc["phi_s", "smallest_p"]
    assert found.loc["rate", "accuracy"] <= 0.5
    assert found.loc["rate", "p"] > 0.5
    assert (found["n_subjects"] == 8).all()
    assert (found["chance"] == 0.5).all()


def test_subjects_that_lack_a_condition_do_not_count_and_two_are_too_few():
    phi_s = [[1.0, 0.0], [1.1, 0.1], [0.9, np.nan]]
    found = classified(phi_s, [[1.0, 1.0]] * 3)
    assert list(found.columns) == CLASSIFICATION.names
    assert found.empty


def test_chance_is_called_a_difference_no_more_often_than_stated():
    rng = np.random.default_rng(1)
    p = [classified(rng.normal(size=(5, 2)), rng.normal(size=(5, 2)))["p"].iloc[0] for _ in range(100)]
    assert np.mean(np.array(p) <= 0.125) <= 0.125 + 3 * np.sqrt(0.125 * 0.875 / 100)
    assert min(p) >= 1 / 16


def test_many_subjects_are_relabeled_at_random():
    values = np.random.default_rng(2).normal(size=(2, 12, 2))
    found = classified(*values, seed=3)
    assert (found["n_permutations"] == 1001).all()
    pd.testing.assert_frame_equal(found, classified(*values, seed=3))


def test_weights_are_those_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(5)
    x = rng.normal(size=(14, 2))
    labels = np.stack([x[:, 0] > 0, rng.random(14) < 0.5, np.arange(14) % 2]).astype(int)
    for y, found in zip(labels, logistic_weights(x, labels), strict=True):
        model = LogisticRegression(tol=1e-10).fit(x, y)
        np.testing.assert_allclose(found, [*model.intercept_, *model.coef_[0]], rtol=1e-4, atol=1e-5)
