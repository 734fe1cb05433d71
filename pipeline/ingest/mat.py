"""The format `mat`: a variable of a MATLAB file (v5 to v7.3), (frame, neuron) as MATLAB shows it."""

from __future__ import annotations

from pipeline.ingest import arrays
from pipeline.ingest.tabular import COLUMNS, Tabular


class Mat(Tabular):
    """The format `mat`: a variable of a MATLAB file (v5 to v7.3), (frame, neuron) as MATLAB shows it."""

    name = "mat"
    apart = True
    summary = "variable of a MATLAB file, v5 to v7.3 (frame, neuron)"
    methods = "read from MATLAB files"
    suffixes = arrays.SUFFIXES["mat"]
    columns = COLUMNS
