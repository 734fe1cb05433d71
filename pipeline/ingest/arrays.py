"""Named arrays in files: NPY, MAT (v5 to v7.3), HDF5 and delimited text."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import scipy.io
from scipy.io.matlab import MatReadError

from pipeline.base.errors import PhiscaleError, Problem

KINDS = {
    ".npy": "npy",
    ".mat": "mat",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".hdf": "hdf5",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
}
TIME_IN_SECONDS = re.compile(r"(t|times?|timestamps?)([ _\[(]+(s|secs?|seconds?)[\])]?)?")


def read(path: Path, name: str | None = None, kind: str | None = None, ndim: int = 2) -> np.ndarray:
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
    readers = {"npy": _read_npy, "mat": _read_mat, "hdf5": _read_hdf5, "csv": _read_column}
    if kind not in readers:
        raise fault(path, "its ending is not known", f"use one of {', '.join(KINDS)}")
    try:
        value = np.asarray(readers[kind](path, name, ndim))
    except (OSError, EOFError, ValueError, TypeError, MatReadError) as error:
        raise fault(path, f"cannot be read as {kind} ({error})", "check path and format") from error
    label = f"{name!r} holds" if name else "holds"
    if value.dtype.kind not in "fiub":
        raise fault(path, f"{label} {value.dtype} values, expected numbers", "name another array")
    if ndim == 1 and value.size != max(value.shape, default=0):
        raise fault(path, f"{label} shape {value.shape}, expected one dimension", "name a vector")
    return value


def fault(path: Path, what: str, fix: str = "") -> PhiscaleError:
    """Return an error about one file."""
    return PhiscaleError(Problem(str(path), what, "The recording cannot be read", fix))


def _read_npy(path: Path, name: str | None, ndim: int) -> np.ndarray:
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
    held = ", ".join(listed[:25]) + (f" and {len(listed) - 25} more" if len(listed) > 25 else "")
    what = f"has no dataset {name!r}" if name else f"holds {len(candidates)} arrays to choose from"
    raise fault(path, f"{what}; it holds {held or 'nothing'}", "name one of them in the sheet")


def _read_hdf5(path: Path, name: str | None, ndim: int, matlab: bool = False) -> np.ndarray:
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


def _read_mat(path: Path, name: str | None, ndim: int) -> np.ndarray:
    if h5py.is_hdf5(path):
        return _read_hdf5(path, name, ndim, matlab=True)
    shapes = {key: shape for key, shape, _ in scipy.io.whosmat(path)}
    first, *rest = (name or "").strip("/").split("/")
    chosen = _choose(path, shapes, first or None, ndim)
    value = scipy.io.loadmat(path, variable_names=[chosen])[chosen]
    for i, part in enumerate(rest):
        if value.dtype.names and part in value.dtype.names:  # a struct
            value = value[part]
            value = np.asarray(value.item() if value.size == 1 else value)
        elif value.dtype == object and part.isdigit() and int(part) < value.size:  # a cell array
            value = np.asarray(value.ravel()[int(part)])
        else:
            held = value.dtype.names or f"cells 0 to {value.size - 1}"
            at = "/".join([first, *rest[:i]])
            raise fault(path, f"{at!r} has no {part!r}; it holds {held}", "name one of them")
    return np.asarray(value)


@dataclass
class Table:
    """A delimited text file: numeric columns, and what was recognised around them."""

    values: np.ndarray  # (row, column)
    names: list[str]
    time: np.ndarray | None = None  # (row,) [s]
    left_out: list[str] = field(default_factory=list)  # columns marked as rejected


def read_table(path: Path) -> Table:
    """Read delimited text (comma, semicolon or tab) with one column per neuron or variable.

    A header is optional. A time column is known by its name (time, time_s, "Time (s)", ...). The
    second header row of Inscopix exports ("Time(s)/Cell Status, accepted, rejected, ...") is
    understood: the first column is then time, and rejected columns are left out. Columns that only
    number the rows are left out too.
    """
    try:
        return _parse_table(path)
    except ValueError as error:  # those of pandas are too
        raise fault(path, f"cannot be read as csv ({error})", "check path and format") from error


def _parse_table(path: Path) -> Table:
    with path.open(encoding="utf-8-sig") as file:
        head = [file.readline().rstrip("\r\n") for _ in range(2)]
    separator = max(",;\t", key=head[0].count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(head, delimiter=separator)]
    has_header = not all(_is_number(cell) for cell in rows[0])
    status = rows[1] if len(rows) > 1 and rows[1] and rows[1][0].lower().startswith("time(s)/cell status") else None
    cells = pd.read_csv(
        path,
        sep=separator,
        header=None,
        skiprows=has_header + (status is not None),
        encoding="utf-8-sig",
        skipinitialspace=True,
        low_memory=False,
    )
    names = rows[0] if has_header else [f"n{i}" for i in range(cells.shape[1])]
    if len(names) != cells.shape[1]:
        raise fault(path, f"has {len(names)} names in its header for {cells.shape[1]} columns")
    table = Table(_numbers(path, cells, names), names)
    return _sort_columns(path, table, status) if has_header else table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(path: Path, cells: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return the cells as numbers, or name the first that is not one."""
    numeric = cells.apply(pd.to_numeric, errors="coerce")
    wrong = np.argwhere(numeric.isna().to_numpy() & cells.notna().to_numpy())
    if wrong.size:
        row, column = wrong[0]
        raise fault(
            path,
            f"holds {cells.iat[row, column]!r} in column {names[column]!r}, data row {row + 1}, "
            f"expected a number ({len(wrong)} such cells)",
            "give one row per frame and one column per neuron",
        )
    return numeric.to_numpy(float)


def _sort_columns(path: Path, table: Table, status: list[str] | None) -> Table:
    """Tell time and row numbers from neurons, and leave out what the status row rejects."""
    keep, time, left_out = [], None, []
    for i, name in enumerate(table.names):
        column, label = table.values[:, i], name.lower()
        if (i == 0 and status) or TIME_IN_SECONDS.fullmatch(label):
            time = column
        elif label.startswith("time"):
            raise fault(path, f"column {name!r} is time in a unit that is not known", "use time_s")
        elif i == 0 and (label in ("", "frame", "index") or label.startswith("unnamed")):
            if not np.array_equal(np.diff(column), np.ones(len(column) - 1)):
                raise fault(
                    path,
                    f"its first column {name!r} is neither named as time nor a count of the frames",
                    "call it time_s if it is time, or give it the neuron's name",
                )
        elif status and status[i].lower() == "rejected":
            left_out.append(name)
        else:
            keep.append(i)
    return Table(table.values[:, keep], [table.names[i] for i in keep], time, left_out)


def _read_column(path: Path, name: str | None, ndim: int) -> np.ndarray:
    """Return one column (ndim 1) or all numeric columns of a text file."""
    table = read_table(path)
    if ndim > 1:
        return table.values
    columns = dict(zip(table.names, table.values.T, strict=True))
    wants_time = TIME_IN_SECONDS.fullmatch(name.lower()) if name else not columns
    if table.time is not None and wants_time:
        return table.time
    return columns[_choose(path, {key: column.shape for key, column in columns.items()}, name, 1)]
