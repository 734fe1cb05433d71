"""Telling the condition of a subject that was left out: by phi_s, by the event rate alone, by both."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Floats, Ints
from pipeline.base.seeds import generator
from pipeline.inference.subjects import subject_activity
from pipeline.inference.summary import TIE
from pipeline.results.columns import CLASSIFICATION
from pipeline.results.tables import table

LEAST_SUBJECTS = 3
PERMUTATIONS = 1000  # relabelings at most; each fits as many models as there are subjects
NEWTON_STEPS = 8  # the penalty keeps the weights small, from where Newton's method converges fast
RATE = "rate"


def classify(
    values: pd.DataFrame, quality: pd.DataFrame, pair: tuple[str, str], measure: str, seed: int = 0
) -> pd.DataFrame:
    """Classify conditions with each subject left out in turn (logistic regression, features standardised).

    Labels are exchanged within subjects for the null: without an effect the two conditions of a subject are alike.
    Exchanging all of them is the same task again, so that n subjects have 2**(n - 1) different relabelings.

    Args:
        values: rows of `subjects.subject_values`, of one measure at one scale.
        quality: rows of quality/R.csv of all recordings; its event rate is the feature `rate`.
        pair: the two conditions.
        measure: what the values are of.
        seed: fixes the permutations.

    Returns:
        The table classification.csv: features `measure`, rate and both; no rows where fewer than three subjects have
        both conditions.
    """
    rate = subject_activity(quality[quality["measure"] == "event_rate_hz"])
    wide = pd.concat(
        {
            name: rows.pivot_table(index="subject", columns="condition", values="value").reindex(columns=list(pair))
            for name, rows in ((measure, values), (RATE, rate))
        },
        axis=1,
    ).dropna()
    if len(wide) < LEAST_SUBJECTS:
        return table([], CLASSIFICATION.names)
    features = np.stack([wide[name].to_numpy(float) for name in (measure, RATE)], axis=-1)  # (subject, condition, ...)
    rows = []
    for name, columns in ((measure, [0]), (RATE, [1]), (f"{measure}+{RATE}", [0, 1])):
        rng = generator(seed, "classify", name, *pair)
        rows.append({"contrast": "-".join(pair), "features": name} | _tested(features[..., columns], rng))
    return table(rows, CLASSIFICATION.names)


def _tested(features: Floats, rng: np.random.Generator) -> dict[str, Any]:
    n = len(features)
    exact = 2 ** (n - 1) <= PERMUTATIONS
    flips = (
        np.array([(0, *rest) for rest in product((0, 1), repeat=n - 1)])
        if exact
        else np.concatenate([np.zeros((1, n), int), rng.integers(2, size=(PERMUTATIONS, n))])
    )
    found = _accuracies(features, flips)
    return {
        "n_subjects": n,
        "accuracy": found[0],
        "chance": 0.5,
        "p": float(np.mean(found >= found[0] - TIE)),
        "smallest_p": 1 / len(flips),
        "n_permutations": len(flips),
    }


def _accuracies(features: Floats, flips: Ints) -> Floats:
    """Share of the values of subjects left out that are told right, for each relabeling.

    Args:
        features: (subject, condition, feature).
        flips: (relabeling, subject) 1 where the conditions of a subject are exchanged.
    """
    n, _, k = features.shape
    labels = np.stack([1 - flips, flips], axis=-1)  # (relabeling, subject, condition)
    right = np.zeros(len(flips))
    for subject in range(n):
        others = np.arange(n) != subject
        known = features[others].reshape(-1, k)
        mean, spread = known.mean(axis=0), known.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        weights = logistic_weights((known - mean) / spread, labels[:, others].reshape(len(flips), -1))
        scores = _with_constant((features[subject] - mean) / spread) @ weights.T  # (condition, relabeling)
        right += ((scores.T > 0) == labels[:, subject]).sum(axis=1)
    share: Floats = right / (2 * n)
    return share


def logistic_weights(features: Floats, labels: Ints) -> Floats:
    """Fit logistic regressions with a ridge penalty of ½|w|² (not on the intercept), by Newton's method.

    The many small models of a permutation test are fitted at once, which a call for each of them makes a hundred
    times slower.

    Args:
        features: (value, feature), standardised.
        labels: (model, value) 0 or 1.

    Returns:
        (model, 1 + feature) weights, the intercept first.
    """
    x = _with_constant(features)
    penalty = np.diag([1e-9, *np.ones(features.shape[1])])
    weights = np.zeros((len(labels), x.shape[1]))
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-weights @ x.T))
        slope = (labels - p) @ x - weights @ penalty
        curvature = np.einsum("mv,vi,vj->mij", p * (1 - p), x, x) + penalty
        weights = weights + np.linalg.solve(curvature, slope[..., None])[..., 0]
    return weights


def _with_constant(features: Floats) -> Floats:
    return np.concatenate([np.ones((len(features), 1)), features], axis=1)
