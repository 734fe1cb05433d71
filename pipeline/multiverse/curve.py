"""What all specifications say together.

The differences of the specifications come from the same subjects, and so are anything but independent. The test of
the whole curve flips the sign of each subject's differences in all specifications at once, which leaves what ties them
to each other as it is, and asks how often flipped data give a median difference as large, or as many significant
specifications of one sign (Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4: 1208-1214).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from pipeline.base.arrays import Bools, Floats
from pipeline.inference.families import ALPHA
from pipeline.inference.summary import TIE


@dataclass(frozen=True)
class CurveTest:
    """The test of a specification curve.

    Attributes:
        specifications: how many have a difference.
        median: median of their differences, in the measure's unit.
        p_median: share of the flips with a median at least as far from zero.
        significant: specifications with p of at most .05 of the more frequent sign.
        p_significant: share of the flips with at least as many.
        flips: sign flips, the data as they are among them.
        smallest_p: that the test can give at all.
    """

    specifications: int
    median: float
    p_median: float
    significant: int
    p_significant: float
    flips: int
    smallest_p: float


def curve_test(differences: Floats, permutations: int, rng: np.random.Generator) -> CurveTest:
    """Test all specifications at once.

    Null: the differences of a subject, in all specifications together, are as likely with the opposite sign.

    Args:
        differences: (specification, subject) within-subject differences; NaN where a specification lacks the subject.
        permutations: most flips that are made; all of them where there are not more.
        rng: for random flips.

    >>> apart = np.array([[0.1, 0.2, 0.6], [0.2, 0.3, 0.5]])
    >>> test = curve_test(apart, 100, np.random.default_rng(0))
    >>> round(test.median, 3), test.p_median, test.significant, test.flips
    (0.317, 0.25, 0, 8)
    """
    known = np.isfinite(differences)
    differences, known = differences[known.any(axis=1)], known[known.any(axis=1)]
    if not differences.size:
        return CurveTest(0, np.nan, np.nan, 0, np.nan, 0, np.nan)
    signs = _flips(differences.shape[1], permutations, rng)
    means = signs @ np.where(known, differences, 0.0).T / known.sum(axis=1)
    medians = np.abs(np.median(means, axis=1))
    significant = _p_of(np.abs(means)) <= ALPHA
    counts = np.maximum((significant & (means > 0)).sum(axis=1), (significant & (means < 0)).sum(axis=1))
    return CurveTest(
        specifications=len(differences),
        median=float(np.median(means[0])),
        p_median=float(np.mean(medians >= medians[0] - TIE)),
        significant=int(counts[0]),
        p_significant=float(np.mean(counts >= counts[0])),
        flips=len(signs),
        smallest_p=2 / len(signs) if len(signs) == 2 ** differences.shape[1] else 1 / len(signs),
    )


def _flips(subjects: int, permutations: int, rng: np.random.Generator) -> Floats:
    """Return signs (flip, subject); the first leave the data as they are."""
    if 2**subjects <= permutations:
        return np.array(list(product((1.0, -1.0), repeat=subjects)))
    signs: Floats = np.ones((permutations + 1, subjects))
    signs[1:] = rng.choice((1.0, -1.0), size=(permutations, subjects))
    return signs


def _p_of(sizes: Floats) -> Floats:
    """Return the p of each flip (flip, specification) if it were the data: the share of flips that are as large."""
    found = np.empty_like(sizes)
    for column, size in enumerate(sizes.T):
        smaller = np.searchsorted(np.sort(size), size - TIE)
        found[:, column] = (len(size) - smaller) / len(size)
    return found


def explained(choices: Sequence[Mapping[str, Any]], estimates: Floats) -> dict[str, float]:
    """Return the share of the variance between specifications that each choice accounts for by itself.

    Args:
        choices: of each specification, field -> value; a field that does not apply to it is a value like any other.
        estimates: (specification,) their differences, all known.

    >>> grid = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 2}]
    >>> explained(grid, np.array([0.0, 0.0, 1.0, 1.0]))
    {'a': 1.0, 'b': 0.0}
    """
    fields = list(dict.fromkeys(field for own in choices for field in own))
    total = float(((estimates - estimates.mean()) ** 2).sum()) if len(estimates) else 0.0
    if total < TIE**2:
        return dict.fromkeys(fields, 0.0)
    found = {}
    for field in fields:
        values = np.array([repr(own.get(field)) for own in choices])
        groups: list[Bools] = [values == value for value in dict.fromkeys(values.tolist())]
        between = sum(group.sum() * (estimates[group].mean() - estimates.mean()) ** 2 for group in groups)
        found[field] = round(float(between) / total, 10)
    return found
