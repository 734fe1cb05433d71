"""What was analysed, and what each scale says, in plain sentences with no more claimed than the tables support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA
from pipeline.inference.subjects import subject_means
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.glossary import NULL_NAMES, counted, number, probability, short, unit, valued


@dataclass(frozen=True)
class ScaleAnswer:
    """What is said about one scale."""

    scale: StudyScale
    sentences: list[str]


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


def _differs(order: tuple[str, ...], by_phi_s: tuple[str, ...]) -> bool:
    """Whether conditions (those whose values are withheld are absent) come in another order than by phi_s."""
    return order != tuple(c for c in by_phi_s if c in order)


def _means(study: Findings, scale: StudyScale, measure: str) -> tuple[pd.Series, list[str]]:
    """Means over subjects, the largest first, and the conditions whose values are too imprecise to be ordered.

    These are the ones in which at least half of the subjects' values are flagged so.
    """
    values = scale.of(study.values, measure)
    vague = values.groupby("condition")["imprecise"].mean() >= 0.5
    left_out = [c for c in study.conditions if vague.get(c, False)]
    return _ordered(values[~values["condition"].isin(left_out)]), left_out


def _ordered(values: pd.DataFrame) -> pd.Series:
    return subject_means(values).sort_values(ascending=False, kind="stable")


def _answer(study: Findings, scale: StudyScale) -> ScaleAnswer | None:
    values = scale.of(study.values, "phi_s")
    if values.empty:
        return None
    means = _ordered(values)
    order = " > ".join(f"{c} {number(v)}" for c, v in means.items())
    what = "Means over subjects" if values["subject"].nunique() > 1 else "Values of the one subject"
    sentences = [f"{what}: {order} {unit('phi_s')}.{_consistency(values, means)}"]
    sentences += _above_zero(study, scale)
    sentences += _other_orders(study, scale, tuple(means.index))
    sentences += _common(study, scale)
    sentences += _against_null(study, scale)
    return ScaleAnswer(scale, sentences)


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


def _common(study: Findings, scale: StudyScale) -> list[str]:
    """Whether differences stay when every condition is given the same occupancy."""
    own, common = (
        {row.contrast: row for row in rows[rows["estimate"].notna()].itertuples()}
        for rows in (scale.of(study.comparison, measure) for measure in ("phi_s", "phi_s_common"))
    )
    pairs = [(row, common[name]) for name, row in own.items() if name in common]
    if not pairs:
        return []
    same = sum(np.sign(row.estimate) == np.sign(other.estimate) for row, other in pairs)
    largest, shared = max(pairs, key=lambda pair: abs(pair[0].estimate))
    return [
        f"With one occupancy for all conditions, {same} of {len(pairs)} differences keep their sign "
        f"({largest.contrast.replace('-', ' − ')}: {number(shared.estimate)} instead of "
        f"{valued(largest.estimate, 'phi_s')}); what is left is a difference of the observed transition "
        "probabilities, what is gone came from which states are visited."
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
