"""What is true of a planted substrate: its TPM, occupancy, and phi_s and Φ at both scales."""

from __future__ import annotations

from typing import Any

import numpy as np

import iitcore as iit
from iitcore.macro import derive_macro_tpm
from pipeline.base.arrays import Floats
from pipeline.base.raster import states_of
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.simulation.planted import MOST_UNITS, PAIRS, Regime

AND = (0, 0, 0, 1)  # truth table of a macro unit of two


def truth_of(regime: Regime) -> dict[str, Any]:
    """Return the truth about a subject in one condition, ready for JSON.

    The TPM is interventional: P(ON | do(state)), with the common drive averaged over its stationary
    distribution. `tpm_observational` is what an unlimited recording would show instead (a state
    also tells how the drive stands), so `phi_s_observational` is what estimates from recordings
    approach. phi_s and Φ are means over all states, weighted with their stationary occupancy.

    Returns:
        coupling, bias, drive (logit), weights (n, n), on_fraction (n,), tpm and tpm_observational
        (2**n, n), occupancy (2**n,) (these None above 8 units), and scales: a list of route, scale,
        phi_s, big_phi, effective_information, phi_s_observational; macro units with group and
        mapping. Motifs do not act on each other, so with several of them phi_s of all units is 0;
        `motifs` then lists the scales of each motif by itself, which are the complexes.
    """
    motifs = [scales_of(regime.motif(i)) for i in range(regime.n // 4)]
    truth: dict[str, Any] = {
        "coupling": regime.coupling,
        "bias": regime.bias,
        "drive": regime.amplitude,
        "weights": regime.weights.tolist(),
        "on_fraction": np.concatenate(
            [regime.motif(i).occupancy @ states_of(4) for i in range(regime.n // 4)]
        ).tolist(),
        "tpm": None,
        "tpm_observational": None,
        "occupancy": None,
        "scales": motifs[0],
    }
    if regime.n <= MOST_UNITS:
        truth["tpm"] = regime.p_on.tolist()
        truth["tpm_observational"] = regime.p_on_observational.tolist()
        truth["occupancy"] = regime.occupancy.tolist()
    if len(motifs) > 1:
        truth["motifs"] = motifs
        truth["scales"] = [{"route": "micro", "scale": regime.n, "phi_s": 0.0, "phi_s_observational": 0.0}]
    return truth


def scales_of(regime: Regime) -> list[dict[str, Any]]:
    """Return the measures of one motif (four units) as micro units and as its two planted pairs.

    Returns:
        A list of route, scale and the measures named in `truth_of`.
    """
    pairs = [list(pair) for pair in PAIRS]
    group = [next(j for j, pair in enumerate(pairs) if i in pair) for i in range(regime.n)]
    both_on = states_of(regime.n)[:, pairs].min(axis=2)
    macro_state = both_on @ np.array([1, 2])
    macro_occupancy = np.bincount(macro_state, regime.occupancy).astype(float)

    def macro(p_on: Floats) -> Floats:
        return derive_macro_tpm(p_on, pairs, [AND] * len(pairs))

    planted = {"group": group, "mapping": ["and"] * len(pairs)}
    return [
        {
            "route": "micro",
            "scale": regime.n,
            **_measures(regime.p_on, regime.p_on_observational, regime.occupancy),
        },
        {
            "route": "macro_units",
            "scale": len(pairs),
            **planted,
            **_measures(macro(regime.p_on), macro(regime.p_on_observational), macro_occupancy),
        },
    ]


def _measures(p_on: Floats, p_on_observational: Floats, occupancy: Floats) -> dict[str, float]:
    states = states_of(p_on.shape[1])
    phi = iit.phi_batch(np.stack([p_on, p_on_observational]), states, threads=1)
    big_phi = iit.big_phi_batch(p_on[None], states, threads=1).phi[0]
    return {
        "phi_s": float(phi[0] @ occupancy),
        "phi_s_observational": float(phi[1] @ occupancy),
        "big_phi": float(big_phi @ occupancy),
        "effective_information": float(effective_information(state_by_state(p_on))),
    }
