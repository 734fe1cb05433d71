"""How many units the transitions of a window can carry."""

from __future__ import annotations

from pipeline.tpm.parameters import QUICK
from pipeline.tpm.registry import ESTIMATORS

MAX_UNITS = 10


def largest_supported(n_frames: int, method: str = QUICK) -> int:
    """Return the largest number of units whose TPM `n_frames` transitions can carry (0: not even one).

    At least 20 transitions per parameter of a unit's logistic model (1 + n; with pairwise terms
    1 + n + n(n-1)/2), or 10 per joint state (2**n) for `beta`; never more than 10 units, nor 8 where all sets
    of parents are averaged over.

    Args:
        n_frames: number of transitions.
        method: name of the estimator.

    Raises:
        PhiscaleError: there is no such estimator.

    >>> largest_supported(1000)
    10
    >>> largest_supported(639, "beta")
    5
    """
    estimator = ESTIMATORS.choose(method)
    return max((n for n in range(1, MAX_UNITS + 1) if n_frames >= estimator.needed(n)), default=0)
