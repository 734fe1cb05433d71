"""Recordings in plain tables: CSV, NPY, MAT and HDF5, with companions for time and positions."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base import history
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import build
from pipeline.ingest import arrays
from pipeline.ingest.registry import existing_file, number, option, register, sha256

PLAUSIBLE_HZ = (0.05, 2000.0)
NO_NUMBER = ("", "NA", "N/A", "n/a", "null", "None")


@register("csv")
def read_csv(row: Mapping[str, Any]) -> xr.Dataset:
    """Read text with one row per frame and one column per neuron (see `arrays.read_table`)."""
    path = existing_file(row, "path")
    table = arrays.read_table(path)
    if _flag(row, "transpose"):
        raise _fault(row, "transpose is set, but CSV has one row per frame", "leave it empty")
    if not table.names:
        rejected = ", ".join(table.left_out) or "none"
        raise _fault(row, f"it has no column of a neuron (rejected: {rejected})", "add one")
    return _assemble(row, path, table.values, table.names, table.time, table.left_out)


@register("npy")
def read_npy(row: Mapping[str, Any]) -> xr.Dataset:
    """Read one (frame, neuron) array; companions are other files of the same folder."""
    return _read_array(row, "npy")


@register("mat")
def read_mat(row: Mapping[str, Any]) -> xr.Dataset:
    """Read a variable of a MATLAB file (v5 to v7.3): (frame, neuron) as MATLAB shows it."""
    return _read_array(row, "mat")


@register("hdf5")
def read_hdf5(row: Mapping[str, Any]) -> xr.Dataset:
    """Read a (frame, neuron) dataset of an HDF5 file."""
    return _read_array(row, "hdf5")


def _read_array(row: Mapping[str, Any], kind: str) -> xr.Dataset:
    path = existing_file(row, "path")
    return _assemble(row, path, _oriented(row, arrays.read(path, option(row, "dataset"), kind)))


def _assemble(
    row: Mapping[str, Any],
    path: Path,
    values: np.ndarray,
    names: list[str] | None = None,
    time: np.ndarray | None = None,
    left_out: list[str] | None = None,
) -> xr.Dataset:
    """Join the (frame, neuron) values with times, neuropil and positions into a Recording."""
    if option(row, "time_dataset") is not None:
        time = _companion(row, path, "time_dataset", ndim=1).ravel()
        if len(time) != len(values):
            raise _fault(
                row,
                f"time_dataset {row['time_dataset']!r} has {len(time)} values for {len(values)} frames",
                "name the times of exactly these frames (a .npy or .csv file will do), or leave it empty "
                "and give rate_hz",
            )
    rate, time = _clock(row, len(values), time)
    neuropil = _neuropil(row, path)
    if neuropil is not None and neuropil.shape != values.shape:
        raise _fault(
            row,
            f"neuropil has shape {neuropil.shape}, fluorescence {values.shape} (frame, neuron)",
            "name the neuropil of the same neurons and frames",
        )
    names = names or [f"n{i}" for i in range(values.shape[1])]
    dataset = build(
        values,
        time=time,
        sampling_rate_hz=rate,
        recording=row["recording"],
        subject=row["subject"],
        neurons=names,
        neuropil=neuropil,
        indicator=option(row, "indicator", ""),
        source=path.name,
        source_sha256=sha256(path),
        format=row["format"],
        **_positions(row, names),
    )
    given = ("dataset", "neuropil_dataset", "time_dataset", "transpose", "rate_hz")
    return history.record(
        dataset,
        f"ingest.{row['format']}",
        source=path.name,
        columns_left_out=left_out or [],
        options={name: row[name] for name in given if option(row, name) is not None},
    )


def _fault(row: Mapping[str, Any], what: str, fix: str) -> PhiscaleError:
    return PhiscaleError(Problem(str(row["path"]), what, "The recording cannot be read", fix))


def _flag(row: Mapping[str, Any], name: str) -> bool | None:
    value = option(row, name)
    if value is None or isinstance(value, bool | np.bool_):
        return value
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() not in words:
        raise _fault(row, f"{name} is {value!r}", f"set {name} to true or false")
    return words[str(value).strip().lower()]


def _oriented(row: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """Return values as (frame, neuron); refuse an orientation that nobody has confirmed."""
    name = option(row, "dataset", "the array")
    if values.ndim == 1 or (values.ndim == 2 and 1 in values.shape):
        return values.reshape(-1, 1)  # one neuron
    if values.ndim != 2 or 0 in values.shape:
        raise _fault(
            row,
            f"{name} has shape {values.shape}, expected two dimensions (frame, neuron)",
            "name another dataset",
        )
    transpose = _flag(row, "transpose")
    if transpose:
        return values.T
    if transpose is None and values.shape[0] < values.shape[1]:
        raise _fault(
            row,
            f"{name} has shape {values.shape}, which read as (frame, neuron) is "
            f"{values.shape[0]} frames of {values.shape[1]} neurons",
            "set transpose to true if it is (neuron, frame), or to false if it is right so",
        )
    return values


def _neuropil(row: Mapping[str, Any], path: Path) -> np.ndarray | None:
    """Return (frame, neuron) neuropil from its own file or from the recording's, None without."""
    if option(row, "neuropil_path") is not None:
        beside = existing_file({**row, "neuropil_path": path.parent / row["neuropil_path"]}, "neuropil_path")
        return _oriented(row, arrays.read(beside, option(row, "neuropil_dataset")))
    if option(row, "neuropil_dataset") is not None:
        return _oriented(row, _companion(row, path, "neuropil_dataset", ndim=2))
    return None


def _companion(row: Mapping[str, Any], path: Path, name: str, ndim: int) -> np.ndarray:
    """Return the array that an option names: in the same file, or a file beside it."""
    value = str(row[name])
    beside = path.parent / value
    if beside.suffix.lower() not in arrays.KINDS:
        if row["format"] not in ("csv", "npy"):
            return arrays.read(path, value, row["format"], ndim)
        raise _fault(row, f"{name} is {value!r}, expected a file (.npy, .csv)", "name a file")
    return arrays.read(existing_file({**row, name: beside}, name), ndim=ndim)


def _clock(row: Mapping[str, Any], n_frames: int, time: np.ndarray | None) -> tuple[float, np.ndarray]:
    """Return the frame rate and the time of every frame, from whichever of them is given."""
    rate = number(row, "rate_hz")
    if time is None and rate is None:
        raise _fault(
            row,
            "the frame rate is not known: the file has none, and neither rate_hz nor time_dataset is given",
            "fill in rate_hz, frames per second",
        )
    if time is None:
        return float(rate), np.arange(n_frames) / rate
    if rate is None:
        steps = np.diff(time[np.isfinite(time)])
        step = float(np.median(steps)) if steps.size else 0.0
        rate = 1 / step if step > 0 else 0.0
        if not PLAUSIBLE_HZ[0] <= rate <= PLAUSIBLE_HZ[1]:
            raise _fault(
                row,
                f"the median step between frame times is {step:g}, which is {rate:g} Hz if in s",
                "give the times in seconds, or fill in rate_hz",
            )
        rate = round(rate, 6)
    return float(rate), np.asarray(time, float)


def _positions(row: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Read x, y [mm] and region of the neurons from a CSV neuron,x,y,region."""
    if option(row, "positions") is None:
        return {}
    path = existing_file({**row, "positions": Path(str(row["path"])).parent / row["positions"]}, "positions")
    table = _text_table(path).rename(columns=lambda name: str(name).strip().lower())
    lacking = [name for name in ("neuron", "x", "y") if name not in table.columns]
    if lacking:
        raise arrays.fault(
            path,
            f"has no column {', '.join(lacking)}; it has {', '.join(table.columns)}",
            "name the columns neuron, x, y (mm) and, if known, region",
        )
    table = table.set_index(table["neuron"].str.strip())
    unknown = [name for name in names if name not in table.index]
    if unknown or table.index.has_duplicates:
        what = f"has no position of {len(unknown)} neurons ({', '.join(unknown[:5])})"
        raise arrays.fault(
            path,
            what if unknown else "names a neuron twice",
            f"one row per neuron; the recording's are called {names[0]!r} to {names[-1]!r}, "
            f"the table's {table.index[0]!r} to {table.index[-1]!r}",
        )
    table = table.loc[names]
    try:
        xy = table[["x", "y"]].map(str.strip).replace(NO_NUMBER, np.nan).astype(float)
    except ValueError as error:
        raise arrays.fault(path, f"x and y must be numbers in mm ({error})") from error
    found = {"x": xy["x"].to_numpy(), "y": xy["y"].to_numpy()}
    if "region" in table.columns:
        found["region"] = table["region"].str.strip().to_numpy(str)
    return found


def _text_table(path: Path) -> pd.DataFrame:
    """Read a CSV with a header, whatever its separator; every cell is text (NA may be a region)."""
    try:
        table = pd.read_csv(path, sep=None, engine="python", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    except (csv.Error, ValueError) as error:  # those of pandas and of the encoding are ValueErrors
        raise arrays.fault(
            path,
            f"is not a table ({str(error) or type(error).__name__})",
            "give CSV with a header and one row per neuron: neuron, x, y (mm) and, if known, region",
        ) from error
    return table.fillna("")  # rows that end early
