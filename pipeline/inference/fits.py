"""How far the unit TPM of each window can be trusted: how much data it has, and what it leaves unexplained."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.integration.occupancy import window_of
from pipeline.results.columns import FITS
from pipeline.results.tables import table

ATTRIBUTES = (
    *("recording", "subject", "condition", "window", "n_frames", "n_transitions", "least_visits"),
    *("states_never_visited", "held_out_bits", "estimator", "flag"),
)


def gather_fits(tpms: Iterable[xr.Dataset]) -> pd.DataFrame:
    """Return one row per unit TPM, sorted by recording and window, with the columns of fits.csv.

    Args:
        tpms: results of `tpm.estimate_window`.
    """
    rows = [
        {name: tpm.attrs.get(name) for name in ATTRIBUTES}
        | {"scale": tpm.sizes["unit"], "n_states": tpm.sizes["state"]}
        | {"transitions_per_state": int(tpm.attrs["n_transitions"]) / tpm.sizes["state"]}
        | {"held_out_gain": held_out_gain(tpm), "largest_residual": largest_residual(tpm)}
        for tpm in sorted(tpms, key=window_of)
    ]
    return table(rows, FITS.names)


def held_out_gain(tpm: xr.Dataset) -> float:
    """Held-out log2-likelihood of a TPM above that of constant rates [bit per transition and unit]."""
    fit, rate = (float(tpm.attrs.get(name, np.nan)) for name in ("held_out_bits", "held_out_bits_rate"))
    return fit - rate


def largest_residual(tpm: xr.Dataset) -> float:
    """Largest instantaneous correlation of two units that a TPM leaves unexplained; NaN where there is none."""
    if "residual_correlation" not in tpm:
        return float("nan")
    values = np.abs(tpm["residual_correlation"].values.astype(float))
    off = values[~np.eye(len(values), dtype=bool)]
    return float(np.nanmax(off)) if np.isfinite(off).any() else float("nan")
