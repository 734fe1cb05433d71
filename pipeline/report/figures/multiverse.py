"""The specification curve: differences of all specifications in order of size, and below them what each chose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA
from pipeline.multiverse.specification import ABSENT
from pipeline.report.figures.axes import Bare, Linear, Names
from pipeline.report.figures.figure import Figure, Key, assembled, sample
from pipeline.report.figures.plot import PX_LETTER, Panel, Plot, rectangle
from pipeline.report.words.glossary import counted, interval_of, number, probability, short, unit, valued
from pipeline.report.words.multiverse import difference

WIDE, ROW = 940.0, 15.0  # px of the panels; of a choice
MAIN = "c4"  # colour of the study as it stands
Choices = Mapping[str, str]


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
    left = 16 + PX_LETTER * max(len(value or field) for field, value in rows)
    return assembled(
        folder,
        "multiverse",
        f"Specification curve: {difference(known)}. Above: the difference of each specification, mean over subjects "
        f"with the {confidence:.0%} bootstrap interval over subjects, in order of size; filled: p ≤ {ALPHA:g} on its "
        "own; the diamond and the band mark the study as it stands; the dashed line is the median. Below: what each "
        "chose.",
        f"Differences of {len(known)} specifications in order of size, and the choices of each; the numbers are in the "
        "table of specifications.",
        [_effects(known, facts, left), _dashboard(known, choices, rows, left)],
        keys=_keys(known),
        data=known,
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


def _keys(known: pd.DataFrame) -> list[Key]:
    keys = [
        Key(f"p ≤ {ALPHA:g}", sample("o"), "c0"),
        Key(f"p > {ALPHA:g}", sample("o", "h"), "mt"),
        Key("median", '<path class="l dash" d="M1 7H17"/>', "mt"),
    ]
    return [*keys, *([Key("the study as it stands", sample("D", "h"), MAIN)] if "yes" in set(known["main"]) else [])]


def _band(plot: Plot, known: pd.DataFrame) -> None:
    """Mark the study as it stands from top to bottom."""
    for x in np.flatnonzero(known["main"] == "yes"):
        left, right = plot.px(x - 0.5), plot.px(x + 0.5)
        plot.add(rectangle(left, plot.top, right - left, plot.bottom - plot.top, "a"), MAIN)


def _effects(known: pd.DataFrame, facts: Mapping[str, Any], left: float) -> Panel:
    limits = known[["estimate", "ci_low", "ci_high"]].to_numpy(float).ravel()
    limits = np.append(limits[np.isfinite(limits)], 0.0)
    margin = 0.06 * float(np.ptp(limits)) or 1.0
    a, b = facts["contrast"]
    bracket = "" if unit(facts["measure"]) in ("1", "count") else f" [{unit(facts['measure'])}]"
    n = len(known)
    plot = Plot(
        Bare(-0.7, n - 0.3),
        Linear(float(limits.min()) - margin, float(limits.max()) + margin),
        WIDE,
        200,
        title=f"{a} − {b}",
        ylabel=f"difference in {short(facts['measure'])}{bracket}",
        left=left,
        bottom=12,
    )
    _band(plot, known)
    for level, style in ((0.0, "l"), (float(facts["test"]["median"]), "l dash")):
        plot.add(plot.line([(-0.7, level), (n - 0.3, level)], style), "mt")
    size = float(np.clip(260 / n, 2.2, 4.6))
    for x, row in enumerate(known.itertuples()):
        significant, main = bool(row.p <= ALPHA), row.main == "yes"
        whisker = plot.line([(x, row.ci_low), (x, row.ci_high)], "l pale") if np.isfinite(row.ci_low) else ""
        mark = plot.dot(x, row.estimate, *(("D", size + 1.5) if main else ("o", size)), "f" if significant else "h")
        told = f"{valued(row.estimate, row.measure)}{interval_of(row.ci_low, row.ci_high)}, p = {probability(row.p)}"
        stands = ", the study as it stands" if main else ""
        plot.add(whisker + mark, "c0" if significant else "mt", f"{told}{stands}; {row.choices}")
    return plot.panel("Differences of the specifications, in order of size", {"kind": "differences"})


def _dashboard(known: pd.DataFrame, choices: list[dict[str, str]], rows: list[tuple[str, str]], left: float) -> Panel:
    n = len(known)
    plot = Plot(
        Bare(-0.7, n - 0.3),
        Names([value for _, value in reversed(rows)]),
        WIDE,
        34 + ROW * len(rows),
        xlabel=f"{n} specifications, in order of their difference",
        left=left,
        bottom=26,
    )
    _band(plot, known)
    style, significant = "l th" if n <= 200 else "l", (known["p"] <= ALPHA).to_numpy()
    for row, (field, value) in enumerate(rows):
        y = plot.py(len(rows) - 1 - row)
        if not value:
            plot.write(field, plot.left - 6, y + 3.5, "t end ti")
            continue
        here = np.array([own.get(field, ABSENT) == value for own in choices])
        marks = "".join(
            f'<g class="{kind}"><path class="{style}" d="{_ticks(plot, np.flatnonzero(here & which), y)}"/></g>'
            for kind, which in (("mt", ~significant), ("c0", significant))
        )
        median = number(float(known["estimate"][here].median()))
        told = f"{counted(int(here.sum()), 'specification')}, {int((here & significant).sum())} with p ≤ {ALPHA:g}"
        plot.add(marks, "", f"{field}: {value}: {told}; median difference {median}")
    return plot.panel("What each specification chose", {"kind": "choices"})


def _ticks(plot: Plot, places: Any, y: float) -> str:
    return "".join(f"M{plot.px(x):.1f} {y - 0.3 * ROW:.1f}v{0.6 * ROW:.1f}" for x in places)
