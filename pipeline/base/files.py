"""Datasets and tables on disk: written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pipeline.base.arrays import Array
from pipeline.base.errors import PhiscaleError, Problem

if TYPE_CHECKING:
    import xarray as xr

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a formula of a spreadsheet begins with
CHUNK = (1024, 64)  # frames and neurons of `Layers` that are stored together
LEAST_FREE = 2**20  # bytes: with less a run could not even write what it has done
ENGINE: Literal["netcdf4"] = "netcdf4"  # of xarray; files of many groups are read ten times as fast as with h5netcdf
PARTIAL = ".partial"  # in the name of a file that is being written, between the number of its process and its suffix


def write_whole(path: str | Path, write: Callable[[Path], None]) -> None:
    """Write a file so that no partial one ever has its name.

    Args:
        path: the file; its folder is made where there is none.
        write: writes a whole file at the path that it is given, a temporary neighbour that is then renamed.

    Raises:
        PhiscaleError: the operating system refused it (a full disk, one that was lost).
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        refused = _refused(error, path.parent)
        if not refused:
            raise
        fix = "make room, or give permission; the same command then goes on"
        raise PhiscaleError(Problem(str(path), f"cannot be written ({refused})", fix=fix)) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _refused(error: Exception, folder: Path) -> str:
    """Return why the operating system refused to write, empty where it was not that.

    HDF5 tells it in its text, and NetCDF not at all: of a full disk one can still see that it is full.
    """
    told = re.search(r"errno = (\d+)", str(error))
    number = getattr(error, "errno", None) or (int(told[1]) if told else 0)
    if number <= 0 and folder.is_dir() and shutil.disk_usage(folder).free < LEAST_FREE:
        number = errno.ENOSPC
    return os.strerror(number) if number > 0 else ""


def remove_partial(folder: str | Path, process: int | None = None) -> None:
    """Remove the files that processes left half-written in a folder when they were killed.

    Args:
        folder: the folder; those in it are looked through as well.
        process: that wrote them; None for all, which nobody may be writing then.
    """
    for path in Path(folder).rglob(f".*.{'*' if process is None else process}{PARTIAL}*"):
        path.unlink(missing_ok=True)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8).

    Args:
        text: all that the file is to hold.
        path: of the file, which is written whole or not at all.
    """

    def write(partial: Path) -> None:
        partial.write_text(text, encoding="utf-8")

    write_whole(path, write)


def is_file(path: Path) -> bool:
    """Tell whether there is a file; there is none of a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def check_writable(folder: Path) -> None:
    """Find out whether files could be written to a folder, which need not exist yet, and whether there is any room.

    Raises:
        OSError: they could not; the error names the folder that stands in the way.
    """
    folder = folder.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(existing))
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(existing))
    if shutil.disk_usage(existing).free < LEAST_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(existing))


def save(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a dataset as NetCDF4, compressed, without time stamps.

    Args:
        dataset: what is written.
        path: of the file, which is written whole or not at all.
    """
    write_whole(path, lambda p: dataset.to_netcdf(p, engine=ENGINE, encoding=_encoding(dataset)))


def save_groups(datasets: Mapping[str, xr.Dataset], path: str | Path) -> None:
    """Write datasets into one NetCDF4 file, each as a group named by its key; none of them give an empty file.

    Args:
        datasets: by name of the group, e.g. "awake/micro-4".
        path: of the file, which is written whole or not at all.
    """
    import xarray as xr

    def write(partial: Path) -> None:
        tree = xr.DataTree.from_dict({f"/{group}": dataset for group, dataset in datasets.items()})
        encoding = {f"/{group}": _encoding(dataset) for group, dataset in datasets.items()}
        tree.to_netcdf(partial, engine=ENGINE, encoding=encoding)

    write_whole(path, write)


def _encoding(dataset: xr.Dataset) -> dict[Any, dict[str, Any]]:
    return {
        name: {"zlib": True, "complevel": 4}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "fiub" and variable.size > 64
    }


def load(path: str | Path, group: str | None = None) -> xr.Dataset:
    """Read a dataset (of a file of groups: that group) into memory and close the file.

    Args:
        path: of the file.
        group: name of a group, e.g. "awake/micro-4"; None for the root of the file.

    Raises:
        FileNotFoundError: there is no such file.
        PhiscaleError: the file cannot be read, or has no such group.
    """
    import xarray as xr

    with _readable(path), xr.open_dataset(path, engine=ENGINE, group=group) as dataset:
        return dataset.load()


@contextmanager
def opened(path: str | Path) -> Iterator[xr.Dataset]:
    """Open a dataset whose values are read when they are asked for, part by part; raises as `load`.

    Args:
        path: of the file.
    """
    import xarray as xr

    with _readable(path):
        dataset = xr.open_dataset(path, engine=ENGINE)
    with dataset:
        yield dataset


class Layers:
    """Arrays (time, neuron) of a dataset that are written some neurons or frames at a time, into a file that is new.

    Args:
        path: of the file.
        neurons: how many there are.
        frames: likewise; by default as many as those of the first neurons that are written.
        compressed: whether to take less space and more time.
    """

    def __init__(self, path: Path, neurons: int, frames: int | None = None, compressed: bool = True) -> None:
        import netCDF4

        self._how: dict[str, Any] = {"zlib": True, "complevel": 4} if compressed else {}
        self._file, self._neurons, self._frames = netCDF4.Dataset(path, "w"), neurons, frames

    def __enter__(self) -> Layers:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def put(self, name: str, first: int, values: Array, attrs: Mapping[str, str], frame: int = 0) -> None:
        """Write the values of some neurons in some frames.

        Args:
            name: of the array, which is made with the first of them.
            first: of these neurons.
            values: (time, neuron), stored as float32.
            attrs: of the array.
            frame: first of these frames.
        """
        if not self._file.dimensions:
            self._file.createDimension("time", self._frames or len(values))
            self._file.createDimension("neuron", self._neurons)
        if name not in self._file.variables:
            chunks = min(CHUNK[0], self._frames or len(values)), min(CHUNK[1], self._neurons)
            how = {**self._how, "chunksizes": chunks, "fill_value": np.nan}
            self._file.createVariable(name, "f4", ("time", "neuron"), **how).setncatts(attrs)
        frames, neurons = slice(frame, frame + len(values)), slice(first, first + values.shape[1])
        self._file.variables[name][frames, neurons] = np.asarray(values, np.float32)


def add(dataset: xr.Dataset, path: Path) -> None:
    """Write the variables and attributes of a dataset into a file that has some of the same dimensions already.

    Args:
        dataset: what is written.
        path: of the file.
    """
    dataset.to_netcdf(path, mode="a", engine=ENGINE, encoding=_encoding(dataset))


def load_groups(path: str | Path) -> dict[str, xr.Dataset]:
    """Read all groups of a file that `save_groups` wrote, in alphabetical order; raises as `load`."""
    import xarray as xr

    with _readable(path), ExitStack() as opened:
        every = {name: opened.enter_context(group) for name, group in xr.open_groups(path, engine=ENGINE).items()}
        names = sorted((name for name, group in every.items() if group.variables), key=_in_tree)
        return {name.strip("/"): every[name].load() for name in names}


def groups_of(path: str | Path) -> list[str]:
    """Return the names of the groups that hold variables, in alphabetical order; raises as `load`."""
    import netCDF4

    def below(node: Any) -> Iterator[Any]:
        for child in node.groups.values():
            yield child
            yield from below(child)

    with _readable(path), netCDF4.Dataset(path) as file:
        return sorted((group.path.strip("/") for group in below(file) if group.variables), key=_in_tree)


def _in_tree(group: str) -> list[str]:
    return group.split("/")


def attributes(path: str | Path) -> dict[str, Any]:
    """Read the attributes of a dataset without its values; raises as `load`."""
    import xarray as xr

    with _readable(path), xr.open_dataset(path, engine=ENGINE) as dataset:
        return dict(dataset.attrs)


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    """Say which file it was that could not be read."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        what = f"cannot be read as NetCDF ({error})"
        fix = "delete it and run again"
        raise PhiscaleError(Problem(str(path), what, "Nothing can be computed from it", fix)) from error


def save_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a tidy table as CSV and, beside it, as Parquet.

    Args:
        table: one row per value; the index is left out.
        path: of the CSV; the Parquet has the suffix .parquet in its place.
    """
    path = Path(path)
    save_csv(table, path)
    write_whole(path.with_suffix(".parquet"), lambda p: table.to_parquet(p, index=False))


def save_csv(table: pd.DataFrame, path: str | Path, float_format: str | None = None) -> None:
    """Write a table as CSV that no spreadsheet takes for formulas.

    Args:
        table: one row per value; the index is left out. Text that begins as a formula gets an apostrophe before it.
        path: of the file, which is written whole or not at all.
        float_format: of numbers; by default all digits.
    """
    text = [name for name, kind in table.dtypes.items() if pd.api.types.is_string_dtype(kind)]
    plain = table.assign(**{name: table[name].map(_no_formula) for name in text}) if text else table
    write_whole(path, lambda p: plain.to_csv(p, index=False, lineterminator="\n", float_format=float_format))


def _no_formula(cell: Any) -> Any:
    """Return a cell of a table; text that a spreadsheet would compute with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def save_json(value: Any, path: str | Path) -> None:
    """Write a JSON file with sorted keys.

    Args:
        value: plain values: dictionaries, lists, text, numbers.
        path: of the file, which is written whole or not at all.
    """
    write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", path)
