"""Opening the recording that one row of the sheet describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import validate
from pipeline.ingest.registry import READERS, naming

from pipeline.ingest import netcdf, simulate, statecodes, tables  # noqa: F401, isort: skip (they register)


def open_recording(row: Mapping[str, Any]) -> xr.Dataset:
    """Read the recording that one row of the sheet describes, and validate it.

    Args:
        row: recording, subject, path (absolute), format, and the options of the format, e.g.
            rate_hz, dataset, neuropil_dataset, positions, time_dataset, transpose, indicator.

    Raises:
        PhiscaleError: the file or what it holds cannot be used; the text says why and how to mend.
    """
    name = str(row.get("format", ""))
    if name not in READERS:
        raise PhiscaleError(
            Problem(
                f"recording {row.get('recording')!r}",
                f"format {name!r} is not known",
                "It cannot be opened",
                f"one of {', '.join(sorted(READERS))}",
            )
        )
    with naming(row):
        dataset = READERS[name](row)
        validate(dataset)
    return dataset
