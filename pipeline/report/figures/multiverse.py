"""The specification curve: differences of all specifications in order of size, and below them what each chose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.inference.families import ALPHA
from pipeline.multiverse.specification import ABSENT
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import FAINT, INK, MUTED, NULL, PALETTE, Figure
from pipeline.report.words.multiverse import difference
from pipeline.results.measures import MEASURES

ROW, TOP = 0.165, 2.5  # inches


def curve(table: pd.DataFrame, facts: Mapping[str, Any], folder: Path, confidence: float) -> Figure | None:
    """Draw the specification curve; None where fewer than two specifications have a difference.

    Args:
        table: rows of multiverse.csv.
        facts: multiverse.json.
        folder: of the results that the figure is written to.
        confidence: level of the intervals.
    """
    known = table[table["estimate"].notna()].sort_values(["estimate", "specification"], kind="stable")
    if len(known) < 2:
        return None
    choices = [_choices(text) for text in known["choices"]]
    rows = _rows(choices, facts["fields"])
    below = ROW * len(rows)
    figure = canvas.canvas(height=TOP + 0.5 + below)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[TOP, below])
    main = [x for x, word in enumerate(known["main"]) if word == "yes"]
    for axes in (upper, lower):
        for x in main:
            axes.axvspan(x - 0.5, x + 0.5, color=PALETTE[4], alpha=0.25, lw=0)
    _effects(upper, known, facts)
    _dashboard(lower, known, choices, rows)
    return canvas.finish(
        figure,
        folder,
        "multiverse",
        f"Specification curve: {difference(known)}. Above: the difference of each specification, mean over subjects "
        f"with the {confidence:.0%} bootstrap interval over subjects, in order of size; filled: p ≤ {ALPHA:g} on its "
        "own; the diamond and the band mark the study as it stands; the dashed line is the median. Below: what each "
        "chose.",
        f"Differences of {len(known)} specifications in order of size, and the choices of each; the numbers are in the "
        "table of specifications.",
    )


def _choices(told: str) -> dict[str, str]:
    pairs = (part.partition(": ") for part in told.split("; ") if part)
    return {field: value for field, _, value in pairs}


def _rows(choices: list[dict[str, str]], fields: list[str]) -> list[tuple[str, str]]:
    """Return the rows of the dashboard, (field, value), a head (field, "") before the values of each field."""
    rows = []
    for field in fields:
        values = sorted({own.get(field, ABSENT) for own in choices}, key=_place)
        rows += [(field, ""), *((field, value) for value in values)]
    return rows


def _place(value: str) -> tuple[int, float, str]:
    """Numbers by size, then words, then what does not apply."""
    try:
        return 0, float(value), ""
    except ValueError:
        return (2 if value == ABSENT else 1), 0.0, value


def _significant(known: pd.DataFrame) -> list[bool]:
    return [bool(p <= ALPHA) for p in known["p"]]


def _effects(axes: Axes, known: pd.DataFrame, facts: Mapping[str, Any]) -> None:
    size = float(np.clip(220 / len(known), 2.2, 5.5))
    axes.axhline(0, color=MUTED, lw=0.8)
    axes.axhline(facts["test"]["median"], color=MUTED, lw=0.8, ls=(0, (4, 3)))
    for x, (row, significant) in enumerate(zip(known.itertuples(), _significant(known), strict=True)):
        colour = PALETTE[0] if significant else NULL
        if np.isfinite(row.ci_low):
            axes.plot([x, x], [row.ci_low, row.ci_high], color=colour, lw=max(0.6, size / 4), alpha=0.6)
        marker, edge, ms = ("D", INK, size + 1.5) if row.main == "yes" else ("o", colour, size)
        axes.plot(x, row.estimate, marker, ms=ms, mfc=colour if significant else "white", mec=edge, mew=0.9, zorder=3)
    measure = MEASURES[facts["measure"]]
    a, b = facts["contrast"]
    unit = f" [{measure.unit}]" if measure.shown_unit not in ("1", "count") else ""
    axes.set_ylabel(f"difference in {measure.sign}{unit}\n{a} − {b}")
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.legend(handles=_key(known), loc="upper left", ncols=4, bbox_to_anchor=(0, 1.16), handletextpad=0.3)


def _key(known: pd.DataFrame) -> list[Line2D]:
    drawn: dict[str, Any] = {"ls": "", "ms": 5}
    filled = Line2D([], [], marker="o", mfc=PALETTE[0], mec=PALETTE[0], label=f"p ≤ {ALPHA:g}", **drawn)
    hollow = Line2D([], [], marker="o", mfc="white", mec=NULL, label=f"p > {ALPHA:g}", **drawn)
    main = Line2D([], [], marker="D", mfc="white", mec=INK, label="the study as it stands", **drawn)
    median = Line2D([], [], color=MUTED, lw=0.8, ls=(0, (4, 3)), label="median")
    return [filled, hollow, *([main] if (known["main"] == "yes").any() else []), median]


def _dashboard(axes: Axes, known: pd.DataFrame, choices: list[dict[str, str]], rows: list[tuple[str, str]]) -> None:
    n, high = len(known), float(np.clip(ROW * 72 * 0.6, 2, 8))
    for y, (field, value) in enumerate(rows):
        if not value:
            if y:
                axes.axhline(y - 0.5, color=FAINT, lw=0.7)
            continue
        for chosen in (False, True):
            at = [
                x
                for x, (own, filled) in enumerate(zip(choices, _significant(known), strict=True))
                if own.get(field, ABSENT) == value and filled == chosen
            ]
            colour = PALETTE[0] if chosen else MUTED
            axes.plot(at, [y] * len(at), "|", ms=high, mew=float(np.clip(260 / n, 0.6, 4)), color=colour)
    axes.set_yticks(range(len(rows)), [value or field for field, value in rows])
    for label, (_, value) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("normal" if value else "bold")
        label.set_fontsize(7.2)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-0.7, n - 0.3)
    axes.set_xticks([])
    axes.set_xlabel(f"{n} specifications, in order of their difference")
    axes.spines["left"].set_visible(False)
