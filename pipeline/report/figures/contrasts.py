"""Differences between conditions with their intervals."""

from __future__ import annotations

import math

import pandas as pd

from pipeline.inference.families import PRIMARY
from pipeline.report.figures.axes import Linear, Names
from pipeline.report.figures.figure import Figure, Key, assembled, sample
from pipeline.report.figures.plot import PX_LETTER, Panel, Plot
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.glossary import interval_of, labelled, number, plain, probability, short, unit

SHOWN = ("phi_s", "phi_s_common", "big_phi", "effective_information")
Line = tuple[StudyScale, str]


def contrasts(study: Findings) -> Figure | None:
    """Differences between conditions with their intervals, a panel per measure."""
    table = study.comparison[study.comparison["estimate"].notna()]
    measures = [m for m in SHOWN if m in set(table["measure"])]
    if not measures:
        return None
    names = list(dict.fromkeys(table["contrast"]))
    lines = [(scale, name) for scale in study.scales for name in names]
    keys = [
        Key("micro units", sample("o"), "c0"),
        Key("macro units", sample("s"), "c1"),
        Key("imprecise", sample("o", "h"), "mt"),
        Key("primary endpoint", sample("o", "ring", 6.5), "ik"),
    ]
    return assembled(
        study.folder,
        "contrasts",
        f"Differences within subjects, mean over subjects with the {study.confidence:.0%} bootstrap interval over "
        "subjects. Open: a value is imprecise in at least half of the subjects.",
        "Differences and intervals; the numbers are in the comparison table.",
        [_panel(table[table["measure"] == measure], measure, lines) for measure in measures],
        keys=keys,
        picks=None,
        data=table[table["measure"].isin(measures)],
    )


def _panel(table: pd.DataFrame, measure: str, lines: list[Line]) -> Panel:
    limits = [float(v) for v in table[["estimate", "ci_low", "ci_high"]].to_numpy(float).ravel() if math.isfinite(v)]
    low, high = min([0.0, *limits]), max([0.0, *limits])
    margin = 0.06 * (high - low) or 1.0
    names = [f"{name.replace('-', ' − ')}, {scale}" for scale, name in lines]
    left = 16 + PX_LETTER * 0.92 * max(map(len, names))
    bracket = "" if unit(measure) in ("1", "count") else f" [{unit(measure)}]"
    plot = Plot(
        Linear(low - margin, high + margin, 7),
        Names(list(reversed(names))),
        left + 250,
        70 + 19 * len(lines),
        title=labelled(measure).removesuffix(bracket),
        xlabel=f"difference{bracket}",
        left=left,
    )
    plot.add(plot.line([(0, -0.5), (0, len(lines) - 0.5)]), "mt")
    for y, (scale, name) in enumerate(reversed(lines)):
        rows = scale.of(table)
        for row in rows[rows["contrast"] == name].itertuples():
            _draw(plot, y, scale, row)
    return plot.panel(f"Differences in {plain(measure)}", {"measure": short(measure)})


def _draw(plot: Plot, y: int, scale: StudyScale, row: pd.Series) -> None:
    shape, kind = ("o", "c0") if scale.route == "micro" else ("s", "c1")
    imprecise = row.n_subjects_imprecise >= 0.5 * row.n_subjects
    mark = ""
    if math.isfinite(row.ci_low):
        mark += plot.line([(row.ci_low, y), (row.ci_high, y)], "l th pale")
    mark += plot.dot(row.estimate, y, shape, 4.4, "h" if imprecise else "f")
    if row.role == PRIMARY:
        mark += f'<g class="ik">{plot.dot(row.estimate, y, "o", 8.5, "ring")}</g>'
    tip = (
        f"{row.contrast.replace('-', ' − ')}, {scale}: {number(row.estimate)} {unit(row.measure)}"
        f"{interval_of(row.ci_low, row.ci_high)}, p = {probability(row.p)}, {int(row.n_subjects)} subjects"
    )
    plot.add(mark, kind, tip, {"scale": str(scale)})
