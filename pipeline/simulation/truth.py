"""What is true of a planted substrate: its TPM, occupancy, and phi_s and Φ at both scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import iitcore as iit
from iitcore.macro import derive_macro_tpm
from pipeline.base.arrays import Floats
from pipeline.base.raster import states_of
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.simulation.planted import MOTIF, PAIRS
from pipeline.simulation.regimes import MOST_UNITS, Regime

MOST_UNITS_PHI, MOST_UNITS_BIG_PHI = 6, 4  # beyond, they cost too much here
TABLES = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1)}  # truth tables of a macro unit of two


def truth_of(regime: Regime, *, planted: str = "and") -> dict[str, Any]:
    """Return the truth about a subject in one condition, ready for JSON.

    The TPM is that with the drive held: P(ON | do(state)), with the common drive averaged over its stationary
    distribution. `tpm_observational` is what an unlimited recording would show instead (a state
    also tells how the drive stands), so `phi_s_observational` is what estimates from recordings
    approach. phi_s and Φ are means over all states, weighted with their stationary occupancy.

    Args:
        regime: the substrate in the condition.
        planted: state mapping of planted pairs (`Substrate.planted`), whose macro scale is known too; "" for none.

    Returns:
        coupling, bias, drive (amplitude, logit), drive_kind, drive_s, drift (logit), hidden (number of units that act
        and are not recorded), weights (all, all), on_fraction (n,), tpm and tpm_observational (2**n, n), occupancy
        (2**n,) (these None above 8 units; tpm_observational also under drift, with `not_observable` saying why), and
        scales: a list of route, scale, phi_s, big_phi, effective_information, phi_s_observational; macro units with
        group, mapping and accepted (whether each is maximally irreducible within). Motifs do not act on each other, so
        with several of them phi_s of all units is 0; `motifs` then lists the scales of each motif by itself, which are
        the complexes.
    """
    parts = [regime.motif(i) for i in range(regime.n // MOTIF)] if planted else [regime]
    found = [scales_of(part, planted) if planted else [_micro(part)] for part in parts]
    truth: dict[str, Any] = {
        "coupling": regime.coupling,
        "bias": _plain(regime.bias),
        "drive": regime.amplitude,
        "drive_kind": regime.drive.kind,
        "drive_s": regime.drive.steps * regime.step_s,
        "drift": regime.drift,
        "hidden": len(regime.hidden),
        "weights": _plain(regime.weights),
        "on_fraction": np.concatenate([part.on_fraction for part in parts]).tolist(),
        "tpm": None,
        "tpm_observational": None,
        "not_observable": regime.not_observable,
        "occupancy": None,
        "scales": found[0],
    }
    if regime.n <= MOST_UNITS:
        truth["tpm"] = regime.p_on.tolist()
        truth["tpm_observational"] = _plain(regime.p_on_observational)
        truth["occupancy"] = regime.occupancy.tolist()
    if len(found) > 1:
        truth["motifs"] = found
        truth["scales"] = [{"route": "micro", "scale": regime.n, "phi_s": 0.0, "phi_s_observational": 0.0}]
    return truth


def _plain(value: Floats | float | None) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def scales_of(regime: Regime, mapping: str = "and") -> list[dict[str, Any]]:
    """Return the measures of one motif (four units) as micro units and as its two planted pairs.

    Args:
        regime: the motif.
        mapping: when a pair is ON, a key of TABLES.

    Returns:
        A list of route, scale and the measures named in `truth_of`.
    """
    pairs, table = [list(pair) for pair in PAIRS], TABLES[mapping]
    group = [next(j for j, pair in enumerate(pairs) if i in pair) for i in range(regime.n)]
    on = np.take(table, states_of(regime.n)[:, pairs] @ np.array([1, 2]))
    macro_occupancy = np.bincount(on @ np.array([1, 2]), regime.occupancy).astype(float)

    def macro(p_on: Floats | None) -> Floats | None:
        return None if p_on is None else derive_macro_tpm(p_on, pairs, [table] * len(pairs))

    planted = {"group": group, "mapping": [mapping] * len(pairs), "accepted": accepted(regime, pairs)}
    known = derive_macro_tpm(regime.p_on, pairs, [table] * len(pairs))
    measured = _measures(known, macro(regime.p_on_observational), macro_occupancy)
    return [_micro(regime), {"route": "macro_units", "scale": len(pairs), **planted, **measured}]


def accepted(regime: Regime, blocks: Sequence[Sequence[int]]) -> list[bool]:
    """Return whether each set of units is maximally irreducible within, states weighted with their occupancy.

    Args:
        regime: the substrate.
        blocks: sets of its units.
    """
    substrate, states = iit.Substrate(regime.p_on), states_of(regime.n)[:, None, :]
    return [
        bool(iit.is_maximally_irreducible_within(substrate, block, states, weights=regime.occupancy))
        for block in blocks
    ]


def _micro(regime: Regime) -> dict[str, Any]:
    measured = _measures(regime.p_on, regime.p_on_observational, regime.occupancy)
    return {"route": "micro", "scale": regime.n, **measured}


def _measures(p_on: Floats, p_on_observational: Floats | None, occupancy: Floats) -> dict[str, float]:
    """Measures of both TPMs, without those that are not known or that cost too much."""
    states = states_of(p_on.shape[1])
    measured = {"effective_information": float(effective_information(state_by_state(p_on)))}
    if p_on.shape[1] <= MOST_UNITS_PHI:
        both = [p_on] if p_on_observational is None else [p_on, p_on_observational]
        phi = iit.phi_batch(np.stack(both), states, threads=1) @ occupancy
        measured |= dict(zip(("phi_s", "phi_s_observational"), map(float, phi), strict=False))
    if p_on.shape[1] <= MOST_UNITS_BIG_PHI:
        measured["big_phi"] = float(iit.big_phi_batch(p_on[None], states, threads=1).phi[0] @ occupancy)
    return measured
