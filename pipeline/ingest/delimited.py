"""The format `csv`: delimited text with one row per frame and one column per neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.ingest import arrays
from pipeline.ingest.rows import existing_file
from pipeline.ingest.tabular import Tabular, assemble, flag, unreadable
from pipeline.ingest.text import read_table

if TYPE_CHECKING:
    import xarray as xr


class Csv(Tabular):
    """The format `csv`: delimited text with one row per frame and one column per neuron (see `text.read_table`)."""

    name = "csv"
    summary = "delimited text, one row per frame and one column per neuron"
    methods = "read from delimited text"
    suffixes = arrays.SUFFIXES["csv"]

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the file that the sheet's row names."""
        path = existing_file(row, "path")
        table = read_table(path)
        if flag(row, "transpose"):
            raise unreadable(row, "transpose is set, but CSV has one row per frame", "leave it empty")
        if not table.names:
            rejected = ", ".join(table.left_out) or "none"
            raise unreadable(row, f"it has no column of a neuron (rejected: {rejected})", "add one")
        return assemble(row, path, table.values, table.names, table.time, table.left_out)
