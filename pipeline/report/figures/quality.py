"""Quality of one recording as pictures: traces with thresholds, the raster of states, rates and visits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from pipeline.base.arrays import Array
from pipeline.inference.subjects import unit_activity
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import FAINT, INK, MUTED, Figure
from pipeline.report.findings import Findings

EXCERPT_S = 60.0
MAX_UNITS = 10


def traces(study: Findings, recording: str, states: xr.Dataset) -> Figure:
    """Draw an excerpt of the activity and of the thresholded signal of every unit, one column per condition.

    Args:
        study: what was found in the study.
        recording: name of the recording.
        states: its states (frame, unit), with signal and thresholds.
    """
    windows = states["window"].values.astype(str)
    names = [str(u) for u in states["unit"].values][:MAX_UNITS]
    shown = _one_per_condition(study, states, windows)
    ensembles = study.ensembles(recording)
    figure = canvas.canvas(height=0.7 + 0.55 * (len(names) + (3 if ensembles is not None else 0)))
    ratios = [3] * (ensembles is not None) + [1] * len(names)
    grid = figure.subplots(len(ratios), len(shown), squeeze=False, sharex="col", sharey="row", height_ratios=ratios)
    units = _unit(states.attrs.get("signal_units", ""))
    for column, (condition, window) in zip(grid.T, shown.items(), strict=True):
        frames = _excerpt(states, windows == window)
        time = states["time"].values[frames]
        panels = list(column)
        if ensembles is not None and len(time):
            _activity(panels.pop(0), ensembles, time[0], time[-1] + _bin(states), len(names))
        limit = states["threshold"].sel(window_name=window).values
        for u, panel in enumerate(panels):
            _signal(
                panel,
                time,
                states["signal"].values[frames, u],
                states["states"].values[frames, u],
                limit[u],
                _bin(states),
            )
        column[0].set_title(condition if condition == window else f"{condition} ({window})")
        column[-1].set_xlabel("time [s]")
    if ensembles is not None:
        grid[0, 0].set_ylabel(f"activity\n[{_unit(ensembles['activity'].attrs.get('units', ''))}]")
    for panel, name in zip(grid[-len(names) :, 0], names, strict=True):
        panel.set_ylabel(name, rotation=0, ha="right", va="center")
    return canvas.finish(
        figure,
        study.folder,
        f"qc-{recording}-traces",
        (
            f"{recording}: excerpt of up to {EXCERPT_S:.0f} s from each condition. Top: activity of the units, "
            f"offset. Below: the signal that is thresholded [{units}], its threshold (dashed) and the bins "
            "that count as ON (shaded). Purple: dropped frames."
        ),
        f"Traces of {len(names)} units of recording {recording} with thresholds and ON bins, for {', '.join(shown)}.",
    )


def _unit(unit: str) -> str:
    """Activity is ΔF/F over its own noise, so its unit is 1: say so."""
    return "noise sd" if unit in ("", "1") else unit


def _bin(states: xr.Dataset) -> float:
    return float(states.attrs.get("bin_s", 1.0))


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


def _activity(panel: Axes, ensembles: xr.Dataset, start: float, end: float, n: int) -> None:
    time = ensembles["time"].values
    inside = (time >= start) & (time < end)
    values = ensembles["activity"].values[inside][:, :n]
    step = max(float(np.nanpercentile(ensembles["activity"].values[:, :n], 99.5)), 1e-9)
    for u in range(values.shape[1]):
        panel.plot(time[inside], values[:, u] - u * step, lw=0.6, color=INK)
    dropped = ensembles["dropped"].values[inside].astype(bool)
    _shade(panel, time[inside], dropped, canvas.PALETTE[3])


def _shade(panel: Axes, x: Array, where: Array, colour: str) -> None:
    """Shade stretches of x over the panel's whole height."""
    height = panel.get_xaxis_transform()
    panel.fill_between(x, 0, 1, where=where, color=colour, alpha=0.4, lw=0, zorder=0, transform=height)


def _signal(panel: Axes, time: Array, signal: Array, on: Array, limit: float, width: float) -> None:
    panel.step(time, signal, where="post", lw=0.7, color=INK)
    edges = np.repeat(np.append(time, time[-1] + width), 2)[1:-1]
    _shade(panel, edges, np.repeat(on > 0, 2), canvas.PALETTE[5])
    if np.isfinite(limit):
        panel.axhline(limit, color=canvas.PALETTE[1], lw=0.9, ls="--")
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)


def overview(study: Findings, recording: str, states: xr.Dataset) -> Figure:
    """Draw a raster of the whole recording with its conditions, ON fraction, event rate and visits per state.

    Args:
        study: what was found in the study.
        recording: name of the recording.
        states: its states (frame, unit), with the condition of each frame.
    """
    windows = states["window"].values.astype(str)
    conditions = states["condition"].values.astype(str)
    names = [str(u) for u in states["unit"].values]
    order = [c for c in study.conditions if c in set(conditions)]
    figure = canvas.canvas(height=3.4 + 0.13 * len(names))
    spaces = figure.add_gridspec(2, 3, height_ratios=[0.6 + 0.13 * len(names), 1.9], width_ratios=[1, 1, 1.7])
    _raster(figure.add_subplot(spaces[0, :]), states, conditions, order, names)
    own = study.quality[study.quality["recording"] == recording]
    for column, (measure, title) in enumerate([("fraction_on", "fraction ON"), ("event_rate_hz", "event rate [Hz]")]):
        panel = figure.add_subplot(spaces[1, column])
        _bars(panel, own[own["measure"] == measure], order, names)
        panel.set_title(title, fontsize=8.5, fontweight="normal")
    never = _visits(figure.add_subplot(spaces[1, 2]), states, conditions, order)
    colour = canvas.colours(study.conditions)
    figure.legend(
        handles=[Patch(color=colour[c], label=c) for c in order],
        loc="outside upper center",
        ncols=len(order),
    )
    return canvas.finish(
        figure,
        study.folder,
        f"qc-{recording}-states",
        (
            f"{recording}: top, the states of the units over the whole recording (dark: ON) under the "
            "conditions' colours; white stretches are not analysed (outside windows, or dropped). Below: "
            f"fraction ON and event rate per unit, and how often each of the {2 ** len(names)} states was "
            f"visited, by number of units ON.{never}"
        ),
        (
            f"Raster of states, ON fractions, event rates and visits per state of recording {recording}; "
            f"{len(set(windows))} windows."
        ),
    )


def _raster(panel: Axes, states: xr.Dataset, conditions: Array, order: list[str], names: list[str]) -> None:
    """An image of at most 1,500 columns; a column is ON if any of its bins is."""
    width = _bin(states)
    bins = np.round(states["time"].values / width).astype(int)
    first, last = int(bins.min()), int(bins.max()) + 1
    factor = max(1, -(-(last - first) // 1500))
    column = (bins - first) // factor
    image = np.zeros((len(names) + 1, column.max() + 1))
    np.maximum.at(image[1:].T, column, 1 + states["states"].values)
    shades = [canvas.PALETTE[i % len(canvas.PALETTE)] for i in range(len(order))]
    for i, condition in enumerate(order):
        image[0, column[conditions == condition]] = 3 + i
    colours = ListedColormap(["white", "#eef1f4", INK, *shades])
    extent = (first * width, (first + image.shape[1] * factor) * width, len(names) + 0.5, -0.5)
    panel.imshow(image, aspect="auto", cmap=colours, vmin=0, vmax=2 + len(order), extent=extent)
    panel.set_yticks(range(1, len(names) + 1), names)
    panel.tick_params(axis="y", length=0)
    panel.set_xlabel("time [s]")


def _bars(panel: Axes, rows: pd.DataFrame, order: list[str], names: list[str]) -> None:
    width = 0.8 / max(len(order), 1)
    means = unit_activity(rows)
    for i, condition in enumerate(order):
        own = means[means["condition"] == condition].set_index("unit")["value"]
        heights = [float(own.get(name, np.nan)) for name in names]
        panel.bar(
            np.arange(len(names)) - 0.4 + (i + 0.5) * width,
            heights,
            width,
            color=canvas.PALETTE[i % len(canvas.PALETTE)],
            label=condition,
        )
    panel.set_xticks(range(len(names)), names)


def _visits(panel: Axes, states: xr.Dataset, conditions: Array, order: list[str]) -> str:
    """Visits per state by condition, states sorted by number of units ON; says how many were never visited."""
    on = states["states"].values.astype(int)
    n = on.shape[1]
    used = states["matched"].values.astype(bool) if "matched" in states.variables else np.ones(len(on), bool)
    code = on @ (1 << np.arange(n))
    index = np.arange(2**n)
    weight = np.array([int(s).bit_count() for s in index])
    rank = np.lexsort((index, weight))
    never = []
    for i, condition in enumerate(order):
        visits = np.bincount(code[used & (conditions == condition)], minlength=2**n)[rank]
        colour = canvas.PALETTE[i % len(canvas.PALETTE)]
        x = index + 0.5 * ((i + 0.5) / len(order) - 0.5)
        panel.plot(x[visits > 0], visits[visits > 0], ".", ms=4, color=colour)
        panel.plot(x[visits == 0], np.full((visits == 0).sum(), 0.5), "x", ms=3, mew=0.9, color=colour)
        never.append(f"{condition} {int((visits == 0).sum())}")
    panel.set_yscale("log")
    panel.set_ylim(0.35, None)
    borders = np.cumsum(np.bincount(weight))[:-1] - 0.5
    for border in borders:
        panel.axvline(border, color=FAINT, lw=0.7, zorder=0)
    centres = np.convolve(np.r_[-0.5, borders, 2**n - 0.5], [0.5, 0.5], "valid")
    panel.set_xticks(centres, [str(k) for k in range(n + 1)])
    panel.tick_params(axis="x", length=0)
    panel.set_xlabel("states, by number of units ON", color=MUTED)
    panel.set_title("visits per state (×: never)", fontsize=8.5, fontweight="normal")
    return f" Never visited: {', '.join(never)}."
