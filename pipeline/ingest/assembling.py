"""What a file knows of a recording, and the Recording that it gives together with its row of the sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base import history
from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.recording import POSITION, Neurons, Origin, build
from pipeline.ingest.blocks import Survey
from pipeline.ingest.rows import existing_file, fault, number, option, sha256, unreadable

if TYPE_CHECKING:
    import xarray as xr

ZERO_FRAMES = ("missing", "values")
MANY_NEURONS = 10  # fewer may well be silent together in denoised traces
PLAUSIBLE_HZ = (0.05, 2000.0)
NO_NUMBER = ("", "NA", "N/A", "n/a", "null", "None")
FIRST = "first"  # in the column time_zero: the first frame
GIVEN = (
    *("dataset", "neuropil_dataset", "time_dataset", "transpose", "zero_frames", "rate_hz"),
    *("time_zero", "um_per_pixel", "keep", "drop"),
)
TOLD = ("dataset", "kind", "subject", "tau_s", "said")  # of what was found, for the history


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a file knows of a recording; the sheet's row wins over it.

    Attributes:
        values: (frame, neuron) fluorescence, ΔF/F or spikes per frame, of the cells that are used.
        names: of the neurons; "n0", "n1", ... by default.
        time: (frame,) start of each frame [s].
        rate_hz: frame rate [Hz].
        neurons: their places, where the file has them; named as `names`.
        neuropil: (frame, neuron).
        indicator: name of the calcium indicator.
        tau_s: decay time of that indicator [s], as the program that wrote the file was told.
        subject: that the file names.
        dataset: array of the file that the values are.
        kind: what they are: "fluorescence", "dff", "spikes", or "" where the file does not say.
        left_out: cells of the file that are not used.
        said: what was decided on the way and whoever reads the result has to know.
        files: those that were read, where the recording is not one file.
    """

    values: Array
    names: Sequence[str] | None = None
    time: Floats | None = None
    rate_hz: float | None = None
    neurons: Neurons | None = None
    neuropil: Array | None = None
    indicator: str = ""
    tau_s: float | None = None
    subject: str = ""
    dataset: str = ""
    kind: str = ""
    left_out: Sequence[str] = ()
    said: Sequence[str] = ()
    files: Sequence[Path] = ()


@dataclass(frozen=True)
class Streamed:
    """A recording that is read some frames at a time.

    Attributes:
        path: its file.
        found: what the file knows; its values are left out.
        shape: (frames, neurons) of those that are used.
        parts: yields which frames, and their (frame, neuron) values.
    """

    path: Path
    found: Found
    shape: tuple[int, int]
    parts: Callable[[], Iterator[tuple[slice, Array]]]


def assemble(row: Mapping[str, Any], path: Path, found: Found) -> xr.Dataset:
    """Join what a file knows with the sheet's row into a Recording.

    Args:
        row: the sheet's row.
        path: the recording's file, or the folder that it is.
        found: what the file knows.

    Raises:
        PhiscaleError: parts that do not fit the traces, no way to tell the frame rate, or frames that are zero in
            all neurons and nobody has said why.
    """
    values = found.values
    filled = filled_frames(row, Survey.of(values.shape, [(slice(None), values)]))
    if filled is not None:
        values = np.where(filled[:, None], np.nan, values.astype(float))
    _check_neuropil(row, found)
    dataset = build(values, neuropil=found.neuropil, **about(row, path, found, values.shape))
    return recorded(row, path, found, dataset)


def about(row: Mapping[str, Any], path: Path, found: Found, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return what is known of a recording besides its traces, as `recording.build` takes it; raises as `assemble`.

    Args:
        row: the sheet's row.
        path: the recording's file, or the folder that it is.
        found: what the file knows.
        shape: of the traces, (frame, neuron).
    """
    found = replace(found, names=found.names or [f"n{i}" for i in range(shape[1])])
    rate, time = _clock(row, shape[0], found)
    origin = Origin(
        recording=row["recording"],
        subject=row["subject"],
        indicator=option(row, "indicator", found.indicator),
        source=": ".join(part for part in (path.name, found.dataset) if part),
        source_sha256=sha256(*(found.files or (path,))),
        format=row["format"],
    )
    return {"time": time, "sampling_rate_hz": rate, "origin": origin, "neurons": _neurons(row, found)}


def recorded(row: Mapping[str, Any], path: Path, found: Found, dataset: xr.Dataset) -> xr.Dataset:
    """Return a Recording whose history says what was read from where."""
    return history.record(
        dataset,
        f"ingest.{row['format']}",
        source=path.name,
        columns_left_out=list(found.left_out),
        options={name: row[name] for name in GIVEN if option(row, name) is not None},
        **{name: getattr(found, name) for name in TOLD if getattr(found, name)},
    )


def told(dataset: xr.Dataset) -> dict[str, Any]:
    """Return what reading a Recording left in its history: source, dataset, kind, subject, said, options.

    Args:
        dataset: a Recording, or what was made of it.
    """
    entries = json.loads(dataset.attrs.get("history", "[]"))
    found = [entry["parameters"] for entry in entries if str(entry["operation"]).startswith("ingest.")]
    return dict(found[-1]) if found else {}


def filled_frames(row: Mapping[str, Any], survey: Survey) -> Bools | None:
    """Return which frames are zero in all neurons and mean that they are missing; None where the row says otherwise.

    Frames that were censored (motion, light off) are often filled with zeros, and would pass for a state of the brain.

    Args:
        row: the sheet's row.
        survey: of the traces.

    Raises:
        PhiscaleError: there are such frames, and nobody has said why.
    """
    n_known = int(survey.known.sum())
    filled: Bools = (survey.zeros == n_known) & (n_known > 0)
    means = option(row, "zero_frames")
    if means not in (None, *ZERO_FRAMES):
        raise unreadable(row, f"zero_frames is {means!r}", f"set zero_frames to {' or '.join(ZERO_FRAMES)}")
    if means == "missing":
        return filled
    some = 0 < filled.sum() < len(filled)  # traces that are never negative (spikes) may be 0 where nothing happens
    if means is None and survey.signed and n_known >= MANY_NEURONS and some:
        raise unreadable(
            row,
            f"{int(filled.sum())} of {len(filled)} frames are exactly 0 in all {n_known} neurons",
            "set zero_frames to missing if they were censored and filled, or to values if nothing was active in them",
        )
    return None


def _check_neuropil(row: Mapping[str, Any], found: Found) -> None:
    if found.neuropil is not None and found.neuropil.shape != found.values.shape:
        raise unreadable(
            row,
            f"neuropil has shape {found.neuropil.shape}, fluorescence {found.values.shape} (frame, neuron)",
            "name the neuropil of the same neurons and frames",
        )


def _clock(row: Mapping[str, Any], n_frames: int, found: Found) -> tuple[float, Floats]:
    """Return the frame rate and the time of every frame, from whichever of them is given."""
    rate = number(row, "rate_hz") or found.rate_hz
    if found.time is None:
        if rate is None:
            raise unreadable(
                row,
                "the frame rate is not known: the file has none, and neither rate_hz nor time_dataset is given",
                "fill in rate_hz, frames per second",
            )
        return rate, np.arange(n_frames) / rate
    time = np.asarray(found.time, float)
    time = time - _zero(row, time)
    if rate is not None:
        return rate, time
    steps = np.diff(time[np.isfinite(time)])
    step = float(np.median(steps)) if steps.size else 0.0
    rate = 1 / step if step > 0 else 0.0
    if not PLAUSIBLE_HZ[0] <= rate <= PLAUSIBLE_HZ[1]:
        raise unreadable(
            row,
            f"the median step between frame times is {step:g}, which is {rate:g} Hz if in s",
            "give the times in seconds, or fill in rate_hz",
        )
    return round(rate, 6), time


def _zero(row: Mapping[str, Any], time: Floats) -> float:
    """Return the time of the file's clock that is 0 of the recording's [s]."""
    zero = option(row, "time_zero")
    if zero is None:
        return 0.0
    if str(zero).strip() == FIRST:
        return float(time[0])
    try:
        return float(zero)
    except ValueError as error:
        fix = f"set time_zero to {FIRST}, or to a time in seconds"
        raise unreadable(row, f"time_zero is {zero!r}", fix) from error


def _neurons(row: Mapping[str, Any], found: Found) -> Neurons:
    """Return the neurons, with x, y, z [mm] and region from a CSV neuron,x,y,z,region where the row names one."""
    names = found.names or ()
    if option(row, "positions") is None:
        return found.neurons or Neurons(names)
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
