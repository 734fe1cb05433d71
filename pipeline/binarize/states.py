"""From continuous activity to ON and OFF: time bins, thresholds in units of the signal, states.

`binarize` works on arrays; `binarize_windows` on the ensembles of a recording and its windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base import history
from pipeline.base.arrays import Array, Bools
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.binarize import bins as binning
from pipeline.binarize.binarizer import Activity
from pipeline.binarize.bins import Bins
from pipeline.binarize.deciding import Decided, Rule, decide, rule_of
from pipeline.binarize.parameters import DEFAULT

FIRST_FRAME = "time from the start of the bin to its first frame that is used"


def binarize(
    traces: Array | xr.DataArray,
    rate_hz: float,
    method: str = DEFAULT.method,
    *,
    bin_s: float = DEFAULT.bin_s,
    time: Array | None = None,
    dropped: Bools | None = None,
    units: Sequence[str] | None = None,
    **parameters: Any,
) -> xr.Dataset:
    """Binarize traces, one threshold per unit.

    Args:
        traces: (time, unit) activity in any unit; NaN in one unit drops the frame.
        rate_hz: frame rate [Hz].
        method: "quantile", "median", "zscore" (median + z robust sd), "otsu" or "hmm" (two Gaussian
            states, most probable given all frames) of the mean over the bin; or "events": the rise
            of calcium within the bin (non-negative deconvolution) exceeds z times its noise sd.
        bin_s: length of a bin [s]; bins are aligned to time 0.
        time: (time,) start of each frame [s]; regular from 0 by default.
        dropped: (time,) frames that must not be used.
        units: names; "u0", "u1", ... by default.
        **parameters: of the method, e.g. `quantile`, `z` or `tau_s`, the indicator's decay time [s]; None
            estimates it for each unit (`decay.decay_times`). By default those of the study's section.

    Returns:
        Dataset (frame, unit) `states` uint8 and `signal`; (unit) `threshold`; coords `time` (start of the bin [s]),
        `segment` (increments where bins are not consecutive) and `first_frame` (see `Bins`). Bins of which less
        than half the frames can be used are left out.

    Raises:
        PhiscaleError: parameters that the method does not have or that do not fit the traces; units without a usable
            threshold.

    >>> traces = np.repeat([[0.0], [4.0], [1.0], [5.0]], 5, axis=0)  # 4 bins of 5 frames
    >>> binarize(traces, 10.0, "median")["states"].values[:, 0].tolist()
    [0, 1, 0, 1]
    """
    values = np.asarray(traces, float)
    if values.ndim != 2 or not 0 < rate_hz < np.inf:
        what = f"shape {values.shape} and a rate of {rate_hz!r} Hz are not (time, unit) and positive"
        raise PhiscaleError(Problem("traces", what, fix="give one column per unit, and the rate"))
    time = np.arange(len(values)) / rate_hz if time is None else np.asarray(time, float)
    lost = ~np.isfinite(values).all(axis=1)
    if dropped is not None:
        lost |= np.asarray(dropped, bool)
    rule = rule_of("traces", method, parameters, bin_s, rate_hz)
    bins = binning.lay_bins(time, rate_hz, lost, bin_s)
    kept = np.flatnonzero(bins.valid)
    if len(kept) < 2:
        what = f"{len(kept)} bins of {bin_s:g} s have at least half of their frames"
        raise PhiscaleError(Problem("traces", what, "There is no transition", "use a shorter bin_s"))
    segment = binning.segments_of(bins.number[kept])
    activity = Activity("traces", values, _names(traces, units, values.shape[1]), bins, kept, segment)
    found = decide(activity, {"the traces": np.ones(len(kept), bool)}, rule)
    dataset = _dataset(activity, found, rule, "1")
    dataset["threshold"] = ("unit", found.limits[0], _threshold("1"))
    return history.record(dataset, "binarize.binarize", method=method, bin_s=bin_s, **rule.own.model_dump())


def binarize_windows(
    ensembles: xr.Dataset,
    windows: pd.DataFrame,
    *,
    method: str = DEFAULT.method,
    bin_s: float = DEFAULT.bin_s,
    per_window: bool = DEFAULT.per_window,
    match_length: bool = DEFAULT.match_length,
    min_frames: int = DEFAULT.min_frames,
    matched_to: int | None = None,
    **parameters: Any,
) -> xr.Dataset:
    """Binarize the ensembles of a recording in its windows.

    Transients are found in the whole recording; thresholds come from the windows' frames only, one
    per unit for all windows or (`per_window`) one per unit and window.

    Args:
        ensembles: (time, ensemble) `activity`, (time,) `dropped`.
        windows: rows window, condition, start_s, end_s; rows of the same window are united.
        method: see `binarize`.
        bin_s: length of a bin [s].
        per_window: thresholds of each window by itself.
        match_length: cut windows to the same number of frames (see `bins.match`).
        min_frames: shorter windows are not matched to.
        matched_to: number of frames that windows are cut to, where those of other recordings count too
            (`bins.shortest` of all `window_lengths`); by default that of this recording's shortest window.
        **parameters: of the method (see `binarize`).

    Returns:
        Dataset (frame, unit) `states` and `signal`, (window_name, unit) `threshold`, (window_name,)
        `dropped_fraction`; coords along frame: `time` [s], `window`, `condition`, `segment`,
        `matched`, `first_frame`. Bins that are not wholly within a window, or of which less than half the frames
        can be used, are left out; so are windows with less than two bins, which the history names.

    Raises:
        PhiscaleError: parameters that the method does not have; no window with two bins, a bin shorter than a frame,
            units without a usable threshold, units that are never or always ON; all of them together.
    """
    where = f"recording {ensembles.attrs.get('recording', '?')!r}"
    rule = rule_of(where, method, parameters, bin_s, float(ensembles.attrs["sampling_rate_hz"]))
    values, bins = ensembles["activity"].values.astype(float), _bins(ensembles, bin_s)
    found = binning.in_windows(bins, windows)
    if not found.shown:
        empty = [_no_bins(where, name, windows, bins) for name in found.listed]
        raise PhiscaleError(*empty or [Problem(where, "has no window", "It has no states")])
    names = [str(name) for name in ensembles["ensemble"].values]
    units = ensembles["activity"].attrs.get("units", "1")
    activity = Activity(where, values, names, bins, found.kept, found.segment)
    every = np.ones(len(found.kept), bool)
    each = {f"window {name}": found.window == name for name in found.shown}
    decided = decide(activity, each if per_window else {"its windows": every}, rule)
    matched = binning.match(found.window, min_frames, matched_to) if match_length else every
    dataset = _dataset(activity, decided, rule, units).assign_coords(
        window=("frame", found.window, _about("window")),
        condition=("frame", windows["condition"].to_numpy(str)[found.row], _about("condition")),
        matched=("frame", matched, _about("used when lengths are matched")),
        window_name=("window_name", np.array(found.shown), _about("window")),
    )
    limits = np.broadcast_to(decided.limits, (len(found.shown), len(names))).copy()
    dataset["threshold"] = (("window_name", "unit"), limits, _threshold(units))
    share = binning.dropped_share(bins, windows, found.shown)
    dataset["dropped_fraction"] = ("window_name", share, _about("share of the window's frames that are dropped"))
    if matched_to is not None:
        dataset = dataset.assign_attrs(matched_to=matched_to)
    return history.record(
        dataset.assign_attrs({**ensembles.attrs, **dataset.attrs}),
        "binarize.binarize_windows",
        method=method,
        **rule.own.model_dump(),
        bin_s=bin_s,
        per_window=per_window,
        match_length=match_length,
        min_frames=min_frames,
        **({} if matched_to is None else {"matched_to": matched_to}),
        windows_left_out=[name for name in found.listed if name not in found.shown],
    )


def window_lengths(ensembles: xr.Dataset, windows: pd.DataFrame, bin_s: float) -> dict[str, int]:
    """Return how many bins of each window can be used, before windows are matched in length.

    Args:
        ensembles: as for `binarize_windows`.
        windows: rows window, start_s, end_s.
        bin_s: length of a bin [s].
    """
    found = binning.in_windows(_bins(ensembles, bin_s), windows)
    return {name: int((found.window == name).sum()) for name in found.shown}


def _bins(ensembles: xr.Dataset, bin_s: float) -> Bins:
    lost = ensembles["dropped"].values | ~np.isfinite(ensembles["activity"].values).all(axis=1)
    return binning.lay_bins(ensembles["time"].values, float(ensembles.attrs["sampling_rate_hz"]), lost, bin_s)


def _names(traces: Any, units: Sequence[str] | None, n: int) -> list[str]:
    if units is None and isinstance(traces, xr.DataArray) and traces.dims[-1] in traces.coords:
        units = list(traces[traces.dims[-1]].values)
    return [f"u{i}" for i in range(n)] if units is None else [str(u) for u in units]


def _about(long_name: str, units: str = "1") -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _threshold(units: str) -> dict[str, str]:
    return _about("signal above which a unit is ON", units)


def _dataset(activity: Activity, decided: Decided, rule: Rule, units: str) -> xr.Dataset:
    signal, bins = decided.signal, activity.bins
    return xr.Dataset(
        {
            "states": (("frame", "unit"), decided.states, _about("ON (1) or OFF")),
            "signal": (("frame", "unit"), signal.values, _about(rule.binarizer.signal_name, units)),
            "decay_s": ("unit", signal.decay_s, _about("decay time used to find transients", "s")),
        },
        coords={
            "time": ("frame", bins.start_s[activity.kept], _about("start of the bin", "s")),
            "unit": ("unit", np.array(activity.units, str), _about("unit")),
            "segment": ("frame", activity.segment, _about("stretch of consecutive bins")),
            "first_frame": ("frame", bins.first_frame[activity.kept], _about(FIRST_FRAME, "frame intervals")),
        },
        attrs={
            "bin_s": bins.bin_s,
            "frames_per_bin": bins.frames,
            "method": rule.binarizer.name,
            "signal_units": units,
        },
    )


def _no_bins(where: str, name: str, windows: pd.DataFrame, bins: Bins) -> Problem:
    rows = windows[windows["window"].astype(str) == name]
    count = int((bins.valid & (binning.window_of_bins(bins, rows) >= 0)).sum())
    span = ", ".join(f"{a:g} to {b:g} s" for a, b in zip(rows["start_s"], rows["end_s"], strict=True))
    return Problem(
        f"{where}, window {name}",
        f"{count} bins of {bins.bin_s:g} s with at least half of their frames lie in it ({span}; "
        f"the recording has frames from {bins.time[0]:g} to {bins.time[-1]:g} s)",
        "There is no transition in it",
        "correct its times, or remove it from the sheet of windows",
    )
