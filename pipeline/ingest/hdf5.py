"""The format `hdf5`: a (frame, neuron) dataset of an HDF5 file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.ingest import arrays
from pipeline.ingest.rows import existing_file, fault, option
from pipeline.ingest.tabular import COLUMNS, Tabular

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.ingest.assembling import Streamed

OWN = {"nwb_version": "nwb", "estimates/C": "caiman"}  # what tells a file that has a format of its own


class Hdf5(Tabular):
    """The format `hdf5`: a (frame, neuron) dataset of an HDF5 file."""

    name = "hdf5"
    apart = True
    summary = "dataset of an HDF5 file (frame, neuron)"
    methods = "read from HDF5 files"
    suffixes = arrays.SUFFIXES["hdf5"]
    columns = COLUMNS

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the dataset that the row names, or of the only one that may be meant.

        Raises:
            PhiscaleError: the file says by its layout what its arrays mean, and has a format of its own.
        """
        _refuse_own_format(row)
        return super().read(row)

    def streamed(self, row: Mapping[str, Any], least: int) -> Streamed | None:
        """Return a large dataset; see `Reader.streamed`."""
        _refuse_own_format(row)
        return super().streamed(row, least)


def _refuse_own_format(row: Mapping[str, Any]) -> None:
    path = existing_file(row, "path")
    own = _own_format(path)
    if own == "nwb" or (own and option(row, "dataset") is None):
        raise fault(path, f"is a file of the format {own}, which says what its arrays mean", f"set format to {own}")


def _own_format(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return next((name for mark, name in OWN.items() if mark in file.attrs or mark in file), "")
    except (OSError, RuntimeError, KeyError):
        return ""  # opening it again says why
