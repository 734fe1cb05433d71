"""The macro model: latents of one scale made ON and OFF, so that a TPM can be estimated of them (route `macro_model`).

These units are functions of all micro units at once, so phi of them is no macro grain in the sense of IIT 4.0 (that is
`pipeline.macro`): wherever it stands it is called "phi of the macro model".
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.raster import runs_of
from pipeline.encoder.folds import frame_weight
from pipeline.encoder.hierarchy import Hierarchy
from pipeline.encoder.scales import LARGEST
from pipeline.encoder.training import Trained
from pipeline.results.columns import MACRO_MODEL as ROUTE
from pipeline.tpm.estimation import estimate, estimate_window

LABEL = "phi of the macro model"
LEVEL = 0.05  # of the factorisation test


@dataclass(frozen=True)
class MacroModel:
    """Latents of one scale in fixed coordinates, each with its threshold.

    Attributes:
        hierarchy: in double precision; the first of its stack is read.
        scale: number of latents.
        rotation: (latent, latent) y -> y @ rotation, the varimax of the loadings.
        loadings: (unit, latent) correlations of the units with the rotated latents.
        threshold: (latent,) medians over the training fold, of all windows and conditions together.
    """

    hierarchy: Hierarchy
    scale: int
    rotation: Floats
    loadings: Floats
    threshold: Floats

    def latents(self, frames: Array) -> Floats:
        """Return the rotated latents (frame, latent) of frames (frame, unit)."""
        return _latents(self.hierarchy, torch.as_tensor(np.asarray(frames, float)), self.scale) @ self.rotation

    def states(self, frames: Array, runs: Ints | None = None) -> xr.Dataset:
        """Return the states of frames.

        Args:
            frames: (frame, unit), in the units of the recording.
            runs: (frame,) run of consecutive frames; one by default.

        Returns:
            (frame, unit) `states` of 0 and 1, (unit) `threshold`, (micro_unit, unit) `loadings`; coords segment and
            matched; attrs route and label.
        """
        on = (self.latents(frames) > self.threshold).astype(np.uint8)
        dataset = xr.Dataset(
            {
                "states": (("frame", "unit"), on),
                "threshold": ("unit", self.threshold),
                "loadings": (("micro_unit", "unit"), self.loadings),
            },
            coords={
                "unit": [f"y{i}" for i in range(self.scale)],
                "segment": ("frame", runs_of(runs, len(on))),
                "matched": ("frame", np.ones(len(on), bool)),
            },
            attrs={"route": ROUTE, "label": LABEL},
        )
        return record(dataset, "encoder.macro_model", scale=self.scale)


def macro_model(trained: Trained, scale: int, model: int = 0) -> MacroModel:
    """Fix the coordinates and thresholds of a scale's latents on the training fold.

    The hierarchy should be one of all windows and conditions together (one series with a run for each): only then are
    its latents, and these thresholds, common to what is compared.

    Args:
        trained: the hierarchies.
        scale: number of latents, at most 8.
        model: which of the stack.

    Raises:
        PhiscaleError: too many latents.
    """
    if scale > LARGEST:
        raise PhiscaleError(
            Problem(
                "encoder.macro_model",
                f"{scale} latents",
                f"Their 2^{scale} states are never visited often enough for a TPM",
                f"choose a scale of at most {LARGEST}; causal power is computed at all of them",
            )
        )
    folds = trained.folds
    hierarchy = trained.alone(model, scale)
    weight = frame_weight(folds.train_weight, folds.lag)[model].double().cpu().numpy()
    x = folds.values[model].double().cpu()
    y = _latents(hierarchy, x, scale)
    z = (x.numpy() - hierarchy.unit_mean[0].numpy()) / hierarchy.unit_sd[0].numpy()
    y = y - weight @ y
    loadings = z.T @ (weight[:, None] * y) / np.sqrt(weight @ y**2)
    rotation = varimax(loadings)
    turned = _latents(hierarchy, x, scale) @ rotation
    return MacroModel(hierarchy, scale, rotation, loadings @ rotation, np.median(turned[weight > 0], axis=0))


def varimax(loadings: Floats, iterations: int = 500, tolerance: float = 1e-12) -> Floats:
    """Return the rotation (latent, latent) that makes loadings simple (Kaiser 1958).

    Columns stand in the order of the squared loadings that they explain, with a sign that makes their sum positive, so
    that latents of one scale have one set of coordinates whatever rotation training ended in.

    Args:
        loadings: (unit, latent).
        iterations: at most.
        tolerance: relative gain of the criterion below which it ends.
    """
    d = loadings.shape[1]
    rotation, before = np.eye(d), 0.0
    for _ in range(iterations):
        turned = loadings @ rotation
        u, s, v = np.linalg.svd(loadings.T @ (turned**3 - turned * (turned**2).mean(axis=0)))
        rotation, gained = u @ v, float(s.sum())
        if gained <= before * (1 + tolerance):
            break
        before = gained
    turned = loadings @ rotation
    order = np.argsort(-(turned**2).sum(axis=0), kind="stable")
    fixed: Floats = (rotation * np.where(turned.sum(axis=0) < 0, -1.0, 1.0))[:, order]
    return fixed


def macro_tpm(states: xr.Dataset, window: str | None = None, min_frames: int = 0, **options: Any) -> xr.Dataset:
    """Estimate the TPM of the macro model and test whether its units are independent given the past.

    Args:
        states: `MacroModel.states` of one window; of several, with the coord window.
        window: which of them.
        min_frames: fewer frames add the flag few_frames.
        **options: of `pipeline.tpm.estimate`.

    Returns:
        As `pipeline.tpm.estimate`; attrs besides: route, label, factorisation_p (that of the most correlated pair of
        residuals, Bonferroni-corrected; small: Eq. 2 of IIT 4.0 does not hold of these units) and factorisation_r.
    """
    tpm = estimate(states, **options) if window is None else estimate_window(states, window, min_frames, **options)
    r, p = factorisation(tpm)
    words = [word for word in tpm.attrs["flag"].split(";") if word] + (["not_factorised"] if p <= LEVEL else [])
    about = {"route": ROUTE, "label": LABEL, "factorisation_r": r, "factorisation_p": p, "flag": ";".join(words)}
    return tpm.assign_attrs(about)


def factorisation(tpm: xr.Dataset) -> tuple[float, float]:
    """Return the largest |residual correlation| of two units given the past, and its Bonferroni-corrected p.

    Args:
        tpm: of `pipeline.tpm.estimate`.
    """
    residual = np.abs(np.nan_to_num(np.triu(tpm["residual_correlation"].values, 1)))
    n, units = int(tpm["transitions"].sum()), residual.shape[0]
    r, tests = float(residual.max(initial=0.0)), max(1, units * (units - 1) // 2)
    return r, min(1.0, 2 * tests * NormalDist().cdf(-r * n**0.5))


@torch.no_grad()
def _latents(hierarchy: Hierarchy, x: torch.Tensor, scale: int) -> Floats:
    found: Floats = hierarchy.encode(x[None], scale)[-1].latents[0].numpy()
    return found
