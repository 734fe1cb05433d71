"""The format `spikes`: spike times or counts, for labs without calcium, and tables of detected events."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Array, Floats
from pipeline.ingest import cells
from pipeline.ingest.assembling import Found, assemble
from pipeline.ingest.contents import ASK, Contents
from pipeline.ingest.guards import fitting, stored_enough
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, fault, number, reading
from pipeline.ingest.spiketrains import counts

if TYPE_CHECKING:
    import xarray as xr

COUNTS, TIMES, CLUSTERS, END, RATE = "counts", "spike_times", "spike_clusters", "end_s", "rate_hz"


class SpikeTimes(Reader):
    """The format `spikes`: an NPZ archive or a table of events, counted in frames of `rate_hz`."""

    name = "spikes"
    summary = "spike times or counts of units (NPZ), or a table of events (time, cell)"
    methods = "spikes were counted per frame"
    suffixes = (".npz",)
    columns = ("rate_hz", "positions", *cells.COLUMNS)
    files = ("path", "positions")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the spikes per frame.

        An NPZ holds `counts` (frame, unit) with `rate_hz`; or `spike_times` [s] with `spike_clusters`; or the times of
        each unit in an array of its own. `end_s` says when the recording ended. A CSV has a row per event: time, cell.

        Raises:
            PhiscaleError: the file holds no spikes, or nobody has given the frames in which they are counted.
        """
        path = existing_file(row, "path")
        table, trains, held = _read(path)
        rate = number(row, "rate_hz") or (float(held[RATE]) if RATE in held else None)
        if rate is None:
            raise fault(
                path, "no frame rate is given", "fill in rate_hz, frames per second in which spikes are counted"
            )
        names = [f"n{i}" for i in range(table.shape[1])] if table is not None else list(trains)
        kept = cells.chosen(row, names)
        used = list(compress(names, kept))
        if table is None:
            table = counts([trains[name] for name in used], rate, end_s=float(held[END]) if END in held else None)
        else:
            table = table[:, kept]
        return assemble(
            row,
            path,
            Found(values=table, names=used, rate_hz=rate, kind="spikes", left_out=list(compress(names, ~kept))),
        )

    def recordings(self, path: Path) -> list[Path]:
        """Return an NPZ, or a CSV that has a row per event."""
        if path.suffix.lower() == ".csv" and path.is_file():
            return [path] if _event_columns(path) else []
        return super().recordings(path)

    def look(self, path: Path) -> Contents:
        """Return the units of a file; see `Reader.look`."""
        table, trains, held = _read(path)
        contents = Contents([(name, f"{len(train)} spikes or events") for name, train in trains.items()])
        if table is not None:
            contents.holds.append((COUNTS, str(table.shape)))
        contents.choices = [{} if RATE in held else {"rate_hz": ASK}]
        return contents


def _read(path: Path) -> tuple[Array | None, dict[str, Floats], dict[str, Array]]:
    """Return counts (frame, unit) or None, the times of each unit [s], and what else the file holds."""
    if path.suffix.lower() == ".csv":
        return None, _events(path), {}
    with reading(path, "npz"), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        for one in archive.zip.infolist():
            fitting(path, (one.file_size,), 1, one.filename)
            stored_enough(path, one.file_size, one.compress_size, f"{one.filename} has {one.file_size} bytes")
        held = {name: archive[name] for name in archive.files}
    held = {name: value for name, value in held.items() if value.dtype.kind in "fiub"}
    if COUNTS in held:
        if held[COUNTS].ndim != 2:
            raise fault(path, f"counts has shape {held[COUNTS].shape}, expected (frame, unit)", "turn or split it")
        return held[COUNTS], {}, held
    if {TIMES, CLUSTERS} <= set(held):
        times, unit = np.ravel(held[TIMES]).astype(float), np.ravel(held[CLUSTERS])
        if times.shape != unit.shape:
            raise fault(
                path, f"{len(times)} spike_times for {len(unit)} spike_clusters", "give a cluster to each spike"
            )
        return None, {f"unit{i}": times[unit == i] for i in np.unique(unit)}, held
    trains = {name: value.astype(float) for name, value in held.items() if value.ndim == 1 and name not in (END, RATE)}
    if not trains:
        fix = f"store {COUNTS}, or {TIMES} and {CLUSTERS}, or an array of times for each unit"
        raise fault(path, f"holds no spikes (arrays: {', '.join(held) or 'none'})", fix)
    return None, trains, held


def _event_columns(path: Path) -> tuple[str, str] | None:
    """Return the columns of time and cell of a table of events; None where the file is none."""
    try:
        names = [str(name) for name in pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns]
    except (ValueError, OSError):
        return None
    time = [name for name in names if name.strip().lower().startswith("time")]
    cell = [name for name in names if name.strip().lower() in ("cell name", "cell", "unit", "neuron")]
    return (time[0], cell[0]) if time and cell and len(names) <= 4 else None


def _events(path: Path) -> dict[str, Floats]:
    columns = _event_columns(path)
    if columns is None:
        raise fault(path, "is no table of events: it has no columns of time and cell", "set format to csv for traces")
    with reading(path, "csv"):
        table = pd.read_csv(path, encoding="utf-8-sig")
    time = pd.to_numeric(table[columns[0]], errors="coerce").to_numpy(float)
    if not len(time) or not np.isfinite(time).all():
        raise fault(path, f"the column {columns[0].strip()!r} holds no times", "give seconds in every row")
    cell = table[columns[1]].astype(str).str.strip().to_numpy(str)
    return {str(name): time[cell == name] for name in np.unique(cell)}
