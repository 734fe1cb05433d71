"""Measures at each scale, by condition: the answer's figure, and all measures to choose from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.inference.subjects import flagged, subject_means
from pipeline.inference.withheld import WORD
from pipeline.report.figures.axes import Axis, Names, reaching
from pipeline.report.figures.figure import Figure, Key, assembled, sample
from pipeline.report.figures.levels import RANDOM, null_levels, null_name, planted
from pipeline.report.figures.look import CROWD, classes, markers, offsets
from pipeline.report.figures.marks import (
    condition_keys,
    dot_size,
    draw_null,
    draw_planted,
    level_keys,
    subject_tip,
    whisker,
)
from pipeline.report.figures.plot import Panel, Plot, row_width
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.report.words.belief import vague_conditions
from pipeline.results.columns import LATENTS
from pipeline.results.measures import MEASURES

FIRST = ("phi_s", "big_phi")
SHARED_SPAN = 8  # panels whose values differ by less than this factor have one axis
IMPRECISE = "imprecise: interval wider than value"


def answer(study: Findings) -> Figure | None:
    """phi_s by condition at every scale, of what can be believed: the figure beside the verdict."""
    panels = _row(study, "phi_s", believed=True)
    if not panels:
        return None
    return assembled(
        study.folder,
        "answer",
        "phi_s of each subject at each scale, with its interval. Values that cannot be believed (withheld, or "
        "imprecise) are absent.",
        alt_text(study, ["phi_s"]),
        panels,
        keys=[*condition_keys(study), *level_keys(study)],
        data=_data(study, ["phi_s"]),
    )


def scales(study: Findings) -> Figure | None:
    """Every measure by condition at every scale; phi_s and Φ first."""
    with_tpm = study.summary[study.summary["route"] != LATENTS]
    known = set(with_tpm.loc[with_tpm["value"].notna(), "measure"])
    measures = [name for name in MEASURES if name in known]
    panels = [panel for name in measures for panel in _row(study, name, believed=False)]
    if not panels:
        return None
    first = "|".join(name for name in FIRST if name in measures)
    single = {name: glossary.short(name) for name in measures}
    both = {first: " and ".join(glossary.short(name) for name in first.split("|"))} if "|" in first else {}
    return assembled(
        study.folder,
        "scales",
        f"Dots: subjects (windows averaged, weighted by frames) with the {study.confidence:.0%} posterior interval; "
        "lines join a subject; bars: means over subjects; open: imprecise. Withheld values are absent."
        f"{_levels(study)} Logarithmic where values that multiply span more than a factor of 30.",
        alt_text(study, [name for name in FIRST if name in measures]),
        panels,
        keys=[*condition_keys(study), *level_keys(study), *_open(study)],
        picks={"measure": both | single},
        data=_data(study, measures),
    )


def _levels(study: Findings) -> str:
    """Say what the grey marks and the diamonds are."""
    grey = f" Grey: the null “{null_name(study)}”, mean ± sd." if null_name(study) else ""
    dotted = " Dotted: matched random groupings." if RANDOM in set(study.nulls["null"]) else ""
    diamonds = " Diamonds: planted values of the same units (interventional TPM)." if study.truths else ""
    return grey + dotted + diamonds


def _open(study: Findings) -> list[Key]:
    vague = flagged(study.summary["flag"], "imprecise").any()
    return [Key(IMPRECISE, sample("o", "h"), "mt")] if vague else []


def _row(study: Findings, measure: str, *, believed: bool) -> list[Panel]:
    """Return the panels of a measure, one per scale; none where it has no value."""
    values = {scale: scale.of(study.values, measure) for scale in study.scales}
    if all(own.empty for own in values.values()):
        return []
    nulls = {scale: null_levels(study, scale, measure) for scale in study.scales}
    true = {scale: planted(study, scale, measure) for scale in study.scales}
    reach = {s: _drawn(values[s], nulls[s], true[s]) for s in study.scales}
    axes = axes_of(reach, logarithmic=MEASURES[measure].multiplies)
    return [
        _panel(study, scale, measure, axes[scale], (values[scale], nulls[scale], true[scale]), believed=believed)
        for scale in study.scales
    ]


Levels = Mapping[str, Mapping[str, tuple[float, float]]]


def _drawn(values: pd.DataFrame, nulls: Levels, true: pd.DataFrame) -> list[float]:
    limits = values[["value", "ci_low", "ci_high"]].to_numpy(float).ravel().tolist()
    tops = [mean + sd for levels in nulls.values() for mean, sd in levels.values()]
    return [v for v in (*limits, *tops, *true["planted"].tolist()) if np.isfinite(v)]


def axes_of(reach: Mapping[StudyScale, Sequence[float]], *, logarithmic: bool) -> dict[StudyScale, Axis]:
    """Return a y axis for each scale: the same for all, so that they can be compared by eye, unless one would vanish.

    Args:
        reach: values that are drawn at each scale.
        logarithmic: they multiply.
    """
    every = [v for values in reach.values() for v in values]
    tops = [max(values) for values in reach.values() if values and max(values) > 0]
    common = reaching(every, logarithmic=logarithmic)
    if type(common).__name__ == "Logarithmic" or not tops or max(tops) < SHARED_SPAN * min(tops):
        return dict.fromkeys(reach, common)
    return {scale: reaching(values, logarithmic=logarithmic) for scale, values in reach.items()}


def _panel(
    study: Findings,
    scale: StudyScale,
    measure: str,
    axis: Axis,
    found: tuple[pd.DataFrame, Levels, pd.DataFrame],
    *,
    believed: bool,
) -> Panel:
    """Draw one measure at one scale."""
    values, nulls, true = found
    width = 330.0 if believed and len(study.scales) < 4 else row_width(len(study.scales))
    names = Names(study.conditions)
    plot = Plot(names, axis, width, 200 if believed else 220, title=str(scale), ylabel=glossary.labelled(measure))
    tags = {"measure": measure, "scale": str(scale)}
    label = f"{glossary.plain(measure)}, {scale}"
    first = believed or measure in FIRST
    if values.empty:
        away = flagged(scale.of(study.summary, measure)["flag"], WORD).any()
        plot.note("withheld\n(see the flags)" if away else "not computed\nat this scale")
        return plot.panel(label, tags, first=first)
    absent = vague_conditions(study, values) if believed else []
    place = {c: float(i) for i, c in enumerate(study.conditions)}
    for family, levels in nulls.items():
        for condition, level in levels.items():
            if condition in place:
                draw_null(plot, place[condition], level, family, study, condition)
    for condition in absent:
        plot.write("imprecise", plot.px(place[condition]), plot.bottom - 6, "t mid mu")
    shown = values[~values["condition"].isin(absent) & ~(values["imprecise"] & believed)]
    _draw_planted(plot, study, true[~true["condition"].isin(absent)], place)
    _draw_subjects(plot, study, shown, place, (measure, str(scale)))
    _draw_means(plot, study, values[~values["condition"].isin(absent)], place, measure)
    return plot.panel(label, tags, first=first)


def _draw_subjects(
    plot: Plot, study: Findings, values: pd.DataFrame, place: Mapping[str, float], about: tuple[str, str]
) -> None:
    """A dot with its interval per subject and condition, and a line from one to the next."""
    kind, shape, offset = classes(study.conditions), markers(study.conditions), offsets(study.subjects)
    x = [place[c] + offset[s] for c, s in zip(values["condition"], values["subject"], strict=True)]
    dots = []
    for _, rows in values.assign(x=x).groupby("subject", sort=False):
        ordered = list(rows.sort_values("x").itertuples())
        for a, b in itertools.pairwise(ordered):
            both = {"condition": f"{a.condition}|{b.condition}"}
            plot.add(plot.line([(a.x, a.value), (b.x, b.value)]), "fa", tags=both)
        dots += ordered
    for row in dots:
        style = "h" if row.imprecise else "f"
        mark = whisker(plot, row.x, row.ci_low, row.ci_high)
        mark += plot.dot(row.x, row.value, shape[row.condition], dot_size(study), style)
        plot.add(mark, kind[row.condition], subject_tip(row, *about), {"condition": row.condition})


def _draw_means(plot: Plot, study: Findings, values: pd.DataFrame, place: Mapping[str, float], measure: str) -> None:
    if len(study.subjects) < 2:
        return
    for condition, mean in subject_means(values).items():
        x, own = place[str(condition)], values[values["condition"] == condition]
        style = "l pale" if own["imprecise"].mean() >= 0.5 else "l th"
        tip = f"{condition}: mean over {glossary.counted(len(own), 'subject')} {glossary.valued(mean, measure)}"
        bar = plot.line([(x - 0.3, mean), (x + 0.3, mean)], style)
        plot.add(bar, "ik", tip, {"condition": str(condition)})


def _draw_planted(plot: Plot, study: Findings, known: pd.DataFrame, place: Mapping[str, float]) -> None:
    """Diamonds; with many subjects one per condition, their mean."""
    offset = offsets(study.subjects)
    if len(study.subjects) > CROWD:
        known = subject_means(known, "planted").reset_index().assign(subject="mean of subjects")
    for row in known.itertuples():
        draw_planted(plot, place[row.condition] + offset.get(row.subject, 0.0), row.planted, row.condition, row.subject)


def _data(study: Findings, measures: Sequence[str]) -> pd.DataFrame:
    """What the dots show, one row each."""
    wanted = study.values["measure"].isin(measures) & (study.values["route"] != LATENTS)
    return study.values[wanted].drop(columns="short")


def alt_text(study: Findings, measures: Sequence[str]) -> str:
    """Say the numbers of figures of measures, for those who cannot see them.

    Args:
        study: what was found in the study.
        measures: their names.
    """
    parts = []
    for scale in study.scales:
        for measure in measures:
            means = subject_means(scale.of(study.values, measure))
            known = [f"{c} {glossary.number(means[c])}" for c in study.conditions if c in means]
            if known:
                parts.append(f"{glossary.plain(measure)}, {scale}: {', '.join(known)}")
    return "Dot plots by condition. Means over subjects: " + "; ".join(parts) + "."
