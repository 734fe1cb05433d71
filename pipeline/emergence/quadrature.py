"""Exact information of channels with one input and one output, by quadrature: what other figures are held against."""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Array, Floats

REACH = 9.0  # standard deviations of the noise beyond the images; what lies outside is < 1e-18
PER_DEVIATION = 12  # points of the output per standard deviation


def uniform_inputs(low: float, high: float, n: int = 400) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre points (n,) of the uniform distribution on [low, high] and their probabilities (n,).

    Args:
        low: lower end.
        high: upper end.
        n: number of points; their distance has to be small against the noise.
    """
    points, weights = np.polynomial.legendre.leggauss(n)
    return low + (high - low) * (points + 1) / 2, weights / 2


def information_of_densities(likelihood: Array, probabilities: Array, widths: Array) -> float:
    """Compute the information of a channel from its densities at points of input and output.

    Args:
        likelihood: (input, output) p(y | x).
        probabilities: (input,) of the inputs; they sum to 1.
        widths: (output,) quadrature weights of the outputs.

    Returns:
        I(x; y) [bit], as exact as both quadratures are.
    """
    p = np.asarray(likelihood, dtype=float)
    mixture = probabilities @ p
    ratio = np.divide(p, mixture, out=np.ones_like(p), where=p > 0)
    return float(probabilities @ (p * np.log2(ratio)) @ widths)


def scalar_information(images: Array, probabilities: Array, noise_sd: float) -> float:
    """Compute the information of y(t+1) = f(y(t)) + e, e ~ N(0, sd²), for any distribution of y(t).

    Args:
        images: (input,) f at points of the input (`uniform_inputs`).
        probabilities: (input,) of the points.
        noise_sd: standard deviation of e.

    Returns:
        I(y(t); y(t+1)) [bit].

    Raises:
        ValueError: a standard deviation that is not positive.

    >>> x, p = uniform_inputs(-1, 1)
    >>> round(scalar_information(0.95 * x, p, 1.0) * 0.6931, 3)  # [nat]; the box formula gives -0.777
    0.131
    """
    if not noise_sd > 0:
        raise ValueError(f"noise of standard deviation {noise_sd}: a positive number is needed")
    m = np.asarray(images, dtype=float)
    low, high = m.min() - REACH * noise_sd, m.max() + REACH * noise_sd
    y = np.linspace(low, high, int((high - low) / noise_sd * PER_DEVIATION) + 1)
    z = (y - m[:, None]) / noise_sd
    p = np.exp(-0.5 * z**2) / (noise_sd * np.sqrt(2 * np.pi))
    return information_of_densities(p, np.asarray(probabilities, dtype=float), np.full(len(y), y[1] - y[0]))
