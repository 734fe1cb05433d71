"""Figures of results: measures by scale and condition, contrasts, activity beside phi, truth against estimate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pipeline.report import canvas, glossary
from pipeline.report.canvas import FAINT, INK, MUTED, NULL, Figure
from pipeline.report.data import Scale, Study, by_subject
from pipeline.report.truth import planted

RANDOM = "random_grouping"
MULTIPLYING = ("big_phi", "n_relations")  # shown on logarithmic axes where they span LOG_SPAN
LOG_SPAN = 30
IMPRECISE = "imprecise (interval wider than value)"
CROWD = 6  # with more subjects, marks are smaller and planted values are averaged


def scales(study: Study) -> Figure | None:
    """phi_s and Φ by condition at every scale: the main figure."""
    figure = _grid(study, ["phi_s", "big_phi"])
    if figure is None:
        return None
    return canvas.finish(
        figure,
        study.folder / "figures",
        "scales",
        f"System integrated information φ_s and structure integrated information Φ [ibit] at each scale, by condition. {_READING} {_intervals(study)} {_nulls(study)}{_diamonds(study)} Φ is on a logarithmic axis where its values span more than a factor of {LOG_SPAN}.",
        _alt(study, ["phi_s", "big_phi"]),
    )


def other_measures(study: Study) -> Figure | None:
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
        study.folder / "figures",
        "other_measures",
        f"Other measures at each scale, by condition. {_READING} {_intervals(study)} {_nulls(study)}{_diamonds(study)}",
        _alt(study, names),
    )


_READING = "Each dot is one subject (windows of a subject averaged, weighted by frames), lines join the same subject, black bars are means over subjects. Open dots: imprecise, the interval is wider than the value itself (at least half of the frames are in windows flagged so); such a value is not told from its double, or from nothing."


def _intervals(study: Study) -> str:
    return f"Error bars: {study.confidence:.0%} posterior interval of the TPM carried through."


def _nulls(study: Study) -> str:
    """Say what the grey marks are."""
    used = set(study.nulls["null"])
    band = _band(study)
    said = f"Grey bands: the null “{glossary.NULL_NAMES.get(band, band)}”, mean ± sd over surrogates." if band else ""
    return said + (" Dotted: mean of matched random groupings." if RANDOM in used else "")


def _diamonds(study: Study) -> str:
    """Say what the diamonds are, where there are any."""
    said = " Diamonds: the planted value of the same units (simulated; interventional TPM)."
    return said if study.truths else ""


def _band(study: Study) -> str:
    """The null family drawn as a band: the first that is not the random groupings."""
    return next((str(n) for n in study.nulls["null"] if n != RANDOM), "")


def _grid(study: Study, measures: Sequence[str]):
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
        _limits(row, reach, logarithmic=measure in MULTIPLYING)
        row[0].set_ylabel(glossary.axis(measure))
    _legend(figure, study, rows)
    return figure


def _panel(panel: Axes, study: Study, scale: Scale, measure: str) -> float:
    """Draw one measure at one scale; returns the largest value drawn (0 when there is none)."""
    table = scale.of(study.summary)
    values = by_subject(table[table["measure"] == measure])
    place = {c: float(i) for i, c in enumerate(study.conditions)}
    panel.set_xlim(-0.6, len(place) - 0.4)
    panel.set_xticks(range(len(place)), list(place))
    if values["value"].notna().sum() == 0:
        about = {"transform": panel.transAxes, "ha": "center", "va": "center", "color": MUTED}
        panel.text(0.5, 0.5, "not computed\nat this scale", **about)
        return 0.0
    tops = [
        _draw_nulls(panel, study, scale, measure, place),
        _draw_subjects(panel, study, values, place),
        _draw_planted(panel, study, planted(study, scale, measure), place),
    ]
    if len(study.subjects) > 1:
        for condition, mean in values.groupby("condition")["value"].mean().items():
            x = place[condition]
            panel.plot([x - 0.3, x + 0.3], [mean, mean], color=INK, lw=1.8, zorder=2)
    return max(tops)


def _draw_subjects(panel: Axes, study: Study, values: pd.DataFrame, place: dict[str, float]) -> float:
    """A dot with its interval per subject and condition, and a line through each subject."""
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    offset = _offsets(study.subjects)
    size = 5.5 if len(study.subjects) <= CROWD else 4.0
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


def _draw_planted(panel: Axes, study: Study, known: pd.DataFrame, place: dict[str, float]) -> float:
    """Open diamonds behind the dots; with many subjects one per condition, their mean."""
    offset, crowd = _offsets(study.subjects), len(study.subjects) > CROWD
    if crowd:
        known = known.groupby("condition", as_index=False)["value"].mean().assign(subject="")
    for p in known.itertuples():
        x = place[p.condition] + offset.get(p.subject, 0.0)
        panel.plot(
            x,
            p.value,
            "D",
            ms=9,
            mfc="none" if crowd else "white",
            mec=INK,
            mew=0.9,
            zorder=5 if crowd else 2.5,
        )
    return float(known["value"].max()) if len(known) else 0.0


def _draw_nulls(panel: Axes, study: Study, scale: Scale, measure: str, place: dict[str, float]) -> float:
    """Grey marks per condition: a null's mean over windows ± its mean sd; dotted: random groupings."""
    table = scale.of(study.nulls)
    table = table[table["measure"] == measure]
    windows = zip(table["recording"], table["window"], strict=True)
    table = table.assign(condition=[study.condition_of(r, w) for r, w in windows])
    top = 0.0
    for (condition, family), rows in table.groupby(["condition", "null"], sort=False):
        if condition not in place or family not in (_band(study), RANDOM):
            continue
        mean, x = rows["mean"].mean(), place[condition]
        sd = rows["sd"].fillna(0).mean() if family != RANDOM else 0.0
        if sd:
            panel.fill_between(
                [x - 0.38, x + 0.38],
                max(mean - sd, min(mean, 0.0)),
                mean + sd,
                color=NULL,
                alpha=0.28,
                lw=0,
                zorder=0,
            )
        line = (0, (1, 1.2)) if family == RANDOM else "-"
        panel.plot([x - 0.38, x + 0.38], [mean, mean], color=MUTED, lw=1.1, ls=line, zorder=1.5)
        top = max(top, mean + sd)
    return float(top)


def _offsets(subjects: Sequence[str]) -> dict[str, float]:
    reach = 0.2 if len(subjects) <= CROWD else 0.3
    spread = np.linspace(-reach, reach, len(subjects)) if len(subjects) > 1 else [0.0]
    return {s: float(o) for s, o in zip(subjects, spread, strict=True)}


def _limits(row: Sequence[Axes], reach: Sequence[float], *, logarithmic: bool) -> None:
    """One y axis for a row, so that scales can be compared by eye, unless one would vanish on it."""
    least = min((_least(panel) for panel in row), default=0.0)
    drawn = [r for r in reach if r > 0]
    if logarithmic and least > 0 and max(drawn) > LOG_SPAN * least:
        for panel in row:
            panel.set_yscale("log")
            panel.set_ylim(least / 1.6, max(drawn) * 1.6)
            panel.tick_params(labelleft=panel is row[0])
        return
    common = bool(drawn) and max(drawn) < 8 * min(drawn)
    for panel, top in zip(row, reach, strict=True):
        limit = max(drawn) if common else top
        low = min(0.0, *(p.dataLim.ymin for p in row)) if common else min(0.0, panel.dataLim.ymin)
        panel.set_ylim(low * 1.08, limit * 1.08 or 1.0)
        if low < 0:
            panel.axhline(0, color=FAINT, lw=0.8, zorder=0)
        if panel is not row[0] and common:
            panel.tick_params(labelleft=False)
    if drawn and not common:
        place = {"xycoords": "axes fraction", "ha": "right", "va": "bottom"}
        row[-1].annotate("own y axis", (1, 1), color=MUTED, fontsize=7.5, **place)


def _least(panel: Axes) -> float:
    """Smallest value of a dot or diamond in a panel (infinite where there is none)."""
    dots = [line.get_ydata() for line in panel.lines if line.get_marker() not in ("None", "", None)]
    return min((float(np.nanmin(d)) for d in dots), default=np.inf)


def _legend(figure, study: Study, measures: Sequence[str]) -> None:
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    handles = [
        Line2D([], [], marker=marker[c], color="none", mfc=colour[c], mec="white", ms=7, label=c)
        for c in study.conditions
    ]
    if len(study.subjects) > 1:
        handles.append(Line2D([], [], color=INK, lw=1.8, label="mean of subjects"))
    if _band(study):
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
                label="planted value" if len(study.subjects) <= CROWD else "planted value (mean)",
            )
        )
    shown = study.summary[study.summary["measure"].isin(measures)]
    if shown["flag"].fillna("").astype(str).str.contains("imprecise").any():
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


def _alt(study: Study, measures: Sequence[str]) -> str:
    """Say the figure's numbers, for those who cannot see it."""
    parts = []
    for scale in study.scales:
        table = scale.of(study.summary)
        for measure in measures:
            means = by_subject(table[table["measure"] == measure]).groupby("condition", sort=False)["value"].mean()
            known = [f"{c} {glossary.number(means[c])}" for c in study.conditions if c in means]
            if known and means.notna().any():
                parts.append(f"{glossary.plain(measure)}, {scale}: {', '.join(known)}")
    return "Dot plots by condition. Means over subjects: " + "; ".join(parts) + "."


def contrasts(study: Study) -> Figure | None:
    """Differences between conditions with their intervals."""
    measures = ["phi_s", "phi_s_common", "big_phi", "effective_information"]
    table = study.comparison[study.comparison["estimate"].notna()]
    measures = [m for m in measures if m in set(table["measure"])]
    if not measures:
        return None
    names = list(dict.fromkeys(table["contrast"]))
    lines = [(scale, name) for scale in study.scales for name in names]
    figure = canvas.canvas(height=0.9 + 0.27 * len(lines))
    panels = figure.subplots(1, len(measures), squeeze=False, sharey=True)[0]
    for panel, measure in zip(panels, measures, strict=True):
        panel.axvline(0, color=MUTED, lw=0.8)
        for y, (scale, name) in enumerate(lines):
            rows = scale.of(table)
            rows = rows[(rows["measure"] == measure) & (rows["contrast"] == name)]
            for row in rows.itertuples():
                colour = canvas.PALETTE[0] if scale.route == "micro" else canvas.PALETTE[1]
                panel.plot([row.ci_low, row.ci_high], [y, y], color=colour, lw=2, alpha=0.6)
                panel.plot(
                    row.estimate,
                    y,
                    "o" if scale.route == "micro" else "s",
                    color=colour,
                    ms=5.5,
                    mec="white",
                    mew=0.6,
                )
        term = glossary.MEASURES[measure]
        panel.set_title(
            term.sign.replace(", common ", ",\ncommon\n").replace("e inf", "e\ninf"),
            fontsize=8,
            fontweight="normal",
        )
        panel.set_xlabel(f"difference [{term.unit}]")
        panel.locator_params(axis="x", nbins=3)
    panels[0].set_yticks(range(len(lines)), [f"{name.replace('-', ' − ')},  {scale}" for scale, name in lines])
    panels[0].set_ylim(len(lines) - 0.4, -0.6)
    return canvas.finish(
        figure,
        study.folder / "figures",
        "contrasts",
        f"Within-subject differences between conditions, mean over subjects with the {study.confidence:.0%} bootstrap interval over subjects. Circles: micro scale; squares: macro scales.",
        "Differences and intervals; the numbers are in the comparison table.",
    )


def activity(study: Study) -> Figure | None:
    """Rates, entropy and time scale of the units by condition: what phi has to be read beside."""
    shown = ["event_rate_hz", "fraction_on", "entropy_bits", "autocorrelation_time_s"]
    shown = [m for m in shown if m in set(study.quality["measure"])]
    if not shown:
        return None
    figure = canvas.canvas(height=2.3)
    for panel, measure in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        values = window_means(study, measure)
        colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
        offset = _offsets(sorted(set(values["subject"])))
        place = {c: i for i, c in enumerate(study.conditions)}
        for subject, rows in values.groupby("subject", sort=False):
            rows = rows.assign(x=[place[c] + offset[subject] for c in rows["condition"]]).sort_values("x")
            panel.plot(rows["x"], rows["value"], color=FAINT, lw=0.9, zorder=1)
            for point in rows.itertuples():
                panel.plot(
                    point.x,
                    point.value,
                    marker[point.condition],
                    color=colour[point.condition],
                    ms=5.5,
                    mec="white",
                    mew=0.6,
                )
        panel.set_xticks(range(len(place)), list(place), rotation=30, ha="right")
        panel.set_xlim(-0.6, len(place) - 0.4)
        panel.set_ylim(0, max(values["value"].max() * 1.1, 1e-9))
        panel.set_title(glossary.axis(measure), fontsize=8, fontweight="normal")
    return canvas.finish(
        figure,
        study.folder / "figures",
        "activity",
        "Activity of the units by condition; each dot is one subject (mean over its units and windows). φ_s can follow these without any change in how the units interact.",
        "Dot plots of event rate, share of time ON, entropy and autocorrelation time of the units by condition.",
    )


def window_means(study: Study, measure: str) -> pd.DataFrame:
    """Mean of a quality measure over units and windows: columns subject, condition, value."""
    rows = study.quality[study.quality["measure"] == measure]
    rows = rows[rows["condition"].isin(study.conditions)]
    return rows.groupby(["subject", "condition"], sort=False)["value"].mean().reset_index()
