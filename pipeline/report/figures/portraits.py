"""What learned latents do: the flow of the one-dimensional one, and phase portraits of the two-dimensional one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import FAINT, INK, MUTED, NULL, Figure
from pipeline.report.findings import Findings

MOST_RECORDINGS = 3  # whose planes are drawn
MARKS = {"stable": ("o", INK), "saddle": ("X", "#D55E00"), "unstable": ("o", "white")}


def flows(study: Findings) -> Figure | None:
    """Flow and effective potential of the one-dimensional latent, a column per condition; None where there is none."""
    by = _by_condition(study, "flow_drift")
    if not by:
        return None
    figure = canvas.canvas(height=4.2)
    panels = figure.subplots(2, len(by), squeeze=False, sharey="row")
    for (condition, found), (above, below) in zip(by.items(), panels.T, strict=True):
        tone = canvas.colours(study.conditions)[condition]
        above.set_title(condition)
        above.axhline(0, color=FAINT, lw=0.8, zorder=0)
        for dataset in found.values():
            _flow(above, dataset, tone)
            below.plot(dataset["flow_position"], dataset["flow_potential"], color=tone, lw=1.0)
        below.set_xlabel("Latent $y$ [sd]")
        metastable = sum(int(dataset["metastable"]) for dataset in found.values())
        title = f"metastable in {metastable} of {len(found)}{_planted(study, condition, found)}"
        below.set_title(title, fontsize=8, fontweight="normal")
    panels[0, 0].set_ylabel(r"Step $\Delta y$ per lag [sd]")
    panels[1, 0].set_ylabel("Potential\n[units of the noise]")
    figure.legend(handles=_keys("stable", "unstable") + _lines(), loc="outside upper center", ncols=4, frameon=False)
    caption = (
        "Flow of the one-dimensional latent: mean step Δy at each value (coloured, a line per window), the learned map "
        "(dashed) and the flow of surrogates that were encoded likewise (grey); below, the effective potential, whose "
        "wells lie at the stable fixed points. Estimated by local linear regression, its bandwidth by left-out blocks. "
        "Metastable: two wells that resampling keeps, with a barrier that linear surrogates do not reach (p ≤ 0.05), "
        "left and entered again. The sign of a latent means nothing."
    )
    said = [f"{condition}: {len(found)} windows" for condition, found in by.items()]
    return canvas.finish(figure, study.folder, "flows", caption, f"Flows of latents; {'; '.join(said)}.")


def planes(study: Findings) -> Figure | None:
    """Phase portraits of the two-dimensional latent, a row per recording and a column per condition."""
    by = _by_condition(study, "portrait_field")
    if not by:
        return None
    names = list(dict.fromkeys(recording for found in by.values() for recording, _ in found))[:MOST_RECORDINGS]
    figure = canvas.canvas(height=0.7 + 2.4 * len(names))
    panels = figure.subplots(len(names), len(by), squeeze=False)
    for row, name in zip(panels, names, strict=True):
        for panel, (condition, found) in zip(row, by.items(), strict=True):
            own = next((d for (recording, _), d in found.items() if recording == name), None)
            panel.set_title(condition if name == names[0] else "")
            if own is None:
                canvas.bare(panel)
            else:
                _plane(panel, own)
        row[0].set_ylabel(f"{name}\n$y_2$ [sd]")
    for panel in panels[-1]:
        panel.set_xlabel("$y_1$ [sd]")
    figure.legend(handles=_keys(*MARKS), loc="outside upper center", ncols=3, frameon=False)
    caption = (
        "Phase portraits of the two-dimensional latent in the first window of each condition: mean steps within the "
        "region that holds 99% of the frames (shade: how often the latent is there), fixed points, and through each "
        "saddle its unstable (solid) and stable (broken) direction. Whether a saddle stands, beside resampled blocks "
        "and surrogates, is in the table."
    )
    if len({recording for recording, _ in study.learned.windows}) > len(names):
        caption += f" Drawn: the first {len(names)} recordings."
    kinds = [f"{c}: {', '.join(next(iter(f.values()))['fixed_kind'].values.astype(str))}" for c, f in by.items()]
    return canvas.finish(figure, study.folder, "portraits", caption, f"Phase portraits; {'; '.join(kinds)}.")


def _by_condition(study: Findings, variable: str) -> dict[str, dict[tuple[str, str], xr.Dataset]]:
    """Windows that have a variable, by condition in the study's order."""
    found: dict[str, dict[tuple[str, str], xr.Dataset]] = {condition: {} for condition in study.conditions}
    for key, dataset in study.learned.windows.items():
        if variable in dataset and dataset.attrs["condition"] in found:
            found[dataset.attrs["condition"]][key] = dataset
    return {condition: own for condition, own in found.items() if own}


def _planted(study: Findings, condition: str, found: Iterable[tuple[str, str]]) -> str:
    """What simulated recordings plant in the whole cortex in a condition; nothing where that is not known."""
    kinds = {
        law["kind"]
        for recording in dict.fromkeys(name for name, _ in found)
        if recording in study.truths
        for law in study.results.truth(recording)["conditions"].get(condition, {}).get("landscape", [])[:1]
    }
    return f"; planted: {' or '.join(sorted(kinds))}" if kinds else ""


def _flow(panel: Axes, dataset: xr.Dataset, tone: str) -> None:
    """Flow of one window with its fixed points, the learned map and the flow of surrogates."""
    y = dataset["flow_position"].values
    for null in dataset["flow_null"].values:
        panel.plot(y, null, color=NULL, lw=0.5, alpha=0.4, zorder=0.5)
    panel.plot(y, dataset["flow_drift"], color=tone, lw=1.2)
    panel.plot(y, dataset["flow_learned"], color=tone, lw=0.8, ls="--", alpha=0.7)
    for place, stable in zip(dataset["well_position"].values, dataset["well_stable"].values, strict=True):
        _mark(panel, place, 0.0, "stable" if stable == 1 else "unstable")


def _plane(panel: Axes, dataset: xr.Dataset) -> None:
    """Portrait of one window."""
    x, y = dataset["portrait_x"].values, dataset["portrait_y"].values
    density = np.where(dataset["portrait_visited"].values == 1, dataset["portrait_density"].values, np.nan)
    panel.contourf(x, y, density.T, levels=8, cmap="Greys", alpha=0.45)
    field = dataset["portrait_field"].values[::2, ::2]
    at = np.meshgrid(x[::2], y[::2], indexing="ij")
    panel.quiver(*at, field[..., 0], field[..., 1], color=MUTED, width=0.004, angles="xy", pivot="mid")
    reach = 0.25 * float(np.ptp(x))
    kinds = dataset["fixed_kind"].values.astype(str)
    for (px, py), kind, direction in zip(
        dataset["fixed_position"].values, kinds, dataset["fixed_direction"].values, strict=True
    ):
        if kind == "saddle":
            for column, style in ((0, "-"), (1, "--")):
                dx, dy = reach * direction[:, column]
                panel.plot([px - dx, px + dx], [py - dy, py + dy], style, color=MARKS["saddle"][1], lw=1.2)
        _mark(panel, px, py, kind.split()[0])
    panel.set_xlim(x[0], x[-1])
    panel.set_ylim(y[0], y[-1])


def _mark(panel: Axes, x: float, y: float, kind: str) -> None:
    marker, face = MARKS[kind]
    panel.plot(x, y, marker, ms=6, mfc=face, mec=INK, mew=0.8, zorder=5)


def _keys(*kinds: str) -> list[Line2D]:
    """Keys of fixed points."""
    return [
        Line2D([], [], marker=MARKS[kind][0], color="none", mfc=MARKS[kind][1], mec=INK, ms=6, label=kind)
        for kind in kinds
    ]


def _lines() -> list[Line2D]:
    """Keys of the learned map and the surrogates."""
    return [
        Line2D([], [], color=MUTED, ls="--", label="learned map"),
        Line2D([], [], color=NULL, label="null"),
    ]
