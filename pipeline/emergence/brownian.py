"""What a random walk seems to gain by scale in the published form, though nothing emerges in it."""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Array, Floats


def brownian_baseline(covariance: Array) -> Floats:
    """Compute dJ_k of the random walk x(t+1) = x(t) + e, e ~ N(0, Σ), when the k quietest directions are selected.

    dJ_k = ½ (mean of ln λ - mean of the k smallest ln λ), λ the eigenvalues of Σ: the published J_k of those
    directions minus that of all. It is 0 for k = n and never negative, and grows with the spread of the eigenvalues:
    a gain in published J says something only beyond it (Liu et al. 2024, "An exact theory of causal emergence for
    linear stochastic iteration systems").

    Args:
        covariance: (n, n) of the increments; positive definite.

    Returns:
        (n,) dJ_k [nat per dimension], k = 1 ... n.

    Raises:
        ValueError: no positive definite matrix.

    >>> import numpy as np
    >>> brownian_baseline(np.diag([1.0, np.exp(2)])).tolist()
    [0.5, 0.0]
    """
    covariance = np.asarray(covariance, dtype=float)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not np.isfinite(covariance).all():
        raise ValueError(f"covariance of shape {covariance.shape}: a finite (n, n) matrix is needed")
    if not np.allclose(covariance, covariance.T, rtol=1e-8, atol=0):
        raise ValueError("covariance is not symmetric")
    values = np.linalg.eigvalsh(covariance)
    if not values.size or values[0] <= 0:
        raise ValueError("covariance is not positive definite: a direction without noise has an infinite J")
    logs = np.log(values)
    gained: Floats = 0.5 * (logs.mean() - np.cumsum(logs) / np.arange(1, len(logs) + 1))
    gained[-1] = 0.0
    return gained
