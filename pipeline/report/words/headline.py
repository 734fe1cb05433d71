"""The answer in plain sentences, computed from the tables, with no more claimed than they support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA, PRIMARY
from pipeline.inference.subjects import flagged, subject_means, subject_values
from pipeline.inference.withheld import WORD
from pipeline.nulls.parameters import SHOWN
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.endpoint import primary_sentences, secondary_sentences
from pipeline.report.words.glossary import NULL_NAMES, counted, number, probability, short, unit, valued
from pipeline.report.words.testing import split


@dataclass(frozen=True)
class Contrast:
    """One contrast of phi_s at one scale, and what it supports."""

    a: str
    b: str
    n: int
    estimate: float
    low: float
    high: float
    p: float
    p_corrected: float
    attainable_corrected: float  # smallest p that is left after correction
    primary: bool  # the endpoint named beforehand


@dataclass(frozen=True)
class ScaleAnswer:
    """What is said about one scale."""

    scale: StudyScale
    means: pd.Series  # condition -> mean over subjects, largest first
    contrasts: list[Contrast]
    common: list[Contrast]  # the same under one occupancy for all conditions
    sentences: list[str]

    @property
    def order(self) -> tuple[str, ...]:
        """Conditions, that with the largest mean first."""
        return tuple(self.means.index)


def analysed(study: Findings) -> str:
    """One sentence: what was analysed."""
    rows = study.summary.drop_duplicates(["recording", "window"])
    conditions = [c for c in study.conditions if c in set(rows["condition"])]
    kind = "simulated recording" if _all_simulated(study) else "recording"
    scales = ", ".join(map(str, study.scales))
    text = (
        "No recording could be analysed."
        if not study.analysed
        else (
            f"{counted(len(study.analysed), kind)} of {counted(len(study.subjects), 'subject')}, "
            f"{counted(len(rows), 'window')} in {counted(len(conditions), 'condition')} ({', '.join(conditions)}), "
            f"at {counted(len(study.scales), 'scale')} ({scales})."
        )
    )
    failed = {f["recording"] for f in study.failures} - set(study.analysed)
    return text + (
        f" {counted(len(failed), 'recording')} failed and {'is' if len(failed) == 1 else 'are'} left out."
        if failed
        else ""
    )


def answers(study: Findings) -> list[ScaleAnswer]:
    """The answer at each scale that has phi_s."""
    return [a for a in (_answer(study, scale) for scale in study.scales) if a is not None]


def verdict(study: Findings, found: list[ScaleAnswer]) -> list[str]:
    """Write one or two sentences above all others: the ordering, and whether the data support it.

    Args:
        study: what was found in the study.
        found: what each scale says of phi_s.
    """
    if not found:
        return ["No phi_s could be computed; see the failures below."]
    if len(study.conditions) < 2:
        return [
            "The study has a single condition, so nothing is compared; phi_s is "
            + "; ".join(f"{valued(a.means.iloc[0], 'phi_s')} at {a.scale}" for a in found)
            + "."
        ]
    orders = {a.order for a in found}
    where = (
        f"at {'both' if len(found) == 2 else f'all {len(found)}'} scales" if len(found) > 1 else f"({found[0].scale})"
    )
    if len(orders) == 1:
        order = next(iter(orders))
        first = f"phi_s is highest in {order[0]} and lowest in {order[-1]} {where}: {' > '.join(order)}."
    else:
        first = (
            "The order of the conditions by phi_s differs between scales: "
            + "; ".join(f"{' > '.join(a.order)} at {a.scale}" for a in found)
            + "."
        )
    return [
        first,
        *_support(study),
        *_calibrated(study),
        *_imprecise(study),
        *_withheld(study),
        *_by_big_phi(study, found),
        *_beyond_null(study),
    ]


def _by_big_phi(study: Findings, found: list[ScaleAnswer]) -> list[str]:
    """Say where Φ does not order the conditions as phi_s does."""
    other = [a.scale for a in found if _differs(_order(study, a.scale, "big_phi"), a.order)]
    return [f"By Φ the order is another at {' and '.join(map(str, other))}."] if other else []


def _differs(order: tuple[str, ...], by_phi_s: tuple[str, ...]) -> bool:
    """Whether conditions (those whose values are withheld are absent) come in another order than by phi_s."""
    return order != tuple(c for c in by_phi_s if c in order)


def _order(study: Findings, scale: StudyScale, measure: str) -> tuple[str, ...]:
    """Conditions by their mean over subjects, the largest first; without those that are too imprecise for it."""
    return tuple(_means(study, scale, measure)[0].index)


def _means(study: Findings, scale: StudyScale, measure: str) -> tuple[pd.Series, list[str]]:
    """Means over subjects, the largest first, and the conditions whose values are too imprecise to be ordered.

    These are the ones in which at least half of the subjects' values are flagged so.
    """
    values = subject_values(scale.of(study.summary, measure))
    vague = values.groupby("condition")["imprecise"].mean() >= 0.5
    left_out = [c for c in study.conditions if vague.get(c, False)]
    return _ordered(values[~values["condition"].isin(left_out)]), left_out


def _ordered(values: pd.DataFrame) -> pd.Series:
    return subject_means(values).sort_values(ascending=False, kind="stable")


def _imprecise(study: Findings) -> list[str]:
    """Say how many values of phi_s the data do not carry."""
    rows = study.summary[(study.summary["measure"] == "phi_s") & study.summary["value"].notna()]
    n = int(flagged(rows["flag"], "imprecise").sum())
    if not n:
        return []
    return [
        (
            f"{n} of {len(rows)} values of phi_s (windows at all scales) are imprecise: their interval is "
            "wider than the value, so the data do not tell them from their double, or from nothing."
        )
    ]


def _withheld(study: Findings) -> list[str]:
    """Say which values are not told, and why."""
    said = []
    for measure in ("big_phi", "effective_information"):
        rows = study.summary[study.summary["measure"] == measure]
        away = rows[flagged(rows["flag"], WORD)]
        if away.empty:
            continue
        tenfold = int(away["flag"].str.contains(f"{WORD}:tenfold", regex=False).sum())
        why = [f"in {tenfold} the interval spans more than a factor of ten"] if tenfold else []
        few = len(away) - tenfold
        why += [f"in {few} rows of the TPM were hardly visited"] if few else []
        name = short(measure)
        said.append(
            f"{name[:1].upper()}{name[1:]} is withheld for {len(away)} of {len(rows)} windows and scales: "
            f"{', '.join(why)}."
        )
    return [" ".join(said)] if said else []


def _beyond_null(study: Findings) -> list[str]:
    """How many values stand out from the null that is shown."""
    rows = study.nulls[(study.nulls["measure"] == "phi_s") & study.nulls["p"].notna()]
    rows = rows[rows["null"] == study.parameters.get("nulls", {}).get("shown", SHOWN)["phi_s"]]
    if rows.empty:
        return ["No null was computed: it is not known how much of phi_s short data alone would give."]
    if (1 / (1 + rows["n_surrogates"]) > ALPHA).all():
        return [
            f"There are too few surrogates (at most {int(rows['n_surrogates'].max())}) to test phi_s against a null."
        ]
    above, names = int((rows["p"] <= ALPHA).sum()), dict.fromkeys(rows["null"])
    null = ", ".join(NULL_NAMES.get(str(n), str(n)) for n in names)
    return [
        (
            f"{above} of {len(rows)} values of phi_s (windows at all scales) stand out from their null "
            f"({null}; p ≤ {ALPHA:g})."
        )
    ]


def across_scales(study: Findings) -> list[str]:
    """Which scale has the larger phi_s in each condition, subject by subject."""
    parts = [(scale, subject_values(scale.of(study.summary, "phi_s"))) for scale in study.scales]
    if sum(len(own) > 0 for _, own in parts) < 2:
        return []
    values = pd.concat([own.assign(at=str(scale)) for scale, own in parts])
    said = []
    for condition in study.conditions:
        own = values[values["condition"] == condition]
        wide = own.pivot_table(index="subject", columns="at", values="value", sort=False).dropna()
        if wide.empty or wide.shape[1] < 2:
            continue
        both = own[own["subject"].isin(wide.index)]
        means = subject_means(both, by="at")[list(wide)].sort_values(ascending=False, kind="stable")
        best = int((wide.idxmax(axis=1) == means.index[0]).sum())
        listed = ", ".join(f"{valued(v, 'phi_s')} at {at}" for at, v in means.items())
        said.append(
            f"{condition}: largest at {means.index[0]} in {best} of {counted(len(wide), 'subject')} (means: {listed})."
        )
    return said


def _support(study: Findings) -> list[str]:
    """What the tests say: of the primary endpoint, and of the other contrasts."""
    told = [*primary_sentences(study), *secondary_sentences(study)]
    return told or ["No subject has two conditions, so the difference cannot be tested."]


def _calibrated(study: Findings) -> list[str]:
    """How often posterior intervals held what was true of recordings simulated to be like these, before correction."""
    rows = study.summary[(study.summary["measure"] == "phi_s") & (study.summary["n_copies"] > 0)]
    if rows.empty:
        return []
    held, n = int(rows["copies_held"].sum()), int(rows["n_copies"].sum())
    return [
        f"In {n} recordings simulated from the estimates themselves, {study.confidence:.0%} posterior intervals of "
        f"phi_s held the truth in {held} ({held / n:.0%}); values and intervals here are corrected by what these show."
    ]


def _answer(study: Findings, scale: StudyScale) -> ScaleAnswer | None:
    values = subject_values(scale.of(study.summary, "phi_s"))
    if values.empty:
        return None
    means = _ordered(values)
    contrasts = contrasts_of(study, scale, "phi_s")
    order = " > ".join(f"{c} {number(v)}" for c, v in means.items())
    what = "Means over subjects" if values["subject"].nunique() > 1 else "Values of the one subject"
    sentences = [f"{what}: {order} {unit('phi_s')}.{_consistency(values, means)}"]
    sentences += _above_zero(study, scale)
    sentences += _other_orders(study, scale, tuple(means.index))
    sentences += _common(study, scale, contrasts)
    sentences += _against_null(study, scale)
    return ScaleAnswer(scale, means, contrasts, contrasts_of(study, scale, "phi_s_common"), sentences)


def _above_zero(study: Findings, scale: StudyScale) -> list[str]:
    """P(phi_s > 0), mean over windows: an interval of values that are never negative cannot tell it."""
    rows = scale.of(study.summary, "phi_s")
    mean = rows.groupby("condition")["p_positive"].mean().reindex(study.conditions).dropna()
    if mean.empty:
        return []
    listed = ", ".join(f"{c} {number(p, 2)}" for c, p in mean.items())
    return [f"P(phi_s > 0), the mean over windows of the share of posterior draws: {listed}."]


def _other_orders(study: Findings, scale: StudyScale, order: tuple[str, ...]) -> list[str]:
    """Φ and effective information, and whether they order the conditions as phi_s does."""
    said = []
    for measure in ("big_phi", "effective_information"):
        means, vague = _means(study, scale, measure)
        parts = []
        if len(means):
            listed = " > ".join(f"{c} {number(v)}" for c, v in means.items())
            another = ", another order than by phi_s" if _differs(tuple(means.index), order) else ""
            parts.append(f"{listed} {unit(measure)}{another}")
        parts += [f"too imprecise to be ordered in {' and '.join(vague)}"] if vague else []
        name = short(measure)
        said += [f"{name[:1].upper()}{name[1:]}: {'; '.join(parts)}."] if parts else []
    return [" ".join(said)] if said else []


def _consistency(values: pd.DataFrame, means: pd.Series) -> str:
    if len(means) < 2:
        return ""
    wide = values.pivot_table(index="subject", columns="condition", values="value")
    pair = wide[[means.index[0], means.index[-1]]].dropna()
    above = int((pair.iloc[:, 0] > pair.iloc[:, 1]).sum())
    return (
        f" {above} of {counted(len(pair), 'subject')} {'has' if above == 1 else 'have'} {means.index[0]} above "
        f"{means.index[-1]}."
    )


def contrasts_of(study: Findings, scale: StudyScale, measure: str) -> list[Contrast]:
    """Return the contrasts of a measure at a scale that have an estimate.

    Args:
        study: what was found in the study.
        scale: one of its scales.
        measure: name of the measure.
    """
    table = scale.of(study.comparison, measure)
    return [_contrast(row) for row in table[table["estimate"].notna()].itertuples()]


def _contrast(row: Any) -> Contrast:
    a, b = split(row.contrast)
    return Contrast(
        a,
        b,
        int(row.n_subjects),
        row.estimate,
        row.ci_low,
        row.ci_high,
        row.p,
        row.p_corrected,
        attainable_corrected=row.smallest_p_corrected,
        primary=row.role == PRIMARY,
    )


def _common(study: Findings, scale: StudyScale, contrasts: list[Contrast]) -> list[str]:
    """Whether differences stay when every condition is given the same occupancy."""
    common = {(c.a, c.b): c for c in contrasts_of(study, scale, "phi_s_common")}
    pairs = [(c, common[c.a, c.b]) for c in contrasts if (c.a, c.b) in common]
    if not pairs:
        return []
    same = sum(np.sign(c.estimate) == np.sign(k.estimate) for c, k in pairs)
    largest, shared = max(pairs, key=lambda pair: abs(pair[0].estimate))
    return [
        (
            f"With one occupancy for all conditions, {same} of {len(pairs)} differences keep their sign "
            f"({largest.a} − {largest.b}: {number(shared.estimate)} instead of "
            f"{valued(largest.estimate, 'phi_s')}); what is left is a difference of the observed transition "
            "probabilities, what is gone came from which states are visited."
        )
    ]


def _against_null(study: Findings, scale: StudyScale) -> list[str]:
    """How many windows of each condition exceed their nulls, family by family."""
    table = scale.of(study.nulls, "phi_s")
    table = table[table["p"].notna()]
    if table.empty:
        return ["No null was computed, so it is not known whether these values differ from those of unconnected units."]
    macro = [other for other in study.scales if other.route == "macro_units"]
    several = len(macro) if len(macro) > 1 and scale in macro else 0
    return [_family(study, str(family), rows, several) for family, rows in table.groupby("null", sort=False)]


def _family(study: Findings, family: str, rows: pd.DataFrame, several: int) -> str:
    """One null family; where there are too few surrogates for a p of 5%, windows above all of them.

    One of `several` macro scales is tested over all of them.
    """
    smallest = 1 / (1 + rows["n_surrogates"])
    decidable, over = bool((smallest <= ALPHA).all()), bool(several and rows["p_scales"].notna().all())
    above = rows["p_scales" if over else "p"] <= (ALPHA if decidable else smallest + 1e-9)
    corrected = f", corrected over the {several} macro scales" if over else ""
    condition = [study.condition_of(r, w) for r, w in zip(rows["recording"], rows["window"], strict=True)]
    of = above.groupby(np.array(condition, dtype=str)).agg(["sum", "count"])
    counts = ", ".join(f"{c} {of['sum'][c]} of {of['count'][c]}" for c in study.conditions if c in of.index)
    name = NULL_NAMES.get(family, family)
    if decidable:
        return f"Windows with phi_s above the null “{name}” at p ≤ {ALPHA:g}{corrected}: {counts}."
    n = int(rows["n_surrogates"].max())
    return (
        f"Windows with phi_s above all of the {counted(n, 'surrogate')} of the null “{name}”: {counts}. With "
        f"so few, p cannot fall below {probability(float(smallest.min()))}: a comparison, not a test."
    )


def _all_simulated(study: Findings) -> bool:
    return bool(study.analysed) and all(r in study.truths for r in study.analysed)
