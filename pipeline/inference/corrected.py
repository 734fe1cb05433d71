"""Values and intervals that simulated copies have corrected.

Copies of a window (`pipeline.tpm.copies`) show how far the mean over posterior draws is from the truth: in copy b by
r_b = √truth_b − √estimate_b. The window's own mean m is taken to be as far from its truth, so that this is about
(√m + r)²: its value with the mean of r, its interval with quantiles of r (Efron & Tibshirani 1993, An introduction
to the bootstrap, chapters 6 and 10). On the scale of square roots the scatter depends little on the size of the value.

The copies also tell how far intervals without a correction could be believed: the truth of each is known
(simulation-based calibration at the window's own parameters).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.base.arrays import Floats


class Corrected(NamedTuple):
    """A corrected measure.

    Attributes:
        value: at least 0, in the measure's unit.
        low: lower limit of its interval.
        high: upper limit.
    """

    value: float
    low: float
    high: float


def corrected(draws: Floats, copies: Floats, confidence: float) -> Corrected | None:
    """Correct a measure that is never negative.

    Args:
        draws: (draw,) the window's own posterior draws.
        copies: (copy, 2) truth and estimate of each copy.
        confidence: level of the interval.

    Returns:
        None where there are no draws, or less than two copies, to tell from.

    >>> truth, estimate = np.array([0.25, 0.25, 0.36]), np.array([0.16, 0.09, 0.25])
    >>> [round(x, 3) for x in corrected(np.array([0.04]), np.stack([truth, estimate], axis=1), 0.9)]
    [0.111, 0.09, 0.16]
    """
    draws = draws[np.isfinite(draws)]
    copies = copies[np.isfinite(copies).all(axis=1)]
    if not draws.size or len(copies) < 2:
        return None
    truth, estimate = np.sqrt(np.maximum(copies, 0)).T
    apart = truth - estimate
    # ranks among n + 1: quantiles that hold their level whatever the number of copies, as far as there are enough
    low, high = np.quantile(apart, [(1 - confidence) / 2, (1 + confidence) / 2], method="weibull")
    root = np.sqrt(max(float(draws.mean()), 0.0))
    return Corrected(*(float(max(0.0, root + r) ** 2) for r in (apart.mean(), low, high)))


def calibration(truth: Floats, draws: Floats, confidence: float) -> tuple[int, int]:
    """Count the copies whose truth is in the central interval of the draws of what was estimated from them.

    Such an interval is what the window would have without a correction: how often it fails is what the correction is
    for. (An interval corrected by the other copies holds the truth of a copy as often as stated, whatever the
    estimator, since they are exchangeable: to count that would tell nothing.)

    Args:
        truth: (copy,) of the measure.
        draws: (copy, copy_draw) of its estimates.
        confidence: level of the intervals.

    Returns:
        How many hold their truth, and of how many.

    >>> calibration(np.array([0.2, 0.9]), np.array([[0.1, 0.3], [0.1, 0.3]]), 0.9)
    (1, 2)
    """
    known = np.isfinite(truth) & np.isfinite(draws).all(axis=1)
    if not known.any() or not draws.size:
        return 0, 0
    low, high = np.quantile(draws[known], [(1 - confidence) / 2, (1 + confidence) / 2], axis=1)
    inside = (low <= truth[known]) & (truth[known] <= high)
    return int(inside.sum()), int(known.sum())
