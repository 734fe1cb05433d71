"""The format `npy`: one (frame, neuron) array of NumPy; companions are other files of the same folder."""

from __future__ import annotations

from pipeline.ingest import arrays
from pipeline.ingest.tabular import Tabular


class Npy(Tabular):
    """The format `npy`: one (frame, neuron) array of NumPy; companions are other files of the same folder."""

    name = "npy"
    summary = "NumPy array (frame, neuron)"
    methods = "read from NumPy arrays"
    suffixes = arrays.SUFFIXES["npy"]
