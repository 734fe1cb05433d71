"""What may be of use in a file of arrays: tables that may be traces, their times, vectors that may be state codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.arrays import Array
from pipeline.ingest import arrays
from pipeline.ingest.contents import ASK, Contents
from pipeline.ingest.rows import reading

LEAST_FRAMES = 20  # a shorter table is hardly a recording
MOST_CODES = 12  # different values of a vector that may be state codes
SHOWN = 60  # arrays that are listed
LONG_AGO = 10.0  # a clock that starts this many durations before the recording is that of a computer


@dataclass(frozen=True)
class Listed:
    """One array of a file.

    Attributes:
        name: what the file calls it; empty where the file is the array.
        shape: as its author sees it.
        kind: of its dtype.
    """

    name: str
    shape: tuple[int, ...]
    kind: str


def look(path: Path, kind: str) -> Contents:
    """Return the arrays of a file and the columns of the sheet that would use them.

    Args:
        path: the file.
        kind: see `arrays.opened`.

    Raises:
        PhiscaleError: it cannot be opened.
    """
    held = _held(path, kind)
    contents = Contents([(one.name or path.name, str(one.shape)) for one in held[:SHOWN]])
    if len(held) > SHOWN:
        contents.remarks.append(f"and {len(held) - SHOWN} more")
    numbers = [one for one in held if one.kind in arrays.NUMBERS]
    tables = [one for one in numbers if len(one.shape) == 2 and max(one.shape) >= LEAST_FRAMES and min(one.shape) > 1]
    tables = [one for one in tables if one.kind == "f"] or tables  # whole numbers are numbers of something
    vectors = {
        one.name: np.ravel(arrays.read(path, one.name or None, kind, ndim=1))
        for one in numbers
        if arrays.fits(one.shape, 1) and max(one.shape) >= LEAST_FRAMES
    }
    contents.choices = [_columns(one, vectors, kind) for one in tables]
    contents.states = [_states(name, values, tables, kind) for name, values in vectors.items() if _are_codes(values)]
    clocks = [name for name, values in vectors.items() if _is_clock(values)]
    for name in clocks:
        if tables and not any(len(vectors[name]) in one.shape for one in tables):
            contents.remarks.append(f"{name} ({len(vectors[name])} values) are not the times of any table's frames")
    if any(column.get("transpose") == "true" for column in contents.choices):
        contents.remarks.append("transpose is proposed from the shape alone: check that the first axis is the neurons")
    return contents


def _columns(table: Listed, vectors: Mapping[str, Array], kind: str) -> dict[str, str]:
    """Return the columns of the sheet that would use a table."""
    columns = {"dataset": table.name} if kind in arrays.NAMED else {}
    frames, neurons = table.shape
    if frames < 2 * neurons:
        columns["transpose"] = "true" if neurons >= 2 * frames else ASK
    n_frames = neurons if columns.get("transpose") == "true" else frames
    clocks = [name for name, values in vectors.items() if len(values) == n_frames and _is_clock(values)]
    if len(clocks) == 1 and kind in arrays.NAMED:
        time = vectors[clocks[0]]
        columns["time_dataset"] = clocks[0]
        if abs(time[0]) > LONG_AGO * (time[-1] - time[0]):
            columns["time_zero"] = "first"
    else:
        columns["rate_hz"] = ASK
    return columns


def _is_clock(values: Array) -> bool:
    """Return whether values may be times: they increase, and are no numbers of frames."""
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() and not (steps == 1).all())


def _are_codes(values: Array) -> bool:
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not known.size or not np.array_equal(known, np.round(known.astype(float))):
        return False
    return 1 < len(np.unique(known)) <= MOST_CODES


def _states(name: str, values: Array, tables: Sequence[Listed], kind: str) -> dict[str, str]:
    """Return the columns of the sheet that would take a vector for state codes."""
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    columns = {"state_dataset": name} if kind in arrays.NAMED else {}
    if not any(len(values) in one.shape for one in tables):
        columns["state_rate_hz"] = ASK
    return columns | {"codes": " ".join(f"{code:g}" for code in np.unique(known).astype(float))}


def _held(path: Path, kind: str) -> list[Listed]:
    with reading(path, kind):
        if kind == "hdf5":
            return _of_hdf5(path)
        if kind == "mat":
            return _of_mat(path)
        with arrays.opened(path, None, kind) as stored:
            return [Listed("", stored.shape, stored.stored.dtype.kind)]


def _of_hdf5(path: Path, backwards: bool = False) -> list[Listed]:
    import h5py

    with h5py.File(path, "r") as file:
        shapes = arrays.shapes_hdf5(file, backwards)
        return [Listed(name, shape, file[name].dtype.kind) for name, shape in shapes.items()]


def _of_mat(path: Path) -> list[Listed]:
    import h5py
    from scipy.io import loadmat, whosmat

    if h5py.is_hdf5(path):
        return _of_hdf5(path, backwards=True)
    listed = whosmat(path)
    nested = [name for name, _, kind in listed if kind in ("struct", "cell")]
    values = loadmat(path, variable_names=nested) if nested else {}
    plain = [Listed(name, shape, "U" if kind == "char" else "f") for name, shape, kind in listed if name not in nested]
    return plain + [one for name in nested for one in _inside(name, values[name])]


def _inside(name: str, value: Any) -> list[Listed]:
    """Return the arrays in a struct or cell array, by the paths that `arrays.opened` takes."""
    value = np.asarray(value)
    if value.dtype.names and value.size == 1:
        return [one for field in value.dtype.names for one in _inside(f"{name}/{field}", value[field].item())]
    if value.dtype == object and not value.dtype.names:
        return [one for i, part in enumerate(value.ravel()[:SHOWN]) for one in _inside(f"{name}/{i}", part)]
    return [Listed(name, value.shape, value.dtype.kind)]
