"""Opening the recording that one row of the sheet describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from pipeline.base.recording import validate
from pipeline.ingest.reader import Reader
from pipeline.ingest.registry import READERS, option_columns
from pipeline.ingest.rows import naming


def open_recording(row: Mapping[str, Any]) -> xr.Dataset:
    """Read the recording that one row of the sheet describes, and validate it.

    Args:
        row: recording, subject, path (absolute), format, and the options of the format, e.g.
            rate_hz, dataset, neuropil_dataset, positions, time_dataset, transpose, indicator. Options of other
            formats change nothing.

    Returns:
        The Recording (see `recording.build`).

    Raises:
        PhiscaleError: the file or what it holds cannot be used; the text says why and how to mend.
    """
    with naming(row):
        reader, heeded = reader_of(row)
        dataset = reader.read(heeded)
        validate(dataset)
    return dataset


def reader_of(row: Mapping[str, Any]) -> tuple[Reader, dict[str, Any]]:
    """Return the reader of a row of the sheet, and what of the row it heeds.

    Args:
        row: of the sheet of recordings.

    Raises:
        PhiscaleError: there is no such format.
    """
    reader = READERS.choose(str(row.get("format", "")), "format")
    unheeded = set(option_columns()) - set(reader.columns) - {"path"}
    return reader, {name: value for name, value in row.items() if name not in unheeded}
