"""The formats that recordings can have, and the columns of the sheet that follow from them."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.base.registry import Registry
from pipeline.ingest import statecodes
from pipeline.ingest.caiman import Caiman
from pipeline.ingest.delimited import Csv
from pipeline.ingest.hdf5 import Hdf5
from pipeline.ingest.mat import Mat
from pipeline.ingest.netcdf import Netcdf
from pipeline.ingest.npy import Npy
from pipeline.ingest.nwb import Nwb
from pipeline.ingest.reader import Reader
from pipeline.ingest.simulate import Simulated
from pipeline.ingest.spikefinder import Spikefinder
from pipeline.ingest.spikes import SpikeTimes
from pipeline.ingest.suite2p import Suite2p

__all__ = ["READERS", "Reader", "columns_of_any_format", "file_columns", "option_columns"]

TRUTH = ("truth",)  # a file of what is true of a simulated recording; its format does not matter


READERS: Registry[Reader] = Registry(
    "format",
    "recordings.tsv: format",
    *(Csv(), Npy(), Mat(), Hdf5(), Netcdf(), Simulated()),
    *(Suite2p(), Caiman(), Nwb(), Spikefinder(), SpikeTimes()),
)


def option_columns() -> tuple[str, ...]:
    """Return the optional columns of the sheet of recordings: those of formats, of state codes, of truth."""
    # the reader that heeds most of them shows in which order they belong
    fullest_first = sorted(READERS.values(), key=lambda reader: -len(reader.columns))
    return _union(*(reader.columns for reader in fullest_first), columns_of_any_format())


def columns_of_any_format() -> tuple[str, ...]:
    """Return the optional columns of the sheet that belong to no format: those of state codes, of truth."""
    return (*statecodes.COLUMNS, *TRUTH)


def file_columns() -> tuple[str, ...]:
    """Return the columns of the sheet of recordings that hold paths."""
    return _union(*(reader.files for reader in READERS.values()), statecodes.FILES, TRUTH)


def _union(*parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part))
