"""Recordings that are simulated when they are read (format `simulate`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from pipeline.ingest.registry import register
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.recordings import CONDITIONS, default_windows, simulate_recording, simulate_study

__all__ = ["read", "simulate_study"]


@register("simulate")
def read(row: Mapping[str, Any]) -> xr.Dataset:
    """Simulate the recording of a sheet's row; its truth is left out (see `simulate_recording`).

    Options of the row: `windows` (DataFrame), `seed`, `subject_index`, and the fields of `config.Simulate`. Without
    windows: awake, anesthesia and recovery, one after the other.
    """
    fields = {name: row[name] for name in Simulate.model_fields if name in row}
    windows = row.get("windows")
    if windows is None:
        windows = default_windows(str(row["recording"]), CONDITIONS, Simulate(**fields).duration_s)
    conditions = list(dict.fromkeys(windows["condition"]))
    return simulate_recording(
        int(row.get("subject_index", 0)),
        str(row["subject"]),
        str(row["recording"]),
        windows,
        conditions,
        int(row.get("seed", 0)),
        **fields,
    )[0]
