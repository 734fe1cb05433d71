"""Pólya-Gamma variables, which turn a logistic likelihood into a Gaussian one (Polson, Scott & Windle 2013)."""

from __future__ import annotations

from math import cosh, erf, exp, log, pi, sinh, sqrt, tanh

import numba
import numpy as np

CUT = 0.64  # where the two series of the density meet
EXACT = 3  # up to so many trials the variable is a sum of exact ones; beyond, a Gamma with the same two moments
NO_MASS = -1e300  # logarithm of a probability of 0


@numba.njit(cache=True)
def polya_gamma(rng: np.random.Generator, trials: int, tilt: float) -> float:
    """Draw PG(trials, tilt).

    Args:
        rng: what is drawn from.
        trials: number of trials, at least 1.
        tilt: logit at which the likelihood is expanded.

    Returns:
        A positive number with mean trials / (2 tilt) · tanh(tilt / 2).
    """
    if trials <= EXACT:
        total = 0.0
        for _ in range(trials):
            total += _one(rng, tilt)
        return total
    mean, variance = moments(trials, tilt)
    return max(rng.gamma(mean * mean / variance, variance / mean), 1e-12)


@numba.njit(cache=True)
def moments(trials: int, tilt: float) -> tuple[float, float]:
    """Return mean and variance of PG(trials, tilt)."""
    c = min(abs(tilt), 500.0)
    if c < 1e-3:
        return trials / 4, trials / 24
    mean = trials / (2 * c) * tanh(c / 2)
    # (sinh c - c) / cosh²(c / 2) without overflow
    ratio = 2.0 if c > 40 else (sinh(c) - c) / cosh(c / 2) ** 2
    return mean, trials / (4 * c**3) * ratio


@numba.njit(cache=True)
def _one(rng: np.random.Generator, tilt: float) -> float:
    """Draw PG(1, tilt): a truncated inverse Gaussian or an exponential, thinned by the alternating series."""
    z = abs(tilt) / 2
    rate = pi**2 / 8 + z * z / 2
    share = _exponential_share(z, rate)
    while True:
        x = CUT - log(rng.random()) / rate if rng.random() < share else _inverse_gaussian(rng, z)
        bound = _term(0, x)
        height = rng.random() * bound
        n = 0
        while True:
            n += 1
            if n % 2:
                bound -= _term(n, x)
                if height <= bound:
                    return float(x / 4)
            else:
                bound += _term(n, x)
                if height > bound:
                    break


@numba.njit(cache=True)
def _exponential_share(z: float, rate: float) -> float:
    """Share of the mixture that lies in its exponential tail."""
    root = sqrt(1 / CUT)
    start = log(rate) + rate * CUT
    lower, upper = _normal_below(root * (CUT * z - 1)), _normal_below(-root * (CUT * z + 1))
    left = start - z + log(lower) if lower > 0 else NO_MASS
    right = start + z + log(upper) if upper > 0 else NO_MASS
    return 1 / (1 + 4 / pi * (exp(left) + exp(right)))


@numba.njit(cache=True)
def _inverse_gaussian(rng: np.random.Generator, z: float) -> float:
    """Draw an inverse Gaussian with mean 1/z and shape 1, truncated to below the cut."""
    if z < 1 / CUT:
        while True:
            while True:
                a, b = -log(rng.random()), -log(rng.random())
                if a * a <= 2 * b / CUT:
                    break
            x = CUT / (1 + CUT * a) ** 2
            if rng.random() <= exp(-0.5 * z * z * x):
                return x
    mean = 1 / z
    while True:
        square = rng.standard_normal() ** 2
        x = mean + 0.5 * mean * mean * square - 0.5 * mean * sqrt(4 * mean * square + (mean * square) ** 2)
        if rng.random() > mean / (mean + x):
            x = mean * mean / x
        if x <= CUT:
            return x


@numba.njit(cache=True)
def _term(n: int, x: float) -> float:
    """Coefficient n of the alternating series of the Jacobi density."""
    half = n + 0.5
    if x > CUT:
        return pi * half * exp(-(half**2) * pi**2 * x / 2)
    return float((2 / pi / x) ** 1.5 * pi * half * exp(-2 * half**2 / x))


@numba.njit(cache=True)
def _normal_below(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2.0)))
