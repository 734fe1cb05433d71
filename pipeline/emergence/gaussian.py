"""Causal power of continuous dynamics y(t+1) = f(y(t)) + e: what a Gaussian intervention on y(t) tells about y(t+1).

The information that crosses the channel, in bits, is the same in whatever coordinates the latents are written, and
never negative; `published_j`, the form of the literature, is neither (`pipeline.emergence.published` says how much
that matters). It is the information of the *local* channels, averaged: exact where f is linear, and to be held
against `information_bounds` where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.emergence.brownian import brownian_baseline
from pipeline.emergence.matrices import Matrices, covariance_of, doubles, namespace, numbers, whitening
from pipeline.emergence.published import published_j

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "CausalPower",
    "InformationBounds",
    "brownian_baseline",
    "causal_power",
    "information_bounds",
    "interventions",
    "published_j",
    "reversibility_spectrum",
]

ROWS = 1024  # of the table of distances between samples that are held at once


@dataclass(frozen=True)
class CausalPower:
    """Causal power of one scale. Of tensors the values are tensors that carry the gradient, else floats.

    Attributes:
        total: information [bit], the mean over the local channels.
        per_dimension: that divided by the number of latents [bit]. It falls when a latent is doubled, so it is no
            evidence of emergence by itself; see `pipeline.emergence.spectrum`.
        local: (sample,) information of the channel around each sample [bit].
    """

    total: float | Tensor
    per_dimension: float | Tensor
    local: Matrices


@dataclass(frozen=True)
class InformationBounds:
    """Monte Carlo bounds of the information of a channel.

    Attributes:
        lower: lower bound [bit]; never above log2(samples).
        upper: upper bound [bit].
        error: standard error of either [bit].
    """

    lower: float
    upper: float
    error: float


def causal_power(jacobians: Matrices, residual_covariance: Matrices, latent_covariance: Matrices) -> CausalPower:
    """Compute the information that y(t+1) = f(y(t)) + e carries of y(t) ~ N(., Σ), through f's local linear maps A.

    ½ log2 det(1 + R^-½ A Σ Aᵀ R^-½), averaged over the samples of A. No change of coordinates of the latents alters
    it: y -> G y takes A, Σ, R to G A G⁻¹, G Σ Gᵀ, G R Gᵀ.

    Args:
        jacobians: (sample, d, d) A[i, j] = ∂f_i/∂y_j at samples of the intervention (`interventions`), or (d, d) of a
            linear map.
        residual_covariance: (d, d) R, of e. It may be singular where the map brings nothing, as in a doubled latent.
        latent_covariance: (d, d) Σ, of the intervention; it may be singular.

    Returns:
        In total, per dimension and per sample. Numpy arrays or torch tensors, of any of the three; tensors keep
        their gradient.

    Raises:
        ValueError: shapes that do not fit, covariances that are none, signal where there is no noise.

    >>> import numpy as np
    >>> round(causal_power(0.5 * np.eye(2), 0.75 * np.eye(2), np.eye(2)).per_dimension, 9)  # -½ log2(1 - 0.5²)
    0.20751875
    """
    xp, a, noise, spread = _channel(jacobians, residual_covariance, latent_covariance)
    signal = a @ spread @ a.mT
    k = whitening(xp, noise, signal)
    ratio = k @ signal @ k.mT
    root = xp.linalg.cholesky(xp.eye(len(k), dtype=ratio.dtype, **_device(xp, ratio)) + (ratio + ratio.mT) / 2)
    local = xp.log2(xp.einsum("...ii->...i", root)).sum(-1)
    total = local.mean() if xp is not np else float(local.mean())
    return CausalPower(total, total / a.shape[-1], local)


def reversibility_spectrum(jacobians: Matrices, residual_covariance: Matrices, latent_covariance: Matrices) -> Floats:
    """Compute how much of each direction the dynamics keep: the canonical correlations of y(t) and y(t+1).

    With s the singular values of R^-½ A Σ^½ they are ρ = s / √(1 + s²), and the causal power is -½ Σ log2(1 - ρ²).
    1 is a direction that is kept, so that the past can be told from it, 0 one that is lost. They are the singular
    values of the channel's transition operator on linear functions, as those of a TPM are on all functions.

    Args:
        jacobians: (sample, d, d) or (d, d).
        residual_covariance: (d, d).
        latent_covariance: (d, d).

    Returns:
        (sample, d), decreasing in each row, between 0 and 1, in whatever coordinates the latents are written.

    Raises:
        ValueError: as `causal_power` does.

    >>> import numpy as np
    >>> reversibility_spectrum(np.diag([0.8, 0.0]), np.diag([0.36, 1.0]), np.eye(2)).round(9).tolist()
    [[0.8, 0.0]]
    """
    _, a, noise, spread = _channel(*map(numbers, (jacobians, residual_covariance, latent_covariance)))
    k = whitening(np, noise, a @ spread @ a.mT)
    values, vectors = np.linalg.eigh(spread)
    s = np.linalg.svd(k @ a @ (vectors * np.sqrt(np.clip(values, 0, None))), compute_uv=False)
    kept: Floats = np.zeros(a.shape[:2])
    kept[:, : s.shape[1]] = s / np.sqrt(1 + s**2)
    return kept


def interventions(latent_covariance: Matrices, n: int, seed: int = 0, mean: Matrices | None = None) -> Floats:
    """Draw samples (n, d) of the intervention N(mean, Σ), at which Jacobians and images are taken.

    Args:
        latent_covariance: (d, d) Σ.
        n: number of samples; they come in pairs that mirror each other at the mean.
        seed: same seed, same samples.
        mean: (d,); 0 by default.
    """
    covariance = numbers(latent_covariance)
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    half = np.random.default_rng(seed).standard_normal(((n + 1) // 2, len(covariance)))
    z = np.stack([half, -half], axis=1).reshape(-1, len(covariance))[:n]
    drawn: Floats = z @ (vectors * np.sqrt(np.clip(values, 0, None))).T + (0.0 if mean is None else numbers(mean))
    return drawn


def information_bounds(images: Matrices, residual_covariance: Matrices, seed: int = 0) -> InformationBounds:
    """Bound the information of y(t+1) = f(y(t)) + e by Monte Carlo, without linearising f.

    It depends on y(t) through f(y(t)) alone, so the images of the samples are all that is needed. Noise is drawn for
    each, and p(y(t+1)) is the mean of the known noise densities around the images: with a sample's own among them a
    lower bound, without it an upper one (Poole et al. 2019; Rainforth et al. 2018).

    Args:
        images: (sample, d) f at samples of the intervention (`interventions`).
        residual_covariance: (d, d) of e.
        seed: of the noise.

    Returns:
        Bounds in expectation; they are within one another's error where the information is a few bits less than
        log2(samples).

    Raises:
        ValueError: shapes that do not fit, fewer than two samples.

    >>> import numpy as np
    >>> from pipeline.emergence.gaussian import interventions
    >>> x = interventions(np.eye(1), 2000)
    >>> found = information_bounds(0.6 * x, np.array([[0.64]]))
    >>> bool(found.lower - 0.05 < -0.5 * np.log2(1 - 0.36) < found.upper + 0.05)
    True
    """
    points = numbers(images)
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"images of shape {points.shape}: at least 2 samples, (sample, d), are needed")
    noise = covariance_of(np, numbers(residual_covariance), "residual covariance", points.shape[1])
    centred = points - points.mean(axis=0)
    k = whitening(np, noise, centred.T @ centred / len(points))
    u = centred @ k.T
    e = np.random.default_rng(seed).standard_normal(u.shape)
    own = -0.5 * (e**2).sum(axis=1)
    lower, upper = np.empty(len(u)), np.empty(len(u))
    for start in range(0, len(u), ROWS):
        rows = np.arange(start, min(start + ROWS, len(u)))
        lower[rows], upper[rows] = _mixtures(u[rows] + e[rows], u, rows)
    lower, upper = (own - lower) / np.log(2), (own - upper) / np.log(2)
    return InformationBounds(float(lower.mean()), float(upper.mean()), float(lower.std() / np.sqrt(len(u))))


def _mixtures(y: Floats, centres: Floats, own: Any) -> tuple[Floats, Floats]:
    """Log density at y of unit Gaussians around all centres, and around all but its own, up to a constant."""
    n = len(centres)
    exponent = y @ centres.T - 0.5 * (centres**2).sum(axis=1) - 0.5 * (y**2).sum(axis=1)[:, None]
    peak = exponent.max(axis=1)
    weights = np.exp(exponent - peak[:, None])
    everyone = peak + np.log(weights.mean(axis=1))
    exponent[np.arange(len(y)), own] = -np.inf
    peak = exponent.max(axis=1)
    others = peak + np.log(np.exp(exponent - peak[:, None]).sum(axis=1) / (n - 1))
    return everyone, others


def _channel(jacobians: Any, residual_covariance: Any, latent_covariance: Any) -> tuple[Any, Any, Any, Any]:
    """The namespace, Jacobians (sample, d, d) and both covariances, checked, in double precision."""
    given = (jacobians, residual_covariance, latent_covariance)
    xp = namespace(*given)
    like = next((v for v in given if xp is not np and isinstance(v, xp.Tensor)), None)
    a, noise, spread = (doubles(xp, v, like) for v in given)
    a = a[None] if a.ndim == 2 else a
    if a.ndim != 3 or a.shape[-1] != a.shape[-2] or not a.shape[0] or not a.shape[-1]:
        raise ValueError(f"Jacobians of shape {tuple(a.shape)}: (sample, d, d), or (d, d), is needed")
    if not bool(xp.isfinite(a).all()):
        raise ValueError("some Jacobian is not finite")
    d = a.shape[-1]
    noise = covariance_of(xp, noise, "residual covariance", d)
    return xp, a, noise, covariance_of(xp, spread, "latent covariance", d)


def _device(xp: Any, like: Any) -> dict[str, Any]:
    """The argument that makes a new tensor on the device of another."""
    return {} if xp is np else {"device": like.device}
