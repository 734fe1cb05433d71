"""From continuous activity to ON and OFF: time bins, thresholds in units of the signal, states.

`binarize` works on arrays; `binarize_windows` on the ensembles of a recording and its windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline import bins as binning
from pipeline import store, thresholds
from pipeline.bins import Bins
from pipeline.deconvolve import amplitude_noise, frame_noise, transients
from pipeline.errors import Problems

METHODS = ("quantile", "median", "zscore", "otsu", "hmm", "events")
RECOVERED = 10.0  # decay times after which nothing is left of a transient


@dataclass(frozen=True)
class Rule:
    """How a unit's ON state is decided (see `binarize`)."""

    method: str = "events"
    quantile: float = 0.85
    z: float = 2.0
    tau_s: float = 0.7


@dataclass(frozen=True)
class Stretch:
    """Frames (bins) that share their thresholds: a name for messages, and where they are."""

    name: str
    frames: np.ndarray


def binarize(
    traces: np.ndarray | xr.DataArray,
    rate_hz: float,
    method: str = "events",
    *,
    bin_s: float = 0.5,
    time: np.ndarray | None = None,
    dropped: np.ndarray | None = None,
    units: Sequence[str] | None = None,
    **parameters: float,
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
        **parameters: `quantile` (0.85), `z` (2), and `tau_s` (0.7), the indicator's decay time [s].

    Returns:
        Dataset (frame, unit) `states` uint8 and `signal`; (unit) `threshold`; coords `time` (start
        of the bin [s]) and `segment` (increments where bins are not consecutive). Bins of which
        less than half the frames can be used are left out.

    Raises:
        PhiscaleError: parameters that do not fit the traces; units without a usable threshold.
    """
    values = np.asarray(traces, float)
    names = _names(traces, units, values.shape[1])
    time = np.arange(len(values)) / rate_hz if time is None else np.asarray(time, float)
    lost = ~np.isfinite(values).all(axis=1)
    if dropped is not None:
        lost |= np.asarray(dropped, bool)
    rule = Rule(method, **parameters)
    _check_parameters("traces", rule, bin_s, rate_hz)
    bins = binning.lay_bins(time, rate_hz, lost, bin_s)
    kept = np.flatnonzero(bins.valid)
    segment = binning.segments_of(bins.number[kept], np.zeros(len(kept)))
    everything = Stretch("the traces", np.ones(len(kept), bool))
    states, signal, limits = _decide(
        "traces", values, names, bins, kept, segment, [everything], rule
    )
    dataset = _dataset(states, signal, bins, kept, names, rule, "1").assign_coords(
        segment=("frame", segment, _SEGMENT)
    )
    dataset["threshold"] = (("unit",), limits[0], {**_THRESHOLD, "units": "1"})
    return store.record(dataset, "binarize.binarize", method=method, bin_s=bin_s, **parameters)


def binarize_windows(
    ensembles: xr.Dataset,
    windows: pd.DataFrame,
    *,
    method: str = "events",
    quantile: float = 0.85,
    z: float = 2.0,
    tau_s: float = 0.7,
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
        can be used, are left out.

    Raises:
        PhiscaleError: windows without frames, a bin shorter than a frame, units without a usable
            threshold, units that are never or always ON; all of them together.
    """
    where = f"recording {ensembles.attrs.get('recording', '?')!r}"
    rate = float(ensembles.attrs["sampling_rate_hz"])
    rule = Rule(method, quantile, z, tau_s)
    _check_parameters(where, rule, bin_s, rate)
    values = ensembles["activity"].values.astype(float)
    lost = ensembles["dropped"].values | ~np.isfinite(values).all(axis=1)
    bins = binning.lay_bins(ensembles["time"].values, rate, lost, bin_s)
    row = binning.window_of_bins(bins, windows)
    kept = np.flatnonzero(bins.valid & (row >= 0))
    window = windows["window"].to_numpy(str)[row[kept]]
    shown = list(dict.fromkeys(windows["window"].astype(str)))
    _check_windows(where, shown, window, windows, bins)
    segment = binning.segments_of(bins.number[kept], window)
    stretches = [Stretch(f"window {name}", window == name) for name in shown]
    if not per_window:
        stretches = [Stretch("its windows", np.ones(len(kept), bool))]
    names = [str(name) for name in ensembles["ensemble"].values]
    units = ensembles["activity"].attrs.get("units", "1")
    states, signal, limits = _decide(where, values, names, bins, kept, segment, stretches, rule)
    every = np.ones(len(kept), bool)
    matched = binning.match(window, min_frames) if match_length else every
    condition = windows["condition"].to_numpy(str)[row[kept]]
    dataset = _dataset(states, signal, bins, kept, names, rule, units).assign_coords(
        window=("frame", window, {"units": "1", "long_name": "window"}),
        condition=("frame", condition, {"units": "1", "long_name": "condition"}),
        segment=("frame", segment, _SEGMENT),
        matched=("frame", matched, {"units": "1", "long_name": "used when lengths are matched"}),
        window_name=("window_name", np.array(shown), {"units": "1", "long_name": "window"}),
    )
    table = np.broadcast_to(limits, (len(shown), len(names))).copy()
    dataset["threshold"] = (("window_name", "unit"), table, {**_THRESHOLD, "units": units})
    dataset["dropped_fraction"] = (
        ("window_name",),
        binning.dropped_share(bins, windows, shown),
        {"units": "1", "long_name": "share of the window's frames that are dropped"},
    )
    return store.record(
        dataset.assign_attrs({**ensembles.attrs, **dataset.attrs}),
        "binarize.binarize_windows",
        **vars(rule),
        bin_s=bin_s,
        per_window=per_window,
        match_length=match_length,
        min_frames=min_frames,
    )


_THRESHOLD = {"long_name": "signal above which a unit is ON"}
_SEGMENT = {"units": "1", "long_name": "stretch of consecutive bins"}


def _names(traces: Any, units: Sequence[str] | None, n: int) -> list[str]:
    if units is None and isinstance(traces, xr.DataArray) and traces.dims[-1] in traces.coords:
        units = list(traces[traces.dims[-1]].values)
    return [f"u{i}" for i in range(n)] if units is None else [str(u) for u in units]


def _dataset(
    states: np.ndarray,
    signal: np.ndarray,
    bins: Bins,
    kept: np.ndarray,
    names: Sequence[str],
    rule: Rule,
    units: str,
) -> xr.Dataset:
    what = "rise of calcium in the bin" if rule.method == "events" else "mean over the bin"
    return xr.Dataset(
        {
            "states": (("frame", "unit"), states, {"units": "1", "long_name": "ON (1) or OFF"}),
            "signal": (("frame", "unit"), signal, {"units": units, "long_name": what}),
        },
        coords={
            "time": ("frame", bins.start_s[kept], {"units": "s", "long_name": "start of the bin"}),
            "unit": ("unit", np.array(names, str), {"units": "1", "long_name": "unit"}),
        },
        attrs={"bin_s": bins.bin_s, "method": rule.method, "signal_units": units},
    )


def _decide(
    where: str,
    values: np.ndarray,
    names: Sequence[str],
    bins: Bins,
    kept: np.ndarray,
    segment: np.ndarray,
    stretches: Sequence[Stretch],
    rule: Rule,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states (frame, unit), signal (frame, unit) and thresholds (stretch, unit)."""
    rise = _rises(values, bins, rule.tau_s) if rule.method == "events" else None
    signal = (bins.mean(values) if rise is None else bins.total(rise))[kept]
    states = np.zeros(signal.shape, np.uint8)
    limits = np.empty((len(stretches), len(names)))
    problems = Problems()
    for i, stretch in enumerate(stretches):
        inside = np.isin(bins.of_frame, kept[stretch.frames]) & bins.used
        for u, name in enumerate(names):
            part = signal[stretch.frames, u]
            place = f"{where}, unit {name}"
            if np.ptp(values[inside, u]) == 0:
                problems.add(
                    place,
                    f"its activity is constant in {stretch.name}",
                    "It has no ON state there, and carries no information",
                    "leave it out, or check the recording for a lost neuron",
                )
                continue
            if rule.method == "hmm":
                limits[i, u], on = thresholds.hidden_markov(part, segment[stretch.frames])
            else:
                noise = _rise_noise(values[:, u], inside, bins, rule.tau_s)
                limits[i, u] = _limit(part, noise, rule)
                on = part > limits[i, u]
            states[stretch.frames, u] = on
    problems.raise_if_any()
    _check_states(where, states, names, limits, rule)
    return states, signal, limits


def _limit(part: np.ndarray, noise: float, rule: Rule) -> float:
    if rule.method == "events":
        return rule.z * noise
    if rule.method == "otsu":
        return thresholds.otsu(part)
    if rule.method == "zscore":
        return thresholds.robust_z(part, rule.z)
    return thresholds.quantile(part, rule.quantile if rule.method == "quantile" else 0.5)


def _rises(values: np.ndarray, bins: Bins, tau_s: float) -> np.ndarray:
    """Return (time, unit) rises of calcium, found on a regular grid of frames; gaps have weight 0.

    Gaps are cut to RECOVERED decay times: nothing is left after that.
    """
    longest = int(np.ceil(RECOVERED * tau_s * bins.rate_hz))
    steps = np.clip(np.rint(np.diff(bins.time) * bins.rate_hz).astype(int), 1, longest)
    place = np.append(0, np.cumsum(steps))
    weight = np.zeros(place[-1] + 1)
    weight[place] = bins.used
    bin_of = bins.of_frame[np.searchsorted(place, np.arange(len(weight)), side="right") - 1]
    rises = np.zeros_like(values)
    for u in range(values.shape[1]):
        trace = np.zeros(len(weight))
        trace[place] = np.where(bins.used, values[:, u], 0.0)
        found = transients(trace, bins.rate_hz, tau_s, bin_of, bins.frames, weight)
        rises[:, u] = found.onset[place]
    return rises


def _rise_noise(trace: np.ndarray, inside: np.ndarray, bins: Bins, tau_s: float) -> float:
    """Return the sd that noise gives the rise in a bin, from the frames `inside`."""
    gamma = float(np.exp(-1 / (bins.rate_hz * tau_s)))
    weight = inside.astype(float)
    noise = frame_noise(np.where(inside, trace, 0.0), gamma, weight)
    return noise * amplitude_noise(gamma, bins.frames)


def _check_parameters(where: str, rule: Rule, bin_s: float, rate_hz: float) -> None:
    problems = Problems()
    if rule.method not in METHODS:
        problems.add(
            f"{where}, binarize.method", f"{rule.method!r} is not one of {', '.join(METHODS)}"
        )
    if bin_s * rate_hz < 1 - binning.ROUNDING:
        problems.add(
            f"{where}, binarize.bin_s",
            f"a bin of {bin_s:g} s is shorter than a frame ({1 / rate_hz:g} s at {rate_hz:g} Hz)",
            "Most bins would hold no frame, and no transition could be counted",
            f"use bin_s of at least {1 / rate_hz:.4g}",
        )
    problems.raise_if_any()


def _check_windows(
    where: str, shown: Sequence[str], window: np.ndarray, windows: pd.DataFrame, bins: Bins
) -> None:
    problems = Problems()
    for name in shown:
        if (window == name).any():
            continue
        rows = windows[windows["window"].astype(str) == name]
        span = ", ".join(
            f"{a:g} to {b:g} s" for a, b in zip(rows["start_s"], rows["end_s"], strict=True)
        )
        problems.add(
            f"{where}, window {name}",
            f"no bin of {bins.bin_s:g} s with at least half of its frames lies in it ({span}; the "
            f"recording has frames from {bins.time[0]:g} to {bins.time[-1]:g} s)",
            "It has no states",
            "correct its times, or remove it from the sheet of windows",
        )
    problems.raise_if_any()


def _check_states(
    where: str, states: np.ndarray, names: Sequence[str], limits: np.ndarray, rule: Rule
) -> None:
    fixes = {
        "events": "lower binarize.z, correct binarize.tau_s, or leave the unit out",
        "zscore": "lower binarize.z, or use the method events",
        "quantile": "lower binarize.quantile, or use the method events",
    }
    problems = Problems()
    for name, on, limit in zip(names, states.T.astype(bool), limits.T, strict=True):
        if on.all() or not on.any():
            problems.add(
                f"{where}, unit {name}",
                f"it is {'always' if on.all() else 'never'} ON (threshold {limit.max():.4g})",
                "No transition of it can be seen",
                fixes.get(rule.method, "use another binarize.method, or leave the unit out"),
            )
    problems.raise_if_any()
