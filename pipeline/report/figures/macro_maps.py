"""Which units form which macro unit: maps over the cortex, condition by condition."""

from __future__ import annotations

import itertools

import pandas as pd

from pipeline.report.figures.cortex import Places, places
from pipeline.report.figures.figure import Figure, assembled
from pipeline.report.figures.plot import Panel, Plot, rectangle, text
from pipeline.report.findings import Findings
from pipeline.report.macro_units import MacroUnits, macro_units

MOST = 12  # recordings whose maps are drawn
CLASSES = 8


def maps(study: Findings) -> Figure | None:
    """Draw maps of the macro units, a panel per recording, scale and condition; None where there are none."""
    found = [g for g in macro_units(study) if 1 < g.size < len(g.group)]
    names = list(dict.fromkeys(g.recording for g in found))[:MOST]
    if not names:
        return None
    sizes = list(dict.fromkeys(g.size for g in found))
    drawn = [g for g in once(found) if g.recording in names]
    panels = [_panel(study, g, first=g.recording == names[0]) for g in drawn]
    truth = " Dotted: planted together (simulated)." if study.truths else ""
    where = "" if all("x" in (study.ensembles(n) or ()) for n in names) else " Places are schematic where not known."
    return assembled(
        study.folder,
        "macro_units",
        "Macro units of each window (or of all windows that share them). Colour and lines: units of one macro unit; "
        f"dots: neurons; outline: of the field.{where}{truth}",
        "Maps of units coloured by macro unit. " + "; ".join(f"{g.recording} {g.condition}: {g}" for g in drawn),
        panels,
        picks={"recording": {name: name for name in names}} if len(names) > 1 else None,
        data=_data(found) if len(sizes) else None,
    )


def once(found: list[MacroUnits]) -> list[MacroUnits]:
    """Return one entry where windows share their macro units, and where a condition has several windows."""
    seen: dict[tuple[str, int, str], MacroUnits] = {}
    for g in found:
        seen.setdefault((g.recording, g.size, "all windows" if g.shared else g.condition), g)
    return list(seen.values())


def _data(found: list[MacroUnits]) -> pd.DataFrame:
    rows = [
        (g.recording, g.window, g.condition, g.size, unit, k, g.mapping[k])
        for g in found
        for unit, k in zip(g.units, g.group, strict=True)
    ]
    columns = ["recording", "window", "condition", "scale", "unit", "macro_unit", "mapping"]
    return pd.DataFrame(rows, columns=columns)


def _panel(study: Findings, grouping: MacroUnits, *, first: bool) -> Panel:
    own = places(study.ensembles(grouping.recording), len(grouping.group))
    condition = "all windows" if grouping.shared else grouping.condition
    plot = own.plot(f"{condition}, {grouping.size} macro units", 270)
    kinds = [f"c{k % CLASSES}" for k in grouping.group]
    own.draw(plot, kinds)
    _links(plot, own, grouping.planted_group, "l th dot", ["ik"] * len(kinds))
    _links(plot, own, grouping.group, "l th", kinds)
    for u, name in enumerate(grouping.units):
        k = grouping.group[u]
        tip = f"{name}: macro unit {k + 1} ({grouping.mapping[k].upper()})"
        label(plot, own.centre[u, 0], own.centre[u, 1], name, kinds[u], tip)
    verdict = {"yes": "as planted", "no": "not the planted one"}.get(grouping.recovered, grouping.recovered)
    tags = {"recording": grouping.recording, "scale": f"{grouping.size} macro units", "condition": condition}
    told = f"{grouping.recording}, {condition}: {grouping}{'; ' if verdict else ''}{verdict}"
    return plot.panel(told, tags, first=first)


def label(plot: Plot, x: float, y: float, name: str, kind: str, tip: str) -> None:
    """Draw a unit as a box with its name.

    Args:
        plot: where.
        x: its place.
        y: its place.
        name: of the unit.
        kind: class of the colour of its frame.
        tip: what it says when it is pointed at.
    """
    wide = 12 + 6.4 * len(name)
    box = rectangle(plot.px(x) - wide / 2, plot.py(y) - 9, wide, 18, "h")
    plot.add(box + text(name, plot.px(x), plot.py(y) + 4, "t mid"), kind, tip)


def _links(plot: Plot, own: Places, group: list[int], style: str, kinds: list[str]) -> None:
    """Join the units of each group, one after the other."""
    for k in sorted(set(group)):
        members = [u for u, g in enumerate(group) if g == k]
        for a, b in itertools.pairwise(members):
            plot.add(plot.line([tuple(own.centre[a]), tuple(own.centre[b])], style), kinds[a])
