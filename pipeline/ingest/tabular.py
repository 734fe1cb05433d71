"""Recordings that are tables of frames by neurons, with companions for time, neuropil and positions."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base import history
from pipeline.base.arrays import Array, Floats
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import POSITION, Neurons, Origin, build
from pipeline.ingest import arrays
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, fault, number, option, sha256

if TYPE_CHECKING:
    import xarray as xr

ZERO_FRAMES = ("missing", "values")
MANY_NEURONS = 10  # fewer may well be silent together in denoised traces
LEAST_FRAMES_PER_NEURON = 2  # with fewer a table may as well lie the other way
PLAUSIBLE_HZ = (0.05, 2000.0)
NO_NUMBER = ("", "NA", "N/A", "n/a", "null", "None")
COLUMNS = (
    *("rate_hz", "dataset", "transpose", "zero_frames", "indicator"),
    *("neuropil_path", "neuropil_dataset", "positions", "time_dataset"),
)


class Tabular(Reader):
    """What the readers of tables have in common; `name` is a kind of `arrays.read`."""

    columns = tuple(name for name in COLUMNS if name != "dataset")
    files = ("path", "neuropil_path", "positions")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the array that the sheet's row names."""
        path = existing_file(row, "path")
        return assemble(row, path, oriented(row, arrays.read(path, option(row, "dataset"), self.name)))


def assemble(
    row: Mapping[str, Any],
    path: Path,
    values: Array,
    names: Sequence[str] | None = None,
    time: Floats | None = None,
    left_out: Sequence[str] = (),
) -> xr.Dataset:
    """Join a table with its times, neuropil and positions into a Recording.

    Args:
        row: the sheet's row.
        path: the recording's file.
        values: (frame, neuron) fluorescence or ΔF/F.
        names: of the neurons; "n0", "n1", ... by default.
        time: (frame,) start of each frame [s], where the file has it.
        left_out: columns of the file that are no neurons, for the history.

    Raises:
        PhiscaleError: companions that do not fit the table, no way to tell the frame rate, or frames that are zero in
            all neurons and nobody has said why.
    """
    names, values = names or [f"n{i}" for i in range(values.shape[1])], _without_filled(row, values)
    rate, time = _clock(row, len(values), _times(row, path, len(values), time))
    dataset = build(
        values,
        time=time,
        sampling_rate_hz=rate,
        origin=Origin(
            recording=row["recording"],
            subject=row["subject"],
            indicator=option(row, "indicator", ""),
            source=path.name,
            source_sha256=sha256(path),
            format=row["format"],
        ),
        neurons=_neurons(row, names),
        neuropil=_neuropil(row, path, values.shape),
    )
    given = ("dataset", "neuropil_dataset", "time_dataset", "transpose", "zero_frames", "rate_hz")
    return history.record(
        dataset,
        f"ingest.{row['format']}",
        source=path.name,
        columns_left_out=list(left_out),
        options={name: row[name] for name in given if option(row, name) is not None},
    )


def unreadable(row: Mapping[str, Any], what: str, fix: str) -> PhiscaleError:
    """Return an error about the recording of a row.

    Args:
        row: of the sheet of recordings.
        what: what is wrong with the recording.
        fix: how to mend it.
    """
    return PhiscaleError(Problem(str(row["path"]), what, "The recording cannot be read", fix))


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Return an option that is true or false, None when its cell is empty.

    Args:
        row: of the sheet of recordings.
        name: column of the option.

    Raises:
        PhiscaleError: it is neither.
    """
    value = option(row, name)
    if value is None:
        return None
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() not in words:
        raise unreadable(row, f"{name} is {value!r}", f"set {name} to true or false")
    return words[str(value).strip().lower()]


def oriented(row: Mapping[str, Any], values: Array) -> Array:
    """Return values as (frame, neuron); refuse an orientation that nobody has confirmed.

    Args:
        row: of the sheet of recordings; its cell `transpose` says whether the values are (neuron, frame).
        values: the array as it stands in the file; of one neuron it may have one dimension.

    Raises:
        PhiscaleError: no table, or one with less than two frames per neuron and an empty cell `transpose`.
    """
    name = option(row, "dataset", "the array")
    if values.ndim == 1 or (values.ndim == 2 and 1 in values.shape):
        return values.reshape(-1, 1)  # one neuron
    if values.ndim != 2 or 0 in values.shape:
        raise unreadable(
            row,
            f"{name} has shape {values.shape}, expected two dimensions (frame, neuron)",
            "name another dataset",
        )
    transpose = flag(row, "transpose")
    if transpose:
        return values.T
    if transpose is None and values.shape[0] < LEAST_FRAMES_PER_NEURON * values.shape[1]:
        raise unreadable(
            row,
            f"{name} has shape {values.shape}, which read as (frame, neuron) is "
            f"{values.shape[0]} frames of {values.shape[1]} neurons",
            "set transpose to true if it is (neuron, frame), or to false if it is right so",
        )
    return values


def _without_filled(row: Mapping[str, Any], values: Array) -> Array:
    """Return values with frames that are zero in all neurons marked as missing, where the row says that they are.

    Frames that were censored (motion, light off) are often filled with zeros, and would pass for a state of the brain.
    """
    known = ~np.isnan(values).all(axis=0) if values.dtype.kind == "f" else np.ones(values.shape[1], bool)
    filled = (values[:, known] == 0).all(axis=1) if known.any() else np.zeros(len(values), bool)
    means = option(row, "zero_frames")
    if means not in (None, *ZERO_FRAMES):
        raise unreadable(row, f"zero_frames is {means!r}", f"set zero_frames to {' or '.join(ZERO_FRAMES)}")
    if means == "missing":
        return np.where(filled[:, None], np.nan, values.astype(float))
    signed = bool((values < 0).any())  # traces that are never negative (spikes) may well be 0 where nothing happens
    if means is None and signed and known.sum() >= MANY_NEURONS and 0 < filled.sum() < len(values):
        raise unreadable(
            row,
            f"{int(filled.sum())} of {len(values)} frames are exactly 0 in all {int(known.sum())} neurons",
            "set zero_frames to missing if they were censored and filled, or to values if nothing was active in them",
        )
    return values


def _neuropil(row: Mapping[str, Any], path: Path, shape: tuple[int, ...]) -> Array | None:
    """Return (frame, neuron) neuropil from its own file or from the recording's, None without."""
    if option(row, "neuropil_path") is not None:
        beside = existing_file({**row, "neuropil_path": path.parent / row["neuropil_path"]}, "neuropil_path")
        found = oriented(row, arrays.read(beside, option(row, "neuropil_dataset")))
    elif option(row, "neuropil_dataset") is not None:
        found = oriented(row, _companion(row, path, "neuropil_dataset", ndim=2))
    else:
        return None
    if found.shape != shape:
        raise unreadable(
            row,
            f"neuropil has shape {found.shape}, fluorescence {shape} (frame, neuron)",
            "name the neuropil of the same neurons and frames",
        )
    return found


def _times(row: Mapping[str, Any], path: Path, n_frames: int, time: Floats | None) -> Floats | None:
    """Return the times of the frames that the row names, or else those of the table."""
    if option(row, "time_dataset") is None:
        return time
    named = _companion(row, path, "time_dataset", ndim=1).ravel()
    if len(named) != n_frames:
        raise unreadable(
            row,
            f"time_dataset {row['time_dataset']!r} has {len(named)} values for {n_frames} frames",
            "name the times of exactly these frames (a .npy or .csv file will do), or leave it empty and give rate_hz",
        )
    return named


def _companion(row: Mapping[str, Any], path: Path, name: str, ndim: int) -> Array:
    """Return the array that an option names: in the same file, or a file beside it."""
    value = str(row[name])
    beside = path.parent / value
    if beside.suffix.lower() not in arrays.KINDS:
        if row["format"] in arrays.NAMED:
            return arrays.read(path, value, row["format"], ndim)
        raise unreadable(row, f"{name} is {value!r}, expected a file (.npy, .csv)", "name a file")
    return arrays.read(existing_file({**row, name: beside}, name), ndim=ndim)


def _clock(row: Mapping[str, Any], n_frames: int, time: Floats | None) -> tuple[float, Floats]:
    """Return the frame rate and the time of every frame, from whichever of them is given."""
    rate = number(row, "rate_hz")
    if rate is not None:
        return rate, np.arange(n_frames) / rate if time is None else np.asarray(time, float)
    if time is None:
        raise unreadable(
            row,
            "the frame rate is not known: the file has none, and neither rate_hz nor time_dataset is given",
            "fill in rate_hz, frames per second",
        )
    steps = np.diff(time[np.isfinite(time)])
    step = float(np.median(steps)) if steps.size else 0.0
    rate = 1 / step if step > 0 else 0.0
    if not PLAUSIBLE_HZ[0] <= rate <= PLAUSIBLE_HZ[1]:
        raise unreadable(
            row,
            f"the median step between frame times is {step:g}, which is {rate:g} Hz if in s",
            "give the times in seconds, or fill in rate_hz",
        )
    return round(rate, 6), np.asarray(time, float)


def _neurons(row: Mapping[str, Any], names: Sequence[str]) -> Neurons:
    """Return the neurons, with x, y, z [mm] and region from a CSV neuron,x,y,z,region where the row names one."""
    if option(row, "positions") is None:
        return Neurons(names)
    path = existing_file({**row, "positions": Path(str(row["path"])).parent / row["positions"]}, "positions")
    table = _text_table(path).rename(columns=lambda name: str(name).strip().lower())
    lacking = [name for name in ("neuron", "x", "y") if name not in table.columns]
    if lacking:
        raise fault(
            path,
            f"has no column {', '.join(lacking)}; it has {', '.join(table.columns)}",
            "name the columns neuron, x, y (mm) and, if known, z (mm) and region",
        )
    table = table.set_index(table["neuron"].str.strip())
    unknown = [name for name in names if name not in table.index]
    if unknown or table.index.has_duplicates:
        what = f"has no position of {len(unknown)} neurons ({', '.join(unknown[:5])})"
        raise fault(
            path,
            what if unknown else "names a neuron twice",
            f"one row per neuron; the recording's are called {names[0]!r} to {names[-1]!r}, "
            f"the table's {table.index[0]!r} to {table.index[-1]!r}",
        )
    table = table.loc[list(names)]
    axes = [axis for axis in POSITION if axis in table.columns]
    try:
        place = table[axes].map(str.strip).replace(NO_NUMBER, np.nan).astype(float)
    except ValueError as error:
        raise fault(path, f"{', '.join(axes)} must be numbers in mm ({error})") from error
    region = table["region"].str.strip().to_numpy(str) if "region" in table.columns else None
    return Neurons(names, region=region, **{axis: place[axis].to_numpy() for axis in axes})


def _text_table(path: Path) -> pd.DataFrame:
    """Read a CSV with a header, whatever its separator; every cell is text (NA may be a region)."""
    try:
        table = pd.read_csv(path, sep=None, engine="python", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    except (csv.Error, ValueError) as error:  # those of pandas and of the encoding are ValueErrors
        raise fault(
            path,
            f"is not a table ({str(error) or type(error).__name__})",
            "give CSV with a header and one row per neuron: neuron, x, y (mm) and, if known, z (mm) and region",
        ) from error
    return table.fillna("")  # rows that end early
