"""Measures of macro units that were learned on one half of a window and are evaluated on the other, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from pipeline.base.arrays import Floats
from pipeline.integration.batch import causal_measures, window_measures
from pipeline.integration.parameters import Iit
from pipeline.macro.crossfit import groupings_of
from pipeline.results.measures import MEASURES

GAIN = "delta_causal_power"


def averaged(parts: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Return the mean of what was measured in each of the parts.

    Args:
        parts: the same measures of each.
    """
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}


def measure_crossed(tpm: xr.Dataset, options: Iit, threads: int = 1) -> dict[str, xr.DataArray]:
    """Compute all measures of cross-fitted macro units.

    Args:
        tpm: macro TPM with halves (`pipeline.macro.crossfit`).
        options: the section `iit`.
        threads: of the exact engine.

    Returns:
        NAME_cross, the mean over both halves of the measure under the grouping that was learned on the other, states
        weighted with the half's own occupancy; and NAME_cross_draws (draw), of structures (draw_big), of the posterior
        draws of the halves. Their gain in causal power is over the micro units of the same half.
    """
    parts, drawn = [], "cross_p_on_draws" in tpm
    for half, grouping in enumerate(groupings_of(tpm)):
        micro = tpm["half_p_on"].values[half]
        p_on, power = grouping.macro_p_on(micro)[None], causal_measures(micro[None])["causal_power"]
        if drawn:
            p_on = np.concatenate([p_on, tpm["cross_p_on_draws"].values[half]])
            power = np.concatenate([power, tpm["half_power_draws"].values[half]])
        visits = np.bincount(grouping.macro_state(), weights=tpm["half_visits"].values[half], minlength=p_on.shape[1])
        found = window_measures(p_on, np.tile(visits, (len(p_on), 1)), options, 1 + options.big_phi_draws, threads)
        parts.append(found | {GAIN: found["causal_power"] - power})
    made = {}
    for name, values in averaged(parts).items():
        about = {"units": MEASURES[name].unit, "long_name": f"{MEASURES[name].long_name}, cross-fitted"}
        made[f"{name}_cross"] = xr.DataArray(values[0], attrs=about)
        if drawn:
            dim = "draw_big" if MEASURES[name].unfolded else "draw"
            made[f"{name}_cross_draws"] = xr.DataArray(values[1:], dims=(dim,), attrs=about)
    return made
