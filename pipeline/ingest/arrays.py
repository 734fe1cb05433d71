"""Named arrays in files: NPY, MAT (v5 to v7.3), HDF5 and the columns of delimited text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.arrays import Array, Floats
from pipeline.ingest.rows import fault
from pipeline.ingest.text import TIME_IN_SECONDS, read_table

SUFFIXES = {
    "npy": (".npy",),
    "mat": (".mat",),
    "hdf5": (".h5", ".hdf5", ".hdf"),
    "csv": (".csv", ".tsv", ".txt"),
}
KINDS = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}
NAMED = ("mat", "hdf5")  # these hold several arrays, each under a name
LISTED = 25  # names in a message, at most


def read(path: Path, name: str | None = None, kind: str | None = None, ndim: int = 2) -> Array:
    """Return the numeric array called `name` in a file, with its axes as the author sees them.

    Args:
        path: the file.
        name: path of the array inside a MAT or HDF5 file ("gcamp/traces", "data/0/calcium"), or a
            column of a text file. May be left out where only one array has `ndim` dimensions.
        kind: "npy", "mat", "hdf5" or "csv"; by default what the file's ending says.
        ndim: number of dimensions that are wanted (1 takes n × 1 and 1 × n too).

    Raises:
        PhiscaleError: the array is not there (the text lists what is), or is not numeric.
    """
    kind = kind or KINDS.get(path.suffix.lower(), "")
    if kind not in _READERS:
        raise fault(path, "its ending is not known", f"use one of {', '.join(KINDS)}")
    try:
        value = np.asarray(_READERS[kind](path, name, ndim))
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise fault(path, f"cannot be read as {kind} ({error})", "check path and format") from error
    label = f"{name!r} holds" if name else "holds"
    if value.dtype.kind not in "fiub":
        raise fault(path, f"{label} {value.dtype} values, expected numbers", "name another array")
    if ndim == 1 and value.size != max(value.shape, default=0):
        raise fault(path, f"{label} shape {value.shape}, expected one dimension", "name a vector")
    return value


def _read_npy(path: Path, name: str | None, ndim: int) -> Array:
    value = np.load(path, allow_pickle=False)
    if not isinstance(value, np.ndarray):
        raise ValueError("it is an archive of several arrays")
    return value


def _choose(path: Path, shapes: dict[str, tuple[int, ...]], name: str | None, ndim: int) -> str:
    """Return `name` if the file has it, or the only array of the right dimension."""

    def fits(shape: tuple[int, ...]) -> bool:
        return len(shape) == ndim if ndim > 1 else sum(n > 1 for n in shape) == 1

    candidates = [key for key, shape in shapes.items() if fits(shape)]
    if name in shapes:
        return str(name)
    if name is None and len(candidates) == 1:
        return candidates[0]
    listed = [f"{key} {shape}" for key, shape in shapes.items()]
    held = ", ".join(listed[:LISTED]) + (f" and {len(listed) - LISTED} more" if len(listed) > LISTED else "")
    what = f"has no dataset {name!r}" if name else f"holds {len(candidates)} arrays to choose from"
    raise fault(path, f"{what}; it holds {held or 'nothing'}", "name one of them in the sheet")


def _read_hdf5(path: Path, name: str | None, ndim: int, matlab: bool = False) -> Array:
    import h5py

    with h5py.File(path, "r") as file:
        shapes: dict[str, tuple[int, ...]] = {}

        def note(key: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and not key.startswith("#"):
                shapes[key] = item.shape[::-1] if matlab else item.shape

        file.visititems(note)
        name = name and name.strip("/")
        if name and name in file:  # links are not visited
            note(name, file[name])
        value = file[_choose(path, shapes, name, ndim)][()]
    # MATLAB stores its arrays column by column, so that HDF5 sees the axes reversed
    return np.asarray(value).T if matlab else np.asarray(value)


def _read_mat(path: Path, name: str | None, ndim: int) -> Array:
    import h5py
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    if h5py.is_hdf5(path):
        return _read_hdf5(path, name, ndim, matlab=True)
    first, *parts = (name or "").strip("/").split("/")
    try:
        shapes = {key: shape for key, shape, _ in whosmat(path)}
        chosen = _choose(path, shapes, first or None, ndim)
        value = np.asarray(loadmat(path, variable_names=[chosen])[chosen])
    except MatReadError as error:  # of no type that `read` knows without scipy
        raise ValueError(str(error)) from error
    for i, part in enumerate(parts):
        value = _member(path, value, "/".join([first, *parts[:i]]), part)
    return value


def _member(path: Path, value: Array, at: str, part: str) -> Array:
    """Return field or cell `part` of the MATLAB struct or cell array `value`, which is at `at`."""
    if value.dtype.names and part in value.dtype.names:  # a struct
        field = value[part]
        return np.asarray(field.item() if field.size == 1 else field)
    if value.dtype == object and part.isdigit() and int(part) < value.size:  # a cell array
        return np.asarray(value.ravel()[int(part)])
    held = value.dtype.names or f"cells 0 to {value.size - 1}"
    raise fault(path, f"{at!r} has no {part!r}; it holds {held}", "name one of them")


def _read_column(path: Path, name: str | None, ndim: int) -> Array:
    """Return one column (ndim 1) or all numeric columns of a text file."""
    table = read_table(path)
    if ndim > 1:
        return table.values
    columns = dict(zip(table.names, table.values.T, strict=True))
    wants_time = TIME_IN_SECONDS.fullmatch(name.lower()) if name else not columns
    if table.time is not None and wants_time:
        return table.time
    chosen: Floats = columns[_choose(path, {key: column.shape for key, column in columns.items()}, name, 1)]
    return chosen


_READERS: dict[str, Callable[[Path, str | None, int], Array]] = {
    "npy": _read_npy,
    "mat": _read_mat,
    "hdf5": _read_hdf5,
    "csv": _read_column,
}
