"""Activity of the units by condition: what phi_s has to be read beside."""

from __future__ import annotations

import itertools

import pandas as pd

from pipeline.inference.subjects import subject_activity
from pipeline.report.figures.axes import Names, reaching
from pipeline.report.figures.figure import Figure, assembled
from pipeline.report.figures.look import classes, markers, offsets
from pipeline.report.figures.marks import condition_keys
from pipeline.report.figures.plot import Panel, Plot
from pipeline.report.findings import Findings
from pipeline.report.words import glossary

SHOWN = ("event_rate_hz", "fraction_on", "entropy_bits", "autocorrelation_time_s")


def activity(study: Findings) -> Figure | None:
    """Rates, entropy and time scale of the units by condition."""
    shown = [m for m in SHOWN if m in set(study.quality["measure"])]
    if not shown:
        return None
    values = subject_activity(study.quality[study.quality["condition"].isin(study.conditions)])
    values = values[values["measure"].isin(shown)]
    return assembled(
        study.folder,
        "activity",
        "Activity of the units by condition, a dot per subject (mean over units and windows). phi_s can follow these "
        "without any change in how the units interact.",
        "Dot plots of event rate, share of time ON, entropy and autocorrelation time of the units by condition.",
        [_panel(study, values[values["measure"] == measure], measure) for measure in shown],
        keys=condition_keys(study),
        data=values,
    )


def _panel(study: Findings, values: pd.DataFrame, measure: str) -> Panel:
    kind, shape = classes(study.conditions), markers(study.conditions)
    offset = offsets(sorted(set(values["subject"])))
    place = {c: i for i, c in enumerate(study.conditions)}
    plot = Plot(
        Names(study.conditions), reaching(values["value"]), 226, 190, ylabel=glossary.labelled(measure), bottom=46
    )
    for subject, rows in values.groupby("subject", sort=False):
        ordered = rows.assign(x=[place[c] + offset[subject] for c in rows["condition"]]).sort_values("x")
        dots = list(ordered.itertuples())
        for a, b in itertools.pairwise(dots):
            both = {"condition": f"{a.condition}|{b.condition}"}
            plot.add(plot.line([(a.x, a.value), (b.x, b.value)]), "fa", tags=both)
        for row in dots:
            tip = f"{subject}, {row.condition}: {glossary.valued(row.value, measure)}"
            mark = plot.dot(row.x, row.value, shape[row.condition])
            plot.add(mark, kind[row.condition], tip, {"condition": row.condition})
    return plot.panel(glossary.plain(measure), {"measure": glossary.short(measure)})
