"""Causal power of learned latents by scale and condition, with the bands of its null, and over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipeline.inference.subjects import beside_values, subject_means, subject_values
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import Figure
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.results.columns import LATENTS

LEAST_WINDOWS = 5  # of a recording whose course is drawn
SHOWN = ("gaussian_causal_power", "delta_gaussian_causal_power", "coverage_mm")


def multiscale(study: Findings) -> Figure | None:
    """Measures of learned latents over scales, a panel each; nothing where the study learned none."""
    own = study.learned.summary[study.learned.summary["route"] == LATENTS]
    measures = [name for name in SHOWN if own.loc[own["measure"] == name, "value"].notna().any()]
    if not measures:
        return None
    sizes = sorted({int(size) for size in own["scale"]}, reverse=True)
    figure = canvas.canvas(height=3.1)
    for panel, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        _panel(panel, study, measure, sizes)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    null = next((str(name) for name in own["null"] if name), "")
    band = (
        f" Bands with a broken line: the null “{glossary.NULL_NAMES.get(null, null)}”, mean ± sd over surrogates."
        if null
        else ""
    )
    caption = (
        "Learned multiscale variables: causal power per dimension of the latents of each scale [bit], what a scale has "
        "above that of all dimensions, and how far the latents reach over the cortex [mm]. Dots: subjects (windows "
        f"averaged, weighted by frames), with {study.confidence:.0%} intervals over held-out blocks drawn anew; lines: "
        f"means over subjects.{band} Surrogates were trained as the data were. Slow activity has causal power too: "
        "only what exceeds the null is more than that. Nothing was perturbed."
    )
    alt = f"Panels of {', '.join(map(glossary.plain, measures))} over scales {sizes}, a line per condition."
    return canvas.finish(figure, study.folder, "multiscale", caption, alt)


def over_time(study: Findings) -> Figure | None:
    """What causal power has above its null, by scale and window, a map per recording; only of courses of windows."""
    table = study.learned.summary
    table = table[(table["measure"] == SHOWN[0]) & (table["route"] == LATENTS)]
    starts = study.windows.astype({"start_s": float}).groupby(["recording", "window"])["start_s"].min()
    maps = {name: _map(rows, starts) for name, rows in table.groupby("recording", sort=False)}
    maps = {name: found for name, found in maps.items() if found.shape[1] >= LEAST_WINDOWS}
    if not maps:
        return None
    reach = max(float(found.abs().max().max()) for found in maps.values())
    figure = canvas.canvas(height=0.6 + 1.3 * len(maps))
    panels = figure.subplots(len(maps), 1, squeeze=False)[:, 0]
    for panel, (name, found) in zip(panels, maps.items(), strict=True):
        drawn = panel.imshow(found.values, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto", interpolation="none")
        panel.set_yticks(range(len(found)), [str(size) for size in found.index])
        panel.set_xticks(range(found.shape[1]), [f"{start:g}" for start in found.columns])
        panel.set_ylabel(f"{name}\nDimensions")
    panels[-1].set_xlabel("Start of the window [s]")
    figure.colorbar(drawn, ax=panels, label="Excess over the null [bit]")
    caption = (
        "Causal power of latents over time: per dimension, minus the mean of its surrogates, by scale and window of "
        f"each recording with at least {LEAST_WINDOWS} windows. A window is no animal: neighbours are not independent."
    )
    alt = f"Maps of scales by windows of {len(maps)} recordings; colours: excess causal power of latents."
    return canvas.finish(figure, study.folder, "multiscale_over_time", caption, alt)


def _map(rows: pd.DataFrame, starts: pd.Series) -> pd.DataFrame:
    """Excess over the null (scale, start of the window)."""
    begins = [float(starts[row.recording, row.window]) for row in rows.itertuples()]
    known = rows.assign(start=begins, excess=rows["value"] - rows["null_mean"])
    return known.pivot_table(index="scale", columns="start", values="excess").sort_index(ascending=False)


def _panel(panel: Axes, study: Findings, measure: str, sizes: list[int]) -> None:
    place = {size: float(i) for i, size in enumerate(sizes)}
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    shift = dict(zip(study.conditions, np.linspace(-0.15, 0.15, len(study.conditions)), strict=True))
    mean: dict[str, dict[float, float]] = {condition: {} for condition in study.conditions}
    for size in sizes:
        scale = StudyScale(LATENTS, size)
        values = subject_values(scale.of(study.learned.summary, measure))
        _nulls(panel, study, scale, measure, {name: place[size] + shift[name] for name in shift})
        for row in values.itertuples():
            x = place[size] + shift[row.condition]
            panel.plot([x, x], [row.ci_low, row.ci_high], color=colour[row.condition], lw=1.0, alpha=0.5, zorder=2)
            panel.plot(x, row.value, marker[row.condition], ms=4, color=colour[row.condition], mec="white", mew=0.5)
        for condition, value in subject_means(values).items() if len(values) else ():
            mean[str(condition)][place[size] + shift[str(condition)]] = float(value)
    for condition, line in mean.items():
        panel.plot(list(line), list(line.values()), color=colour[condition], lw=1.2, label=condition, zorder=1)
    panel.set_xticks(list(place.values()), [str(size) for size in sizes])
    panel.set_xlim(-0.5, len(sizes) - 0.5)
    panel.set_xlabel("Dimensions")
    panel.set_ylabel(glossary.axis(measure))


def _nulls(panel: Axes, study: Findings, scale: StudyScale, measure: str, place: dict[str, float]) -> None:
    """Mean ± sd of the null that the summary shows, a band in the colour of each condition."""
    shown = scale.of(study.learned.summary, measure)["null"]
    tests = scale.of(study.learned.nulls, measure).dropna(subset="mean")
    known = beside_values(tests, study.learned.summary, ["mean", "sd"], by=["null"])
    known = known[known["null"].isin(set(shown))]
    tones = canvas.colours(study.conditions)
    for condition, rows in known.groupby("condition", sort=False):
        mean, sd, tone = float(rows["mean"].mean()), float(rows["sd"].mean()), tones[str(condition)]
        ends = [place[str(condition)] - 0.12, place[str(condition)] + 0.12]
        panel.fill_between(ends, mean - sd, mean + sd, color=tone, alpha=0.2, lw=0, zorder=0)
        panel.plot(ends, [mean, mean], color=tone, lw=0.8, ls=(0, (2, 1)), zorder=0.5)
