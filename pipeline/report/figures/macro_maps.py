"""Which units form which macro unit: maps over the cortex, condition by condition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from pipeline.base.arrays import Floats
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import INK, MUTED, Figure
from pipeline.report.findings import Findings
from pipeline.report.macro_units import MacroUnits

MAX_ROWS = 6


def maps(study: Findings, found: list[MacroUnits], size: int) -> Figure | None:
    """Draw maps of the macro units at one scale: a row per recording (one per subject where there are many).

    Args:
        study: what was found in the study.
        found: macro units of all recordings, windows and scales.
        size: number of macro units, the scale.

    Returns:
        The figure; None where nothing was found at that scale.
    """
    found = [g for g in found if g.size == size]
    rows = _rows(study, found)
    if not rows:
        return None
    shared = all(g.shared for g in found)  # then one map tells of all conditions
    columns = [c for c in study.conditions if any(g.condition == c for g in found)]
    columns = ["all windows"] if shared else columns
    figure = canvas.canvas(width=min(canvas.WIDTH, 1.0 + 2.3 * len(columns)), height=0.35 + 1.95 * len(rows))
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    schematic = False
    for line, recording in zip(axes, rows, strict=True):
        ensembles = study.ensembles(recording)
        for panel, condition in zip(line, columns, strict=True):
            own = [g for g in found if g.recording == recording and (shared or g.condition == condition)]
            if own and ensembles is not None:
                schematic |= _map(panel, ensembles, own[0])
            else:
                canvas.bare(panel)
                panel.text(0.5, 0.5, "no such window", ha="center", color=MUTED, transform=panel.transAxes)
        line[0].set_ylabel(f"{recording}\ny [mm]" if not schematic else recording)
    for panel, condition in zip(axes[0], columns, strict=True):
        panel.text(0, 1.16, condition, transform=panel.transAxes, fontweight="bold", fontsize=9)
    for panel in axes[-1]:
        if not schematic:
            panel.set_xlabel("x [mm]")
    left_out = len({g.recording for g in found}) - len(rows)
    more = f" One recording per subject is drawn; the table lists the other {left_out}." if left_out > 0 else ""
    where = "Units without known positions are drawn on a circle." if schematic else "Dots: neurons at their positions."
    truth = " Dotted links: units of one planted macro unit (simulated)." if study.truths else ""
    drawn = "; ".join(f"{g.recording} {g.condition}: {g}" for g in found if g.recording in rows)
    return canvas.finish(
        figure,
        study.folder,
        f"macro_units-{size}",
        (
            f"Macro units learned {'once for all windows of a recording' if shared else 'in each condition'}, "
            f"{size} per window. {where} Colour: macro unit (colours are not matched between panels); labels: "
            f"unit; solid links: units of one macro unit.{truth}{more}"
        ),
        f"Maps of units coloured by macro unit. {drawn}",
    )


def _rows(study: Findings, found: list[MacroUnits]) -> list[str]:
    """Recordings that are drawn: all if they fit, otherwise the first of each subject."""
    have = list(dict.fromkeys(g.recording for g in found))
    if len(have) <= MAX_ROWS:
        return have
    subject = dict(zip(study.recordings["recording"], study.recordings["subject"], strict=True))
    first = {subject[r]: r for r in reversed(have)}
    return [r for r in have if first[subject[r]] == r][:MAX_ROWS]


def _map(panel: Axes, ensembles: xr.Dataset, grouping: MacroUnits) -> bool:
    """Draw one window; returns whether it had to be a scheme."""
    label = ensembles["label"].values
    xy = (
        np.column_stack([ensembles["x"].values, ensembles["y"].values])
        if "x" in ensembles.coords or "x" in ensembles
        else np.full((len(label), 2), np.nan)
    )
    n = len(grouping.group)
    known = len(xy) == len(label) and all(np.isfinite(xy[label == u]).any() for u in range(n))
    if known:
        used = label >= 0
        panel.scatter(xy[~used, 0], xy[~used, 1], s=5, c=canvas.FAINT, lw=0)
        shade = [canvas.PALETTE[grouping.group[k]] for k in label[used]]
        panel.scatter(xy[used, 0], xy[used, 1], s=7, c=shade, alpha=0.45, lw=0, rasterized=len(label) > 500)
        centre = np.array([np.nanmean(xy[label == u], axis=0) for u in range(n)])
        panel.set_aspect("equal", adjustable="datalim")
        panel.margins(0.08)
    else:
        angle = 2 * np.pi * np.arange(n) / n + np.pi / n
        centre = np.column_stack([np.cos(angle), np.sin(angle)])
        canvas.bare(panel)
        panel.set(xlim=(-1.6, 1.6), ylim=(-1.4, 1.4), aspect="equal")
    _links(panel, centre, grouping.group, "-", 1.6, [canvas.PALETTE[g] for g in grouping.group])
    planted = grouping.planted_group
    _links(panel, centre, planted, (0, (1, 1.5)), 1.3, [INK] * len(planted))
    for u, name in enumerate(grouping.units):
        panel.text(
            centre[u, 0],
            centre[u, 1],
            name,
            ha="center",
            va="center",
            fontsize=7.5,
            zorder=6,
            bbox={
                "boxstyle": "round,pad=0.25",
                "fc": "white",
                "ec": canvas.PALETTE[grouping.group[u]],
                "lw": 1.2,
            },
        )
    verdict = {"yes": "as planted", "no": "not the planted one"}.get(grouping.recovered, grouping.recovered)
    mapping = ", ".join(m.upper() for m in grouping.mapping)
    panel.set_title(f"{mapping}{'; ' if verdict else ''}{verdict}", fontsize=8, fontweight="normal")
    return not known


def _links(panel: Axes, centre: Floats, group: list[int], ls: Any, lw: float, colour: list[str]) -> None:
    """Join the units of each group, one after the other."""
    for k in sorted(set(group)):
        members = [u for u, g in enumerate(group) if g == k]
        for a, b in itertools.pairwise(members):
            panel.plot(*centre[[a, b]].T, ls=ls, lw=lw, color=colour[a], zorder=5 if ls != "-" else 4)
