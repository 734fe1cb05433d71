"""Datasets and tables on disk: written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from pipeline.base.errors import PhiscaleError, Problem

if TYPE_CHECKING:
    import xarray as xr

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a formula of a spreadsheet begins with
ENGINE: Literal["netcdf4"] = "netcdf4"  # of xarray; files of many groups are read ten times as fast as with h5netcdf
PARTIAL = ".partial"  # in the name of a file that is being written, between the number of its process and its suffix


def write_whole(path: str | Path, write: Callable[[Path], None]) -> None:
    """Write a file so that no partial one ever has its name.

    Args:
        path: the file; its folder is made where there is none.
        write: writes a whole file at the path that it is given, a temporary neighbour that is then renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
    """Find out whether files could be written to a folder, which need not exist yet.

    Raises:
        OSError: they could not; the error names the folder that stands in the way.
    """
    folder = folder.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(existing))
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(existing))


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
