"""Results of a study as a notebook shows them: a table in HTML, and a figure of one measure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.results.columns import ROUTES
from pipeline.results.measures import MEASURES, common_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "osD^vPX*"
_LABELLED = 12  # recordings that a legend names
_LETTERS = 18  # of all conditions, that a panel has room for side by side


def of_results(name: str, summary: pd.DataFrame, conditions: Sequence[str], n_failed: int = 0) -> str:
    """Return phi_s of every scale and condition as HTML: mean over windows, and how many have a value.

    Args:
        name: of the study.
        summary: its table.
        conditions: in order.
        n_failed: how much failed.
    """
    rows = summary[summary["measure"] == "phi_s"]
    heads = "".join(f"<th>{escape(str(head))}</th>" for head in ("scale", *conditions))
    lines = []
    for (route, scale), group in rows.groupby(["route", "scale"], sort=False):
        cells = [_cell(group.loc[group["condition"] == condition, "value"]) for condition in conditions]
        lines.append(f"<tr><td>{int(scale)} {escape(ROUTES.get(route, route))}</td>{''.join(cells)}</tr>")
    failed = f"; {n_failed} failures, see <code>failures</code>" if n_failed else ""
    return (
        f"<div><p><strong>{escape(name)}</strong>: φ<sub>s</sub> [ibit], mean over windows "
        f"(windows with a value of all); intervals, nulls and flags are in <code>summary</code>{failed}</p>"
        f"<table><tr>{heads}</tr>{''.join(lines)}</table></div>"
    )


def _cell(values: pd.Series) -> str:
    known = values.dropna()
    return f"<td>{known.mean():.3g} ({len(known)}/{len(values)})</td>" if len(known) else "<td>withheld</td>"


def plot_measure(
    summary: pd.DataFrame, conditions: Sequence[str], measure: str = "phi_s", figure: Figure | None = None
) -> Figure:
    """Draw a measure: a panel per scale, conditions side by side, a line per recording, bars for the intervals.

    Values that are withheld are absent. Where a condition has several windows, so has a recording several lines.

    Args:
        summary: the table of a study.
        conditions: in order.
        measure: that it has.
        figure: to draw on; a new one by default.

    Raises:
        PhiscaleError: the summary has no value of that measure; the message lists those that it has.
    """
    from matplotlib import pyplot

    rows = summary[(summary["measure"] == measure) & summary["value"].notna()]
    if rows.empty:
        there = ", ".join(dict.fromkeys(summary.loc[summary["value"].notna(), "measure"]))
        raise PhiscaleError(Problem(f"measure {measure!r}", "has no value in the summary", fix=f"take one of {there}"))
    systems = list(rows.groupby(["route", "scale"], sort=False).groups)
    if figure is None:
        figure = pyplot.figure(figsize=(1.2 + 2.4 * len(systems), 3.2), layout="constrained")
    panels = figure.subplots(1, len(systems), sharey=True, squeeze=False)[0]
    for panel, (route, scale) in zip(panels, systems, strict=True):
        _draw(panel, rows[(rows["route"] == route) & (rows["scale"] == scale)], conditions)
        panel.set_title(f"{int(scale)} {ROUTES.get(route, route)}")
    about = next((m for name, m in MEASURES.items() if measure in (name, common_name(name))), None)
    panels[0].set_ylabel(f"{about.sign} [{about.unit}]" if about and about.unit != "1" else measure)
    if 1 < rows["recording"].nunique() <= _LABELLED:
        panels[-1].legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, title="recording")
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, conditions: Sequence[str]) -> None:
    """Values of one scale."""
    import matplotlib

    names = sorted(set(rows["recording"]))
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(names)))
    for i, name in enumerate(names):
        every = rows[rows["recording"] == name]
        x = np.arange(len(conditions)) + 0.3 * ((i + 0.5) / len(names) - 0.5)
        look = {"color": colours[i], "marker": _MARKERS[i % len(_MARKERS)], "ms": 5, "lw": 0.9, "elinewidth": 0.9}
        for nth, windows in every.groupby(every.groupby("condition").cumcount()):  # a condition may have several
            own = windows.set_index("condition").reindex(conditions)
            reach = np.abs(own[["ci_low", "ci_high"]].to_numpy(float).T - own["value"].to_numpy(float))
            axes.errorbar(x, own["value"], np.nan_to_num(reach), label="" if nth else name, **look)
    axes.set_xticks(range(len(conditions)), conditions)
    for label in axes.get_xticklabels() if sum(map(len, conditions)) > _LETTERS else ():
        label.set(rotation=30, horizontalalignment="right")
    axes.set_xlim(-0.5, len(conditions) - 0.5)
    axes.margins(y=0.08)
