"""Whether two hierarchies found the same: across seeds by gradients, across recordings by a linear map of latents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.encoder.gradients import gradients
from pipeline.encoder.hierarchy import Hierarchy


def subspace_cosines(model: Hierarchy, x: Array, scale: int, pairs: Sequence[tuple[int, int]]) -> Floats:
    """Compare which directions of the units two hierarchies of a stack read at the same frames.

    Args:
        model: the hierarchies.
        x: (frame, unit), the same frames for all.
        scale: dimensions of the latents.
        pairs: which models are compared.

    Returns:
        (pair, scale) cosines of the principal angles between the spans of the latents' gradients, the largest first,
        averaged over frames: 1 is the same direction. Two random subspaces have more than 0: see
        `random_cosine`, and compare with hierarchies of frames in random order.
    """
    rows = torch.as_tensor(np.asarray(x), dtype=model.unit_mean.dtype, device=model.unit_mean.device)
    slopes = gradients(model, rows.expand(model.n_models, *rows.shape).contiguous(), scale)
    bases = torch.linalg.qr(slopes.double().mT)[0]  # (model, row, unit, scale)
    found = [torch.linalg.svdvals(bases[a].mT @ bases[b]).clamp_max(1.0).mean(dim=0) for a, b in pairs]
    return torch.stack(found).cpu().numpy()


def random_cosine(n_units: int, scale: int) -> float:
    """Return the root mean square cosine √(scale / units) between a direction and a random subspace.

    Args:
        n_units: dimensions of the space.
        scale: of the subspace.

    >>> random_cosine(32, 8)
    0.5
    """
    return float((scale / n_units) ** 0.5)


def in_random_order(values: Array, seed: int) -> Array:
    """Return the frames in random order: the control in which there are no dynamics to find.

    Args:
        values: (frame, unit).
        seed: of the order.
    """
    shuffled: Array = np.random.default_rng(seed).permutation(values, axis=0)
    return shuffled


def consistency(
    latents: Array, others: Array, labels: Ints | None = None, other_labels: Ints | None = None
) -> tuple[float, float]:
    """Tell how well latents of one hierarchy are a linear function of another's, as CEBRA does (Schneider et al. 2023).

    Of one recording the frames are compared; of two, whose frames have nothing in common, the mean latents of each
    label that both have, e.g. condition and minute.

    Args:
        latents: (frame, d).
        others: (frame, d').
        labels: (frame,) of the first.
        other_labels: (frame,) of the second.

    Returns:
        R² of the first from the second, and of the second from the first, each latent counting by its variance. With
        few labels it is large by chance: compare with labels in random order.

    Raises:
        ValueError: frames that do not correspond, or fewer labels than are needed.
    """
    a, b = np.asarray(latents, float), np.asarray(others, float)
    if labels is not None and other_labels is not None:
        shared = np.intersect1d(labels, other_labels)
        a = np.stack([a[labels == label].mean(axis=0) for label in shared])
        b = np.stack([b[other_labels == label].mean(axis=0) for label in shared])
    if len(a) != len(b) or len(a) < max(a.shape[1], b.shape[1]) + 2:
        raise ValueError(f"{len(a)} and {len(b)} frames (or shared labels) do not carry a linear map")
    return _explained(a, b), _explained(b, a)


def _explained(target: Floats, source: Floats) -> float:
    target, source = target - target.mean(axis=0), source - source.mean(axis=0)
    fit = source @ np.linalg.lstsq(source, target, rcond=None)[0]
    return float(1 - ((target - fit) ** 2).sum() / (target**2).sum())
