"""Whether a value comes again: each window's first half held against its second.

What two halves of one window, in one condition, differ by is noise (or drift). A difference between conditions that is
not larger than that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.errors import PhiscaleError
from pipeline.integration.batch import causal_measures, system_phi
from pipeline.integration.occupancy import weighted_mean
from pipeline.results.columns import HALVES
from pipeline.results.tables import table
from pipeline.tpm.estimation import estimate

MEASURES_OF_HALVES = ("phi_s", "effective_information")
LEAST_WINDOWS = 4  # with both halves, for a reliability
MOST_UNITS = 6


def split_halves(recordings: Iterable[xr.Dataset], **estimation: Any) -> pd.DataFrame:
    """Return measures of the first and the second half of each window.

    Halves are of all frames of a window, whatever others it is matched with. Each half is estimated by itself, from its
    states as they are (an estimator that takes states as hidden is fitted to states as given), without draws.

    Args:
        recordings: states of each recording (`pipeline.binarize.binarize_windows`).
        **estimation: method, lag and the estimator's own parameters, as for `pipeline.tpm.estimate`.

    Returns:
        The table halves.csv (see `results.columns`): one row per window and measure, phi_s as the mean over visited
        states under the half's own occupancy. NaN where a half is too short for the estimator.
    """
    rows = []
    for states in recordings:
        names = [str(name) for name in states["window_name"].values]
        for name in names if states.sizes["unit"] <= MOST_UNITS else []:
            part = states.isel(frame=np.flatnonzero(states["window"].values.astype(str) == name))
            rows += list(_of_window(part.drop_vars("matched"), name, estimation))
    return table(rows, HALVES.names)


def _of_window(part: xr.Dataset, name: str, estimation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    middle = part.sizes["frame"] // 2
    halves = [_values(part.isel(frame=place), estimation) for place in (slice(None, middle), slice(middle, None))]
    head = {
        "recording": part.attrs["recording"],
        "subject": part.attrs["subject"],
        "condition": str(part["condition"].values[0]),
        "window": name,
        "scale": part.sizes["unit"],
        "n_frames": middle,
    }
    for measure in MEASURES_OF_HALVES:
        first, second = (half.get(measure, np.nan) for half in halves)
        yield head | {"measure": measure, "first": first, "second": second}


def _values(half: xr.Dataset, estimation: dict[str, Any]) -> dict[str, float]:
    try:
        tpm = estimate(half, **estimation)
    except PhiscaleError:
        return {}  # too short, or a unit that never changes
    p_on, occupancy = tpm["p_on"].values[None], tpm["occupancy"].values
    visited = np.flatnonzero(occupancy > 0)
    phi = np.full(len(occupancy), np.nan)
    phi[visited] = system_phi(p_on, visited)[0]
    power = causal_measures(p_on)["effective_information"]
    return {"phi_s": float(weighted_mean(phi, occupancy)), "effective_information": float(power[0])}


def reliability(halves: pd.DataFrame) -> pd.DataFrame:
    """Return how well values come again, per measure and scale.

    Args:
        halves: rows of halves.csv.

    Returns:
        Columns measure, scale, n_windows (with both halves), mean (of both halves), noise_sd (standard deviation of the
        difference over √2: of a half's value), spread_sd (between windows, of the mean of both halves), r (Pearson,
        between first and second halves over windows) and drift (mean of second minus first). No rows for less than
        four windows.

    >>> halves = pd.DataFrame({"measure": "phi_s", "scale": 4, "first": [1, 2, 3, 4.0], "second": [1, 2, 3, 4.0]})
    >>> reliability(halves)[["noise_sd", "r"]].values.round(3).tolist()
    [[0.0, 1.0]]
    """
    rows = []
    for (measure, scale), part in halves.dropna(subset=["first", "second"]).groupby(["measure", "scale"], sort=False):
        if len(part) < LEAST_WINDOWS:
            continue
        first, second = part["first"].to_numpy(float), part["second"].to_numpy(float)
        mean, vary = (first + second) / 2, first.std() > 0 and second.std() > 0
        rows.append(
            {
                "measure": measure,
                "scale": scale,
                "n_windows": len(part),
                "mean": mean.mean(),
                "noise_sd": (second - first).std(ddof=1) / np.sqrt(2),
                "spread_sd": mean.std(ddof=1),
                "r": float(np.corrcoef(first, second)[0, 1]) if vary else np.nan,
                "drift": float((second - first).mean()),
            }
        )
    return pd.DataFrame(rows, columns=["measure", "scale", "n_windows", "mean", "noise_sd", "spread_sd", "r", "drift"])
