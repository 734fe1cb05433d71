"""The format `netcdf`: recordings that are in phiscale's own layout already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.base import files, history
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import describe, mark_missing
from pipeline.ingest import cells
from pipeline.ingest.contents import Contents
from pipeline.ingest.guards import own
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, number, option, reading, sha256

if TYPE_CHECKING:
    import xarray as xr


class Netcdf(Reader):
    """The format `netcdf`: a file with the dims, coordinates and attributes of a Recording."""

    name = "netcdf"
    apart = True
    summary = "a Recording as phiscale itself writes it"
    methods = "read from NetCDF files"
    suffixes = (".nc",)
    columns = ("rate_hz", "indicator", *cells.COLUMNS)
    files = ("path",)

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of a file.

        Recording and subject are the sheet's; the indicator and the frame rate too where it gives them.
        """
        path = existing_file(row, "path")
        dataset = _with_fixed_width_text(_load(path))
        attrs: dict[str, Any] = {
            "recording": str(row["recording"]),
            "subject": str(row["subject"]),
            "indicator": str(option(row, "indicator", dataset.attrs.get("indicator", ""))),
            "source": path.name,
            "source_sha256": sha256(path),
            "format": self.name,
        }
        rate = number(row, "rate_hz") or dataset.attrs.get("sampling_rate_hz")
        if rate is not None:
            attrs["sampling_rate_hz"] = float(rate)
        dataset = dataset.assign_attrs(attrs)
        if {"time", "neuron"} <= set(dataset.dims) and {"fluorescence", "dropped"} <= set(dataset):
            dataset = dataset.isel(neuron=cells.chosen(row, [str(name) for name in dataset["neuron"].values]))
            dataset = mark_missing(describe(dataset))  # else `validate` tells what is missing
        return history.record(dataset, "ingest.netcdf", source=path.name)

    def look(self, path: Path) -> Contents:
        """Return the variables of a file; see `Reader.look`."""
        dataset = _load(path)
        contents = Contents([(str(name), str(variable.shape)) for name, variable in dataset.variables.items()])
        contents.choices = [{}] if "fluorescence" in dataset else []
        contents.subject = str(dataset.attrs.get("subject", ""))
        return contents


def _load(path: Path) -> xr.Dataset:
    _check_own(path)
    try:
        return files.load(path)
    except PhiscaleError as error:
        raise PhiscaleError(
            Problem(str(path), "is not a NetCDF file", "The recording cannot be read", "check the path")
        ) from error


def _check_own(path: Path) -> None:
    """Return if all variables lie in the file, and fit into memory; that it is no HDF5 is told by what reads it."""
    import h5py

    if h5py.is_hdf5(path):
        with reading(path, "NetCDF"), h5py.File(path, "r") as file:
            for name in file:
                item = file.get(name) if file.get(name, getclass=True, getlink=True) is not h5py.SoftLink else None
                if isinstance(item, h5py.Dataset):
                    own(path, item)


def _with_fixed_width_text(dataset: xr.Dataset) -> xr.Dataset:
    """Undo that NetCDF returns text as objects; fixed-width text is what the other readers give."""
    for name in ("neuron", "region"):
        if name in dataset.coords:
            values = dataset[name]
            dataset = dataset.assign_coords({name: (values.dims, values.values.astype(str), values.attrs)})
    return dataset
