"""Measures at each scale, by condition: the main figure, and the same of other measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pipeline.inference.subjects import beside_values, flagged, subject_means, subject_values
from pipeline.inference.withheld import WORD
from pipeline.nulls.registry import RANDOM_GROUPING
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import FAINT, INK, MUTED, NULL, Figure
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.results.measures import MEASURES

RANDOM = RANDOM_GROUPING.name
IMPRECISE = "imprecise (interval wider than value)"


def scales(study: Findings) -> Figure | None:
    """phi_s and Φ by condition at every scale: the main figure."""
    figure = _grid(study, ["phi_s", "big_phi"])
    if figure is None:
        return None
    return canvas.finish(
        figure,
        study.folder,
        "scales",
        (
            "System integrated information φ_s and structure integrated information Φ [ibit] at each scale, "
            f"by condition. {_READING} {_intervals(study)} {_nulls(study)}{_diamonds(study)} Φ is on a "
            f"logarithmic axis where its values span more than a factor of {canvas.LOG_SPAN}."
        ),
        _alt(study, ["phi_s", "big_phi"]),
    )


def other_measures(study: Findings) -> Figure | None:
    """Effective information, causal power and the size of the structure, in the same layout."""
    names = [
        "effective_information",
        "causal_power",
        "phi_s_complex",
        "n_distinctions",
        "n_relations",
    ]
    figure = _grid(study, names)
    if figure is None:
        return None
    return canvas.finish(
        figure,
        study.folder,
        "other_measures",
        f"Other measures at each scale, by condition. {_READING} {_intervals(study)} {_nulls(study)}{_diamonds(study)}",
        _alt(study, names),
    )


_READING = (
    "Each dot is one subject (windows of a subject averaged, weighted by frames), lines join the same subject, "
    "black bars are means over subjects (thin where at least half of the values are imprecise). Open dots: "
    "imprecise, the interval is wider than the value itself (at least half of the frames are in windows flagged "
    "so); such a value is not told from its double, or from nothing. Values that the data cannot "
    "carry are withheld, and absent."
)

_AVERAGED = ", averaged over the windows and subjects of the dots"


def _intervals(study: Findings) -> str:
    return f"Error bars: {study.confidence:.0%} posterior interval of the TPM carried through."


def _nulls(study: Findings) -> str:
    """Say what the grey marks are."""
    used = set(study.nulls["null"])
    family = band(study)
    said = (
        f"Grey bands: the null “{glossary.NULL_NAMES.get(family, family)}”, mean ± sd over surrogates{_AVERAGED}."
        if family
        else ""
    )
    return said + (f" Dotted: mean of matched random groupings{_AVERAGED}." if RANDOM in used else "")


def _diamonds(study: Findings) -> str:
    """Say what the diamonds are, where there are any."""
    said = " Diamonds: the planted value of the same units (simulated; interventional TPM)."
    return said if study.truths else ""


def band(study: Findings) -> str:
    """Return the null family that is drawn as a band: the first that is not the random groupings."""
    return next((str(n) for n in study.nulls["null"] if n != RANDOM), "")


def _grid(study: Findings, measures: Sequence[str]) -> Canvas | None:
    """Rows: measures; columns: scales; in each panel the conditions side by side."""
    rows = [m for m in measures if study.summary.loc[study.summary["measure"] == m, "value"].notna().any()]
    if not rows:
        return None
    figure = canvas.canvas(height=0.9 + (2.35 if len(rows) < 3 else 1.75) * len(rows))
    axes = figure.subplots(len(rows), len(study.scales), squeeze=False)
    for line, (row, measure) in enumerate(zip(axes, rows, strict=True)):
        reach = []
        for panel, scale in zip(row, study.scales, strict=True):
            reach.append(_panel(panel, study, scale, measure))
            if line == 0:
                panel.set_title(str(scale), pad=6)
        _limits(row, reach, logarithmic=MEASURES[measure].multiplies)
        row[0].set_ylabel(glossary.axis(measure))
    _legend(figure, study, rows)
    return figure


def _panel(panel: Axes, study: Findings, scale: StudyScale, measure: str) -> float:
    """Draw one measure at one scale; returns the largest value drawn (0 when there is none)."""
    values = subject_values(scale.of(study.summary, measure))
    place = {c: float(i) for i, c in enumerate(study.conditions)}
    panel.set_xlim(-0.6, len(place) - 0.4)
    panel.set_xticks(range(len(place)), list(place))
    if values.empty:
        where = {"ha": "center", "va": "center"}
        away = flagged(scale.of(study.summary, measure)["flag"], WORD).any()
        said = "withheld\n(see the flags)" if away else "not computed\nat this scale"
        panel.text(0.5, 0.5, said, where, transform=panel.transAxes, color=MUTED)
        return 0.0
    tops = [
        _draw_nulls(panel, study, scale, measure, place),
        _draw_subjects(panel, study, values, place),
        _draw_planted(panel, study, planted(study, scale, measure), place),
    ]
    if len(study.subjects) > 1:
        for condition, mean in subject_means(values).items():
            x, vague = place[condition], values.loc[values["condition"] == condition, "imprecise"].mean() >= 0.5
            panel.plot([x - 0.3, x + 0.3], [mean, mean], color=INK, lw=0.7 if vague else 1.8, zorder=2)
    return max(tops)


def _draw_subjects(panel: Axes, study: Findings, values: pd.DataFrame, place: dict[str, float]) -> float:
    """A dot with its interval per subject and condition, and a line through each subject."""
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    offset = canvas.offsets(study.subjects)
    size = 5.5 if len(study.subjects) <= canvas.CROWD else 4.0
    x = [place[c] + offset[s] for c, s in zip(values["condition"], values["subject"], strict=True)]
    for _, rows in values.assign(x=x).groupby("subject", sort=False):
        ordered = rows.sort_values("x")
        panel.plot(ordered["x"], ordered["value"], color=FAINT, lw=0.9, zorder=1)
        for p in ordered.itertuples():
            tone = colour[p.condition]
            panel.plot([p.x, p.x], [p.ci_low, p.ci_high], color=tone, lw=1.4, alpha=0.65, zorder=3)
            panel.plot(
                p.x,
                p.value,
                marker[p.condition],
                ms=size,
                mfc="white" if p.imprecise else tone,
                mec=tone if p.imprecise else "white",
                mew=1.0 if p.imprecise else 0.6,
                zorder=4,
            )
    return float(values[["value", "ci_high"]].max().max())


def planted(study: Findings, scale: StudyScale, measure: str) -> pd.DataFrame:
    """Return planted values, one per subject and condition (no rows if unknown), combined as the dots are.

    Args:
        study: what was found in the study.
        scale: one of its scales.
        measure: name of the measure.
    """
    rows = scale.of(study.true_values, measure)
    rows = rows[rows["condition"].isin(study.conditions)].dropna(subset="planted")
    return beside_values(rows, study.summary, ["planted"])


def _draw_planted(panel: Axes, study: Findings, known: pd.DataFrame, place: dict[str, float]) -> float:
    """Open diamonds behind the dots; with many subjects one per condition, their mean."""
    offset, crowd = canvas.offsets(study.subjects), len(study.subjects) > canvas.CROWD
    if crowd:
        known = subject_means(known, "planted").reset_index().assign(subject="")
    for p in known.itertuples():
        x = place[p.condition] + offset.get(p.subject, 0.0)
        panel.plot(
            x,
            p.planted,
            "D",
            ms=9,
            mfc="none" if crowd else "white",
            mec=INK,
            mew=0.9,
            zorder=5 if crowd else 2.5,
        )
    return float(known["planted"].max()) if len(known) else 0.0


def null_levels(study: Findings, scale: StudyScale, measure: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Return mean and sd of the null that is drawn, and of random groupings, by condition: means over subjects.

    What belongs to a subject is combined from its windows as its dot is. Random groupings have no sd.

    Args:
        study: what was found in the study.
        scale: one of its scales.
        measure: name of the measure.
    """
    tests = scale.of(study.nulls, measure).dropna(subset="mean")
    known = beside_values(tests, study.summary, ["mean", "sd"], by=["null"])
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for family, rows in known[known["null"].isin([band(study), RANDOM])].groupby("null", sort=False):
        means, spreads = (subject_means(rows, column) for column in ("mean", "sd"))
        found[str(family)] = {
            str(c): (float(means[c]), 0.0 if family == RANDOM or np.isnan(spreads[c]) else float(spreads[c]))
            for c in means.index
        }
    return found


def _draw_nulls(panel: Axes, study: Findings, scale: StudyScale, measure: str, place: dict[str, float]) -> float:
    """Grey marks per condition: mean over subjects of a null's mean ± sd; dotted: random groupings."""
    top = 0.0
    for family, levels in null_levels(study, scale, measure).items():
        for condition, (mean, sd) in levels.items():
            if condition in place:
                draw_null(panel, place[condition], mean, sd, dotted=family == RANDOM)
                top = max(top, mean + sd)
    return float(top)


def draw_null(panel: Axes, x: float, mean: float, sd: float, *, dotted: bool) -> None:
    """Draw a null: grey where its values lie, mean ± sd; dotted and without spread where it is of random groupings.

    Args:
        panel: where.
        x: place on its axis.
        mean: of the null.
        sd: of the null.
        dotted: it is of random groupings.
    """
    ends = [x - 0.38, x + 0.38]
    if sd:
        panel.fill_between(ends, max(mean - sd, min(mean, 0.0)), mean + sd, color=NULL, alpha=0.28, lw=0, zorder=0)
    panel.plot(ends, [mean, mean], color=MUTED, lw=1.1, ls=(0, (1, 1.2)) if dotted else "-", zorder=1.5)


def _lowest(panel: Axes) -> float:
    """Return the least value drawn, 0 at most; matplotlib says that an empty panel reaches to minus infinity."""
    return min(0.0, float(panel.dataLim.ymin)) if np.isfinite(panel.dataLim.ymin) else 0.0


def _limits(row: Sequence[Axes], reach: Sequence[float], *, logarithmic: bool) -> None:
    """One y axis for a row, so that scales can be compared by eye, unless one would vanish on it."""
    least = min((_least(panel) for panel in row), default=0.0)
    drawn = [r for r in reach if r > 0]
    if logarithmic and least > 0 and max(drawn) > canvas.LOG_SPAN * least:
        for panel in row:
            panel.set_yscale("log")
            panel.set_ylim(least / 1.6, max(drawn) * 1.6)
            panel.tick_params(labelleft=panel is row[0])
        return
    common = bool(drawn) and max(drawn) < 8 * min(drawn)
    for panel, top in zip(row, reach, strict=True):
        limit = max(drawn) if common else top
        low = min(_lowest(p) for p in (row if common else [panel]))
        panel.set_ylim(low * 1.08, limit * 1.08 or 1.0)
        if low < 0:
            panel.axhline(0, color=FAINT, lw=0.8, zorder=0)
        if panel is not row[0] and common:
            panel.tick_params(labelleft=False)
    if drawn and not common:
        where = {"xycoords": "axes fraction", "ha": "right", "va": "bottom"}
        row[-1].annotate("own y axis", (1, 1), color=MUTED, fontsize=7.5, **where)  # type: ignore[arg-type]  # stubs


def _least(panel: Axes) -> float:
    """Smallest value of a dot or diamond in a panel (infinite where there is none)."""
    dots = [line.get_ydata() for line in panel.lines if line.get_marker() not in ("None", "", None)]
    return min((float(np.nanmin(d)) for d in dots), default=np.inf)


def _legend(figure: Canvas, study: Findings, measures: Sequence[str]) -> None:
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    handles: list[Any] = [
        Line2D([], [], marker=marker[c], color="none", mfc=colour[c], mec="white", ms=7, label=c)
        for c in study.conditions
    ]
    if len(study.subjects) > 1:
        handles.append(Line2D([], [], color=INK, lw=1.8, label="mean of subjects"))
    if band(study):
        handles.append((Patch(color=NULL, alpha=0.28, lw=0), Line2D([], [], color=MUTED, lw=1.1)))
    if RANDOM in set(study.nulls["null"]):
        handles.append(Line2D([], [], color=MUTED, lw=1.1, ls=(0, (1, 1.2)), label="random groupings"))
    if study.truths:
        handles.append(
            Line2D(
                [],
                [],
                marker="D",
                color="none",
                mfc="white",
                mec=INK,
                ms=7,
                label="planted value" if len(study.subjects) <= canvas.CROWD else "planted value (mean)",
            )
        )
    shown = study.summary[study.summary["measure"].isin(measures)]
    if flagged(shown["flag"], "imprecise").any():
        handles.append(Line2D([], [], marker="o", color="none", mfc="white", mec=MUTED, ms=7, label=IMPRECISE))
    labels = ["null" if isinstance(h, tuple) else h.get_label() for h in handles]
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=len(handles) if sum(len(label) + 6 for label in labels) < 100 else 5,
        handlelength=1.6,
        columnspacing=1.2,
    )


def _alt(study: Findings, measures: Sequence[str]) -> str:
    """Say the figure's numbers, for those who cannot see it."""
    parts = []
    for scale in study.scales:
        for measure in measures:
            means = subject_means(subject_values(scale.of(study.summary, measure)))
            known = [f"{c} {glossary.number(means[c])}" for c in study.conditions if c in means]
            if known:
                parts.append(f"{glossary.plain(measure)}, {scale}: {', '.join(known)}")
    return "Dot plots by condition. Means over subjects: " + "; ".join(parts) + "."
