"""What the units do to each other: transition probabilities as heatmaps, and who acts on whom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from pipeline.base.arrays import Array, Floats
from pipeline.report.figures.axes import Names
from pipeline.report.figures.cortex import places
from pipeline.report.figures.figure import Figure, Key, assembled
from pipeline.report.figures.macro_maps import label
from pipeline.report.figures.plot import Panel, Plot, rectangle
from pipeline.report.findings import Findings
from pipeline.results.layout import SystemKey

MOST = 12  # recordings that are drawn
STATES = 64  # rows of a heatmap at most, those visited most
UNITS = 16  # of a graph at most
FEW = 10  # visits of a row that its estimator mostly extrapolates
LIKELY = 0.5  # probability from which an influence is drawn


def heatmaps(study: Findings) -> Figure | None:
    """P(unit ON next | state) of every condition, a recording at a time."""
    panels = []
    for first, recording, condition, tpm in _tpms(study):
        panels.append(_heatmap(recording, condition, tpm, first=first))
    if not panels:
        return None
    return assembled(
        study.folder,
        "tpms",
        f"Unit TPMs: P(ON) of each unit in the next bin, given the state of all (rows; at most {STATES}, the most "
        f"visited), the darker the likelier. A dot marks rows visited less than {FEW} times: extrapolation.",
        "Heatmaps of transition probabilities; the numbers are in the table of the figure.",
        panels,
        keys=[Key(f"{p:g}", _cell(1, 1, 16, 12, p), "c0") for p in (0.0, 0.25, 0.5, 0.75, 1.0)],
        picks=_recordings(panels),
        data=_probabilities(study),
    )


def connectivity(study: Findings) -> Figure | None:
    """Who acts on whom, with the probability that there is an influence at all."""
    panels, rows = [], []
    for first, recording, condition, tpm in _tpms(study):
        if len(tpm["unit"]) <= UNITS:
            edges = influences(tpm)
            panels.append(_graph(study, recording, condition, edges, first=first))
            rows.append(edges.assign(recording=recording, condition=condition))
    if not panels:
        return None
    return assembled(
        study.folder,
        "connectivity",
        "Effective connectivity. Arrows: influences with a probability of at least one half, the wider the likelier; "
        "solid: raises P(ON), dashed: lowers it; rings: of a unit on itself. Probability: of a connection where the "
        "estimator knows one, else of the influence's sign. Common input looks like influence.",
        "Graphs of the units with arrows from unit to unit; the numbers are in the table of the figure.",
        panels,
        picks=_recordings(panels),
        data=pd.concat(rows),
    )


def influences(tpm: Mapping[str, Array]) -> pd.DataFrame:
    """Return how each unit acts on each.

    Args:
        tpm: of units, with draws where there are any.

    Returns:
        source, target; influence: mean over the states of the others of P(target ON | source ON) - P(... | OFF);
        probability: that there is a connection (of estimators that know one), else that the influence has its sign.
    """
    point = _effects(tpm["p_on"][None])[0]
    draws = _effects(tpm["p_on_draws"]) if "p_on_draws" in tpm else None
    n = len(point)
    if "connection" in tpm:
        likely = tpm["connection"].T  # (source, target)
    elif draws is not None:
        likely = (np.sign(draws) == np.sign(point)).mean(axis=0)
    else:
        likely = np.ones((n, n))
    names = [str(u) for u in tpm["unit"]]
    rows = [(names[a], names[b], point[a, b], likely[a, b]) for a in range(n) for b in range(n)]
    return pd.DataFrame(rows, columns=["source", "target", "influence", "probability"])


def _effects(p_on: Floats) -> Floats:
    """Mean difference in P(ON) of each unit with each unit ON and OFF, (draw, source, target)."""
    n = p_on.shape[2]
    on = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    found = [p_on[:, on[:, a]].mean(axis=1) - p_on[:, ~on[:, a]].mean(axis=1) for a in range(n)]
    return np.stack(found, axis=1)


@lru_cache(maxsize=1)
def _tpms(study: Findings) -> list[tuple[bool, str, str, dict[str, Array]]]:
    """Whether it is of the first recording, recording, condition and micro TPM of its longest window."""
    sizes = [scale.size for scale in study.scales if scale.route == "micro"]
    found = []
    for recording in study.analysed[:MOST]:
        for condition, window in study.windows_of(recording).items():
            tpm = study.tpm(SystemKey(recording, window, "micro", sizes[0])) if sizes else None
            if tpm is not None:
                found.append((recording == study.analysed[0], recording, condition, tpm))
    return found


def _recordings(panels: list[Panel]) -> dict[str, dict[str, str]] | None:
    names = list(dict.fromkeys(panel.tags["recording"] for panel in panels))
    return {"recording": {name: name for name in names}} if len(names) > 1 else None


def _cell(x: float, y: float, width: float, height: float, p: float) -> str:
    back = rectangle(x, y, width, height, "nul")
    return back + f'<g opacity="{p:.2f}">{rectangle(x, y, width, height, "b")}</g>'


def _heatmap(recording: str, condition: str, tpm: Mapping[str, Array], *, first: bool) -> Panel:
    p_on, visits = tpm["p_on"], tpm["visits"]
    n = len(tpm["unit"])
    units = [str(u) for u in tpm["unit"]]
    most = np.sort(np.argsort(-visits, kind="stable")[:STATES])
    names = ["".join(str(s >> u & 1) for u in range(n)) for s in most]
    left = 30 + 6.6 * n
    plot = Plot(
        Names(units),
        Names(list(reversed(names))),
        left + 12 + max(24 * n, 110),
        70 + 13.0 * len(names),
        title=condition,
        xlabel="unit, next bin",
        ylabel="state now",
        left=left + 14,
    )
    wide, high = (plot.right - plot.left) / n, (plot.bottom - plot.top) / len(names)
    for row, (state, name) in enumerate(zip(most, names, strict=True)):
        y, seen = plot.top + row * high, int(visits[state])
        for u, unit in enumerate(units):
            p = float(p_on[state, u])
            tip = f"{recording}, {condition}: state {name} → {unit} ON {p:.3f}; visited {seen} times"
            plot.add(_cell(plot.left + u * wide + 0.5, y + 0.5, wide - 1, high - 1, p), "c0", tip)
        if seen < FEW:
            plot.add(f'<circle class="b" cx="{plot.left - 4:.1f}" cy="{y + high / 2:.1f}" r="1.6"/>', "c1")
    return plot.panel(f"TPM, {recording}, {condition}", {"recording": recording, "condition": condition}, first=first)


def _probabilities(study: Findings) -> pd.DataFrame:
    rows = [
        (recording, condition, int(state), int(tpm["visits"][i]), str(unit), float(tpm["p_on"][i, u]))
        for _, recording, condition, tpm in _tpms(study)
        for i, state in enumerate(tpm["state"])
        for u, unit in enumerate(tpm["unit"])
        if len(tpm["unit"]) <= 6
    ]
    return pd.DataFrame(rows, columns=["recording", "condition", "state", "visits", "unit", "p_on"])


def _graph(study: Findings, recording: str, condition: str, edges: pd.DataFrame, *, first: bool) -> Panel:
    names = list(dict.fromkeys(edges["source"]))
    own = places(study.ensembles(recording), len(names))
    plot = own.plot(condition, 290)
    own.draw(plot, ["mt"] * len(names))
    at = {name: (plot.px(x), plot.py(y)) for name, (x, y) in zip(names, own.centre, strict=True)}
    for edge in edges.sort_values("probability", kind="stable").itertuples():
        if edge.probability >= LIKELY:
            tip = (
                f"{edge.source} → {edge.target}: probability {edge.probability:.2f}, "
                f"influence {edge.influence:+.3f}".replace("-", "\u2212")
            )
            plot.add(_arrow(at[edge.source], at[edge.target], edge), "c1" if edge.influence < 0 else "c0", tip)
    for name, (x, y) in zip(names, own.centre, strict=True):
        label(plot, x, y, name, "ik", name)
    told = f"Effective connectivity, {recording}, {condition}"
    return plot.panel(told, {"recording": recording, "condition": condition}, first=first)


def _arrow(start: tuple[float, float], end: tuple[float, float], edge: pd.Series) -> str:
    """A bowed arrow, so that both directions are seen; a ring for a unit on itself."""
    width = 0.8 + 3.4 * (2 * edge.probability - 1)
    style = "l dash" if edge.influence < 0 else "l"
    if start == end:
        ring = f'<circle class="{style}" cx="{start[0]:.1f}" cy="{start[1] - 15:.1f}" r="9"/>'
        return f'<g style="--w:{width:.1f}">{ring}</g>'
    dx, dy = end[0] - start[0], end[1] - start[1]
    long = math.hypot(dx, dy) or 1.0
    bow = (0.14 * -dy, 0.14 * dx)
    middle = ((start[0] + end[0]) / 2 + bow[0], (start[1] + end[1]) / 2 + bow[1])
    back = 20 / long
    tip = (end[0] - back * dx + bow[0] * back, end[1] - back * dy + bow[1] * back)
    path = f"M{start[0]:.1f} {start[1]:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {tip[0]:.1f} {tip[1]:.1f}"
    angle = math.atan2(tip[1] - middle[1], tip[0] - middle[0])
    head = "L".join(
        f"{tip[0] + r * math.cos(angle + turn):.1f} {tip[1] + r * math.sin(angle + turn):.1f}"
        for r, turn in ((7, 0.0), (5, 2.3), (5, -2.3))
    )
    return f'<g style="--w:{width:.1f}"><path class="{style}" d="{path}"/><path class="b" d="M{head}Z"/></g>'
