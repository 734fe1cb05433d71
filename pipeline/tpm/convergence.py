"""Whether a chain of draws has settled: split-R-hat and the number of independent draws it is worth."""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Floats


def split_r_hat(draws: Floats) -> Floats:
    """Return the potential scale reduction of chains split in halves (Gelman et al. 2013, section 11.4).

    Args:
        draws: (draw, ...) of one chain; it is split into four parts.

    Returns:
        (...) about 1 where the parts agree; NaN for a quantity that never changes, or of less than eight draws.

    >>> import numpy as np
    >>> float(split_r_hat(np.random.default_rng(0).standard_normal(4000)).round(2))
    1.0
    """
    length = len(draws) // 4
    if length < 2:  # too few to tell
        return np.full(draws.shape[1:], np.nan)
    parts = draws[: 4 * length].reshape(4, length, *draws.shape[1:])
    within = parts.var(axis=1, ddof=1).mean(axis=0)
    between = parts.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r_hat: Floats = np.sqrt((within * (length - 1) / length + between) / within)
    return r_hat


def effective_draws(draws: Floats) -> Floats:
    """Return how many independent draws a chain is worth: draws over the integrated autocorrelation time.

    The autocorrelations are summed in pairs up to the first pair that is not positive (Geyer 1992).

    Args:
        draws: (draw, ...) of one chain.

    Returns:
        (...) at most the number of draws; NaN for a quantity that never changes.

    >>> import numpy as np
    >>> 3000 < float(effective_draws(np.random.default_rng(0).standard_normal(4000))) <= 4000
    True
    """
    n = len(draws)
    z = draws.reshape(n, -1) - draws.reshape(n, -1).mean(axis=0)
    spectrum = np.abs(np.fft.rfft(z, 2 * n, axis=0)) ** 2
    covariance = np.fft.irfft(spectrum, axis=0)[:n]
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = covariance / covariance[0]
    pairs = rho[: n // 2 * 2].reshape(n // 2, 2, rho.shape[1]).sum(axis=1)
    positive = np.cumprod(pairs > 0, axis=0)
    time = np.maximum(2 * (pairs * positive).sum(axis=0) - 1, 1.0)
    worth = np.where(np.isfinite(rho[0]), n / time, np.nan)
    effective: Floats = worth.reshape(draws.shape[1:])
    return effective
