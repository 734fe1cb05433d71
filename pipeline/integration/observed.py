"""Integrated information of one window at one scale, over its visited states and posterior draws."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

import iitcore as iit
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.integration import batch as measures
from pipeline.integration.surrogates import integrate_nulls

__all__ = ["integrate", "integrate_nulls"]

CARRIED = ("group", "mapping", "macro_state")
POINT = {
    "phi_s": ("ibit", "integrated information of the system"),
    "phi_s_complex": ("ibit", "integrated information of the first complex"),
    "big_phi": ("ibit", "structure integrated information Φ"),
    "sum_phi_d": ("ibit", "sum of the distinctions' integrated information"),
    "sum_phi_r": ("ibit", "sum of the relations' integrated information"),
    "n_distinctions": ("1", "distinctions"),
    "n_relations": ("1", "relations"),
}


def integrate(
    tpm: xr.Dataset,
    states: Sequence[int] | None = None,
    units: Sequence[str] | None = None,
    *,
    big_phi_max_units: int = 5,
    big_phi_draws: int = 20,
    structures: int = 3,
    min_visits: int = 1,
    complex_max_units: int = 6,
    threads: int = 1,
) -> xr.Dataset:
    """Compute phi_s, the first complex and Φ in every visited state, for the estimate and its draws.

    tpm: a unit TPM (`tpm.estimate`) or macro TPM (`coarse.coarse_grain`).
    states: joint states (bit i = unit i) to compute; by default those with `min_visits` frames.
    units: the system that phi_s and Φ are about (names; the rest is background); by default all.
        The first complex is always searched among all subsets of the TPM's units.
    big_phi_max_units, big_phi_draws: largest system that is unfolded, and in how many draws.
    structures: structures stored as JSON, for the most visited states.
    complex_max_units: up to so many units the complex is found in every draw (2**n subsets each);
        larger substrates have it for the point estimate only.

    Returns dims state (all 2**n, NaN where not computed), unit, draw, draw_big:
    phi_s, phi_s_complex, big_phi, sum_phi_d, sum_phi_r, n_distinctions, n_relations, reason (why
    phi_s is 0), complex_member (state, unit), complex_agreement (share of draws with the same first
    complex), visited, visits, occupancy, structure (state); phi_s_draws, phi_s_complex_draws (draw,
    state); big_phi_draws, n_distinctions_draws, n_relations_draws (draw_big, state);
    effective_information [bit], causal_power [1] and their draws (draw). phi is in ibits
    (Albantakis et al. 2023: phi_s Eqs. 14-23, complexes 24-26, structures 27-59). Macro scales keep
    group, mapping, macro_state. The TPM is observational, and so is every number here.

    phi_s jumps where minimum partitions tie. An exactly symmetric substrate sits on such a tie, which
    goes to the larger phi_s; TPMs estimated from it never do, and approach the smaller value beside
    it (half, for two units that affect each other equally), however long the recording.

    Raises `PhiscaleError` for unknown units, or states that the TPM does not have.
    """
    names = [str(u) for u in tpm["unit"].values]
    system = _indices(units, names, tpm)
    visited = _visited(tpm, states, min_visits)
    chosen = np.flatnonzero(visited)
    p_on = tpm["p_on"].transpose("state", "unit").values
    small = len(system) <= big_phi_max_units
    ranked = sorted(chosen, key=lambda s: (-int(tpm["visits"].values[s]), s))
    variables = _point(p_on, names, system, chosen, ranked[:structures] if small else [], small)
    variables |= _scalars(p_on[None])
    if "p_on_draws" in tpm:
        drawn = tpm["p_on_draws"].transpose("draw", "state", "unit").values
        n_big = min(big_phi_draws, len(drawn)) if small else 0
        with_complex = len(names) <= complex_max_units
        member = variables["complex_member"][1]
        variables |= _drawn(drawn, system, chosen, member, n_big, with_complex, threads)
    variables |= {
        "visited": ("state", visited, "1", "computed: visited often enough"),
        "visits": ("state", tpm["visits"].values, "1", "frames in this state"),
        "occupancy": ("state", tpm["occupancy"].values, "1", "share of frames in this state"),
    }
    dataset = xr.Dataset(
        {k: (d, v, {"units": u, "long_name": n}) for k, (d, v, u, n) in variables.items()},
        coords={name: tpm[name] for name in ("state", "unit", "micro_unit", "micro_state") if name in tpm.coords},
        attrs=tpm.attrs,
    )
    dataset = dataset.merge(tpm[[name for name in CARRIED if name in tpm]])
    dataset.attrs["system"] = " ".join(names[i] for i in system)
    return record(
        dataset,
        "integration.integrate",
        states=None if states is None else [int(s) for s in states],
        units=units if units is None else list(units),
        big_phi_max_units=big_phi_max_units,
        big_phi_draws=big_phi_draws,
        structures=structures,
        min_visits=min_visits,
        complex_max_units=complex_max_units,
    )


Variables = dict[str, tuple[Any, Any, str, str]]  # dims, values, units, long_name


def _point(
    p_on: np.ndarray,
    names: list[str],
    system: list[int],
    chosen: np.ndarray,
    stored: Sequence[int],
    small: bool,
) -> Variables:
    """Analyse the point estimate in full: reasons, complexes with ties resolved, structures."""
    n_states, n = p_on.shape
    values = {name: np.full(n_states, np.nan) for name in POINT}
    reason, structure = [""] * n_states, [""] * n_states
    member = np.zeros((n_states, n), dtype=bool)
    substrate = iit.Substrate(p_on, units=tuple(names))
    for state in chosen:
        now = tuple(int(b) for b in measures.bits(np.array([state]), n)[0])
        candidate = substrate.system(now, units=system)
        analysis = iit.system_phi(candidate)
        values["phi_s"][state] = analysis.phi
        reason[state] = str(analysis.reason or "")
        complexes = iit.complexes(substrate, now, threads=1)
        values["phi_s_complex"][state] = complexes[0].phi if complexes else 0.0
        if complexes:
            member[state, list(complexes[0].indices)] = True
        if state in stored:
            structure[state] = json.dumps(iit.unfold(candidate, threads=1).to_dict(), sort_keys=True)
    if small:
        for name, found in measures.structures(p_on[None], chosen, system).items():
            values[name][chosen] = found[0]
    about: Variables = {name: ("state", values[name], *POINT[name]) for name in POINT}
    about["reason"] = ("state", reason, "1", "why phi_s is 0")
    about["structure"] = ("state", structure, "1", "unfolded structure (JSON)")
    about["complex_member"] = (("state", "unit"), member, "1", "units of the first complex")
    return about


def _drawn(
    drawn: np.ndarray,
    system: list[int],
    chosen: np.ndarray,
    member: np.ndarray,
    n_big: int,
    with_complex: bool,
    threads: int,
) -> Variables:
    """phi_s, first complexes and Φ of the posterior draws."""
    n_states, n = drawn.shape[1:]

    def spread(values: np.ndarray) -> np.ndarray:
        """Put values of the chosen states among all states."""
        full = np.full((len(values), n_states), np.nan)
        full[:, chosen] = values
        return full

    phi = measures.system_phi(drawn, chosen, system, threads)
    out: Variables = {
        "phi_s_draws": (("draw", "state"), spread(phi), "ibit", "phi_s of posterior draws"),
    }
    if with_complex:
        best, winner = measures.first_complexes(drawn, chosen, threads)
        same = winner == member[chosen] @ (1 << np.arange(n))
        agreement = np.full(n_states, np.nan)
        agreement[chosen] = same.mean(axis=0)
        out["phi_s_complex_draws"] = (
            ("draw", "state"), spread(best), "ibit", "phi_s of the first complex of posterior draws",
        )  # fmt: skip
        out["complex_agreement"] = (
            "state", agreement, "1", "share of draws with the same first complex",
        )  # fmt: skip
    if n_big:
        whole = measures.structures(drawn[:n_big], chosen, system, threads)
        for name, found in whole.items():
            unit, long_name = POINT[name]
            about = (unit, f"{long_name}, posterior draws")
            out[f"{name}_draws"] = (("draw_big", "state"), spread(found), *about)
    return out | _scalars(drawn, "_draws")


def _scalars(p_on: np.ndarray, suffix: str = "") -> Variables:
    """Effective information and causal power of the point estimate, or of its draws."""
    long_names = {
        "effective_information": ("bit", "effective information of the TPM"),
        "causal_power": ("1", "causal power: effective information / log2(states)"),
    }
    return {
        name + suffix: (
            ("draw",) if suffix else (),
            value if suffix else value[0],
            *long_names[name],
        )
        for name, value in measures.causal_measures(p_on).items()
    }


def _visited(tpm: xr.Dataset, states: Sequence[int] | None, min_visits: int) -> np.ndarray:
    """Which states are computed, (state,) bool."""
    if states is None:
        return tpm["visits"].values >= min_visits
    outside = [s for s in states if not 0 <= s < tpm.sizes["state"]]
    if outside:
        raise PhiscaleError(
            Problem(
                _where(tpm),
                f"has no state {outside[0]}",
                fix=f"states are numbers from 0 to {tpm.sizes['state'] - 1}, bit i for unit i",
            )
        )
    return np.isin(np.arange(tpm.sizes["state"]), states)


def _indices(units: Sequence[str] | None, names: list[str], tpm: xr.Dataset) -> list[int]:
    """Positions of the candidate system's units."""
    if units is None:
        return list(range(len(names)))
    unknown = [u for u in units if u not in names]
    if unknown or not units:
        what = f"has no unit {unknown[0]!r}" if unknown else "is asked about no unit at all"
        raise PhiscaleError(Problem(_where(tpm), what, fix=f"choose among {', '.join(names)}"))
    return sorted(names.index(u) for u in units)


def _where(tpm: xr.Dataset) -> str:
    return f"TPM of {tpm.attrs.get('recording', '?')}, window {tpm.attrs.get('window', '?')}"
