"""Tables of what the latents of one and two dimensions do: measures of their dynamics, and their fixed points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.results.columns import DYNAMICS, FIXED_POINTS
from pipeline.results.tables import table

Row = dict[str, Any]


def gather_dynamics(found: Iterable[xr.Dataset]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gather the dynamics of all windows of a study.

    Args:
        found: results of `encoder.multiscale`, with attrs recording, subject, condition and window.

    Returns:
        The tables dynamics.csv and fixed_points.csv (see `results.columns`).
    """
    rows: list[Row] = []
    points: list[Row] = []
    for dataset in sorted(found, key=lambda d: (d.attrs["recording"], d.attrs["window"])):
        head = {name: dataset.attrs[name] for name in ("recording", "subject", "condition", "window")}
        rows += [head | row for row in _measures(dataset)]
        points += [head | row for row in (*_wells(dataset), *_fixed(dataset))]
    return table(rows, DYNAMICS.names), table(points, FIXED_POINTS.names)


def _measures(dataset: xr.Dataset) -> list[Row]:
    rows: list[Row] = []
    if "flow_drift" in dataset:
        wells, null = int((dataset["well_stable"].values == 1).sum()), dataset["barrier_null"].values
        low, high = float(dataset["barrier_low"]), float(dataset["barrier_high"])
        p, share = float(dataset["barrier_p"]), float(dataset["barrier_share"])
        rows += [
            _row(dataset, 1, "wells", wells),
            _row(dataset, 1, "barrier", float(dataset["barrier"]), null, ci_low=low, ci_high=high, p=p),
            _row(dataset, 1, "switches", int(dataset["switches"])),
            _row(dataset, 1, "metastable", int(dataset["metastable"]), null > 0, share=share, p=p),
        ]
    if "portrait_field" in dataset:
        kinds, null = dataset["fixed_kind"].values.astype(str), dataset["saddles_null"].values
        shares = dataset["fixed_share"].values
        share, p = (float(np.nanmax(shares)) if np.isfinite(shares).any() else np.nan), float(dataset["saddle_p"])
        rows += [
            _row(dataset, 2, "fixed_points", len(kinds)),
            _row(dataset, 2, "saddles", int((kinds == "saddle").sum()), null),
            _row(dataset, 2, "saddle", int(dataset["saddle_found"]), null > 0, share=share, p=p),
        ]
    return rows


def _row(dataset: xr.Dataset, scale: int, measure: str, value: float, null: Any = (), **more: float) -> Row:
    """One row; empty what it has none of."""
    n = len(null)
    return {
        **{"scale": scale, "measure": measure, "value": float(value)},
        **dict.fromkeys(("ci_low", "ci_high", "share", "p"), np.nan),
        **{"null": dataset.attrs["shown"] if n else "", "null_mean": float(np.mean(null)) if n else np.nan},
        "n_surrogates": n,
        **more,
    }


def _wells(dataset: xr.Dataset) -> list[Row]:
    """Zeros of the flow of one latent."""
    if "flow_drift" not in dataset:
        return []
    names = ("well_position", "well_slope", "well_stable", "well_occupancy", "well_residence")
    frame_s, rows = float(dataset.attrs["frame_s"]), []
    for position, slope, stable, share, stay in zip(*(dataset[name].values for name in names), strict=True):
        row = {"scale": 1, "kind": "stable" if stable == 1 else "unstable", "y1": position, "eigenvalue1_real": slope}
        rows.append(_point(row | {"eigenvalue1_imag": 0.0, "occupancy": share, "residence_s": stay * frame_s}))
    return rows


def _fixed(dataset: xr.Dataset) -> list[Row]:
    """Fixed points of two latents."""
    if "portrait_field" not in dataset:
        return []
    rows = []
    for at, kind in enumerate(dataset["fixed_kind"].values.astype(str)):
        (y1, y2), values = dataset["fixed_position"].values[at], dataset["fixed_eigenvalue"].values[at]
        row = {"scale": 2, "kind": kind, "y1": y1, "y2": y2, "share": float(dataset["fixed_share"].values[at])}
        row |= {"eigenvalue1_real": values[0, 0], "eigenvalue1_imag": values[0, 1]}
        row |= {"eigenvalue2_real": values[1, 0], "eigenvalue2_imag": values[1, 1]}
        if kind == "saddle":
            direction = dataset["fixed_direction"].values[at]
            row |= {"unstable_y1": direction[0, 0], "unstable_y2": direction[1, 0]}
            row |= {"stable_y1": direction[0, 1], "stable_y2": direction[1, 1]}
        rows.append(_point(row))
    return rows


def _point(row: Row) -> Row:
    """A row with all columns, NaN where it has no number."""
    numbers = [column.name for column in FIXED_POINTS.columns if column.number]
    return dict.fromkeys(numbers, np.nan) | row
