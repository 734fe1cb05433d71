"""Tables of results: contrasts, values, macro units, planted values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.report.data import ROUTES, Study
from pipeline.report.glossary import MEASURES, count, number, probability
from pipeline.report.grouping_figures import Grouping
from pipeline.report.headline import Contrast, ScaleAnswer
from pipeline.report.tables import Cell, Table, flags

MAIN = ("phi_s", "phi_s_common", "big_phi", "effective_information", "delta_causal_power")


def contrasts(study: Study, answer: ScaleAnswer) -> Table:
    """The contrasts of phi_s at one scale, with own and with common occupancy."""
    common = {(c.a, c.b): c for c in answer.common}
    rows = [
        [f"{c.a} − {c.b}", str(c.n), *_difference(c), probability(c.p), probability(c.p_corrected), probability(c.attainable_corrected), *_difference(common.get((c.a, c.b)))]
        for c in answer.contrasts
    ]  # fmt: skip
    level = f"[{study.confidence:.0%} interval]"
    heads = [
        "Contrast",
        "Subjects #",
        f"φs difference {level}, ibit #",
        "p #",
        "p corrected #",
        "smallest p corrected possible #",
        f"With common occupancy {level}, ibit #",
    ]
    return Table("", heads, rows)


def _difference(c: Contrast | None) -> list[Cell]:
    if c is None:
        return ["–"]
    interval = f" [{number(c.low)}, {number(c.high)}]" if np.isfinite(c.low) else ""
    return [number(c.estimate) + interval]


def _interval(low: float, high: float) -> Cell:
    return f"{number(low)} to {number(high)}" if np.isfinite(low) else "–"


def comparison(study: Study, *, main: bool = True) -> Table:
    """comparison.csv: the main measures, or the others."""
    table = study.comparison[study.comparison["measure"].isin(MAIN) == main]
    rank = table["measure"].map({m: i for i, m in enumerate(MAIN)}) if main else 0
    table = table.assign(rank=rank).sort_values("rank", kind="stable")
    rows = [
        [
            row.measure,
            row.contrast.replace("-", " − "),
            f"{row.scale} {ROUTES.get(row.route, row.route)}",
            _unit(row.measure),
            str(row.n_subjects),
            number(row.estimate),
            _interval(row.ci_low, row.ci_high),
            probability(row.p),
            probability(row.p_corrected),
        ]
        for row in table.itertuples()
    ]
    heads = [
        "Measure",
        "Contrast",
        "Scale",
        "Unit",
        "Subjects #",
        "Difference #",
        f"{study.confidence:.0%} interval #",
        "p #",
        "p corrected #",
    ]
    return Table(_test_caption(study), heads, rows)


def _test_caption(study: Study) -> str:
    methods = list(dict.fromkeys(study.comparison["method"]))
    stated = (
        f" {methods[0][:1].upper()}{methods[0][1:]}."
        if len(methods) == 1
        else " Tests: " + " / ".join(methods[:3]) + (" / …" if len(methods) > 3 else "") + "."
    )
    return "Within-subject differences between conditions (first minus second), mean over subjects." + stated


def values(study: Study) -> Table:
    """The values of every window, for the main measures."""
    shown = [
        "phi_s",
        "phi_s_common",
        "phi_s_complex",
        "big_phi",
        "effective_information",
        "causal_power",
        "delta_causal_power",
    ]
    table = study.summary[study.summary["measure"].isin(shown) & study.summary["value"].notna()]
    rows = [
        [
            row.recording,
            row.window,
            row.condition,
            f"{row.scale} {ROUTES.get(row.route, row.route)}",
            row.measure,
            _unit(row.measure),
            number(row.value),
            _interval(row.ci_low, row.ci_high),
            number(row.null_mean),
            probability(row.null_p),
            count(row.n_frames),
            str(row.n_states_visited),
            flags(row.flag),
        ]
        for row in table.itertuples()
    ]
    heads = [
        "Recording",
        "Window",
        "Condition",
        "Scale",
        "Measure",
        "Unit",
        "Value #",
        f"{study.confidence:.0%} interval #",
        "Null mean #",
        "Null p #",
        "Frames #",
        "States visited #",
        "Flags",
    ]
    return Table("Values of every window (from summary.csv, which has all measures).", heads, rows)


def macro(study: Study, found: list[Grouping]) -> Table:
    """Which units form which macro unit, and what is gained by it."""
    rows = []
    for g in found:
        own = study.summary[(study.summary["recording"] == g.recording) & (study.summary["window"] == g.window)]
        mine = own[(own["route"] == "macro_units") & (own["scale"] == g.size)].set_index("measure")
        micro = own[own["route"] == "micro"].set_index("measure")
        rows.append([
            g.recording,
            g.condition if g.condition == g.window else f"{g.condition} ({g.window})",
            str(g),
            g.accepted or "–",
            *([g.planted or "–"] if study.truths else []),
            g.objective or "–",
            g.found,
            number(_value(mine, "phi_s")),
            number(_value(micro, "phi_s")),
            number(_value(mine, "delta_causal_power")),
        ])  # fmt: skip
    heads = [
        "Recording",
        "Condition",
        "Macro units",
        "Unit by the theory",
        *(["As planted"] if study.truths else []),
        "EI of the macro TPM [bit] #",
        "Found by",
        "φs macro [ibit] #",
        "φs micro [ibit] #",
        "Δ causal power #",
    ]
    return Table(
        f"Members of each macro unit and its state mapping. EI: effective information of the window's macro TPM{_maximised(found)}. Unit by the theory: whether each macro unit is maximally irreducible within, in the order of the macro units.",
        heads,
        rows,
    )


def validity(found: list[Grouping]) -> Table:
    """Why the theory accepts each macro unit, or does not."""
    rows = [
        [g.recording, g.window, "{" + ", ".join(members) + "}", why]
        for g in found
        for (members, _), why in zip(g.members(), g.validity, strict=False)
    ]
    caption = "A macro unit is accepted where phi_s of its own units, as a system, is above zero and above that of every system inside it."
    return Table(caption, ["Recording", "Window", "Macro unit", "Verdict"], rows)


def _maximised(found: list[Grouping]) -> str:
    shared = {g.shared for g in found}
    over = "in the mean over the recording's windows" if True in shared else "in the window"
    return f", which the grouping maximises {over}" if len(shared) == 1 else ""


def _value(table: pd.DataFrame, measure: str, column: str = "value") -> float:
    return float(table[column].get(measure, np.nan)) if len(table) else float("nan")


def planted(pairs: pd.DataFrame) -> Table:
    """True values of both kinds, and the estimates."""
    rows = [
        [p.recording, p.condition if p.condition == p.window else f"{p.condition} ({p.window})", f"{p.scale} {ROUTES.get(p.route, p.route)}", p.measure, _unit(p.measure), number(p.planted), number(p.unlimited), number(p.value), _interval(p.ci_low, p.ci_high), _within(p.planted, p), _within(p.unlimited, p)]
        for p in pairs.itertuples()
    ]  # fmt: skip
    heads = [
        "Recording",
        "Condition",
        "Scale",
        "Measure",
        "Unit",
        "Planted #",
        "Unlimited data #",
        "Estimated #",
        "Interval #",
        "Contains planted",
        "Contains unlimited",
    ]
    return Table(
        "True values of the units that were estimated, and the estimates. Planted: from the interventional TPM; unlimited data: from the observational one.",
        heads,
        rows,
    )


def _within(value: float, p: Any) -> Cell:
    if not np.isfinite([value, p.ci_low, p.ci_high]).all():
        return "–"
    return "yes" if p.ci_low <= value <= p.ci_high else "no"


def _unit(measure: str) -> str:
    return MEASURES[measure].unit if measure in MEASURES else ""
