"""How much of each direction a channel keeps, and what may be said of its rank.

The spectrum of a channel under a distribution p of its inputs are the canonical correlations of input and output: of
a TPM the singular values of diag(p)^½ T diag(pT)^-½, of a Gaussian channel `gaussian.reversibility_spectrum`. Neither
depends on how states or latents are written.

Claims from rank go one way. That a spectrum ends says that a smaller description loses nothing. It does not say that
the smaller one does more: to double a latent, or to split a state into two that behave alike, adds a zero to the
spectrum and nothing to the dynamics. So whatever divides by the number of states or latents (causal power per
dimension, EI / log2 n, the "clear emergence" Γ_r / r - Γ / n of Zhang et al. 2025) makes emergence out of copies.
`emergent_gain` divides by the number of directions that carry information, which copies leave alone.
"""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Array, Floats
from pipeline.emergence.discrete import effective_information


def discrete_spectrum(tpm: Array, probabilities: Array | None = None) -> Floats:
    """Compute the canonical correlations of present and next state, without the trivial first one.

    Args:
        tpm: (state, next state), row-stochastic.
        probabilities: (state,) of the intervention; all states alike by default. What is to be compared between a
            system and one with copied states has to give the copies their share.

    Returns:
        (state - 1,) decreasing, between 0 and 1.

    Raises:
        ValueError: rows that are no distributions, or probabilities that are none.

    >>> import numpy as np
    >>> discrete_spectrum(np.array([[0.9, 0.1], [0.1, 0.9]])).round(9).tolist()
    [0.8]
    """
    effective_information(tpm)  # refuses what is no TPM
    t = np.asarray(tpm, dtype=float)
    p = np.full(len(t), 1 / len(t)) if probabilities is None else np.asarray(probabilities, dtype=float)
    if p.shape != (len(t),) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-6:
        raise ValueError(f"probabilities: {len(t)} numbers that sum to 1 are needed")
    q = p @ t
    known = np.outer(np.sqrt(p), np.divide(1, np.sqrt(q), out=np.zeros_like(q), where=q > 0)) * t
    values: Floats = np.clip(np.linalg.svd(known, compute_uv=False)[1:], 0, 1)
    return values


def carried(spectrum: Array) -> Floats:
    """Return the information [bit], -½ log2(1 - ρ²), that each direction of a Gaussian channel carries.

    Args:
        spectrum: (..., direction) canonical correlations ρ.
    """
    bits: Floats = -0.5 * np.log2(1 - np.asarray(spectrum, dtype=float) ** 2)
    return bits


def effective_dimension(spectrum: Array) -> Floats:
    """Compute the number of directions that carry the information, (Σ i)² / Σ i² with i of `carried`.

    Args:
        spectrum: (..., direction) canonical correlations of a Gaussian channel.

    Returns:
        (...) between 1 and the number of directions; 0 where nothing is carried.

    >>> import numpy as np
    >>> effective_dimension(np.array([0.8, 0.8, 0.0])).round(9).tolist()
    2.0
    """
    i = carried(spectrum)
    squares = (i**2).sum(axis=-1)
    number: Floats = np.divide(i.sum(axis=-1) ** 2, squares, out=np.zeros_like(squares), where=squares > 0)
    return number


def emergent_gain(micro: Array, macro: Array) -> float:
    """Compute by how much a macro channel carries more per direction that carries anything than the micro one does.

    One-sided: a value above 0 says that the macro scale left the weaker directions behind; 0 says nothing. Copies of
    latents change it neither way.

    Args:
        micro: (sample, direction) spectrum of the finer scale (`gaussian.reversibility_spectrum`).
        macro: (sample, direction) of the coarser one.

    Returns:
        Mean over samples of the macro scale's bits per effective dimension, minus the micro scale's; not below 0 [bit].

    >>> emergent_gain([[0.8, 0.0]], [[0.8]])
    0.0
    """
    return max(_per_direction(macro) - _per_direction(micro), 0.0)


def _per_direction(spectrum: Array) -> float:
    """Mean bits per direction that carries them; a sample that carries nothing counts as 0."""
    rows = np.atleast_2d(np.asarray(spectrum, dtype=float))
    number = effective_dimension(rows)
    return float(np.divide(carried(rows).sum(axis=-1), number, out=np.zeros_like(number), where=number > 0).mean())
