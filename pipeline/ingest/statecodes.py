"""State codes (a hypnogram, behaviour per frame) at any rate, turned into windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Floats
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.ingest import arrays
from pipeline.ingest.rows import existing_file, fault, naming, number, option
from pipeline.results.columns import WINDOW_COLUMNS

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = ("state_codes", "state_dataset", "state_rate_hz")  # of the sheet of recordings
FILES = ("state_codes",)  # those of them that are paths


def read_codes(row: Mapping[str, Any]) -> tuple[Floats, float | None, float]:
    """Read the codes of a recording, cut to the part that was imaged.

    Samples before the first and after the last that is not NaN were not imaged, so that the first
    code left belongs to the first frame.

    Args:
        row: recording, state_codes (path), state_dataset, state_rate_hz.

    Returns:
        codes (sample,) with NaN where the state is unknown; their rate [Hz], None when the sheet
        gives none (then there is one code per frame); seconds cut off before the first code.

    Raises:
        PhiscaleError: the file or its codes cannot be used.
    """
    path = existing_file(row, "state_codes")
    codes = arrays.read(path, option(row, "state_dataset"), ndim=1).astype(float).ravel()
    known = np.flatnonzero(np.isfinite(codes))
    if not known.size:
        raise fault(path, "holds no state code, only NaN", "name another state_dataset")
    rate = number(row, "state_rate_hz")
    if rate is None:
        return codes, None, 0.0
    return codes[known[0] : known[-1] + 1], rate, float(known[0] / rate)


def windows_from_codes(
    codes: Floats,
    rate_hz: float,
    mapping: Mapping[int, str],
    min_bout_s: float = 0.0,
    trim_s: float = 0.0,
    start_s: float = 0.0,
) -> pd.DataFrame:
    """Return one row (window, condition, start_s, end_s) per bout of codes of one condition.

    The window has the condition's name, so all bouts of a condition are one window.

    Args:
        codes: (sample,) codes; NaN and codes that are not in `mapping` belong to no window.
        rate_hz: codes per second.
        mapping: code -> condition; several codes may mean the same condition.
        min_bout_s: shorter bouts are left out [s].
        trim_s: cut from both ends of each bout [s].
        start_s: time of the first code on the recording's clock [s].

    >>> table = windows_from_codes(np.array([1, 1, 2, 2, 2]), 1.0, {1: "wake", 2: "nrem"})
    >>> table[["condition", "start_s", "end_s"]].to_numpy().tolist()
    [['wake', 0.0, 2.0], ['nrem', 2.0, 5.0]]
    """
    edges = start_s + np.arange(len(codes) + 1) / rate_hz
    return _bouts(np.asarray(codes, float), edges, mapping, min_bout_s, trim_s)


def _bouts(
    codes: Floats,
    edges: Floats,
    mapping: Mapping[int, str],
    min_bout_s: float,
    trim_s: float,
) -> pd.DataFrame:
    """Return the bouts of codes that hold between (code + 1,) edges in time [s]."""
    names = list(dict.fromkeys(mapping.values()))
    label = np.full(len(codes), -1)
    for code, condition in mapping.items():
        label[codes == code] = names.index(condition)
    change = np.flatnonzero(np.diff(label)) + 1
    first, last = np.append(0, change), np.append(change, len(label))
    rows = []
    for a, b in zip(first, last, strict=True):
        start, end = float(edges[a]), float(edges[b])
        long_enough = end - start >= min_bout_s and end - start > 2 * trim_s
        if label[a] >= 0 and long_enough:
            rows.append((names[label[a]], names[label[a]], start + trim_s, end - trim_s))
    return pd.DataFrame(rows, columns=list(WINDOW_COLUMNS[1:]))


def windows(
    row: Mapping[str, Any],
    recording: xr.Dataset,
    mapping: Mapping[int, str],
    min_bout_s: float = 0.0,
    trim_s: float = 0.0,
) -> pd.DataFrame:
    """Return the windows table (recording, window, condition, start_s, end_s) of one recording.

    With state_rate_hz the first code is that of the first frame, and codes and frames must last
    equally long (within 1 % and 2 s) where NaN tells what was imaged; without it there has to be
    one code per frame.

    Args:
        row: what the sheet of recordings says of it.
        recording: the Recording, whose clock the codes are laid on.
        mapping: code -> condition.
        min_bout_s: shorter bouts are left out [s].
        trim_s: cut from both ends of each bout [s].

    Raises:
        PhiscaleError: codes that cannot be read, do not fit the frames or hold no bout.
    """
    with naming(row):
        codes, rate, cut = read_codes(row)
    time = recording["time"].values
    frame = 1 / recording.attrs["sampling_rate_hz"]
    where = f"recording {row['recording']!r}, state_codes"
    if rate is None:
        if len(codes) != len(time):
            raise PhiscaleError(
                Problem(
                    where,
                    f"{len(codes)} codes for {len(time)} frames, and no state_rate_hz",
                    "States would be given to the wrong frames",
                    "fill in state_rate_hz, codes per second, or give one code per frame",
                )
            )
        table = _codes_of_frames(codes, time, frame, mapping, min_bout_s, trim_s)
    else:
        _check_span(where, len(codes) / rate, float(time[-1] - time[0]) + frame, cut > 0)
        table = windows_from_codes(codes, rate, mapping, min_bout_s, trim_s, float(time[0]))
        table["end_s"] = table["end_s"].clip(upper=float(time[-1]) + frame)
        table = table[table["end_s"] > table["start_s"]]
    if table.empty:
        held = ", ".join(f"{code:g}" for code in np.unique(codes[np.isfinite(codes)])[:10])
        raise PhiscaleError(
            Problem(
                where,
                f"no bout of {dict(mapping)} lasts {min_bout_s:g} s; the codes are {held}",
                "The recording has no window",
                "correct state_codes.codes or min_bout_s",
            )
        )
    table.insert(0, "recording", str(row["recording"]))
    return table.reset_index(drop=True)


def _codes_of_frames(
    codes: Floats,
    time: Floats,
    frame: float,
    mapping: Mapping[int, str],
    min_bout_s: float,
    trim_s: float,
) -> pd.DataFrame:
    """Return the bouts of one code per frame; a bout lasts to the start of the next one."""
    return _bouts(codes, np.append(time, time[-1] + frame), mapping, min_bout_s, trim_s)


def _check_span(where: str, codes_s: float, imaging_s: float, padded: bool) -> None:
    """Refuse codes that cannot be those of these frames."""
    tolerance = 2 + 0.01 * imaging_s
    too_long = codes_s - imaging_s > tolerance
    if too_long or (padded and imaging_s - codes_s > tolerance):
        raise PhiscaleError(
            Problem(
                where,
                f"the codes last {codes_s:.1f} s, the imaging {imaging_s:.1f} s",
                "States would be given to the wrong frames",
                "check rate_hz and state_rate_hz, or cut the codes to the imaged part",
            )
        )
