"""Jacobians of learned maps at many samples at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from pipeline.base.arrays import Array

ENTRIES = 2**20  # of Jacobians that are computed at once: with 32 dimensions 1,024 samples


def jacobians(
    function: Callable[[Tensor], Tensor],
    points: Tensor | Array,
    chunk: int | None = None,
    differentiable: bool = False,
) -> Tensor:
    """Compute the Jacobians of a torch map at each sample, vectorised over samples and dimensions.

    Args:
        function: takes one point (d,) and returns (k,); any composition of torch operations that does not mix
            samples (no batch normalisation). Parameters of a module are taken as they stand.
        points: (sample, d).
        chunk: samples at once; by default as many as keep memory to some tens of MiB per layer. The result does not
            depend on it.
        differentiable: keep the gradient to the parameters of the map and to the points, as training needs it (and
            the memory of all samples at once).

    Returns:
        (sample, k, d), [s, i, j] = ∂f_i/∂y_j at sample s; of the points' type and device.

    Raises:
        ValueError: points that are not (sample, d).

    >>> import torch
    >>> jacobians(lambda y: y**2, torch.tensor([[1.0, 2.0]])).tolist()
    [[[2.0, 0.0], [0.0, 4.0]]]
    """
    at = torch.as_tensor(points)
    if at.ndim != 2:
        raise ValueError(f"points of shape {tuple(at.shape)}: (sample, d) is needed")
    chunk = chunk or max(1, ENTRIES // max(1, at.shape[1]) ** 2)
    with torch.set_grad_enabled(differentiable):
        found: Tensor = vmap(jacrev(function), chunk_size=chunk)(at)
    return found
