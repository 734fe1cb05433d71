"""From continuous activity to ON and OFF: time bins, thresholds in units of the signal, states.

`binarize` works on arrays; `binarize_windows` on the ensembles of a recording and its windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base import history
from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.binarize import bins as binning
from pipeline.binarize import thresholds
from pipeline.binarize.bins import Bins
from pipeline.binarize.decay import decay_times
from pipeline.binarize.deconvolve import find_rises, rise_noise

METHODS = ("quantile", "median", "zscore", "otsu", "hmm", "events")
_SEGMENT = {"units": "1", "long_name": "stretch of consecutive bins"}


@dataclass(frozen=True)
class Rule:
    """How a unit's ON state is decided (see `binarize`)."""

    method: str = "events"
    quantile: float = 0.85
    z: float = 3.0
    tau_s: float | None = 0.7


@dataclass(frozen=True)
class Raw:
    """Activity and the bins that states are wanted for.

    Attributes:
        where: what messages call it.
        values: (time, unit) activity.
        units: names.
        bins: all bins.
        kept: (frame,) indices of the bins that become frames.
        segment: (frame,) stretch of consecutive bins.
        decay_s: (unit,) decay time of the indicator [s]; NaN where the method has no use for it.
    """

    where: str
    values: np.ndarray
    units: Sequence[str]
    bins: Bins
    kept: np.ndarray
    segment: np.ndarray
    decay_s: np.ndarray


def binarize(
    traces: np.ndarray | xr.DataArray,
    rate_hz: float,
    method: str = "events",
    *,
    bin_s: float = 0.5,
    time: np.ndarray | None = None,
    dropped: np.ndarray | None = None,
    units: Sequence[str] | None = None,
    **parameters: float | None,
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
        **parameters: `quantile` (0.85), `z` (3), and `tau_s` (0.7), the indicator's decay time [s]; None
            estimates it for each unit (`decay.decay_times`).

    Returns:
        Dataset (frame, unit) `states` uint8 and `signal`; (unit) `threshold`; coords `time` (start
        of the bin [s]) and `segment` (increments where bins are not consecutive). Bins of which
        less than half the frames can be used are left out.

    Raises:
        PhiscaleError: parameters that do not fit the traces; units without a usable threshold.
    """
    values = np.asarray(traces, float)
    if values.ndim != 2 or not 0 < rate_hz < np.inf:
        what = f"shape {values.shape} and a rate of {rate_hz!r} Hz are not (time, unit) and positive"
        raise PhiscaleError(Problem("traces", what, fix="give one column per unit, and the rate"))
    names = _names(traces, units, values.shape[1])
    time = np.arange(len(values)) / rate_hz if time is None else np.asarray(time, float)
    lost = ~np.isfinite(values).all(axis=1)
    if dropped is not None:
        lost |= np.asarray(dropped, bool)
    rule = Rule(method, **parameters)
    _check_parameters("traces", rule, bin_s, rate_hz)
    bins = binning.lay_bins(time, rate_hz, lost, bin_s)
    kept = np.flatnonzero(bins.valid)
    if len(kept) < 2:
        what = f"{len(kept)} bins of {bin_s:g} s have at least half of their frames"
        raise PhiscaleError(Problem("traces", what, "There is no transition", "use a shorter bin_s"))
    segment = binning.segments_of(bins.number[kept])
    raw = Raw("traces", values, names, bins, kept, segment, _decay(values, bins, rule, names, "traces"))
    states, signal, limits = _decide(raw, {"the traces": np.ones(len(kept), bool)}, rule)
    dataset = _dataset(raw, states, signal, rule, "1")
    dataset["threshold"] = _threshold(("unit",), limits[0], "1")
    return history.record(dataset, "binarize.binarize", method=method, bin_s=bin_s, **parameters)


def binarize_windows(
    ensembles: xr.Dataset,
    windows: pd.DataFrame,
    *,
    method: str = "events",
    quantile: float = 0.85,
    z: float = 3.0,
    tau_s: float | None = 0.7,
    bin_s: float = 0.5,
    per_window: bool = False,
    match_length: bool = True,
    min_frames: int = 200,
) -> xr.Dataset:
    """Binarize the ensembles of a recording in its windows.

    Transients are found in the whole recording; thresholds come from the windows' frames only, one
    per unit for all windows or (`per_window`) one per unit and window.

    Args:
        ensembles: (time, ensemble) `activity`, (time,) `dropped`.
        windows: rows window, condition, start_s, end_s; rows of the same window are united.
        method, quantile, z, tau_s, bin_s: see `binarize`.
        per_window: thresholds of each window by itself.
        match_length: cut windows to the same number of frames (see `bins.match`).
        min_frames: shorter windows are not matched to.

    Returns:
        Dataset (frame, unit) `states` and `signal`, (window_name, unit) `threshold`, (window_name,)
        `dropped_fraction`; coords along frame: `time` [s], `window`, `condition`, `segment`,
        `matched`. Bins that are not wholly within a window, or of which less than half the frames
        can be used, are left out; so are windows with less than two bins, which the history names.

    Raises:
        PhiscaleError: no window with two bins, a bin shorter than a frame, units without a usable
            threshold, units that are never or always ON; all of them together.
    """
    where = f"recording {ensembles.attrs.get('recording', '?')!r}"
    rate = float(ensembles.attrs["sampling_rate_hz"])
    rule = Rule(method, quantile, z, tau_s)
    _check_parameters(where, rule, bin_s, rate)
    values = ensembles["activity"].values.astype(float)
    lost = ensembles["dropped"].values | ~np.isfinite(values).all(axis=1)
    bins = binning.lay_bins(ensembles["time"].values, rate, lost, bin_s)
    frames = binning.in_windows(bins, windows)
    kept, window, shown = frames.kept, frames.window, frames.shown
    if not shown:
        empty = [_no_bins(where, name, windows, bins) for name in frames.listed]
        raise PhiscaleError(*empty or [Problem(where, "has no window", "It has no states")])
    names = [str(name) for name in ensembles["ensemble"].values]
    units = ensembles["activity"].attrs.get("units", "1")
    decay_s = _decay(values, bins, rule, names, where)
    raw = Raw(where, values, names, bins, kept, frames.segment, decay_s)
    every = np.ones(len(kept), bool)
    together = {f"window {name}": window == name for name in shown}
    states, signal, limits = _decide(raw, together if per_window else {"its windows": every}, rule)
    dataset = _dataset(raw, states, signal, rule, units).assign_coords(
        window=("frame", window, {"units": "1", "long_name": "window"}),
        condition=(
            "frame",
            windows["condition"].to_numpy(str)[frames.row],
            {"units": "1", "long_name": "condition"},
        ),
        matched=(
            "frame",
            binning.match(window, min_frames) if match_length else every,
            {"units": "1", "long_name": "used when lengths are matched"},
        ),
        window_name=("window_name", np.array(shown), {"units": "1", "long_name": "window"}),
    )
    limits = np.broadcast_to(limits, (len(shown), len(names))).copy()
    dataset["threshold"] = _threshold(("window_name", "unit"), limits, units)
    dataset["dropped_fraction"] = (
        "window_name",
        binning.dropped_share(bins, windows, shown),
        {"units": "1", "long_name": "share of the window's frames that are dropped"},
    )
    return history.record(
        dataset.assign_attrs({**ensembles.attrs, **dataset.attrs}),
        "binarize.binarize_windows",
        **vars(rule),
        bin_s=bin_s,
        per_window=per_window,
        match_length=match_length,
        min_frames=min_frames,
        windows_left_out=[name for name in frames.listed if name not in shown],
    )


def _names(traces: Any, units: Sequence[str] | None, n: int) -> list[str]:
    if units is None and isinstance(traces, xr.DataArray) and traces.dims[-1] in traces.coords:
        units = list(traces[traces.dims[-1]].values)
    return [f"u{i}" for i in range(n)] if units is None else [str(u) for u in units]


def _decay(values: np.ndarray, bins: Bins, rule: Rule, names: Sequence[str], where: str) -> np.ndarray:
    if rule.method != "events":
        return np.full(len(names), np.nan)
    return decay_times(values, bins.used, bins.rate_hz, rule.tau_s, names, where)


def _dataset(raw: Raw, states: np.ndarray, signal: np.ndarray, rule: Rule, units: str) -> xr.Dataset:
    what = "rise of calcium in the bin" if rule.method == "events" else "mean over the bin"
    start = raw.bins.start_s[raw.kept]
    return xr.Dataset(
        {
            "states": (("frame", "unit"), states, {"units": "1", "long_name": "ON (1) or OFF"}),
            "signal": (("frame", "unit"), signal, {"units": units, "long_name": what}),
            "decay_s": (
                "unit",
                raw.decay_s,
                {"units": "s", "long_name": "decay time used to find transients"},
            ),
        },
        coords={
            "time": ("frame", start, {"units": "s", "long_name": "start of the bin"}),
            "unit": ("unit", np.array(raw.units, str), {"units": "1", "long_name": "unit"}),
            "segment": ("frame", raw.segment, _SEGMENT),
        },
        attrs={"bin_s": raw.bins.bin_s, "method": rule.method, "signal_units": units},
    )


def _threshold(dims: tuple[str, ...], limits: np.ndarray, units: str) -> tuple[Any, ...]:
    return dims, limits, {"units": units, "long_name": "signal above which a unit is ON"}


def _decide(raw: Raw, together: Mapping[str, np.ndarray], rule: Rule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states (frame, unit), signal (frame, unit) and thresholds (stretch, unit).

    `together` names the stretches of frames that share a threshold: masks (frame,).
    """
    bins, values = raw.bins, raw.values
    if rule.method == "events":
        rises = np.column_stack(
            [
                find_rises(
                    values[:, [u]],
                    bins.time,
                    bins.rate_hz,
                    tau,
                    bins.of_frame,
                    bins.frames,
                    bins.used,
                )[:, 0]
                for u, tau in enumerate(raw.decay_s)
            ]
        )
        signal = bins.total(rises)[raw.kept]
    else:
        signal = bins.mean(values)[raw.kept]
    states = np.zeros(signal.shape, np.uint8)
    limits = np.empty((len(together), len(raw.units)))
    problems = Problems()
    for i, (name, frames) in enumerate(together.items()):
        inside = np.isin(bins.of_frame, raw.kept[frames]) & bins.used
        for u, unit in enumerate(raw.units):
            part = signal[frames, u]
            if np.ptp(values[inside, u]) == 0:
                problems.add(
                    f"{raw.where}, unit {unit}",
                    f"its activity is constant in {name}",
                    "It has no ON state there, and carries no information",
                    "leave it out, or check the recording for a lost neuron",
                )
            elif rule.method == "hmm":
                limits[i, u], states[frames, u] = thresholds.hidden_markov(part, raw.segment[frames])
            else:
                limits[i, u] = _limit(part, values[:, u], inside, raw, raw.decay_s[u], rule)
                states[frames, u] = part > limits[i, u]
    problems.raise_if_any()
    _check_states(raw, states, limits, rule)
    return states, signal, limits


def _limit(part: np.ndarray, trace: np.ndarray, inside: np.ndarray, raw: Raw, decay_s: float, rule: Rule) -> float:
    if rule.method == "events":
        return rule.z * rise_noise(trace, inside, raw.bins.rate_hz, decay_s, raw.bins.frames)
    if rule.method == "otsu":
        return thresholds.otsu(part)
    if rule.method == "zscore":
        return thresholds.robust_z(part, rule.z)
    return thresholds.quantile(part, rule.quantile if rule.method == "quantile" else 0.5)


def _check_parameters(where: str, rule: Rule, bin_s: float, rate_hz: float) -> None:
    problems = Problems()
    if rule.method not in METHODS:
        problems.add(f"{where}, binarize.method", f"{rule.method!r} is not one of {', '.join(METHODS)}")
    binning.check_length(where, bin_s, rate_hz, problems)
    problems.raise_if_any()


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


def _check_states(raw: Raw, states: np.ndarray, limits: np.ndarray, rule: Rule) -> None:
    fixes = {
        "events": "lower binarize.z, correct binarize.tau_s, or leave the unit out",
        "zscore": "lower binarize.z, or use the method events",
        "quantile": "lower binarize.quantile, or use the method events",
    }
    problems = Problems()
    for unit, on, limit in zip(raw.units, states.T.astype(bool), limits.T, strict=True):
        if on.all() or not on.any():
            problems.add(
                f"{raw.where}, unit {unit}",
                f"it is {'always' if on.all() else 'never'} ON (threshold {limit.max():.4g})",
                "No transition of it can be seen",
                fixes.get(rule.method, "use another binarize.method, or leave the unit out"),
            )
    problems.raise_if_any()
