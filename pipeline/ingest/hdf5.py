"""The format `hdf5`: a (frame, neuron) dataset of an HDF5 file."""

from __future__ import annotations

from pipeline.ingest import arrays
from pipeline.ingest.tabular import COLUMNS, Tabular


class Hdf5(Tabular):
    """The format `hdf5`: a (frame, neuron) dataset of an HDF5 file."""

    name = "hdf5"
    summary = "dataset of an HDF5 file (frame, neuron)"
    methods = "read from HDF5 files"
    suffixes = arrays.SUFFIXES["hdf5"]
    columns = COLUMNS
