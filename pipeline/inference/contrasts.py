"""Contrasts between conditions, within subjects and across them.

The subject is the unit of inference: a contrast a - b uses the subjects that have both conditions, each with one value
per condition (`subjects.subject_values`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.base.seeds import generator
from pipeline.inference.corrections import CORRECTIONS
from pipeline.inference.families import ADJUSTED, PRIMARY, SAME, corrected, family_of
from pipeline.inference.mixed import MIXED, mixed_model
from pipeline.inference.parameters import Compare, Primary
from pipeline.inference.resampling import bootstrap_interval, resamples_of, sign_flip
from pipeline.inference.subjects import flagged, subject_values
from pipeline.results.columns import COMPARISON_COLUMNS, RAW, ROUTES, SUMMARY_COLUMNS
from pipeline.results.measures import SUMMARISED
from pipeline.results.tables import table

_DEFAULT = Compare()

Target = tuple[str, int, str]  # route, scale, measure
Pair = tuple[str, str]  # conditions, the first minus the second


class Value(NamedTuple):
    """What a subject has in a condition: a value, and whether it is to be taken with caution."""

    value: float
    short: bool = False
    imprecise: bool = False


@dataclass(frozen=True)
class Condition:
    """The subjects of a condition: those with a value, and those whose value is withheld."""

    values: dict[str, Value]
    withheld: set[str]


@dataclass(frozen=True)
class Procedure:
    """How contrasts are tested (the fields of the study's section `compare`)."""

    bootstrap: int
    permutations: int
    confidence: float
    seed: int


def compare(
    summary: pd.DataFrame,
    contrasts: Sequence[Pair],
    conditions: Sequence[str] = (),
    *,
    primary: Primary | Mapping[str, Any] = _DEFAULT.primary,
    variants: Mapping[str, pd.DataFrame] | None = None,
    bootstrap: int = _DEFAULT.bootstrap,
    permutations: int = _DEFAULT.permutations,
    confidence: float = _DEFAULT.confidence,
    correction: str = _DEFAULT.correction,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare conditions at every scale and for every measure of the table `summary`.

    Args:
        summary: rows of summary.csv.
        contrasts: pairs (a, b), a minus b; where none are given all pairs of `conditions` are taken, earlier minus
            later. A single condition gives a table without rows.
        conditions: the study's conditions, in order.
        primary: the endpoint named beforehand, which is tested alone.
        variants: values that were adjusted, by how (`results.columns.ADJUSTMENTS`): rows as in `summary`, and where
            they were made for one contrast the column `against`, its other condition.
        bootstrap: resamples of the subjects (all of them where there are fewer).
        permutations: sign flips (all of them where there are fewer).
        confidence: level of the intervals.
        correction: "holm", "fdr" or "none", over all secondary tests of the study (`families.corrected`).
        seed: each test has its own stream of random numbers, whatever others are made.

    Returns:
        Columns of comparison.csv. Each row: mean over subjects of the within-subject difference, its interval
        (`bootstrap_interval`), the two-sided sign-flip p (`sign_flip`), p corrected, and what the test can give at all.
        Where no subject has both conditions n_subjects is 0 and the numbers are NaN. Of the primary measure also the
        linear mixed model (`mixed.mixed_model`).

    Raises:
        ValueError: there is no such correction.
    """
    if correction not in CORRECTIONS:
        raise ValueError(f"correction {correction!r}: use one of {', '.join(CORRECTIONS)}")
    named = primary if isinstance(primary, Primary) else Primary(**primary)
    procedure = Procedure(bootstrap, permutations, confidence, seed)
    pairs = [(str(a), str(b)) for a, b in contrasts] or list(combinations(conditions, 2))
    endpoint = endpoint_of(named, summary, pairs)
    rows: list[dict[str, Any]] = []
    for how, values in {RAW: summary, **(variants or {})}.items():
        known = values.reindex(columns=[*SUMMARY_COLUMNS, "against"])
        everywhere = _Subjects(known) if known["against"].isna().all() else None
        for pair in pairs:
            subjects = everywhere or _Subjects(_made_for(known, pair))
            for target in _targets(subjects.table, endpoint.target if how == RAW and pair == endpoint.pair else None):
                role = ADJUSTED if how != RAW else PRIMARY if (target, pair) == endpoint else family_of(target[0])
                row = _contrast_row(subjects, target, pair, procedure)
                model = mixed_model(subjects.of(target), pair, confidence) if target[2] == named.measure else MIXED
                rows.append(row | model | {"role": role, "adjusted": how})
    return table(corrected(rows, correction, permutations), COMPARISON_COLUMNS)


class Endpoint(NamedTuple):
    """What is primary; None where there is nothing that could be."""

    target: Target | None
    pair: Pair | None


def endpoint_of(primary: Primary, summary: pd.DataFrame, pairs: Sequence[Pair]) -> Endpoint:
    """Return the primary endpoint of a study: a scale and a contrast left open are the largest and the first.

    Args:
        primary: what the study names.
        summary: rows of summary.csv.
        pairs: its contrasts.
    """
    scales = summary.loc[summary["route"] == primary.route, "scale"]
    scale = primary.scale or (int(scales.max()) if len(scales) else None)
    pair = primary.contrast or (pairs[0] if pairs else None)
    target = (primary.route, scale, primary.measure) if scale else None
    return Endpoint(target, (str(pair[0]), str(pair[1])) if pair else None)


def _made_for(values: pd.DataFrame, pair: Pair) -> pd.DataFrame:
    """Rows that were made for a contrast: one of its conditions, against the other."""
    a, b = (values["condition"] == condition for condition in pair)
    against_a, against_b = (values["against"] == condition for condition in pair)
    return values[(a & against_b) | (b & against_a)]


class _Subjects:
    """The values of subjects in a table.

    Args:
        known: rows as in summary.csv.
    """

    def __init__(self, known: pd.DataFrame) -> None:
        self.table = known
        self._values = subject_values(known)
        self._by: dict[tuple[Target, str], Condition] = {}
        for row in self._values.itertuples():
            here = self._condition((row.route, int(row.scale), row.measure), row.condition)
            here.values[row.subject] = Value(row.value, row.short, row.imprecise)
        for row in known[flagged(known["flag"], "withheld")].itertuples():
            here = self._condition((row.route, int(row.scale), row.measure), row.condition)
            if row.subject not in here.values:
                here.withheld.add(row.subject)

    def _condition(self, target: Target, condition: str) -> Condition:
        return self._by.setdefault((target, condition), Condition({}, set()))

    def both(self, target: Target, pair: Pair) -> tuple[Condition, Condition]:
        """Return the subjects of two conditions."""
        a, b = (self._by.get((target, condition), Condition({}, set())) for condition in pair)
        return a, b

    def of(self, target: Target) -> pd.DataFrame:
        """Return the values of one measure of a system, one row per subject and condition."""
        route, scale, measure = target
        v = self._values
        return v[(v["route"] == route) & (v["scale"] == scale) & (v["measure"] == measure)]


def _targets(summary: pd.DataFrame, also: Target | None = None) -> list[Target]:
    """Return the (route, scale, measure) of a summary, and one that it may lack, in a fixed order."""
    found = summary[["route", "scale", "measure"]].drop_duplicates().itertuples(index=False)
    routes, measures = ({name: i for i, name in enumerate(names)} for names in (ROUTES, SUMMARISED))

    def place(target: Target) -> tuple[Any, ...]:
        route, scale, measure = target
        return routes.get(route, len(routes)), route, scale, measures.get(measure, len(measures)), measure

    named = {also} if also else set()
    return sorted({(str(r), int(s), str(m)) for r, s, m in found} | named, key=place)


def _contrast_row(subjects: _Subjects, target: Target, pair: Pair, procedure: Procedure) -> dict[str, Any]:
    """Test one contrast of one measure; each test has its own random stream, and one that repeats another has its."""
    route, scale, measure = target
    a, b = subjects.both(target, pair)
    both = sorted(set(a.values) & set(b.values))
    recorded = (set(a.values) | a.withheld) & (set(b.values) | b.withheld)
    taken = [(a.values[subject], b.values[subject]) for subject in both]
    row = {
        "measure": measure,
        "scale": scale,
        "route": route,
        "contrast": "-".join(pair),
        "n_subjects": len(both),
        "n_subjects_short": sum(one.short or other.short for one, other in taken),
        "n_subjects_imprecise": sum(one.imprecise or other.imprecise for one, other in taken),
        "n_subjects_withheld": len(recorded) - len(both),
        "n_flips": 0,
        "n_resamples": resamples_of(len(both), procedure.bootstrap),
        "confidence": procedure.confidence,
        **dict.fromkeys(("estimate", "ci_low", "ci_high", "p", "smallest_p"), np.nan),
    }
    if not both:
        return row
    rng = generator(procedure.seed, "compare", route, str(scale), SAME.get(measure, measure), *pair)
    d = np.array([one.value - other.value for one, other in taken])
    low, high = bootstrap_interval(d, procedure.bootstrap, procedure.confidence, rng)
    p, flips, smallest = sign_flip(d, procedure.permutations, rng)
    return row | {
        "estimate": float(d.mean()),
        "ci_low": low,
        "ci_high": high,
        "p": p,
        "n_flips": flips,
        "smallest_p": smallest,
    }
