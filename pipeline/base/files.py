"""Datasets and tables on disk: written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.base.errors import PhiscaleError, Problem

if TYPE_CHECKING:
    import xarray as xr


def write_whole(path: str | Path, write: Callable[[Path], None]) -> None:
    """Write a file so that no partial one ever has its name.

    Args:
        path: the file; its folder is made where there is none.
        write: writes a whole file at the path that it is given, a temporary neighbour that is then renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial{path.suffix}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8)."""

    def write(partial: Path) -> None:
        partial.write_text(text, encoding="utf-8")

    write_whole(path, write)


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
    """Write a dataset as NetCDF4 (through h5netcdf), compressed, without time stamps."""
    encoding = {
        name: {"zlib": True, "complevel": 4}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "fiub" and variable.size > 64
    }
    write_whole(path, lambda p: dataset.to_netcdf(p, engine="h5netcdf", encoding=encoding))


def load(path: str | Path) -> xr.Dataset:
    """Read a dataset into memory and close the file.

    Raises:
        PhiscaleError: the file is no NetCDF, or a part of one.
        FileNotFoundError: there is no such file.
    """
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            return dataset.load()
    except FileNotFoundError:
        raise
    except Exception as error:
        what = f"cannot be read as NetCDF ({error})"
        fix = "delete it and run again"
        raise PhiscaleError(Problem(str(path), what, "Nothing can be computed from it", fix)) from error


def save_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a tidy table as CSV and, beside it, as Parquet."""
    path = Path(path)
    write_whole(path, lambda p: table.to_csv(p, index=False, lineterminator="\n"))
    write_whole(path.with_suffix(".parquet"), lambda p: table.to_parquet(p, index=False))


def save_json(value: Any, path: str | Path) -> None:
    """Write a JSON file with sorted keys."""
    write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", path)
