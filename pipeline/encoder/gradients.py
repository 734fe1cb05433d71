"""Gradients of latents with respect to the units: how stable hierarchies are, and what they attribute to whom."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.encoder.hierarchy import Hierarchy

ROWS, ENTRIES = 4096, 2**23  # of one pass: small networks cost what calling their layers does, gradients take memory


def gradients(model: Hierarchy, x: Tensor, scale: int) -> Tensor:
    """Return ∂y_i/∂x_j, (model, row, scale, unit), in standard deviations of the units.

    Args:
        model: the hierarchies.
        x: (model, row, unit), in the units of the recording.
        scale: its dimensions.
    """
    with torch.enable_grad():
        at = x.detach().requires_grad_(True)
        y = model.encode(at, scale)[-1].latents
        rows = [torch.autograd.grad(y[..., i].sum(), at, retain_graph=i + 1 < scale)[0] for i in range(scale)]
    return torch.stack(rows, dim=-2) * model.unit_sd[..., None, :]


@torch.no_grad()
def integrated_gradients(model: Hierarchy, x: Tensor, baseline: Tensor, scale: int, steps: int = 32) -> Tensor:
    """Attribute latents to units (Sundararajan, Taly & Yan 2017): (x - b) ∫ ∂y/∂x along the line from b to x.

    Args:
        model: the hierarchies.
        x: (model, row, unit), in the units of the recording.
        baseline: (model, 1, unit) b, e.g. the mean frame.
        scale: dimensions of the latents.
        steps: points of the integral (Gauss-Legendre).

    Returns:
        (model, row, scale, unit). Over units they sum to y(x) - y(b), up to the error of the integral.
    """
    import numpy as np

    points, weights = (torch.as_tensor(found).to(x) for found in np.polynomial.legendre.leggauss(steps))
    rows, units = x.shape[1:]
    total = x.new_zeros(len(x), rows, scale, units)
    at_once = max(1, min(ROWS // rows, ENTRIES // (rows * scale * units)))
    for point, weight in zip(torch.split((points + 1) / 2, at_once), torch.split(weights / 2, at_once), strict=True):
        along = baseline[:, None] + point[:, None, None] * (x - baseline)[:, None]
        slopes = gradients(model, along.flatten(1, 2), scale).reshape(len(x), len(point), rows, scale, units)
        total += torch.einsum("p,mprsu->mrsu", weight, slopes)
    return total * ((x - baseline) / model.unit_sd)[:, :, None]
