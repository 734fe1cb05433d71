"""Learned variables over a whole recording: scale by window, and how complex the hierarchy of each window is."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import Figure
from pipeline.report.findings import Findings
from pipeline.results.columns import LATENTS, MACRO_MODEL

LEAST_WINDOWS = 5  # of a recording whose course is drawn
MOST_NAMES = 8  # of conditions that stand side by side
MAPS = (
    (LATENTS, "gaussian_causal_power", "Excess causal power\n[bit per dimension]"),
    (LATENTS, "published_j", "Excess J as published\n[nat per dimension]"),
    (MACRO_MODEL, "phi_s", "Excess φs of the\nmacro model [ibit]"),
)
COMPLEXITY = {"emergent_complexity": "running maximum", "emergent_complexity_successive": "successive gains"}


def over_time(study: Findings) -> list[Figure]:
    """Scale by window of every recording with a course of windows, a figure each; none of single windows."""
    starts = study.windows.astype({"start_s": float}).groupby(["recording", "window"])["start_s"].min()
    table = study.learned.summary
    begins = [float(starts.get((r, w), np.nan)) for r, w in zip(table["recording"], table["window"], strict=True)]
    known = table.assign(start=begins, excess=table["value"] - table["null_mean"]).dropna(subset="start")
    found = []
    for at, (name, rows) in enumerate(known.groupby("recording", sort=False)):
        if rows["start"].nunique() >= LEAST_WINDOWS:
            found.append(_course(study, str(name), rows, at))
    return found


def _course(study: Findings, recording: str, rows: pd.DataFrame, at: int) -> Figure:
    """Maps of what exceeds the null, and the complexity of every window, of one recording."""
    of = {(route, measure): rows[(rows["route"] == route) & (rows["measure"] == measure)] for route, measure, _ in MAPS}
    maps = [(label, of[route, measure]) for route, measure, label in MAPS if of[route, measure]["excess"].notna().any()]
    times = sorted(rows["start"].unique())
    figure = canvas.canvas(height=0.9 + 1.25 * (len(maps) + 1))
    panels = figure.subplots(len(maps) + 1, 1, squeeze=False)[:, 0]
    for panel, (label, own) in zip(panels, maps, strict=False):
        grid = own.pivot_table(index="scale", columns="start", values="excess").sort_index(ascending=False)
        grid = grid.reindex(columns=times)
        reach = float(np.nanmax(np.abs(grid.values))) or 1.0
        drawn = panel.imshow(grid.values, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto", interpolation="none")
        panel.set_yticks(range(len(grid)), [str(int(size)) for size in grid.index])
        panel.set_xticks([])
        panel.set_ylabel("Dimensions")
        figure.colorbar(drawn, ax=panel, label=label)
    _complexity(panels[-1], study, recording, rows, times)
    caption = (
        f"{recording}, window by window: what causal power per dimension and φ_s of the macro model have above the "
        "mean of their surrogates, by scale, and emergent complexity in both definitions (dots: mean over paths, "
        "the hierarchies of the seeds; bars: from least to largest; grey: mean of the surrogates). A window is no "
        "animal, and neighbours are not independent."
    )
    alt = f"Maps of scales by {len(times)} windows of {recording}, and emergent complexity of each window."
    return canvas.finish(figure, study.folder, f"multiscale_over_time_{at + 1}", caption, alt)


def _complexity(panel: Axes, study: Findings, recording: str, rows: pd.DataFrame, times: list[float]) -> None:
    """Emergent complexity of each window with its spread over paths."""
    paths = study.learned.stability
    paths = paths[paths["recording"] == recording]
    place = {time: i for i, time in enumerate(times)}
    for i, (measure, name) in enumerate(COMPLEXITY.items()):
        own, tone = rows[rows["measure"] == measure], canvas.PALETTE[3 + i]
        spread = paths[paths["measure"] == measure].set_index("window")
        shift = 0.12 * (2 * i - 1)
        panel.plot([place[t] + shift for t in own["start"]], own["null_mean"], "_", color=canvas.NULL, ms=8)
        dots = []
        for row in own.itertuples():
            x, dot = place[row.start] + shift, float(row.value)
            if row.window in spread.index:
                dot, low, high = spread.loc[row.window, ["value", "low", "high"]].astype(float)
                panel.plot([x, x], [low, high], color=tone, lw=2.5, alpha=0.5)
            dots.append(dot)
        panel.plot([place[t] + shift for t in own["start"]], dots, "o", ms=4, color=tone, label=name)
    panel.set_xticks(range(len(times)), [f"{t:g}" for t in times], fontsize=7)
    _conditions(panel, rows, times)
    panel.set_xlim(-0.5, len(times) - 0.5)
    panel.set_ylabel("Emergent\ncomplexity [bit]")
    panel.set_xlabel("Start of the window [s]")
    panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7)


def _conditions(panel: Axes, rows: pd.DataFrame, times: list[float]) -> None:
    """Name the conditions above their windows, once per stretch of windows that share one."""
    conditions = rows.drop_duplicates("start").set_index("start")["condition"]
    stretches = [list(own) for _, own in groupby(range(len(times)), key=lambda i: str(conditions[times[i]]))]
    turned = 90 if len(stretches) > MOST_NAMES else 0
    for own in stretches:
        named = panel.text(float(np.mean(own)), 1.02, str(conditions[times[own[0]]]), ha="center", fontsize=7)
        named.set(transform=panel.get_xaxis_transform(), rotation=turned)
        if own[0]:
            panel.axvline(own[0] - 0.5, color=canvas.FAINT, lw=0.8, zorder=0)
