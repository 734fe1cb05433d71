"""Differences between conditions with their intervals."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from pipeline.inference.families import PRIMARY
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import MUTED, Figure
from pipeline.report.findings import Findings, StudyScale
from pipeline.results.measures import MEASURES

SHOWN = ("phi_s", "phi_s_common", "big_phi", "effective_information")


def contrasts(study: Findings) -> Figure | None:
    """Differences between conditions with their intervals."""
    table = study.comparison[study.comparison["estimate"].notna()]
    measures = [m for m in SHOWN if m in set(table["measure"])]
    if not measures:
        return None
    names = list(dict.fromkeys(table["contrast"]))
    lines = [(scale, name) for scale in study.scales for name in names]
    figure = canvas.canvas(height=0.9 + 0.27 * len(lines))
    panels = figure.subplots(1, len(measures), squeeze=False, sharey=True)[0]
    for panel, measure in zip(panels, measures, strict=True):
        panel.axvline(0, color=MUTED, lw=0.8)
        for y, (scale, name) in enumerate(lines):
            rows = scale.of(table, measure)
            _draw(panel, y, scale, rows[rows["contrast"] == name])
        term = MEASURES[measure]
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
        study.folder,
        "contrasts",
        (
            "Within-subject differences between conditions, mean over subjects with the "
            f"{study.confidence:.0%} bootstrap interval over subjects. Circles: micro scale; squares: macro "
            "scales. Open: for at least half of the subjects the value of a condition is imprecise. Ringed: the "
            "primary endpoint."
        ),
        "Differences and intervals; the numbers are in the comparison table.",
    )


def _draw(panel: Axes, y: int, scale: StudyScale, rows: pd.DataFrame) -> None:
    marker, colour = ("o", canvas.PALETTE[0]) if scale.route == "micro" else ("s", canvas.PALETTE[1])
    for row in rows.itertuples():
        imprecise = row.n_subjects_imprecise >= 0.5 * row.n_subjects
        panel.plot([row.ci_low, row.ci_high], [y, y], color=colour, lw=2, alpha=0.6)
        face, edge = ("white", colour) if imprecise else (colour, "white")
        panel.plot(row.estimate, y, marker, ms=5.5, mfc=face, mec=edge, mew=1.0 if imprecise else 0.6)
        if row.role == PRIMARY:
            panel.plot(row.estimate, y, "o", ms=11, mfc="none", mec=canvas.INK, mew=0.8)
