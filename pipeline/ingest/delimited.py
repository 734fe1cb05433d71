"""The format `csv`: delimited text with one row per frame and one column per neuron."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.ingest import arrays, cells
from pipeline.ingest.assembling import Found, assemble
from pipeline.ingest.contents import ASK, Contents
from pipeline.ingest.rows import existing_file, flag, unreadable
from pipeline.ingest.tabular import Tabular, with_companions
from pipeline.ingest.text import read_delimited

if TYPE_CHECKING:
    import xarray as xr

SHOWN = 40  # names of columns that are listed


class Csv(Tabular):
    """The format `csv`: delimited text with one row per frame and one column per neuron (see `text.read_delimited`)."""

    name = "csv"
    summary = "delimited text, one row per frame and one column per neuron"
    methods = "read from delimited text"
    suffixes = arrays.SUFFIXES["csv"]

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the file that the sheet's row names.

        Raises:
            PhiscaleError: the file cannot be read, has no column of a neuron, or is to be transposed.
        """
        path = existing_file(row, "path")
        table = read_delimited(path)
        if flag(row, "transpose"):
            raise unreadable(row, "transpose is set, but CSV has one row per frame", "leave it empty")
        if not table.names:
            raise unreadable(row, "it has no column of a neuron", "add one")
        kept = cells.chosen(row, table.names, table.accepted)
        found = Found(values=table.values[:, kept])
        return assemble(row, path, with_companions(row, path, found, table.names, kept, table.time))

    def look(self, path: Path) -> Contents:
        """Return the columns of a file; see `Reader.look`."""
        table = read_delimited(path)
        n_frames = len(table.values)
        contents = Contents([(", ".join(table.names[:SHOWN]), f"{len(table.names)} columns, {n_frames} frames")])
        if len(table.names) > SHOWN:
            contents.remarks.append(f"and {len(table.names) - SHOWN} more columns")
        if table.accepted is not None:
            contents.remarks.append(f"{int(table.accepted.sum())} of {len(table.names)} cells are not rejected")
        contents.choices = [{} if table.time is not None else {"rate_hz": ASK}]
        return contents
