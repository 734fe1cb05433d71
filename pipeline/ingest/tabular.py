"""Recordings that are tables of frames by neurons, with companions for time, neuropil and positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.files import CHUNK
from pipeline.ingest import arrays, cells
from pipeline.ingest.assembling import Found, Streamed, assemble
from pipeline.ingest.blocks import Stored, gather, parts
from pipeline.ingest.contents import Contents
from pipeline.ingest.looking import look
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, flag, option, unreadable

if TYPE_CHECKING:
    import xarray as xr

IN_PARTS = ("npy", *arrays.NAMED)  # kinds of files of which parts can be read
LEAST_FRAMES_PER_NEURON = 2  # with fewer a table may as well lie the other way
COLUMNS = (
    *("rate_hz", "dataset", "transpose", "zero_frames", "indicator"),
    *("neuropil_path", "neuropil_dataset", "positions", "time_dataset", "time_zero", *cells.COLUMNS),
)


class Tabular(Reader):
    """What the readers of tables have in common; `name` is a kind of `arrays.read`."""

    columns = tuple(name for name in COLUMNS if name != "dataset")
    files = ("path", "neuropil_path", "positions")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the array that the sheet's row names."""
        path = existing_file(row, "path")
        with arrays.opened(path, option(row, "dataset"), self.name) as source:
            names = [f"n{i}" for i in range(n_neurons(row, source))]
            kept = cells.chosen(row, names)
            values, dataset = taken(row, source, kept), source.name
        return assemble(row, path, with_companions(row, path, Found(values=values, dataset=dataset), names, kept))

    def streamed(self, row: Mapping[str, Any], least: int) -> Streamed | None:
        """Return a large table of traces without neuropil; see `Reader.streamed`."""
        beside = any(option(row, name) is not None for name in ("neuropil_path", "neuropil_dataset"))
        if beside or self.name not in IN_PARTS:
            return None
        path, dataset = existing_file(row, "path"), option(row, "dataset")
        with arrays.opened(path, dataset, self.name) as source:
            if _is_vector(source):
                return None
            names, across = [f"n{i}" for i in range(n_neurons(row, source))], lies_across(row, source.shape)
            kept = cells.chosen(row, names)
            shape = source.shape[int(across)], int(kept.sum())
            if shape[0] * shape[1] < least:
                return None
            found = Found(values=np.broadcast_to(np.float32(0), shape), dataset=source.name)  # takes no memory

        def read() -> Iterator[tuple[slice, Array]]:
            with arrays.opened(path, dataset, self.name) as source:
                yield from parts(source, across, kept, CHUNK[0])

        return Streamed(path, with_companions(row, path, found, names, kept), shape, read)

    def look(self, path: Path) -> Contents:
        """Return the arrays of a file; see `Reader.look`."""
        return look(path, self.name)


def n_neurons(row: Mapping[str, Any], source: Stored) -> int:
    """Return the number of neurons of an array; raises as `lies_across`."""
    return 1 if _is_vector(source) else source.shape[0 if lies_across(row, source.shape) else 1]


def taken(row: Mapping[str, Any], source: Stored, kept: Bools) -> Array:
    """Return (frame, neuron) values of an array; raises as `lies_across`.

    Args:
        row: of the sheet of recordings; its cell `transpose` says whether the array is (neuron, frame).
        source: the array as it stands in the file; of one neuron it may have one dimension.
        kept: (neuron,) those that are used.
    """
    return source.whole().reshape(-1, 1) if _is_vector(source) else gather(source, lies_across(row, source.shape), kept)


def _is_vector(source: Stored) -> bool:
    return len(source.shape) == 1 or (len(source.shape) == 2 and 1 in source.shape)


def lies_across(row: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    """Return whether an array is (neuron, frame); refuse an orientation that nobody has confirmed.

    Args:
        row: of the sheet of recordings; its cell `transpose` says so.
        shape: of the array in the file.

    Raises:
        PhiscaleError: no table, or one with less than two frames per neuron and an empty cell `transpose`.
    """
    name = option(row, "dataset", "the array")
    if len(shape) != 2 or 0 in shape:
        raise unreadable(
            row, f"{name} has shape {shape}, expected two dimensions (frame, neuron)", "name another dataset"
        )
    transpose = flag(row, "transpose")
    if transpose is None and shape[0] < LEAST_FRAMES_PER_NEURON * shape[1]:
        raise unreadable(
            row,
            f"{name} has shape {shape}, which read as (frame, neuron) is {shape[0]} frames of {shape[1]} neurons",
            "set transpose to true if it is (neuron, frame), or to false if it is right so",
        )
    return bool(transpose)


def with_companions(
    row: Mapping[str, Any], path: Path, found: Found, names: Sequence[str], kept: Bools, time: Floats | None = None
) -> Found:
    """Return a table with the names, the neuropil and the times of its cells.

    Args:
        row: of the sheet of recordings.
        path: the recording's file.
        found: the table, of the cells that are kept.
        names: of all cells of the file.
        kept: (neuron,) those that are used.
        time: (frame,) start of each frame [s], where the table has it.
    """
    return replace(
        found,
        names=list(compress(names, kept)),
        left_out=[*found.left_out, *compress(names, ~kept)],
        neuropil=_neuropil(row, path, kept),
        time=times(row, path, len(found.values), time),
    )


def _neuropil(row: Mapping[str, Any], path: Path, kept: Bools) -> Array | None:
    """Return (frame, neuron) neuropil from its own file or from the recording's, None without."""
    opened: arrays.Opened
    if option(row, "neuropil_path") is not None:
        beside = existing_file({**row, "neuropil_path": path.parent / row["neuropil_path"]}, "neuropil_path")
        opened = arrays.opened(beside, option(row, "neuropil_dataset"))
    elif option(row, "neuropil_dataset") is not None:
        opened = _companion(row, path, "neuropil_dataset", ndim=2)
    else:
        return None
    with opened as source:
        n = n_neurons(row, source)
        if n != len(kept):
            raise unreadable(
                row,
                f"neuropil has shape {source.shape}, {n} neurons; fluorescence has {len(kept)}",
                "name the neuropil of the same neurons and frames",
            )
        return taken(row, source, kept)


def times(row: Mapping[str, Any], path: Path, n_frames: int, time: Floats | None = None) -> Floats | None:
    """Return the times of the frames that the row names, or else those of the table.

    Args:
        row: of the sheet of recordings.
        path: the recording's file.
        n_frames: of the recording.
        time: (frame,) start of each frame [s], where the table has it.

    Raises:
        PhiscaleError: there are no such times, or they are those of other frames.
    """
    if option(row, "time_dataset") is None:
        return time
    with _companion(row, path, "time_dataset", ndim=1) as source:
        named: Floats = np.asarray(source.whole(), float).ravel()
    if len(named) != n_frames:
        raise unreadable(
            row,
            f"time_dataset {row['time_dataset']!r} has {len(named)} values for {n_frames} frames",
            "name the times of exactly these frames (a .npy or .csv file will do), or leave it empty and give rate_hz",
        )
    return named


def _companion(row: Mapping[str, Any], path: Path, name: str, ndim: int) -> arrays.Opened:
    """Return the array that an option names: in the same file, or a file beside it."""
    value = str(row[name])
    beside = path.parent / value
    if beside.suffix.lower() not in arrays.KINDS:
        if row["format"] in arrays.NAMED:
            return arrays.opened(path, value, row["format"], ndim)
        raise unreadable(row, f"{name} is {value!r}, expected a file (.npy, .csv)", "name a file")
    return arrays.opened(existing_file({**row, name: beside}, name), ndim=ndim)
