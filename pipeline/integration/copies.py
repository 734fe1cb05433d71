"""Measures of a window's simulated copies: of what each was simulated from, and of what was estimated of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from iitcore import Formalism
from pipeline.base.arrays import Bools, Floats
from pipeline.integration import batch as measures
from pipeline.integration.occupancy import weighted_mean
from pipeline.results.measures import MEASURES

SIDES = ("truth", "estimate")
Measured = Callable[[Floats, Floats], dict[str, Floats]]  # TPMs (tpm, state, unit), weights (state) -> (tpm,) each


def measure_copies(
    tpm: xr.Dataset,
    units: Sequence[int],
    counts: Bools,
    min_visits: int,
    complexes: bool,
    threads: int = 1,
    formalism: Formalism = "2023",
) -> dict[str, xr.DataArray]:
    """Compute the cheap measures of every copy, as true and as estimated.

    Args:
        tpm: with copies (`pipeline.tpm.copies`).
        units: positions of the system's units.
        counts: (state,) which states count at all.
        min_visits: frames from which on a state of an estimate counts as visited, as in the window itself.
        complexes: whether first complexes are searched.
        threads: of the exact engine.
        formalism: version of the theory.

    Returns:
        phi_s, phi_s_complex, effective_information, causal_power and phi_s_observational as NAME_copies (copy, side):
        the truth is that of the copy's TPM, its states weighted with their stationary probabilities; the estimate is
        the mean over the draws that were estimated, weighted with the shares of simulated frames. These draws are
        NAME_copies_draws (copy, copy_draw).
    """

    def measured(p_on: Floats, weights: Floats) -> dict[str, Floats]:
        chosen = np.flatnonzero(weights > 0)
        phi = {"phi_s": measures.system_phi(p_on, chosen, units, threads, formalism)}
        if complexes:
            phi["phi_s_complex"] = measures.first_complexes(p_on, chosen, threads, formalism)[0]
        window = {name: weighted_mean(value, weights[chosen]) for name, value in phi.items()}
        return window | measures.causal_measures(p_on)

    always, occupancy = (
        tpm[name].transpose("copy", "state").values * counts for name in ("copy_stationary", "copy_occupancy")
    )
    occupancy = np.where(occupancy * tpm.attrs["n_frames"] >= min_visits - 0.5, occupancy, 0.0)

    def sides(name: str, measured: Measured) -> list[tuple[dict[str, Floats], dict[str, Floats]]]:
        truth, drawn = (
            tpm[v].transpose("copy", ..., "state", "unit").values.astype(float) for v in (name, f"{name}_draws")
        )
        return [(measured(truth[b][None], always[b]), measured(drawn[b], occupancy[b])) for b in range(len(truth))]

    def not_held(p_on: Floats, weights: Floats) -> dict[str, Floats]:
        chosen = np.flatnonzero(weights > 0)
        phi = measures.system_phi(p_on, chosen, units, threads, formalism)
        return {"phi_s_observational": weighted_mean(phi, weights[chosen])}

    rows = sides("copy_p_on", measured)
    if "copy_observational" in tpm:
        for row, other in zip(rows, sides("copy_observational", not_held), strict=True):
            for side, more in zip(row, other, strict=True):
                side |= more
    found = {}
    for name in rows[0][0]:
        values = [[float(side[name].mean()) for side in row] for row in rows]
        about = {"units": MEASURES[name].unit, "long_name": f"{MEASURES[name].long_name}, simulated copies"}
        axis = ("side", list(SIDES), {"units": "1", "long_name": "what a copy was simulated from, and its estimate"})
        found[f"{name}_copies"] = xr.DataArray(values, {"side": axis}, ("copy", "side"), attrs=about)
        about = {**about, "long_name": f"{about['long_name']}, posterior draws of their estimates"}
        drawn = [estimated[name] for _, estimated in rows]
        found[f"{name}_copies_draws"] = xr.DataArray(drawn, dims=("copy", "copy_draw"), attrs=about)
    return found
