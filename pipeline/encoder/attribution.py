"""What each scale reads of the cortex: attribution to units and neurons, and how far it reaches in mm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.encoder.gradients import integrated_gradients
from pipeline.encoder.training import Trained

MOST_FRAMES = 256  # held-out frames that attribution is averaged over, evenly spread


class Coverage(NamedTuple):
    """Reach of one scale [mm].

    Attributes:
        learned: of its latents, mean over them.
        local: of as many groups of neighbouring units, each of its own units only.
    """

    learned: float
    local: float


def attribution(trained: Trained, scale: int, model: int = 0, steps: int = 32) -> Floats:
    """Attribute the latents of a scale to the units: mean |integrated gradients| over held-out frames, (latent, unit).

    Args:
        trained: the hierarchies.
        scale: dimensions of the latents.
        model: which of the stack.
        steps: points of the integral.
    """
    folds, hierarchies = trained.folds, trained.doubled(scale)
    later = torch.nonzero(folds.held[model])[:, 0] + folds.lag
    chosen = later[torch.linspace(0, len(later) - 1, min(MOST_FRAMES, len(later))).long()]
    frames = folds.values[:, chosen].double()
    found = integrated_gradients(hierarchies, frames, hierarchies.unit_mean, scale, steps)[model]
    return found.abs().mean(dim=0).cpu().numpy()


def of_neurons(of_units: Floats, label: Ints) -> Floats:
    """Hand the attribution of units on to their neurons, in equal parts: a unit is the mean of its neurons.

    Args:
        of_units: (latent, unit).
        label: (neuron,) unit of each neuron; -1: of none.

    Returns:
        (latent, neuron).
    """
    size = np.bincount(label[label >= 0], minlength=of_units.shape[1])
    shares = of_units / np.maximum(size, 1)
    return np.where(label >= 0, shares[:, label], 0.0)


def coverage(weights: Floats, positions: Array, units: Array | None = None, label: Ints | None = None) -> Coverage:
    """Compute how far the latents of one scale reach over the cortex.

    The reach of a latent is the standard deviation of positions weighted by attribution, √(var x + var y). Beside it
    stands that of `local_groups`: what neighbouring units alone would reach at this scale.

    Args:
        weights: (latent, place) attribution.
        positions: (place, 2) x and y [mm] of neurons, or of units.
        units: (unit, 2) centres of the units; by default the places are the units.
        label: (place,) unit of each neuron; by default the places are the units.
    """
    centres = np.asarray(positions if units is None else units, float)
    member = np.arange(len(centres)) if label is None else np.asarray(label)
    groups = local_groups(centres, len(weights))
    own = np.stack([np.isin(member, np.flatnonzero(groups == g)) for g in range(len(weights))]).astype(float)
    learned, local = (
        float(np.mean([_spread(row, np.asarray(positions, float)) for row in part])) for part in (weights, own)
    )
    return Coverage(learned, local)


def local_groups(centres: Array, n_groups: int) -> Ints:
    """Divide units into groups of neighbours of almost equal size, (unit,) group: halves along the longer axis, again.

    Args:
        centres: (unit, 2) [mm].
        n_groups: how many.

    >>> local_groups([[0, 0], [5, 0], [0, 1], [5, 1]], 2).tolist()
    [0, 1, 0, 1]
    """
    points, found = np.asarray(centres, float), np.zeros(len(centres), np.int64)
    todo = [(np.arange(len(points)), 0, n_groups)]
    while todo:
        members, first, groups = todo.pop()
        if groups == 1:
            found[members] = first
            continue
        axis = int(np.ptp(points[members], axis=0).argmax())
        order = members[np.argsort(points[members, axis], kind="stable")]
        below = groups // 2
        cut = round(len(order) * below / groups)
        todo += [(order[:cut], first, below), (order[cut:], first + below, groups - below)]
    return found


def _spread(weight: Floats, positions: Floats) -> float:
    total = weight.sum()
    if total <= 0:
        return float("nan")
    share = weight / total
    centre = share @ positions
    return float(np.sqrt(share @ ((positions - centre) ** 2).sum(axis=1)))
