"""Activity of the units by condition: what phi has to be read beside."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from pipeline.inference.subjects import subject_activity
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import FAINT, Figure
from pipeline.report.findings import Findings
from pipeline.report.words import glossary

SHOWN = ("event_rate_hz", "fraction_on", "entropy_bits", "autocorrelation_time_s")


def activity(study: Findings) -> Figure | None:
    """Rates, entropy and time scale of the units by condition."""
    shown = [m for m in SHOWN if m in set(study.quality["measure"])]
    if not shown:
        return None
    figure = canvas.canvas(height=2.3)
    values = subject_activity(study.quality[study.quality["condition"].isin(study.conditions)])
    for panel, measure in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        _panel(panel, study, values[values["measure"] == measure])
        panel.set_title(glossary.axis(measure), fontsize=8, fontweight="normal")
    return canvas.finish(
        figure,
        study.folder,
        "activity",
        (
            "Activity of the units by condition; each dot is one subject (mean over its units and windows). "
            "φ_s can follow these without any change in how the units interact."
        ),
        "Dot plots of event rate, share of time ON, entropy and autocorrelation time of the units by condition.",
    )


def _panel(panel: Axes, study: Findings, values: pd.DataFrame) -> None:
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    offset = canvas.offsets(sorted(set(values["subject"])))
    place = {c: i for i, c in enumerate(study.conditions)}
    for subject, rows in values.groupby("subject", sort=False):
        rows = rows.assign(x=[place[c] + offset[subject] for c in rows["condition"]]).sort_values("x")
        panel.plot(rows["x"], rows["value"], color=FAINT, lw=0.9, zorder=1)
        for p in rows.itertuples():
            tone = colour[p.condition]
            panel.plot(p.x, p.value, marker[p.condition], color=tone, ms=5.5, mec="white", mew=0.6)
    panel.set_xticks(range(len(place)), list(place), rotation=30, ha="right")
    panel.set_xlim(-0.6, len(place) - 0.4)
    panel.set_ylim(0, max(values["value"].max() * 1.1, 1e-9))
