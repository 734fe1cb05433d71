"""Tables of results: contrasts, values, macro units, planted values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.inference.families import PRIMARY
from pipeline.inference.subjects import flagged
from pipeline.report.figures.structures import table as structure_table
from pipeline.report.figures.structures import unfolded
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.macro_units import MacroUnits
from pipeline.report.tables.table import Table, flags, interval, window_name
from pipeline.report.words.glossary import count, number, probability, short, unit
from pipeline.report.words.testing import how_tested
from pipeline.results.columns import ADJUSTMENTS

MAIN = ("phi_s", "phi_s_common", "big_phi", "effective_information", "delta_causal_power")


def distinctions(study: Findings) -> Table:
    """Tabulate the distinctions of the Φ-structures that are drawn."""
    rows = [
        [*(str(cell) for cell in row[1:-1]), number(row.phi_d)] for row in structure_table(unfolded(study)).itertuples()
    ]
    heads = [
        "Recording",
        "Condition",
        "Scale",
        "State",
        "Mechanism",
        "Cause",
        "Effect",
        "φ of the distinction [ibit] #",
    ]
    return Table("Distinctions of the most visited state of each condition.", heads, rows)


def comparison(study: Findings, *, main: bool = True) -> Table:
    """Tabulate comparison.csv: the main measures, or the others.

    Args:
        study: what was found in the study.
        main: the main measures.
    """
    table = study.comparison[study.comparison["measure"].isin(MAIN) == main]
    rank = table["measure"].map({m: i for i, m in enumerate(MAIN)}) if main else 0
    table = table.assign(rank=rank).sort_values("rank", kind="stable")
    return of_contrasts(table, _test_caption(study), study.confidence)


def of_contrasts(table: pd.DataFrame, caption: str, confidence: float) -> Table:
    """Tabulate contrasts.

    Args:
        table: rows of comparison.csv, in the order that they are to have.
        caption: of the table.
        confidence: of the intervals.
    """
    rows = [
        [
            short(row.measure),
            row.contrast.replace("-", " − "),
            str(StudyScale(row.route, row.scale)),
            row.role,
            unit(row.measure),
            str(row.n_subjects),
            number(row.estimate),
            interval(row.ci_low, row.ci_high),
            *map(probability, (row.p, row.smallest_p, row.p_corrected)),
        ]
        for row in table.itertuples()
    ]
    heads = [
        "Measure",
        "Contrast",
        "Scale",
        "Role",
        "Unit",
        "Subjects #",
        "Difference #",
        f"{confidence:.0%} interval #",
        "p #",
        "smallest p possible #",
        "p corrected #",
    ]
    return Table(caption, heads, rows)


def adjusted(study: Findings) -> Table:
    """What is left of the differences of the primary measure when values are adjusted, beside the raw ones."""
    wanted = study.adjusted[study.adjusted["n_subjects"] > 0]
    measures = set(wanted["measure"])
    table = pd.concat([study.comparison[study.comparison["measure"].isin(measures)], wanted]) if measures else wanted
    table = table.sort_values(["measure", "route", "scale", "contrast"], kind="stable")
    rows = [
        [
            short(row.measure),
            row.contrast.replace("-", " − "),
            str(StudyScale(row.route, row.scale)),
            row.adjusted.replace("_", " "),
            str(row.n_subjects),
            number(row.estimate),
            interval(row.ci_low, row.ci_high),
            probability(row.p),
            number(row.mixed_estimate),
            interval(row.mixed_low, row.mixed_high),
            probability(row.mixed_p) if np.isfinite(row.mixed_p) else str(row.mixed or "–"),
        ]
        for row in table.itertuples()
    ]
    level = f"{study.confidence:.0%} interval #"
    heads = ["Measure", "Contrast", "Scale", "Values", "Subjects #", "Difference #", level, "p #"]
    heads += ["Mixed model #", level, "p of the model #"]
    caption = (
        "What is left of each difference when the values are adjusted: "
        + "; ".join(f"{name.replace('_', ' ')}: {meaning}" for name, meaning in ADJUSTMENTS.items())
        + ". These tests ask whether a difference survives; they are not corrected. Mixed model: "
        "value ~ condition + (1 | subject)."
    )
    return Table(caption, heads, rows)


def classification(study: Findings) -> Table:
    """How well the conditions are told apart in a subject that was left out."""
    rows = [
        [
            row.contrast.replace("-", " − "),
            " and ".join(row.features.split("+")),
            str(int(row.n_subjects)),
            *map(number, (row.accuracy, row.chance)),
            *map(probability, (row.p, row.smallest_p)),
        ]
        for row in study.classification.itertuples()
    ]
    caption = (
        "The condition of each subject that was left out, told by logistic regression from the values of the others. "
        "What the rate alone does not tell may be told by phi_s."
    )
    heads = ["Contrast", "Told by", "Subjects #", "Accuracy #", "Chance #", "p #", "smallest p possible #"]
    return Table(caption, heads, rows)


def _test_caption(study: Findings) -> str:
    """How the contrast with the most subjects was tested, a secondary one where there is one; columns tell the rest."""
    told = "Differences within subjects (first minus second condition), mean over subjects."
    known = study.comparison[study.comparison["n_subjects"] > 0]
    if known.empty:
        return told
    order = known.assign(last=known["role"] == PRIMARY).sort_values(["last", "n_subjects"], ascending=[True, False])
    method = how_tested(next(order.itertuples()))
    fewer = " With fewer subjects there are fewer flips." if known["n_subjects"].nunique() > 1 else ""
    return f"{told} {method[:1].upper()}{method[1:]}.{fewer}"


def values(study: Findings) -> Table:
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
    told = study.summary["value"].notna() | flagged(study.summary["flag"], "withheld")
    table = study.summary[study.summary["measure"].isin(shown) & told]
    rows = [
        [
            row.recording,
            row.window,
            row.condition,
            str(StudyScale(row.route, row.scale)),
            short(row.measure),
            unit(row.measure),
            number(row.value) if np.isfinite(row.value) else "withheld",
            interval(row.ci_low, row.ci_high),
            number(row.p_positive, 2),
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
        "P(> 0) #",
        "Null mean #",
        "Null p #",
        "Frames #",
        "States visited #",
        "Flags",
    ]
    return Table("Values of every window (from summary.csv, which has all measures).", heads, rows)


def macro(study: Findings, found: list[MacroUnits]) -> Table:
    """Tabulate which units form which macro unit, and what is gained by it.

    Args:
        study: what was found in the study.
        found: macro units of all recordings, windows and scales.
    """
    rows = []
    for g in found:
        own = study.summary[(study.summary["recording"] == g.recording) & (study.summary["window"] == g.window)]
        mine = own[(own["route"] == "macro_units") & (own["scale"] == g.size)].set_index("measure")["value"]
        micro = own[own["route"] == "micro"].set_index("measure")["value"]
        shown = (mine.get("phi_s"), micro.get("phi_s"), mine.get("delta_causal_power"))
        row = [g.recording, window_name(g.window, g.condition), str(g), g.accepted or "–"]
        row += [g.recovered or "–"] if study.truths else []
        rows.append([*row, g.objective or "–", g.found, *map(number, shown)])
    heads = [
        "Recording",
        "Condition",
        "Macro units",
        "Unit by the theory",
        *(["As planted"] if study.truths else []),
        f"EI of the macro TPM [{unit('effective_information')}] #",
        "Found by",
        f"phi_s macro [{unit('phi_s')}] #",
        f"phi_s micro [{unit('phi_s')}] #",
        "Δ causal power #",
    ]
    return Table(
        (
            "Members of each macro unit and its state mapping. EI: effective information of the window's "
            f"macro TPM{_maximised(found)}. Unit by the theory: whether each macro unit is maximally "
            "irreducible within, in the order of the macro units."
        ),
        heads,
        rows,
    )


def validity(found: list[MacroUnits]) -> Table:
    """Why the theory accepts each macro unit, or does not."""
    rows = [
        [g.recording, g.window, "{" + ", ".join(members) + "}", why, "–" if np.isnan(share) else f"{share:.0%}"]
        for g in found
        for (members, _), why, share in zip(g.members(), g.validity, g.valid_share, strict=False)
    ]
    caption = (
        "A macro unit is accepted where phi_s of its own units, as a system, is above zero and above that of "
        "every system inside it. A unit in draws: the same in posterior draws of the TPM, for pairs."
    )
    return Table(caption, ["Recording", "Window", "Macro unit", "Verdict", "A unit in draws #"], rows)


def _maximised(found: list[MacroUnits]) -> str:
    shared = {g.shared for g in found}
    over = "in the mean over the recording's windows" if True in shared else "in the window"
    return f", which the grouping maximises {over}" if len(shared) == 1 else ""


def planted(pairs: pd.DataFrame) -> Table:
    """True values of both kinds, and the estimates."""
    rows = [
        [
            p.recording,
            window_name(p.window, p.condition),
            str(StudyScale(p.route, p.scale)),
            short(p.measure),
            unit(p.measure),
            *map(number, (p.planted, p.unlimited, p.value)),
            interval(p.ci_low, p.ci_high),
            p.contains_planted or "–",
            p.contains_unlimited or "–",
        ]
        for p in pairs.itertuples()
    ]
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
        (
            "True values of the units that were estimated, and the estimates. Planted: from the interventional "
            "TPM; unlimited data: from the observational one."
        ),
        heads,
        rows,
    )
