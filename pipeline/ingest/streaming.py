"""Recordings that are large: never held as a whole, but read twice, to see what is missing and to write the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base import files
from pipeline.base.recording import blank, describe, marked, single, validate
from pipeline.ingest.assembling import Streamed, about, filled_frames, recorded
from pipeline.ingest.blocks import Survey
from pipeline.ingest.opening import open_recording, reader_of
from pipeline.ingest.rows import naming

LABEL = {"units": "a.u.", "long_name": "fluorescence"}
LARGE = 2**27  # values (frames × neurons), from which on a recording is read in parts


def ingest_into(path: str | Path, row: Mapping[str, Any]) -> None:
    """Write what `open_recording` returns of a row of the sheet.

    Args:
        path: of the file (NetCDF).
        row: of the sheet of recordings.

    Raises:
        PhiscaleError: as `open_recording`.
    """
    streamed, heeded = _streamed(row)
    if streamed is None:
        files.save(open_recording(row), path)
        return
    with naming(row):
        files.write_whole(path, lambda partial: _write(partial, heeded, streamed))


@contextmanager
def held(row: Mapping[str, Any]) -> Iterator[xr.Dataset]:
    """Hold what `open_recording` returns for a while, a large one in a temporary file, from which parts are read.

    Args:
        row: of the sheet of recordings.

    Raises:
        PhiscaleError: as `open_recording`.
    """
    streamed, heeded = _streamed(row)
    if streamed is None:
        yield open_recording(row)
        return
    with TemporaryDirectory(prefix="phiscale-") as folder:
        path = Path(folder) / "recording.nc"
        with naming(row):
            files.write_whole(path, lambda partial: _write(partial, heeded, streamed, compressed=False))
        with files.opened(path) as dataset:
            yield dataset


def read_through(row: Mapping[str, Any]) -> None:
    """Read all of a recording once, and keep nothing; raises as `open_recording`.

    Args:
        row: of the sheet of recordings.
    """
    streamed, _ = _streamed(row)
    if streamed is None:
        open_recording(row)
        return
    with naming(row):
        for _ in streamed.parts():
            pass


def _streamed(row: Mapping[str, Any]) -> tuple[Streamed | None, dict[str, Any]]:
    """Return a large recording as what is read in parts, None for others; and what of the row is heeded."""
    with naming(row):
        reader, heeded = reader_of(row)
        return reader.streamed(heeded, LARGE), heeded


def _write(path: Path, row: Mapping[str, Any], streamed: Streamed, compressed: bool = True) -> None:
    survey = Survey.of(streamed.shape, streamed.parts())
    filled = filled_frames(row, survey)
    if filled is not None:
        survey = Survey.of(streamed.shape, streamed.parts(), without=filled)
    n_frames, n_neurons = streamed.shape
    dataset = blank(n_frames, n_neurons, **about(row, streamed.path, streamed.found, streamed.shape))
    empty = ~survey.known
    dataset = recorded(row, streamed.path, streamed.found, marked(dataset, empty, survey.missing == n_neurons))
    kept = ~empty if dataset.sizes["neuron"] < n_neurons else np.ones(n_neurons, bool)
    with files.Layers(path, int(kept.sum()), n_frames, compressed) as layers:
        for frames, block in streamed.parts():
            values = single(block)[:, kept]
            if filled is not None:
                values = np.where(filled[frames, None], np.float32(np.nan), values)
            layers.put("fluorescence", 0, values, LABEL, frame=frames.start)
    files.add(describe(dataset), path)
    with files.opened(path) as whole:
        validate(whole)
