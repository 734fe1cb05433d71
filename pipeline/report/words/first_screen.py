"""The first screen: one sentence per question, with no more claimed than the tables support."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA
from pipeline.inference.over_scales import ACCEPTED, NO_UNITS, UNCHECKED
from pipeline.inference.subjects import flagged, subject_means, subject_values
from pipeline.inference.withheld import WORD
from pipeline.nulls.parameters import SHOWN
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.belief import vague_conditions
from pipeline.report.words.endpoint import named, primary_of
from pipeline.report.words.glossary import NULL_NAMES, counted, interval_of, probability, short, valued
from pipeline.report.words.testing import split, what_it_takes

PHI = "phi_s"
Question = tuple[str, str]


def questions(study: Findings) -> list[Question]:
    """Return the questions of a reader, and one sentence for each.

    Args:
        study: what was found in the study.
    """
    if study.summary.loc[study.summary["measure"] == PHI, "value"].isna().all():
        return [("Result", "No phi_s could be computed; see the failures.")]
    asked = [("Which scale?", which_scale(study))] if len(study.scales) > 1 else []
    if len(study.conditions) > 1:
        asked.append(("What does the state do?", what_the_state_does(study)))
    else:
        asked.append(("What is it?", _single(study)))
    asked += [("How sure?", how_sure(study)), ("What would change it?", what_would_change_it(study))]
    return [*asked, *absent(study)]


def which_scale(study: Findings) -> str:
    """Say at which scale the theory finds its units in each condition, or which has the largest phi_s."""
    rows = study.summary[(study.summary["measure"] == PHI) & study.summary["value"].notna()]
    judged = not rows["grain"].isin(["", UNCHECKED]).all()
    found = {c: _winner(study, rows[rows["condition"] == c], judged=judged) for c in study.conditions}
    unsure = [c for c, scale in found.items() if scale is not None and c in _vague(study, scale)]
    known = {c: scale for c, scale in found.items() if scale is not None and c not in unsure}
    none = [c for c, scale in found.items() if scale is None]
    parts = [f"{scale} in {_with_values(study, scale, c)}" for scale, c in _by_scale(known)]
    among = "" if judged else " (whether macro units are units was not asked)"
    among = " among the scales whose units the theory accepts" if judged and known else among
    said = [f"phi_s is largest at {'; at '.join(parts)}{',' if judged else ''}{among}"] if parts else []
    said += [f"too imprecise to say in {_joined(unsure)}"] if unsure else []
    said += [f"no scale whose units the theory accepts has phi_s above 0 in {_joined(none)}"] if none else []
    text = "; ".join(said)
    text = text if parts else f"{text[:1].upper()}{text[1:]}"
    return f"{text}.{_larger_but_refused(rows) if judged else ''}"


def _vague(study: Findings, scale: StudyScale) -> list[str]:
    return vague_conditions(study, scale.of(study.values, PHI))


def _winner(study: Findings, rows: pd.DataFrame, *, judged: bool) -> StudyScale | None:
    """The scale accepted in most windows of a condition; where that was not asked, the one with the largest mean."""
    if judged:
        counts = [(int((scale.of(rows)["grain"] == ACCEPTED).sum()), scale) for scale in study.scales]
        most = max(n for n, _ in counts)
        return next(scale for n, scale in counts if n == most) if most else None
    means = [(float(subject_values(scale.of(rows, PHI))["value"].mean()), scale) for scale in study.scales]
    known = [(mean, scale) for mean, scale in means if np.isfinite(mean)]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def _by_scale(found: dict[str, StudyScale]) -> list[tuple[StudyScale, list[str]]]:
    return [(scale, [c for c, own in found.items() if own == scale]) for scale in dict.fromkeys(found.values())]


def _with_values(study: Findings, scale: StudyScale, conditions: list[str]) -> str:
    means = subject_means(scale.of(study.values, PHI))
    return _joined([f"{c} ({valued(float(means[c]), PHI)})" for c in conditions if c in means])


def _larger_but_refused(rows: pd.DataFrame) -> str:
    held = rows[rows["grain"] == ACCEPTED].set_index(["recording", "window"])["value"]
    other = rows[rows["grain"] == NO_UNITS].set_index(["recording", "window"])["value"]
    above = other[other > held.reindex(other.index).fillna(0.0)]
    n, windows = above.index.nunique(), rows[["recording", "window"]].drop_duplicates().shape[0]
    if not n:
        return ""
    return f" Macro units have more in {n} of {windows} windows, but are reducible within, and so no units to it."


def what_the_state_does(study: Findings) -> str:
    """Say how large the primary difference is, and how phi_s is ordered over the conditions at each scale."""
    orders: dict[str, list[StudyScale]] = {}
    vague: dict[str, list[StudyScale]] = {}
    for scale in study.scales:
        values = scale.of(study.values, PHI)
        left_out = vague_conditions(study, values)
        for condition in left_out:
            vague.setdefault(condition, []).append(scale)
        means = subject_means(values[~values["condition"].isin(left_out)]).sort_values(ascending=False, kind="stable")
        if len(means) > 1:
            orders.setdefault(" > ".join(map(str, means.index)), []).append(scale)
    told = "; ".join(f"{order} at {_scales(study, scales)}" for order, scales in orders.items())
    row = primary_of(study)
    said = [] if row is None else _difference(row)
    said += [f"In order of phi_s: {told}."] if told else ["The conditions cannot be ordered by phi_s."]
    alike: dict[str, list[str]] = {}
    for condition, scales in vague.items():
        alike.setdefault(_scales(study, scales), []).append(condition)
    said += [
        f"In {_joined(conditions)} phi_s is imprecise at {where}: not told from its double, or from nothing."
        for where, conditions in alike.items()
    ]
    return " ".join(said)


def _scales(study: Findings, scales: list[StudyScale]) -> str:
    if len(scales) == len(study.scales):
        return "every scale" if len(scales) > 1 else str(scales[0])
    return " and ".join(map(str, scales))


def _difference(row: Any) -> list[str]:
    if not math.isfinite(row.estimate) or row.estimate == 0:
        return []
    a, b = split(row.contrast) if row.estimate > 0 else reversed(split(row.contrast))
    low, high = (row.ci_low, row.ci_high) if row.estimate > 0 else (-row.ci_high, -row.ci_low)
    size = valued(abs(row.estimate), row.measure) + interval_of(low, high)
    where = StudyScale(row.route, int(row.scale))
    if low <= 0:
        return [
            f"No difference in {short(row.measure)} is shown: {a} − {b} is {size} at {where} (the primary endpoint)."
        ]
    return [f"{short(row.measure)} is lower in {b} than in {a}, by {size} at {where} (the primary endpoint)."]


def _single(study: Findings) -> str:
    parts = []
    for scale in study.scales:
        values = scale.of(study.values, PHI)
        means = subject_means(values)
        told = "too imprecise to say" if vague_conditions(study, values) else valued(float(means.mean()), PHI)
        parts += [f"{told} at {scale}"] if len(means) else []
    return f"The study has a single condition, so nothing is compared; phi_s is {'; '.join(parts)}."


def how_sure(study: Findings) -> str:
    """Say what the test of the primary endpoint gives, how often intervals hold the truth, and what exceeds a null."""
    row = primary_of(study)
    parts = [] if row is None else [_tested(row)]
    copies = study.summary[(study.summary["measure"] == PHI) & (study.summary["n_copies"] > 0)]
    if len(copies):
        held, n = int(copies["copies_held"].sum()), int(copies["n_copies"].sum())
        parts.append(
            f"in simulated copies {study.confidence:.0%} intervals hold the truth in {held / n:.0%}, and are "
            "corrected for that"
        )
    parts.append(_against_null(study))
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."


def _tested(row: Any) -> str:
    n = int(row.n_subjects)
    if not n or not math.isfinite(row.estimate):
        withheld = int(row.n_subjects_withheld) if math.isfinite(row.n_subjects_withheld) else 0
        why = (
            f"the values of {counted(withheld, 'subject')} are withheld"
            if withheld
            else "no subject has both conditions"
        )
        return f"the primary endpoint ({named(row)}) cannot be tested: {why}"
    if n == 1:
        return "one subject has both conditions, so the difference is described, not tested"
    excludes = row.ci_low > 0 or row.ci_high < 0
    p = f"p = {probability(row.p)} across {n} subjects".replace("= <", "<")
    if row.p <= ALPHA:
        return f"the difference is significant ({p}){'' if excludes else ', though its interval does not exclude zero'}"
    if row.smallest_p > ALPHA:
        read = "a direction in these subjects, not proof" if excludes else "no support for a difference"
        return f"{read}: {p}, and none below {probability(row.smallest_p)} is possible"
    return f"the difference is {'suggested, not shown' if excludes else 'not shown'} ({p})"


def _against_null(study: Findings) -> str:
    rows = study.nulls[(study.nulls["measure"] == PHI) & study.nulls["p"].notna()]
    shown = study.parameters.get("nulls", {}).get("shown", SHOWN)[PHI]
    others = sorted(set(rows["null"]) - {shown})
    rows = rows[rows["null"] == shown]
    if rows.empty and others:
        other = " and ".join(f"“{NULL_NAMES.get(name, name)}”" for name in others)
        return f"the null that asks whether the units are one system ({shown}) was not computed, only {other}"
    if rows.empty:
        return "no null was computed, so it is not known how much of phi_s short data alone would give"
    if (1 / (1 + rows["n_surrogates"]) > ALPHA).all():
        return f"too few surrogates (at most {int(rows['n_surrogates'].max())}) to test phi_s against a null"
    return f"{int((rows['p'] <= ALPHA).sum())} of {len(rows)} values of phi_s exceed their null (p ≤ {ALPHA:g})"


def what_would_change_it(study: Findings) -> str:
    """Say which data would decide, and which choices or confounds the difference does not survive."""
    row = primary_of(study)
    parts = []
    if row is not None and int(row.n_subjects) > 0 and row.smallest_p > ALPHA:
        parts.append(f"{what_it_takes(row)}, which p ≤ {ALPHA:g} takes")
    if study.results.multiverse.empty:
        parts.append("perhaps other units, thresholds and bins (no multiverse was run)")
    else:
        parts.append("perhaps other choices, see below")
    said = "; ".join(parts)
    kept = "" if row is None or not math.isfinite(row.estimate) else _kept(study, row)
    return f"{said[:1].upper()}{said[1:]}.{kept} Nothing was perturbed: common input looks like interaction."


def _kept(study: Findings, row: Any) -> str:
    lost = _lost(study, row)
    if lost:
        return f" The difference does not survive {_joined(lost)}."
    return " The difference keeps its sign under the adjustments made." if len(study.adjusted) else ""


_ADJUSTED = {
    "matched_length": "windows of the same length",
    "matched_rate": "the same event rate",
    "matched_detection": "the same detection of events",
    "excess_over_null": "taking the null away",
}


def _lost(study: Findings, row: Any) -> list[str]:
    """Adjustments under which the primary difference turns its sign, or is not significant any more."""
    rows = study.adjusted
    own = rows[(rows["measure"] == row.measure) & (rows["route"] == row.route) & (rows["scale"] == row.scale)]
    own = own[(own["contrast"] == row.contrast) & (own["n_subjects"] > 0)]
    return [
        _ADJUSTED.get(other.adjusted, other.adjusted)
        for other in own.itertuples()
        if other.estimate * row.estimate <= 0 or (row.p <= ALPHA < other.p)
    ]


def absent(study: Findings) -> list[Question]:
    """Say which values are absent from this screen, and why."""
    rows = study.summary[study.summary["measure"] == PHI]
    vague = int((flagged(rows["flag"], "imprecise") & rows["value"].notna()).sum())
    said = [f"{vague} of {len(rows)} values of phi_s, whose interval is wider than the value"] if vague else []
    for measure, name in ((PHI, "phi_s"), ("big_phi", "Φ"), ("effective_information", "effective information")):
        own = study.summary[study.summary["measure"] == measure]
        away = int(flagged(own["flag"], WORD).sum())
        said += [f"{away} of {len(own)} of {name}, which the data cannot carry"] if away else []
    return [("What is absent?", f"{'; '.join(said)}.")] if said else []


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
