"""Causal power J in the form in which the literature of learned causal emergence prints it (NIS, NIS+, mouse cortex).

J = (1/d) E ln|det ∂f| - ½ ln(2πe) - (1/2d) Σ ln σ_i²  [nat per dimension]

It is computed here so that published numbers can be compared, and should not be believed as it stands:

- It has a *gauge*. Write the latents in other units, y -> c y: the channel is the same, ∂f of a linear map is the
  same, the residual variances fall by c², and J rises by -ln c. A map that confines its latents to ±0.15 instead of
  ±1 gains 1.9 nats per dimension by nothing but that. An encoder is free to choose c, and training may choose it.
- It is *not a mutual information*. The box formula, with the term ln 2L, approaches one where the noise is far
  smaller than the box: for y = 0.95 x + e, e of sd 1, x uniform on [-1, 1] it gives -0.78 nat instead of 0.13.
- Slow noise has it too: see `pipeline.emergence.brownian`.

`pipeline.emergence.gaussian.causal_power` has neither fault.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.emergence.matrices import Matrices, namespace, numbers


def published_j(
    jacobians: Matrices,
    residual_variances: Matrices,
    *,
    weights: Matrices | None = None,
    box_half_width: float | None = None,
    clamp: bool = True,
) -> float:
    """Compute J_d as published (Wang et al. 2025, arXiv:2509.10891; Zhang & Liu 2022).

    Args:
        jacobians: (sample, d, d) ∂f at samples of the intervention, U[-L, L]^d in the literature; (d, d) of a linear
            map; or (sample,) ln|det ∂f| of them (`log_determinants`). The mouse study takes the map before its tanh,
            1 + ∂f_d, the slope of the tanh left out: which one is meant is up to the Jacobians given.
        residual_variances: (d,) mean squares of the residuals (`residual_variances`).
        weights: (sample,) what each sample counts, as the inverse densities that turn data into a uniform
            intervention; alike by default.
        box_half_width: L, whose ln 2L is added (NIS, NIS+: entropy of the intervention on the box); left out by
            default, as in the mouse study.
        clamp: negative values count as 0 (mouse study). Without it a scale whose map loses volume shows as such.

    Returns:
        J [nat per dimension]; -inf where a map is singular and nothing is clamped.

    Raises:
        ValueError: shapes that do not fit, a variance that is not positive, weights that are negative or all 0.

    >>> import numpy as np
    >>> round(published_j(np.array([[0.95]]), np.array([1.0]), box_half_width=1.0, clamp=False), 3)
    -0.777
    """
    variances = np.atleast_1d(numbers(residual_variances))
    d = len(variances)
    if variances.ndim != 1 or not (variances > 0).all():
        raise ValueError("residual variances: one positive number per dimension is needed")
    shape = tuple(np.shape(jacobians))
    if len(shape) > 1 and (len(shape) > 3 or shape[-2:] != (d, d)):
        raise ValueError(f"Jacobians of shape {shape} with {d} residual variances")
    logs = np.atleast_1d(log_determinants(jacobians) if len(shape) > 1 else numbers(jacobians))
    value = float(_mean(logs, weights)) / d - 0.5 * np.log(2 * np.pi * np.e) - np.log(variances).mean() / 2
    if box_half_width is not None:
        value += np.log(2 * box_half_width)
    return float(max(value, 0.0) if clamp else value)


def log_determinants(jacobians: Matrices) -> Floats:
    """Return ln|det| (...) of Jacobians (..., d, d), numpy or torch.

    Args:
        jacobians: square matrices.
    """
    xp: Any = namespace(jacobians)
    with np.errstate(divide="ignore"):  # of a singular map: -inf
        return numbers(xp.linalg.slogdet(jacobians)[1])


def residual_variances(
    residuals: Matrices, weights: Matrices | None = None, moment: Literal["squared", "absolute"] = "squared"
) -> Floats:
    """Compute what `published_j` takes as variance, (d,), from one-step prediction errors.

    Args:
        residuals: (sample, d) y(t+1) minus its prediction.
        weights: (sample,) as in `published_j`.
        moment: "squared": the mean square; "absolute": the mean absolute error in its place, as the code behind NIS+'s
            SIR figures has it, to compare with those only.

    Raises:
        ValueError: an unknown moment, or weights that are negative or all 0.
    """
    e = numbers(residuals)
    if moment not in ("squared", "absolute"):
        raise ValueError(f"moment '{moment}' is not 'squared' or 'absolute'")
    return _mean(e**2 if moment == "squared" else np.abs(e), weights)


def _mean(values: Floats, weights: Matrices | None) -> Floats:
    """Weighted mean over the first axis; what counts nothing is not looked at."""
    if weights is None:
        return np.asarray(values.mean(axis=0))
    w = numbers(weights)
    if w.shape != values.shape[:1] or not (w >= 0).all() or not w.sum() > 0:
        raise ValueError("weights: one number per sample, none negative, not all 0")
    mean: Floats = np.average(values[w > 0], axis=0, weights=w[w > 0])
    return mean
