"""Tables of learned variables: what their dynamics are, phi of the macro model, tests, and how far they come again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.encoder.macro_model import LABEL
from pipeline.report.findings import Findings
from pipeline.report.tables.results import of_contrasts
from pipeline.report.tables.table import Table, flags, interval, window_name
from pipeline.report.words.glossary import NULL_NAMES, count, number, probability, short, unit
from pipeline.results.columns import MACRO_MODEL

CONTROLS = {
    "random_order": "frames in random order",
    "shuffled_labels": "times and conditions shuffled",
    "shuffled_times": "times shuffled within conditions",
}
YES = {0.0: "no", 1.0: "yes"}


def tables(study: Findings) -> list[Table]:
    """Return the tables of learned variables that have rows.

    Args:
        study: what was found in the study.
    """
    found = [macro_models(study), dynamics(study), stability(study), comparison(study)]
    return [table for table in found if table.rows]


def macro_models(study: Findings) -> Table:
    """Tabulate phi_s and Φ of the macro models of every window, with the test whether they factorise."""
    table = study.learned.summary
    table = table[(table["route"] == MACRO_MODEL) & table["measure"].isin(["phi_s", "big_phi"])]
    rows = []
    for row in table.itertuples():
        tpm = study.learned.macro_model(row.recording, row.window, int(row.scale))
        p = np.nan if tpm is None else float(tpm.attrs["factorisation_p"])
        rows.append(
            [
                row.recording,
                window_name(row.window, row.condition),
                str(int(row.scale)),
                f"{short(row.measure)} [{unit(row.measure)}]",
                number(row.value),
                interval(row.ci_low, row.ci_high),
                number(row.null_mean),
                probability(row.null_p),
                probability(p),
                flags(row.flag),
            ]
        )
    null = next((NULL_NAMES.get(str(n), str(n)) for n in table["null"] if n), "none")
    caption = (
        f"{LABEL}, every window. Null: {null}, surrogates of the activity encoded by hierarchies that were trained on "
        "them. Factorises: p that latents are independent given their past (small: they are not, and phi is that of "
        "the nearest system that factorises)."
    )
    heads = ["Recording", "Window", "Latents #", "Measure", "Value #", f"{study.confidence:.0%} interval #"]
    heads += ["Null mean #", "p #", "p of factorising #", "Flags"]
    return Table(caption, heads, rows)


def dynamics(study: Findings) -> Table:
    """Tabulate what the latents of one and two dimensions of every window do."""
    rows = []
    for (recording, window), own in study.learned.dynamics.groupby(["recording", "window"], sort=False):
        by = {row.measure: row for row in own.itertuples()}
        stays = study.learned.fixed_points
        stays = stays[(stays["recording"] == recording) & (stays["window"] == window) & (stays["scale"] == 1)]
        stays = stays.loc[stays["kind"] == "stable", "residence_s"]
        cells = [str(recording), window_name(str(window), str(own["condition"].iloc[0]))]
        rows.append(cells + _flow(by, stays) + _plane(by))
    caption = (
        "Dynamics of latents. Barrier: in units of the noise, with the 5th and 95th percentile over the window's "
        "blocks drawn anew; beside it the mean of surrogates encoded likewise. p: against linear surrogates, where "
        "there are two wells, or a saddle. Stays: mean time in each well (∞: never left)."
    )
    heads = ["Recording", "Window", "Wells #", "Barrier #", "Interval #", "Null #", "p #", "Stays [s] #"]
    heads += ["Metastable", "Fixed points in the plane #", "Saddles #", "Null #", "p #", "Saddle"]
    return Table(caption, heads, rows)


def _flow(by: dict[str, object], stays: pd.Series) -> list[str]:
    """Cells of the flow of one latent."""
    if "barrier" not in by:
        return ["–"] * 7
    wells, barrier, metastable = (by[name] for name in ("wells", "barrier", "metastable"))
    told = ", ".join("∞" if np.isinf(stay) else number(stay) for stay in stays)
    limits = interval(barrier.ci_low, barrier.ci_high)  # type: ignore[attr-defined]  # rows of a table
    cells = [count(wells.value), number(barrier.value), limits, number(barrier.null_mean)]  # type: ignore[attr-defined]
    return [*cells, probability(barrier.p), told or "–", YES[float(metastable.value)]]  # type: ignore[attr-defined]


def _plane(by: dict[str, object]) -> list[str]:
    """Cells of the portrait of two latents."""
    if "saddle" not in by:
        return ["–"] * 5
    points, saddles, saddle = (by[name] for name in ("fixed_points", "saddles", "saddle"))
    cells = [count(points.value), count(saddles.value), number(saddles.null_mean)]  # type: ignore[attr-defined]
    return [*cells, probability(saddle.p), YES[float(saddle.value)]]  # type: ignore[attr-defined]


def stability(study: Findings) -> Table:
    """Tabulate how far what was learned is the same again, means over windows and pairs of recordings."""
    table = study.learned.stability
    table = table[table["measure"].isin(["gradients", "consistency"])]
    rows = []
    for (measure, scale, control), own in table.groupby(["measure", "scale", "control"], sort=False):
        told = "seeds: what they read of the ensembles (cosine)" if measure == "gradients" else "animals (R²)"
        value = [number(own["value"].mean()), f"{number(own['value'].min())} to {number(own['value'].max())}"]
        cells = [told, str(int(scale)), *value, CONTROLS.get(str(control), str(control))]
        rows.append([*cells, number(own["control_mean"].mean()), number(own["chance"].mean()), str(len(own))])
    caption = (
        "How far learned variables are the same again. Between seeds of a window, whose gradients at the same frames "
        "are compared, and between recordings of different animals, whose latents are compared by condition and time "
        "since its start. Each stands beside its control; what does not exceed it is not reproducible."
    )
    heads = [
        "Compared",
        "Dimensions #",
        "Mean #",
        "Range #",
        "Control",
        "Mean of the control #",
        "Chance #",
        "Number #",
    ]
    return Table(caption, heads, rows)


def comparison(study: Findings) -> Table:
    """Tabulate the contrasts of learned variables."""
    caption = (
        "Tests of learned variables. Two-sided sign flips across subjects. They are a family of their own: their "
        "number changes no corrected p of integrated information, nor the other way round."
    )
    return of_contrasts(study.learned.comparison, caption, study.confidence)
