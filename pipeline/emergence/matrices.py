"""Numbers that come as numpy arrays or as torch tensors, and noise whose covariance may be singular."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pipeline.base.arrays import Array, Floats

if TYPE_CHECKING:
    from torch import Tensor

Matrices: TypeAlias = "Array | Tensor"

ROUNDING = 64  # times the machine's precision: what is smaller, relative to the largest, counts as 0


def namespace(*values: Any) -> Any:
    """Return the module, torch or numpy, whose functions take these values; torch if any of them is a tensor."""
    torch = sys.modules.get("torch")  # a tensor cannot be there before torch is
    return torch if torch is not None and any(isinstance(v, torch.Tensor) for v in values) else np


def doubles(xp: Any, values: Any, like: Any = None) -> Any:
    """Return values in double precision; of torch on the device of `like`, with its gradient.

    Args:
        xp: numpy or torch.
        values: numbers of any kind.
        like: a tensor whose device is used where `values` are none.
    """
    if xp is np:
        return np.asarray(values, dtype=float)
    where = like.device if isinstance(like, xp.Tensor) else None
    return values.double() if isinstance(values, xp.Tensor) else xp.as_tensor(values, dtype=xp.float64, device=where)


def numbers(values: Any) -> Floats:
    """Return numpy doubles of an array or a tensor, without its gradient."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)


def covariance_of(xp: Any, matrix: Any, what: str, size: int) -> Any:
    """Return a symmetric covariance.

    Args:
        xp: numpy or torch.
        matrix: (size, size).
        what: its name in messages.
        size: number of dimensions.

    Raises:
        ValueError: another shape, not symmetric, not finite, or a negative variance in some direction.
    """
    if tuple(matrix.shape) != (size, size):
        raise ValueError(f"{what} of shape {tuple(matrix.shape)}: the Jacobians need ({size}, {size})")
    plain = numbers(matrix)
    if not np.isfinite(plain).all():
        raise ValueError(f"{what} is not finite")
    scale = np.sqrt(np.clip(np.outer(np.diag(plain), np.diag(plain)), np.finfo(float).tiny, None))
    if not (np.abs(plain - plain.T) <= 1e-8 * scale).all():
        raise ValueError(f"{what} is not symmetric")
    if np.linalg.eigvalsh((plain + plain.T) / (2 * scale))[0] < -1e-8:
        raise ValueError(f"{what} has a negative variance in some direction")
    return (matrix + matrix.T) / 2


def whitening(xp: Any, noise: Any, signal: Any) -> Any:
    """Return the matrix K, (rank, d), with K R Kᵀ = 1, for noise of covariance R that may be singular.

    Args:
        xp: numpy or torch.
        noise: (d, d) covariance R.
        signal: (..., d, d) covariances of what the noise is added to; they must not reach where the noise does not.

    Raises:
        ValueError: there is signal in a direction without noise, so that information is infinite.
    """
    plain = numbers(noise)
    scale = np.sqrt(np.diag(plain))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(plain / np.outer(scale, scale))  # of correlations: units of a latent do not matter
    least = ROUNDING * len(plain) * np.finfo(float).eps
    if len(values) and values[0] > least:
        return xp.linalg.inv(xp.linalg.cholesky(noise))
    silent = (vectors[:, values <= least] / scale[:, None]).T
    present = np.einsum("kd,...de,ke->...k", silent, numbers(signal), silent)
    if (present > 1e-9 * np.einsum("...dd->...", numbers(signal) / np.outer(scale, scale))[..., None]).any():
        raise ValueError(
            "the residual covariance is singular where the map acts: a channel without noise has infinite information"
        )
    loud = values > least
    return doubles(xp, (vectors[:, loud] / np.sqrt(values[loud]) / scale[:, None]).T, noise)
