"""Tests and intervals of a mean over subjects, from the subjects themselves."""

from __future__ import annotations

from itertools import product

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.inference.summary import TIE


def sign_flip(differences: Floats, permutations: int, rng: np.random.Generator) -> tuple[float, int, float]:
    """Return (p, number of flips, smallest attainable p) of the two-sided sign-flip test.

    Null: each difference is symmetric about 0. Statistic: absolute mean. All 2**n flips are used where they are not
    more than `permutations` (exact: the smallest p is 2 / 2**n); otherwise that many random ones, with
    p = (1 + #extreme) / (1 + flips).

    Args:
        differences: (subject,) within-subject contrasts.
        permutations: most flips that are made.
        rng: for random flips.

    >>> sign_flip(np.array([0.1, 0.2, 0.6]), 100, np.random.default_rng(0))
    (0.25, 8, 0.25)
    """
    n = len(differences)
    observed = abs(differences.mean()) - TIE
    if 2**n <= permutations:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        p = float(np.mean(np.abs(signs @ differences) / n >= observed))
        return p, 2**n, 2 / 2**n
    signs = rng.choice((1.0, -1.0), size=(permutations, n))
    extreme = int(np.count_nonzero(np.abs(signs @ differences) / n >= observed))
    return (1 + extreme) / (1 + permutations), permutations, 1 / (1 + permutations)


def bootstrap_interval(
    differences: Floats, resamples: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the bootstrap interval of the mean over subjects; NaN with fewer than two subjects.

    Subjects are resampled with replacement (all n**n resamples where they are not more than
    `resamples`), and the percentiles' distances from the mean are stretched by
    t(n - 1) / z · sqrt(n / (n - 1)).

    Why stretched: the plain percentile interval of n subjects is too narrow by sqrt((n - 1) / n),
    because resampling divides the squared deviations by n, and by z / t, because the spread itself
    is estimated from n subjects (Hesterberg 2015, The American Statistician 69:371-386, sec. 4.1).
    His remedy, to read off more extreme percentiles, fails for three or four subjects: no mean of
    resampled subjects lies outside their range, which holds the true mean in at most three of
    four experiments with n = 3. Stretching reduces to Student's interval for symmetric data, keeps
    the bootstrap's asymmetry, and vanishes as n grows. Measured coverage of the 95 % interval for
    normal differences (in brackets: unstretched), n = 2, 3, 5, 8, 20: .93 (.53), .96 (.75),
    .94 (.83), .96 (.90), .94 (.92); for exponential ones .89 (.48), .89 (.69), .89 (.79),
    .90 (.82), .93 (.90).

    Why posterior draws are not resampled within subjects: the values differ between subjects by
    true differences and by estimation error alike, so their spread holds the within-subject
    uncertainty already; to resample draws as well would count it twice, and would shift the
    interval by the difference between the draws' mean and the point estimate.

    Args:
        differences: (subject,) within-subject contrasts.
        resamples: most resamples that are made.
        confidence: level of the interval.
        rng: for random resamples.
    """
    from scipy import stats  # slow to import, and the report needs ALPHA only

    n = len(differences)
    if n < 2:
        return np.nan, np.nan
    if n**n <= resamples:
        chosen = np.array(list(product(range(n), repeat=n)))
    else:
        chosen = rng.integers(n, size=(resamples, n))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    mean = differences.mean()
    reach = np.quantile(differences[chosen].mean(axis=1), tails, method="inverted_cdf") - mean
    stretch = stats.t.ppf(tails[1], n - 1) / stats.norm.ppf(tails[1]) * np.sqrt(n / (n - 1))
    low, high = mean + stretch * reach
    return float(low), float(high)


def resamples_of(subjects: int, bootstrap: int) -> int:
    """Return how many bootstrap resamples so many subjects get: all n**n, at most `bootstrap`; none of a single one.

    Args:
        subjects: number of subjects, n.
        bootstrap: most resamples that are made.
    """
    return min(subjects**subjects, bootstrap) if subjects > 1 else 0
