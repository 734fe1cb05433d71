"""Recordings that are in phiscale's own layout already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from pipeline.base import files, history
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import describe, mark_missing
from pipeline.ingest.registry import existing_file, number, option, register, sha256


@register("netcdf")
def read(row: Mapping[str, Any]) -> xr.Dataset:
    """Read a NetCDF file with the dims, coordinates and attributes of a Recording.

    Recording and subject are the sheet's; the indicator and the frame rate too where it gives them.
    """
    path = existing_file(row, "path")
    try:
        dataset = files.load(path)
    except PhiscaleError as error:
        raise PhiscaleError(
            Problem(str(path), "is not a NetCDF file", "The recording cannot be read", "check the path")
        ) from error
    # NetCDF returns text as objects; fixed-width text is what the other readers give
    for name in ("neuron", "region"):
        if name in dataset.coords:
            dataset = dataset.assign_coords(
                {name: (dataset[name].dims, dataset[name].values.astype(str), dataset[name].attrs)}
            )
    attrs = {
        "recording": str(row["recording"]),
        "subject": str(row["subject"]),
        "indicator": str(option(row, "indicator", dataset.attrs.get("indicator", ""))),
        "source": path.name,
        "source_sha256": sha256(path),
        "format": "netcdf",
    }
    rate = number(row, "rate_hz") or dataset.attrs.get("sampling_rate_hz")
    if rate is not None:
        attrs["sampling_rate_hz"] = float(rate)
    dataset = dataset.assign_attrs(attrs)
    if {"time", "neuron"} <= set(dataset.dims) and {"fluorescence", "dropped"} <= set(dataset):
        dataset = mark_missing(describe(dataset))  # else `validate` tells what is missing
    return history.record(dataset, "ingest.netcdf", source=path.name)
