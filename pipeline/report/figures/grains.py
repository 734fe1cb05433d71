"""phi_s and Φ as curves over the scales, from the units to one macro unit, with the grain that the theory accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pipeline.inference.over_scales import ACCEPTED, NO_UNITS, UNITS
from pipeline.inference.subjects import subject_means, subject_values
from pipeline.nulls.registry import RANDOM_GROUPING
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import INK, MUTED, NULL, Figure
from pipeline.report.figures.scales import band, draw_null, null_levels, planted
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.report.words.grain import share_of
from pipeline.results.measures import MEASURES

HALF = 0.5  # of the windows of a subject
CAPTION = (
    "System integrated information φ_s and structure integrated information Φ [ibit] over the scales, from the units "
    "(left) to fewer and fewer macro units. Each dot is one subject, lines join its scales; error bars: {level} "
    "posterior interval of the TPM carried through. Filled: the theory accepts all units of the scale in at least half "
    "of the subject's windows (micro units, or macro units that are maximally irreducible within); open: it does not, "
    "or that was not asked. Ringed: the grain, the largest φ_s among accepted scales, in at least half of the "
    "windows.{nulls}{planted} Values that the data cannot carry are withheld, and absent; where a scale lies between, "
    "the line is broken."
)


def grains(study: Findings) -> Figure | None:
    """Draw phi_s and Φ of every subject over the scales, a column per condition; None where there is one scale."""
    rows = [name for name in ("phi_s", "big_phi") if _scales_of(study, name) > 1]
    if not rows:
        return None
    figure = canvas.canvas(height=0.9 + 2.3 * len(rows))
    axes = figure.subplots(len(rows), len(study.conditions), squeeze=False, sharex=True, sharey="row")
    for row, measure in zip(axes, rows, strict=True):
        for panel, condition in zip(row, study.conditions, strict=True):
            _panel(panel, study, measure, condition)
        _limits(row[0], row, logarithmic=MEASURES[measure].multiplies)
        row[0].set_ylabel(glossary.axis(measure))
    for panel, condition in zip(axes[0], study.conditions, strict=True):
        panel.set_title(condition, pad=6)
    for panel in axes[-1]:
        panel.set_xticks(range(len(study.scales)), [_short(scale) for scale in study.scales])
        panel.set_xlim(-0.5, len(study.scales) - 0.5)
    figure.supxlabel("units of the system", fontsize=8.5)
    _legend(figure, study)
    return canvas.finish(figure, study.folder, "grains", _caption(study), _alt(study))


def _scales_of(study: Findings, measure: str) -> int:
    own = study.summary[(study.summary["measure"] == measure) & study.summary["value"].notna()]
    return len(own[["route", "scale"]].drop_duplicates())


def _short(scale: StudyScale) -> str:
    return f"{scale.size}\nmicro" if scale.route == "micro" else f"{scale.size}\nmacro"


def _panel(panel: Axes, study: Findings, measure: str, condition: str) -> None:
    """One condition: nulls, planted values, and a curve per subject."""
    colour = canvas.colours(study.conditions)[condition]
    crowd = len(study.subjects) > canvas.CROWD
    offset = {subject: shift / 2 for subject, shift in canvas.offsets(study.subjects).items()}
    curves: dict[str, list[tuple[float, float]]] = {subject: [] for subject in study.subjects}
    means = []
    for place, scale in enumerate(study.scales):
        _nulls(panel, study, scale, measure, condition, place)
        known = planted(study, scale, measure)
        for true in known.loc[known["condition"] == condition, "planted"]:
            panel.plot(place, true, "D", ms=8, mfc="none", mec=INK, mew=0.8, zorder=2)
        values = subject_values(scale.of(study.summary, measure))
        values = values[values["condition"] == condition]
        for subject in study.subjects:
            curves[subject].append((place + offset[subject], np.nan))
        for row in values.itertuples():
            x = place + offset[row.subject]
            curves[row.subject][-1] = (x, row.value)
            panel.plot([x, x], [row.ci_low, row.ci_high], color=colour, lw=1.3, alpha=0.6, zorder=3)
            accepted = share_of(study, scale, condition, row.subject, UNITS) >= HALF
            fill, size = colour if accepted else "white", 4.0 if crowd else 5.5
            panel.plot(x, row.value, "o", ms=size, mfc=fill, mec=colour, mew=1.0, zorder=4)
            if share_of(study, scale, condition, row.subject, ACCEPTED) >= HALF:
                panel.plot(x, row.value, "o", ms=2 * size, mfc="none", mec=INK, mew=1.2, zorder=5)
        means.append(float(subject_means(values).get(condition, np.nan)))
    for points in curves.values():
        panel.plot(*zip(*points, strict=True), color=colour, lw=0.9, alpha=0.5, zorder=1.8)
    if len(study.subjects) > 1:
        panel.plot(range(len(means)), means, color=INK, lw=1.6, zorder=1.9)


def _nulls(panel: Axes, study: Findings, scale: StudyScale, measure: str, condition: str, place: int) -> None:
    """Grey: mean ± sd of the null; dotted: mean of matched random groupings."""
    for family, levels in null_levels(study, scale, measure).items():
        if condition in levels:
            draw_null(panel, place, *levels[condition], dotted=family == RANDOM_GROUPING.name)


def _limits(first: Axes, row: Any, *, logarithmic: bool) -> None:
    """From 0 on; on a logarithmic axis where values multiply and span too much."""
    drawn = [y for panel in row for line in panel.lines if line.get_marker() == "o" for y in line.get_ydata()]
    known = [y for y in map(float, drawn) if np.isfinite(y)]
    if logarithmic and known and min(known) > 0 and max(known) > canvas.LOG_SPAN * min(known):
        first.set_yscale("log")
        first.set_ylim(min(known) / 1.6, max(known) * 1.6)
        return
    first.set_ylim(bottom=min([0.0, *known]))


def _legend(figure: Canvas, study: Findings) -> None:
    dot = {"color": "none", "marker": "o", "ms": 6, "mec": MUTED}
    handles: list[Any] = [
        Line2D([], [], **dot, mfc=MUTED, label="accepted units"),  # type: ignore[arg-type]  # stubs want each by name
        Line2D([], [], **dot, mfc="white", label="not accepted"),  # type: ignore[arg-type]
        Line2D([], [], color="none", marker="o", ms=10, mfc="none", mec=INK, mew=1.2, label="the grain"),
    ]
    if len(study.subjects) > 1:
        handles.append(Line2D([], [], color=INK, lw=1.6, label="mean of subjects"))
    if band(study):
        handles.append(Patch(color=NULL, alpha=0.28, lw=0, label="null"))
    if RANDOM_GROUPING.name in set(study.nulls["null"]):
        handles.append(Line2D([], [], color=MUTED, lw=1.1, ls=(0, (1, 1.2)), label="random groupings"))
    if study.truths:
        handles.append(Line2D([], [], marker="D", color="none", mfc="none", mec=INK, ms=7, label="planted value"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, handlelength=1.6, columnspacing=1.2)


def _caption(study: Findings) -> str:
    name = glossary.NULL_NAMES.get(band(study), band(study))
    nulls = f" Grey: the null “{name}”, mean ± sd; dotted: matched random groupings." if name else ""
    true = " Diamonds: the planted value of the same units (simulated; interventional TPM)." if study.truths else ""
    return CAPTION.format(level=f"{study.confidence:.0%}", nulls=nulls, planted=true)


def _alt(study: Findings) -> str:
    """Say the curves' numbers, for those who cannot see them."""
    parts = []
    for condition in study.conditions:
        curve = []
        for scale in study.scales:
            values = subject_values(scale.of(study.summary, "phi_s"))
            own = values[values["condition"] == condition]
            if len(own):
                mean = glossary.number(float(subject_means(own)[condition]))
                curve.append(f"{mean} at {scale}{_word(study, scale, condition)}")
        if curve:
            parts.append(f"{condition}: {', '.join(curve)}")
    return "Curves of phi_s over the scales. Means over subjects: " + "; ".join(parts) + "."


def _word(study: Findings, scale: StudyScale, condition: str) -> str:
    rows = scale.of(study.summary, "phi_s")
    words = rows.loc[rows["condition"] == condition, "grain"]
    most = pd.Series(words).mode()
    if len(most) and most.iloc[0] == ACCEPTED:
        return " (the grain)"
    return " (not accepted)" if len(most) and most.iloc[0] == NO_UNITS else ""
