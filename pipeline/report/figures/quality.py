"""One recording as pictures: the raster of states with phi_s over time, rates and visits, traces with thresholds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.inference.subjects import unit_activity
from pipeline.report.figures.axes import Bare, Linear, Names, reaching
from pipeline.report.figures.figure import Figure, Key, assembled
from pipeline.report.figures.look import classes
from pipeline.report.figures.marks import condition_keys
from pipeline.report.figures.plot import Panel, Plot, rectangle
from pipeline.report.findings import Findings
from pipeline.results.layout import SystemKey

EXCERPT_S = 60.0
MAX_UNITS = 10
COLUMNS = 1200  # of a raster at most
POINTS = 400  # of a trace at most
SMOOTHED = 240  # points of phi_s over a whole recording
WIDE = 940.0  # px
ROW = 15.0  # px per unit of a raster


def overview(study: Findings, recording: str, states: xr.Dataset) -> Figure:
    """Draw a raster of the whole recording with phi_s over time, ON fraction, event rate and visits per state.

    Args:
        study: what was found in the study.
        recording: name of the recording.
        states: its states (frame, unit), with the condition of each frame.
    """
    conditions = states["condition"].values.astype(str)
    names = [str(u) for u in states["unit"].values]
    order = [c for c in study.conditions if c in set(conditions)]
    own = study.quality[study.quality["recording"] == recording]
    course = phi_over_time(study, recording, states)
    panels = [
        _raster(study, states, conditions, names),
        *([_course(study, states, course)] if len(course) else []),
        *(_units(study, own[own["measure"] == m], order, names, label) for m, label in _MEASURES.items()),
    ]
    visits, never = _visits(study, states, conditions, order)
    over = " Below it phi_s of the units' states, smoothed." if len(course) else ""
    return assembled(
        study.folder,
        f"qc-{recording}-states",
        f"{recording}: states of the units over time (filled: ON; empty: not analysed) under the conditions' colours."
        f"{over} Then fraction ON and event rate per unit, and visits of each state.{never}",
        f"Raster of states, phi_s over time, ON fractions, event rates and visits per state of recording {recording}.",
        [*panels, visits],
        keys=condition_keys(study, order),
        data=course if len(course) else None,
    )


_MEASURES = {"fraction_on": "fraction ON", "event_rate_hz": "event rate [Hz]"}


def _bin(states: xr.Dataset) -> float:
    return float(states.attrs.get("bin_s", 1.0))


def runs(on: Bools) -> Iterator[tuple[int, int]]:
    """Yield the first index and the one after the last of each run of True.

    >>> list(runs(np.array([True, True, False, True])))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _raster(study: Findings, states: xr.Dataset, conditions: Array, names: list[str]) -> Panel:
    """At most COLUMNS columns; a column is ON if any of its bins is."""
    width = _bin(states)
    bins = np.round(states["time"].values / width).astype(int)
    first, last = int(bins.min()), int(bins.max()) + 1
    factor = max(1, -(-(last - first) // COLUMNS))
    column = (bins - first) // factor
    n = int(column.max()) + 1
    x = Linear(first * width, (first + n * factor) * width, 10)
    rows = Names([*reversed(names), ""])
    plot = Plot(x, rows, WIDE, 48 + ROW * (len(names) + 1), xlabel="time [s]")
    step = (plot.right - plot.left) / n
    height = (plot.bottom - plot.top) / (len(names) + 1)
    for condition in study.conditions:
        here = np.zeros(n, bool)
        here[column[conditions == condition]] = True
        for start, end in runs(here):
            strip = rectangle(plot.left + start * step, plot.top + 2, (end - start) * step, height - 5, "b")
            plot.add(strip, classes(study.conditions)[condition], condition, {"condition": condition})
    used = np.zeros(n, bool)
    used[column] = True
    on = np.zeros((len(names), n), bool)
    frame, unit = np.nonzero(states["states"].values)
    on[unit, column[frame]] = True
    for u in range(len(names)):
        top = plot.top + (u + 1) * height
        for style, where, inset in (("nul", used, 1.0), ("b", on[u], 2.0)):
            path = "".join(
                f"M{plot.left + s * step:.1f} {top + inset:.1f}h{(e - s) * step:.1f}v{height - 2 * inset:.1f}"
                f"h{-(e - s) * step:.1f}z"
                for s, e in runs(where)
            )
            plot.add(f'<path class="{style}" d="{path}"/>', "ik")
    return plot.panel("Raster of states", {"kind": "raster"})


def phi_over_time(study: Findings, recording: str, states: xr.Dataset) -> pd.DataFrame:
    """Return phi_s of the units' present state, smoothed over neighbouring bins of a window.

    Args:
        study: what was found in the study.
        recording: name of the recording.
        states: its states.

    Returns:
        window, condition, time_s (middle of the bins that were averaged), phi_s [ibit]; no rows without phi_s.
    """
    windows, conditions = states["window"].values.astype(str), states["condition"].values.astype(str)
    values = states["states"].values.astype(int)
    code = values @ (1 << np.arange(values.shape[1]))
    each = max(1, len(code) // SMOOTHED)
    found = []
    for window in dict.fromkeys(windows):
        phi = study.phi(SystemKey(recording, window, "micro", values.shape[1]))
        if phi is None or "phi_s" not in phi:
            continue
        of_state = np.full(2 ** values.shape[1], np.nan)
        of_state[phi["state"]] = phi["phi_s"]
        frames = np.flatnonzero(windows == window)
        for part in np.array_split(frames, max(1, len(frames) // each)):
            known = of_state[code[part]]
            if np.isfinite(known).any():
                time = float(states["time"].values[part].mean())
                found.append((window, conditions[part[0]], time, float(np.nanmean(known))))
    return pd.DataFrame(found, columns=["window", "condition", "time_s", "phi_s"])


def _course(study: Findings, states: xr.Dataset, course: pd.DataFrame) -> Panel:
    """phi_s over time, below the raster and on its axis."""
    time = states["time"].values
    plot = Plot(
        Linear(float(time.min()), float(time.max()) + _bin(states), 10),
        reaching(course["phi_s"]),
        WIDE,
        130,
        xlabel="time [s]",
        ylabel="phi_s [ibit]",
    )
    for (window, condition), rows in course.groupby(["window", "condition"], sort=False):
        line = plot.line(list(zip(rows["time_s"], rows["phi_s"], strict=True)))
        mean = f"{window}: mean phi_s {rows['phi_s'].mean():.3g} ibit"
        plot.add(line, classes(study.conditions).get(condition, "mt"), mean, {"condition": condition})
    return plot.panel("phi_s over time", {"kind": "phi_s over time"})


def _units(study: Findings, rows: pd.DataFrame, order: list[str], names: list[str], label: str) -> Panel:
    """A bar per unit and condition."""
    means = unit_activity(rows)
    plot = Plot(Names(names), reaching(means["value"]), 270, 190, ylabel=label, bottom=46)
    width = 0.8 / max(len(order), 1)
    for i, condition in enumerate(order):
        own = means[means["condition"] == condition].set_index("unit")["value"]
        for u, name in enumerate(names):
            if name in own.index and np.isfinite(own[name]):
                left = u - 0.4 + i * width
                bar = plot.box((left, 0.0), (left + width, float(own[name])), "b")
                tip = f"{name}, {condition}: {label.split(' [')[0]} {own[name]:.3g}"
                plot.add(bar, classes(study.conditions)[condition], tip, {"condition": condition})
    return plot.panel(label, {"kind": label})


def _visits(study: Findings, states: xr.Dataset, conditions: Array, order: list[str]) -> tuple[Panel, str]:
    """Visits per state by condition, states sorted by number of units ON; says how many were never visited."""
    on = states["states"].values.astype(int)
    n = on.shape[1]
    used = states["matched"].values.astype(bool) if "matched" in states.variables else np.ones(len(on), bool)
    code = on @ (1 << np.arange(n))
    index = np.arange(2**n)
    weight = np.array([int(s).bit_count() for s in index])
    rank = np.lexsort((index, weight))
    counts = {c: np.bincount(code[used & (conditions == c)], minlength=2**n)[rank] for c in order}
    most = max((int(v.max()) for v in counts.values()), default=1)
    borders = np.concatenate([[0], np.cumsum(np.bincount(weight))])
    plot = Plot(
        Bare(0, 2**n),
        reaching([0.5, max(most, 16) * 1.0], logarithmic=True),
        360,
        190,
        ylabel="visits per state",
        xlabel="states, by number of units ON",
        bottom=46,
    )
    for k, (low, high) in enumerate(itertools.pairwise(borders)):
        plot.write(str(k), plot.px((low + high) / 2), plot.bottom + 14, "t mid")
        plot.add(plot.line([(high, plot.y.low), (high, plot.y.high)]), "fa")  # type: ignore[attr-defined]  # no Names
    for i, condition in enumerate(order):
        kind, shift = classes(study.conditions)[condition], (i + 0.5) / len(order)
        for place, visits in enumerate(counts[condition]):
            state = "".join(str(rank[place] >> u & 1) for u in range(n))
            mark = plot.dot(place + shift, max(int(visits), 0.6), "o" if visits else "X", 2.4)
            tip = f"state {state}, {condition}: {visits} visits" if n <= 6 else ""
            plot.add(mark, kind, tip, {"condition": condition})
    never = ", ".join(f"{c} {int((v == 0).sum())}" for c, v in counts.items())
    return plot.panel("Visits per state", {"kind": "visits"}), f" Never visited (crosses): {never} of {2**n}."


def traces(study: Findings, recording: str, states: xr.Dataset) -> Figure:
    """Draw an excerpt of the activity and of the thresholded signal of every unit, two panels per condition.

    Args:
        study: what was found in the study.
        recording: name of the recording.
        states: its states (frame, unit), with signal and thresholds.
    """
    windows = states["window"].values.astype(str)
    shown = _one_per_condition(study, states, windows)
    ensembles = study.ensembles(recording)
    names = [str(u) for u in states["unit"].values][:MAX_UNITS]
    panels, tables = [], []
    for condition, window in shown.items():
        frames = _excerpt(states, windows == window)
        title = condition if condition == window else f"{condition} ({window})"
        if ensembles is not None:
            panels.append(_activity(ensembles, states, frames, title))
            tables.append(_sheet(ensembles, "activity", _inside(ensembles, states, frames), names, window))
        panels.append(_signals(states, frames, window, title))
        tables.append(_sheet(states, "signal", frames, names, window))
    return assembled(
        study.folder,
        f"qc-{recording}-traces",
        f"{recording}: up to {EXCERPT_S:.0f} s of each condition. Activity of the units, and the signal that is "
        "thresholded, each over its largest value shown; dashed: threshold; shaded: bins that count as ON, and dropped "
        "frames in the activity.",
        f"Traces of units of recording {recording} with thresholds and ON bins, for {', '.join(shown)}.",
        panels,
        keys=[
            Key("threshold", '<path class="l dash" d="M1 7H17"/>', "c1"),
            Key("ON", rectangle(2, 2, 14, 10, "a"), "c0"),
            Key("dropped", rectangle(2, 2, 14, 10, "a"), "c3"),
        ],
        data=pd.concat(tables),
    )


def _unit(unit: str) -> str:
    """Activity is ΔF/F over its own noise, so its unit is 1: say so."""
    return "noise sd" if unit in ("", "1") else unit


def _one_per_condition(study: Findings, states: xr.Dataset, windows: Array) -> dict[str, str]:
    """The longest window of each condition (at most four conditions)."""
    conditions = states["condition"].values.astype(str)
    found = {}
    for condition in [c for c in study.conditions if c in set(conditions)][:4]:
        names, counts = np.unique(windows[conditions == condition], return_counts=True)
        found[condition] = str(names[counts.argmax()])
    return found


def _excerpt(states: xr.Dataset, chosen: Array) -> Array:
    """Frames from the middle of the window's longest segment."""
    frames = np.flatnonzero(chosen)
    segment = states["segment"].values[frames]
    names, counts = np.unique(segment, return_counts=True)
    frames = frames[segment == names[counts.argmax()]]
    n = max(2, round(EXCERPT_S / _bin(states)))
    start = max(0, (len(frames) - n) // 2)
    middle: Array = frames[start : start + n]
    return middle


def _inside(ensembles: xr.Dataset, states: xr.Dataset, frames: Array) -> Array:
    """Frames of the activity that lie in the bins that are shown, as many as are drawn."""
    bounds, every = states["time"].values[frames], ensembles["time"].values
    inside: Array = np.flatnonzero((every >= bounds[0]) & (every < bounds[-1] + _bin(states)))
    return inside[:: max(1, len(inside) // POINTS)]


def _sheet(dataset: xr.Dataset, name: str, frames: Array, names: list[str], window: str) -> pd.DataFrame:
    """What a panel of traces shows: a row per time, a column per unit."""
    time, values = dataset["time"].values[frames], dataset[name].values[frames][:, : len(names)]
    table = pd.DataFrame(np.char.mod("%.4g", values.astype(float)), columns=names)
    table.insert(0, "time_s", np.round(time, 3))
    table.insert(0, "signal", "activity" if name == "activity" else "thresholded signal")
    table.insert(0, "window", window)
    return table


def _rows(names: list[str], time: Floats, width: float, title: str) -> Plot:
    x = Linear(float(time[0]), float(time[-1]) + width, 5)
    return Plot(x, Names(list(reversed(names))), 460, 60 + 26 * len(names), title=title, xlabel="time [s]")


def _activity(ensembles: xr.Dataset, states: xr.Dataset, frames: Array, title: str) -> Panel:
    """Activity of the units at its own rate, one row each, with the frames that were dropped."""
    names = [str(u) for u in states["unit"].values][:MAX_UNITS]
    bounds, every = states["time"].values[frames], ensembles["time"].values
    inside = _inside(ensembles, states, frames)
    unit = _unit(ensembles["activity"].attrs.get("units", ""))
    plot = _rows(names, bounds, _bin(states), f"{title}: activity [{unit}]")
    time, values = every[inside], ensembles["activity"].values[inside][:, : len(names)]
    for start, end in runs(ensembles["dropped"].values[inside].astype(bool)):
        last = time[min(end, len(time) - 1)]
        plot.add(plot.box((time[start], -0.5), (last, len(names) - 0.5), "a"), "c3", "dropped frames")
    for u in range(values.shape[1]):
        top = max(float(np.nanmax(values[:, u], initial=1e-9)), 1e-9)
        base = len(names) - 1 - u - 0.42
        points = list(zip(time, base + 0.84 * np.clip(values[:, u] / top, -0.4, 1), strict=True))
        plot.add(plot.line(points), "ik", f"{names[u]}: activity up to {top:.3g} {unit}")
    return plot.panel(f"Activity, {title}", {"signal": "activity"})


def _signals(states: xr.Dataset, frames: Array, window: str, title: str) -> Panel:
    """The signal that is thresholded, one row per unit, with the bins that count as ON."""
    names = [str(u) for u in states["unit"].values][:MAX_UNITS]
    time, width = states["time"].values[frames], _bin(states)
    unit = _unit(states.attrs.get("signal_units", ""))
    plot = _rows(names, time, width, f"{title}: thresholded signal [{unit}]")
    limits = states["threshold"].sel(window_name=window).values
    on = states["states"].values[frames] > 0
    for u, name in enumerate(names):
        signal = states["signal"].values[frames, u]
        top = max(float(np.nanmax(signal, initial=1e-9)), 1e-9)
        base = len(names) - 1 - u - 0.42
        boxes = "".join(plot.box((time[s], base), (time[e - 1] + width, base + 0.84), "a") for s, e in runs(on[:, u]))
        plot.add(boxes, "c0")
        steps = np.repeat(base + 0.84 * np.clip(signal / top, -0.4, 1), 2)
        ends = np.column_stack([time, time + width]).ravel()
        said = f"{name}: signal up to {top:.3g} {unit}, threshold {limits[u]:.3g}"
        plot.add(plot.line(list(zip(ends, steps, strict=True))), "ik", said)
        if np.isfinite(limits[u]) and limits[u] <= top:
            at = base + 0.84 * limits[u] / top
            plot.add(plot.line([(time[0], at), (time[-1] + width, at)], "l dash"), "c1")
    return plot.panel(f"Thresholded signal, {title}", {"signal": "thresholded signal"})


def drawn(study: Findings, most: int) -> Mapping[str, list[Figure]]:
    """Return the figures of every recording that came so far, by its name.

    Args:
        study: what was found in the study.
        most: letters on the page at most (but always one recording), the first of the sheet.
    """
    found: dict[str, list[Figure]] = {}
    left = most
    for name in study.recordings["recording"]:
        states = study.states(name)
        if states is None or not states.sizes.get("frame"):
            continue
        figures = [overview(study, name, states), traces(study, name, states)]
        left -= sum(len(f.csv) + sum(len(panel.body) for panel in f.panels) for f in figures)
        if left < 0 and found:
            break
        found[str(name)] = figures
    return found
