"""phi_s and Φ as curves over the scales, from the units to one macro unit, with the grain that the theory accepts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.inference.over_scales import ACCEPTED, NO_UNITS, UNITS
from pipeline.inference.subjects import subject_means
from pipeline.report.figures.axes import Axis, Names, reaching
from pipeline.report.figures.figure import Figure, Key, assembled, sample
from pipeline.report.figures.levels import null_levels, null_name, planted
from pipeline.report.figures.look import classes, offsets
from pipeline.report.figures.marks import dot_size, draw_null, draw_planted, level_keys, subject_tip, whisker
from pipeline.report.figures.plot import Panel, Plot, marker, row_width
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.report.words.grain import share_of
from pipeline.results.measures import MEASURES

HALF = 0.5  # of the windows of a subject


def grains(study: Findings) -> Figure | None:
    """Draw phi_s and Φ of every subject over the scales, a panel per condition; None where there is one scale."""
    rows = [name for name in ("phi_s", "big_phi") if _scales_of(study, name) > 1]
    if not rows:
        return None
    panels = [
        _panel(study, measure, condition, axis)
        for measure in rows
        for axis in [_axis(study, measure)]
        for condition in study.conditions
    ]
    keys = [
        Key("units of the theory", sample("o"), "mt"),
        Key("not accepted", sample("o", "h"), "mt"),
        Key("the grain", sample("o", "ring", 6.5), "ik"),
        *level_keys(study),
    ]
    grey = f" Grey: the null “{null_name(study)}”; dotted: random groupings." if null_name(study) else ""
    return assembled(
        study.folder,
        "grains",
        "phi_s and Φ over the scales, a line per subject. Filled: the theory accepts all units of the scale "
        "in at least half of the windows; open: it does not, or that was not asked. Ringed: the grain, the largest "
        f"phi_s among accepted scales.{grey} A withheld value breaks the line.",
        _alt(study),
        panels,
        keys=keys,
        data=_data(study, rows),
    )


def _scales_of(study: Findings, measure: str) -> int:
    own = study.summary[(study.summary["measure"] == measure) & study.summary["value"].notna()]
    return len(own[["route", "scale"]].drop_duplicates())


def _axis(study: Findings, measure: str) -> Axis:
    """One axis for all conditions."""
    values = study.values[study.values["measure"] == measure]
    values = values[values["route"].isin({scale.route for scale in study.scales})]
    known = values[["value", "ci_low", "ci_high"]].to_numpy(float).ravel().tolist()
    true = [v for scale in study.scales for v in planted(study, scale, measure)["planted"]]
    return reaching([*known, *true], logarithmic=MEASURES[measure].multiplies)


def short(scale: StudyScale) -> str:
    """Return the name of a scale below an axis."""
    return f"{scale.size}\nmicro" if scale.route == "micro" else f"{scale.size}\nmacro"


def _panel(study: Findings, measure: str, condition: str, axis: Axis) -> Panel:
    """One condition: nulls, planted values, and a curve per subject."""
    names = [short(scale) for scale in study.scales]
    plot = Plot(
        Names(names),
        axis,
        row_width(len(study.conditions)),
        title=condition,
        xlabel="units of the system",
        ylabel=glossary.labelled(measure),
        bottom=54,
    )
    offset = {subject: shift / 2 for subject, shift in offsets(study.subjects).items()}
    curves: dict[str, list[tuple[float, float]]] = {subject: [] for subject in study.subjects}
    means, dots = [], []
    for place, scale in enumerate(study.scales):
        for family, levels in null_levels(study, scale, measure).items():
            if condition in levels:
                draw_null(plot, place, levels[condition], family, study, condition)
        known = planted(study, scale, measure)
        for row in known[known["condition"] == condition].itertuples():
            draw_planted(plot, place, row.planted, condition, row.subject)
        values = scale.of(study.values, measure)
        values = values[values["condition"] == condition]
        for subject in study.subjects:
            curves[subject].append((place + offset[subject], np.nan))
        for row in values.itertuples():
            x = place + offset[row.subject]
            curves[row.subject][-1] = (x, row.value)
            dots.append((x, row, scale))
        means.append((float(place), float(subject_means(values).get(condition, np.nan))))
    _draw(plot, study, curves, means, dots, (measure, condition))
    return plot.panel(
        f"{glossary.plain(measure)}, {condition}", {"measure": glossary.short(measure), "condition": condition}
    )


def _draw(
    plot: Plot,
    study: Findings,
    curves: Mapping[str, list[tuple[float, float]]],
    means: list[tuple[float, float]],
    dots: list[tuple[float, pd.Series, StudyScale]],
    about: tuple[str, str],
) -> None:
    measure, condition = about
    kind = classes(study.conditions)[condition]
    for points in curves.values():
        plot.add(plot.line(points, "l pale"), kind)
    if len(study.subjects) > 1:
        plot.add(plot.line(means, "l th"), "ik")
    for x, row, scale in dots:
        accepted = share_of(study, scale, condition, row.subject, UNITS) >= HALF
        grain = share_of(study, scale, condition, row.subject, ACCEPTED) >= HALF
        mark = whisker(plot, x, row.ci_low, row.ci_high)
        mark += plot.dot(x, row.value, "o", dot_size(study), "f" if accepted else "h")
        if grain:
            mark += f'<g class="ik">{marker(plot.px(x), plot.py(row.value), "o", 2 * dot_size(study), "ring")}</g>'
        word = "; the grain" if grain else "" if accepted else "; not accepted as units"
        plot.add(mark, kind, subject_tip(row, measure, str(scale)) + word, {"scale": str(scale)})


def _data(study: Findings, rows: list[str]) -> pd.DataFrame:
    own = study.summary[study.summary["measure"].isin(rows)]
    columns = ["subject", "recording", "window", "condition", "route", "scale", "measure", "value", "ci_low", "ci_high"]
    return own[[*columns, "grain"]]


def _alt(study: Findings) -> str:
    """Say the curves' numbers, for those who cannot see them."""
    parts = []
    for condition in study.conditions:
        curve = []
        for scale in study.scales:
            values = scale.of(study.values, "phi_s")
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
