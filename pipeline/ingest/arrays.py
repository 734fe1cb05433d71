"""Named arrays in files: NPY, MAT (v5 to v7.3), HDF5 and the columns of delimited text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pipeline.base.arrays import Array, Floats
from pipeline.ingest.blocks import Stored
from pipeline.ingest.guards import fitting, own
from pipeline.ingest.pickles import load_npy
from pipeline.ingest.rows import fault, reading
from pipeline.ingest.text import TIME_IN_SECONDS, read_delimited

SUFFIXES = {
    "npy": (".npy",),
    "mat": (".mat",),
    "hdf5": (".h5", ".hdf5", ".hdf"),
    "csv": (".csv", ".tsv", ".txt"),
}
KINDS = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}
NAMED = ("mat", "hdf5")  # these hold several arrays, each under a name
NUMBERS = "fiub"  # kinds of dtype
LISTED = 25  # names in a message, at most

Opened: TypeAlias = AbstractContextManager[Stored]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


def read(path: Path, name: str | None = None, kind: str | None = None, ndim: int = 2) -> Array:
    """Return the numeric array called `name` in a file, whole; arguments and errors are those of `opened`."""
    with opened(path, name, kind, ndim) as source:
        return source.whole()


@contextmanager
def opened(path: Path, name: str | None = None, kind: str | None = None, ndim: int = 2) -> Iterator[Stored]:
    """Open the numeric array called `name` in a file, with its axes as the author sees them, without reading it all.

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
    if kind not in _OPENERS:
        raise fault(path, "its ending is not known", f"use one of {', '.join(KINDS)}")
    with reading(path, kind), _OPENERS[kind](path, name, ndim) as source:
        _check_numbers(path, name, source, ndim)
        yield source


def _check_numbers(path: Path, name: str | None, source: Stored, ndim: int) -> None:
    label = f"{name!r} holds" if name else "holds"
    if source.stored.dtype.kind not in NUMBERS:
        raise fault(path, f"{label} {source.stored.dtype} values, expected numbers", "name another array")
    if ndim == 1 and np.prod(source.shape) != max(source.shape, default=0):
        raise fault(path, f"{label} shape {source.shape}, expected one dimension", "name a vector")


@contextmanager
def _open_npy(path: Path, name: str | None, ndim: int) -> Iterator[Stored]:
    yield Stored("", load_npy(path))


def fits(shape: tuple[int, ...], ndim: int) -> bool:
    """Return whether an array can be meant where `ndim` dimensions are wanted (1 takes n × 1 and 1 × n too)."""
    return len(shape) == ndim if ndim > 1 else sum(n > 1 for n in shape) == 1


def _choose(path: Path, shapes: Shapes, name: str | None, ndim: int) -> str:
    """Return `name` if the file has it, or the only array of the right dimension."""
    candidates = [key for key, shape in shapes.items() if fits(shape, ndim)]
    if name in shapes:
        return str(name)
    if name is None and len(candidates) == 1:
        return candidates[0]
    what = f"has no dataset {name!r}" if name else f"holds {len(candidates)} arrays to choose from"
    raise fault(path, f"{what}; it holds {listed(shapes)}", "name one of them in the sheet")


def listed(shapes: Shapes) -> str:
    """Return names and shapes for a message."""
    each = [f"{key} {shape}" for key, shape in shapes.items()]
    return (", ".join(each[:LISTED]) or "nothing") + (f" and {len(each) - LISTED} more" if len(each) > LISTED else "")


def shapes_hdf5(file: Any, backwards: bool = False) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the datasets of an open HDF5 file, by path; of MATLAB's as MATLAB shows them.

    Args:
        file: h5py.File.
        backwards: whether MATLAB wrote it.
    """
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}

    def note(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None and not key.startswith("#"):
            shapes[key] = item.shape[::-1] if backwards else item.shape

    file.visititems(note)
    return shapes


@contextmanager
def _open_hdf5(path: Path, name: str | None, ndim: int, matlab: bool = False) -> Iterator[Stored]:
    import h5py

    with h5py.File(path, "r") as file:
        name = name and name.strip("/")
        if name and isinstance(_behind(file, name), h5py.Dataset):  # links are not visited
            chosen = name
        else:
            shapes = shapes_hdf5(file, matlab)
            if name is None:
                shapes = {key: shape for key, shape in shapes.items() if file[key].dtype.kind in NUMBERS} or shapes
            chosen = _choose(path, shapes, name, ndim)
        # MATLAB stores its arrays column by column, so that HDF5 sees the axes reversed
        yield Stored(chosen, own(path, file[chosen]), matlab)


def _behind(file: Any, name: str) -> Any:
    """Return what a name stands for; None where it is a link that leads nowhere, or round in a circle."""
    try:
        return file.get(name)
    except (KeyError, OSError, RuntimeError, ValueError):
        return None


@contextmanager
def _open_mat(path: Path, name: str | None, ndim: int) -> Iterator[Stored]:
    import h5py

    if h5py.is_hdf5(path):
        with _open_hdf5(path, name, ndim, matlab=True) as source:
            yield source
    else:
        yield _read_mat(path, name, ndim)


def _read_mat(path: Path, name: str | None, ndim: int) -> Stored:
    from scipy.io import loadmat, whosmat

    first, *parts = (name or "").strip("/").split("/")
    shapes = {key: shape for key, shape, _ in whosmat(path)}
    chosen = _choose(path, shapes, first or None, ndim)
    fitting(path, shapes[chosen], 8, chosen)
    value = np.asarray(loadmat(path, variable_names=[chosen])[chosen])
    for i, part in enumerate(parts):
        value = member(path, value, "/".join([first, *parts[:i]]), part)
    return Stored("/".join([chosen, *parts]), value)


def member(path: Path, value: Array, at: str, part: str) -> Array:
    """Return field or cell `part` of a MATLAB struct or cell array.

    Args:
        path: the file, for messages.
        value: the struct or cell array.
        at: where it stands.
        part: name of the field, or number of the cell.

    Raises:
        PhiscaleError: there is none; the text lists what there is.
    """
    if value.dtype.names and part in value.dtype.names:  # a struct
        field = value[part]
        return np.asarray(field.item() if field.size == 1 else field)
    if value.dtype == object and part.isdigit() and int(part) < value.size:  # a cell array
        return np.asarray(value.ravel()[int(part)])
    held = value.dtype.names or f"cells 0 to {value.size - 1}"
    raise fault(path, f"{at!r} has no {part!r}; it holds {held}", "name one of them")


@contextmanager
def _open_column(path: Path, name: str | None, ndim: int) -> Iterator[Stored]:
    """Yield one column (ndim 1) or all numeric columns of a text file."""
    table = read_delimited(path)
    if ndim > 1:
        yield Stored("", table.values)
        return
    columns = dict(zip(table.names, table.values.T, strict=True))
    wants_time = TIME_IN_SECONDS.fullmatch(name.lower()) if name else not columns
    if table.time is not None and wants_time:
        yield Stored("time", table.time)
        return
    chosen = _choose(path, {key: column.shape for key, column in columns.items()}, name, 1)
    values: Floats = columns[chosen]
    yield Stored(chosen, values)


_OPENERS: dict[str, Callable[[Path, str | None, int], Opened]] = {
    "npy": _open_npy,
    "mat": _open_mat,
    "hdf5": _open_hdf5,
    "csv": _open_column,
}
