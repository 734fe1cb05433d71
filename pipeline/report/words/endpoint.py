"""The primary endpoint in sentences: what was found of it, what is left when values are adjusted, and the others."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from pipeline.inference.families import ALPHA, PRIMARY, SECONDARY
from pipeline.inference.summary import TIE
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.glossary import counted, interval_of, number, probability, short, valued
from pipeline.report.words.testing import split, what_it_takes
from pipeline.results.measures import MEASURES

# What became of a difference when this was done to the values.
DONE = {
    "matched_length": "With windows of the same length",
    "matched_rate": "With windows of the same length and event rate",
    "matched_detection": "With the same detection of events",
    "excess_over_null": "In excess over the null",
}


def primary_of(study: Findings) -> Any | None:
    """Return the row of the primary endpoint in comparison.csv; None where there is no contrast."""
    rows = study.comparison[study.comparison["role"] == PRIMARY]
    return next(rows.itertuples(), None)


def named(row: Any) -> str:
    """Say what is compared in a row of comparison.csv.

    Args:
        row: of the table.
    """
    a, b = split(row.contrast)
    return f"{short(row.measure)} at {StudyScale(row.route, int(row.scale))}, {a} − {b}"


def primary_sentences(study: Findings) -> list[str]:
    """Tell the primary endpoint: what was found, what a model says of it, and what is left of it when adjusted."""
    row = primary_of(study)
    if row is None:
        return []
    return [_found(row), *_mixed(row), *_adjusted(study, row), *_classified(study, row)]


def _found(row: Any) -> str:
    what = f"The primary endpoint ({named(row)})"
    n = int(row.n_subjects)
    if not n or not math.isfinite(row.estimate):
        left_out = int(row.n_subjects_withheld) if math.isfinite(row.n_subjects_withheld) else 0
        why = (
            f"the values of {counted(left_out, 'subject')} are withheld" if left_out else "no subject has both of them"
        )
        return f"{what} cannot be tested: {why}."
    difference = valued(row.estimate, row.measure) + interval_of(row.ci_low, row.ci_high)
    if n == 1:
        return f"{what} is {difference}: one subject has both conditions, so it is described, not tested."
    excludes = row.ci_low > 0 or row.ci_high < 0
    tested = f"{what} is {difference}, p = {probability(row.p)} across {n} subjects{_caution(row)}"
    if row.p <= ALPHA:
        zero = "" if excludes else ", though the interval over subjects does not exclude zero"
        return f"{tested}: the difference is significant{zero}."
    if row.smallest_p > ALPHA:
        read = (
            "read it as a consistent direction in these subjects, not as proof for the population"
            if excludes
            else "the data do not support a difference"
        )
        return f"{tested}; {out_of_reach(row)}: {read}."
    said = "suggested, not shown" if excludes else "not shown: the data do not support it"
    return f"{tested}: the difference is {said}."


def _caution(row: Any) -> str:
    told = []
    for column, word in (("n_subjects_imprecise", "with an imprecise value"), ("n_subjects_withheld", "left out")):
        n = getattr(row, column)
        told += [f"{int(n)} {word}"] if math.isfinite(n) and n else []
    return f" ({', '.join(told)})" if told else ""


def out_of_reach(row: Any) -> str:
    """Say why no p can be small enough, whatever the data, and what it would take.

    Args:
        row: of comparison.csv.
    """
    return (
        f"with {counted(int(row.n_subjects), 'subject')} the sign-flip test cannot give a p below "
        f"{probability(row.smallest_p)}, so significance at {ALPHA:g} is out of reach whatever the data "
        f"(it would take {what_it_takes(row)})"
    )


def _mixed(row: Any) -> list[str]:
    if not isinstance(row.mixed, str) or not row.mixed or int(row.n_subjects) < 2:
        return []
    if not math.isfinite(row.mixed_p):
        return [f"The mixed model of the primary endpoint: {row.mixed}."]
    limits = interval_of(row.mixed_low, row.mixed_high)
    apart = row.mixed.partition("; ")[2]
    noted = f" ({apart})" if apart else ""
    return [
        f"A linear mixed model of the same values gives {valued(row.mixed_estimate, row.measure)}{limits}, "
        f"p = {probability(row.mixed_p)}{noted}."
    ]


def _adjusted(study: Findings, row: Any) -> list[str]:
    """What is left of the difference, one clause per adjustment."""
    if int(row.n_subjects) < 2:
        return []
    rows = study.adjusted[_same(study.adjusted, row)]
    rows = rows[(rows["n_subjects"] > 0) & ((rows["estimate"] - row.estimate).abs() > TIE)]  # the rest changed nothing
    said = [_survives(row, other) for other in rows.itertuples()]
    return [" ".join(said)] if said else []


def _same(table: pd.DataFrame, row: Any) -> Any:
    keys = ("measure", "route", "scale", "contrast")
    found = pd.Series(True, index=table.index)
    for key in keys:
        found &= table[key] == getattr(row, key)
    return found


def _survives(row: Any, other: Any) -> str:
    difference = valued(other.estimate, other.measure) + interval_of(other.ci_low, other.ci_high)
    given = f"{DONE.get(other.adjusted, other.adjusted)} it is {difference}, p = {probability(other.p)}"
    if other.estimate * row.estimate <= 0:
        return f"{given}: it does not survive."
    if row.p > ALPHA:
        return f"{given}: it keeps its sign."
    return f"{given}: it survives." if other.p <= ALPHA else f"{given}: it keeps its sign, but is not shown any more."


def _classified(study: Findings, row: Any) -> list[str]:
    """How well the conditions are told apart in an animal that was left out, by the endpoint and by the rate alone."""
    rows = study.classification
    rows = rows[rows["contrast"] == row.contrast].set_index("features")
    if "rate" not in rows.index or row.measure not in rows.index:
        return []
    own, rate = rows.loc[row.measure], rows.loc["rate"]
    a, b = split(row.contrast)
    return [
        f"In a subject that was left out, {a} and {b} are told apart in {number(100 * own.accuracy)}% of the values "
        f"by {short(row.measure)} (p = {probability(own.p)}) and in {number(100 * rate.accuracy)}% by the event rate "
        f"alone (p = {probability(rate.p)}); chance is 50%, {int(own.n_subjects)} subjects."
    ]


def secondary_sentences(study: Findings) -> list[str]:
    """Tell how many of the other contrasts of the primary measure are significant after correction."""
    row = primary_of(study)
    table = study.comparison
    rows = table[(table["role"] == SECONDARY) & (table["n_subjects"] > 1)]
    rows = rows if row is None else rows[rows["measure"] == row.measure]
    if rows.empty:
        return []
    n, significant, tests = len(rows), int((rows["p_corrected"] <= ALPHA).sum()), int(rows["n_tests"].max())
    measure = str(rows["measure"].iloc[0]) if rows["measure"].nunique() == 1 else ""
    of = f" of {short(measure)}" if measure in MEASURES else ""
    best = float(rows["smallest_p_corrected"].min())
    said = f"{significant} of {n} secondary contrasts{of} are significant after correction for the {tests} tests"
    if best > ALPHA:
        return [f"{said} of the study, of which none can be: the least corrected p is {probability(best)}."]
    return [f"{said} of the study (corrected p ≤ {ALPHA:g})."]
