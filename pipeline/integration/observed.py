"""Integrated information of one window at one scale, over its visited states and posterior draws."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

import iitcore as iit
from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.parameters import filled
from pipeline.base.raster import bits, encode
from pipeline.integration import batch as measures
from pipeline.integration.copies import measure_copies
from pipeline.integration.crossfit import measure_crossed
from pipeline.integration.parameters import Iit
from pipeline.results.measures import MEASURES, OF_STATE

Variables = dict[str, tuple[Any, Any, str, str]]  # dims, values, units, long_name

_LEAST = (MEASURES["effective_information"].unit, "least that the rows visited often enough imply, posterior draws")
CARRIED = ("group", "mapping", "macro_state", "valid_unit")


def integrate(
    tpm: xr.Dataset,
    states: Sequence[int] | None = None,
    units: Sequence[str] | None = None,
    *,
    threads: int = 1,
    **iit: Any,
) -> xr.Dataset:
    """Compute phi_s, the first complex and Φ in every visited state, for the estimate and its draws.

    phi_s jumps where minimum partitions tie. An exactly symmetric substrate sits on such a tie, which
    goes to the larger phi_s; TPMs estimated from it never do, and approach the smaller value beside
    it (half, for two units that affect each other equally), however long the recording.

    Args:
        tpm: a unit TPM (`tpm.estimate`) or macro TPM (`macro.coarse_grain`).
        states: joint states (bit i = unit i) to compute; by default those with `min_visits` frames.
        units: the system that phi_s and Φ are about (names; the rest is background); by default all.
            The first complex is always searched among all subsets of the TPM's units.
        threads: of the exact engine; the numbers do not depend on it.
        **iit: fields of the section `iit` (`pipeline.integration.parameters.Iit`): formalism, big_phi_max_units,
            big_phi_draws, structures, min_visits, complex_max_units.

    Returns:
        Dataset with dims state (all 2**n, NaN where not computed), unit, draw, draw_big:
        phi_s, phi_s_complex, big_phi, sum_phi_d, sum_phi_r, n_distinctions, n_relations, reason (why
        phi_s is 0), complex_member (state, unit), complex_agreement (share of draws with the same first
        complex), visited, visits, occupancy, structure (state); phi_s_draws, phi_s_complex_draws (draw,
        state); big_phi_draws, n_distinctions_draws, n_relations_draws (draw_big, state);
        effective_information [bit], causal_power [1] and their draws (draw). Of a TPM with simulated copies,
        phi_s_copies, phi_s_complex_copies, effective_information_copies and causal_power_copies (copy, side) of
        what they were simulated from and of their estimates (`integration.copies`). phi is in ibits
        (Albantakis et al. 2023: phi_s Eqs. 14-23, complexes 24-26, structures 27-59). Macro scales keep
        group, mapping, macro_state, valid_unit. The TPM is observational, and so is every number here.

    Raises:
        PhiscaleError: unknown units, states that the TPM does not have, a parameter that `iit` does not have.
    """
    options = filled(Iit, iit, "iit")
    system = System.of(tpm, units, _visited(tpm, states, options.min_visits))
    small = len(system.units) <= options.big_phi_max_units
    ranked = sorted(map(int, system.chosen), key=lambda s: (-int(tpm["visits"].values[s]), s))
    variables = _point(system, ranked[: options.structures] if small else [], small, options.formalism)
    variables |= _observational(tpm, system, threads, options.formalism)
    variables |= _scalars(system.p_on[None])
    if "p_on_draws" in tpm:
        drawn = tpm["p_on_draws"].transpose("draw", "state", "unit").values
        member = variables["complex_member"][1] if len(system.names) <= options.complex_max_units else None
        n_big = min(options.big_phi_draws, len(drawn)) if small else 0
        variables |= _drawn(drawn, system, member, n_big, threads, options.formalism)
        if "micro_unit" not in tpm.coords:  # rows of macro units are made of several micro ones
            known = tpm["visits"].values >= options.min_row_visits
            variables["information_of_rows_draws"] = ("draw", measures.least_information(drawn, known), *_LEAST)
    variables |= {
        "visited": ("state", system.visited, "1", "computed: visited often enough"),
        "visits": ("state", tpm["visits"].values, "1", "frames in this state"),
        "occupancy": ("state", tpm["occupancy"].values, "1", "share of frames in this state"),
    }
    dataset = xr.Dataset(
        {k: (d, v, {"units": u, "long_name": n}) for k, (d, v, u, n) in variables.items()},
        coords={name: tpm[name] for name in ("state", "unit", "micro_unit", "micro_state") if name in tpm.coords},
        attrs=tpm.attrs,
    )
    dataset = dataset.merge(tpm[[name for name in CARRIED if name in tpm]])
    if "copy_p_on" in tpm:
        counts = np.ones(len(system.visited), bool) if states is None else system.visited
        complexes = len(system.names) <= options.complex_max_units
        dataset = dataset.assign(
            measure_copies(tpm, system.units, counts, options.min_visits, complexes, threads, options.formalism)
        )
    if "cross_group" in tpm and units is None and states is None:
        dataset = dataset.assign(measure_crossed(tpm, options, threads))
    dataset.attrs["formalism"] = options.formalism
    dataset.attrs["system"] = " ".join(system.names[i] for i in system.units)
    return record(
        dataset,
        "integration.integrate",
        states=None if states is None else [int(s) for s in states],
        units=units if units is None else list(units),
        **options.model_dump(),
    )


@dataclass(frozen=True)
class System:
    """A candidate system in its substrate, and the states in which it is looked at.

    Attributes:
        p_on: (state, unit) TPM of the substrate.
        names: (unit,) of the substrate.
        units: positions of the system's units; the others are background.
        visited: (state,) which states are computed.
    """

    p_on: Floats
    names: list[str]
    units: list[int]
    visited: Bools

    @classmethod
    def of(cls, tpm: xr.Dataset, units: Sequence[str] | None, visited: Bools) -> System:
        """Return the system of these units of a TPM.

        Args:
            tpm: TPM of the substrate, with `p_on`.
            units: names; None for all.
            visited: (state,) which states are computed.

        Raises:
            PhiscaleError: a unit that the TPM does not have, or none at all.
        """
        names = [str(u) for u in tpm["unit"].values]
        return cls(tpm["p_on"].transpose("state", "unit").values, names, _indices(units, names, tpm), visited)

    @property
    def chosen(self) -> Ints:
        """Numbers of the states that are computed."""
        return np.flatnonzero(self.visited)

    def spread(self, values: Array) -> Floats:
        """Put values (..., chosen state) among all states, (..., state), NaN elsewhere."""
        full = np.full((*values.shape[:-1], len(self.visited)), np.nan)
        full[..., self.visited] = values
        return full


def _point(system: System, stored: Sequence[int], small: bool, formalism: iit.Formalism) -> Variables:
    """Analyse the point estimate in full: reasons, complexes with ties resolved, structures."""
    n_states, n = system.p_on.shape
    values = {name: np.full(n_states, np.nan) for name in OF_STATE if name != "phi_s_observational"}
    reason, structure = [""] * n_states, [""] * n_states
    member = np.zeros((n_states, n), dtype=bool)
    substrate = iit.Substrate(system.p_on, units=tuple(system.names))
    for state in map(int, system.chosen):
        now = tuple(int(b) for b in bits(np.array([state]), n)[0])
        candidate = substrate.system(now, units=system.units)
        analysis = iit.system_phi(candidate, formalism)
        values["phi_s"][state] = analysis.phi
        reason[state] = str(analysis.reason or "")
        complexes = iit.complexes(substrate, now, threads=1, formalism=formalism)
        values["phi_s_complex"][state] = complexes[0].phi if complexes else 0.0
        if complexes:
            member[state, list(complexes[0].indices)] = True
        if state in stored:
            structure[state] = json.dumps(
                iit.unfold(candidate, threads=1, formalism=formalism).to_dict(), sort_keys=True
            )
    if small:
        point = measures.structures(system.p_on[None], system.chosen, system.units, formalism=formalism)
        for name, found in point.items():
            values[name][system.chosen] = found[0]
    about: Variables = {name: ("state", found, *_about(name)) for name, found in values.items()}
    about["reason"] = ("state", reason, "1", "why phi_s is 0")
    about["structure"] = ("state", structure, "1", "unfolded structure (JSON)")
    about["complex_member"] = (("state", "unit"), member, "1", "units of the first complex")
    return about


def _drawn(
    drawn: Floats, system: System, member: Bools | None, n_big: int, threads: int, formalism: iit.Formalism
) -> Variables:
    """phi_s, first complexes and Φ of the posterior draws (draw, state, unit).

    `member` (state, unit): units of the estimate's first complex; None where the draws' are not searched.
    """
    chosen = system.chosen
    phi = system.spread(measures.system_phi(drawn, chosen, system.units, threads, formalism))
    out: Variables = {"phi_s_draws": (("draw", "state"), phi, MEASURES["phi_s"].unit, "phi_s of posterior draws")}
    if member is not None:
        best, winner = measures.first_complexes(drawn, chosen, threads, formalism)
        same = winner == encode(member[chosen])
        about = (MEASURES["phi_s_complex"].unit, "phi_s of the first complex of posterior draws")
        out["phi_s_complex_draws"] = (("draw", "state"), system.spread(best), *about)
        agreement = system.spread(same.mean(axis=0))
        out["complex_agreement"] = ("state", agreement, "1", "share of draws with the same first complex")
    if n_big:
        for name, found in measures.structures(drawn[:n_big], chosen, system.units, threads, formalism).items():
            unit, long_name = _about(name)
            out[f"{name}_draws"] = (
                ("draw_big", "state"),
                system.spread(found),
                unit,
                f"{long_name}, posterior draws",
            )
    return out | _scalars(drawn, "_draws")


def _observational(tpm: xr.Dataset, system: System, threads: int, formalism: iit.Formalism) -> Variables:
    """phi_s of the TPM in which the common drive is not held, and of its draws; none where no drive was modelled."""
    found: Variables = {}
    unit, long_name = _about("phi_s_observational")
    for suffix, dims, words in (("", (), ""), ("_draws", ("draw",), ", posterior draws")):
        if f"p_on_observational{suffix}" in tpm:
            p_on = tpm[f"p_on_observational{suffix}"].transpose(*dims, "state", "unit").values
            of = p_on if dims else p_on[None]
            phi = system.spread(measures.system_phi(of, system.chosen, system.units, threads, formalism))
            name = f"phi_s_observational{suffix}"
            found[name] = ((*dims, "state"), phi if dims else phi[0], unit, long_name + words)
    return found


def _scalars(p_on: Floats, suffix: str = "") -> Variables:
    """Effective information and causal power of the point estimate, or of its draws."""
    return {
        name + suffix: (
            ("draw",) if suffix else (),
            value if suffix else value[0],
            *_about(name),
        )
        for name, value in measures.causal_measures(p_on).items()
    }


def _about(measure: str) -> tuple[str, str]:
    """Unit and long name of a measure."""
    return MEASURES[measure].unit, MEASURES[measure].long_name


def _visited(tpm: xr.Dataset, states: Sequence[int] | None, min_visits: int) -> Bools:
    """Which states are computed, (state,)."""
    if states is None:
        often: Bools = tpm["visits"].values >= min_visits
        return often
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
