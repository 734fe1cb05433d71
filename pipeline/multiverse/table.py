"""The table of specifications: what each finds of the difference that all of them estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Floats
from pipeline.base.seeds import generator
from pipeline.inference.parameters import Compare
from pipeline.inference.resampling import bootstrap_interval, sign_flip
from pipeline.inference.subjects import subject_values
from pipeline.multiverse.curve import curve_test, explained
from pipeline.multiverse.specification import Estimand, Specification
from pipeline.results.columns import MULTIVERSE
from pipeline.results.tables import table

_DEFAULT = Compare()


@dataclass(frozen=True, eq=False)
class Finding:
    """What came of one specification.

    Attributes:
        specification: the specification.
        summary: rows of its summary.csv.
        units: number of its units.
        incomplete: something failed in it.
        why: what is said where it has no value.
    """

    specification: Specification
    summary: pd.DataFrame
    units: int
    incomplete: bool = False
    why: str = ""


def gather(
    findings: Sequence[Finding],
    goal: Estimand,
    *,
    bootstrap: int = _DEFAULT.bootstrap,
    permutations: int = _DEFAULT.permutations,
    confidence: float = _DEFAULT.confidence,
    seed: int = 0,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the table of specifications and the test of all of them together.

    Args:
        findings: of every specification.
        goal: what all of them estimate.
        bootstrap: resamples of the subjects (all of them where there are fewer).
        permutations: sign flips (all of them where there are fewer).
        confidence: level of the intervals.
        seed: of the study.

    Returns:
        Columns of multiverse.csv, a row per finding; and `curve_test` with `explained` as plain values.
    """
    rows, differences = [], []
    for finding in findings:
        own = _rows_of(finding, goal)
        a, b = _by_subject(own, goal)
        both = a.index.intersection(b.index).sort_values()
        apart = a[both] - b[both]
        differences.append(apart)
        row = _head(finding, goal, own) | {"n_subjects": len(both)}
        if len(both):
            values: Floats = apart.to_numpy(float)
            rng = generator(seed, "multiverse", finding.specification.name)
            low, high = bootstrap_interval(values, bootstrap, confidence, rng)
            p = sign_flip(values, permutations, rng)[0]
            row |= {"mean_a": a[both].mean(), "mean_b": b[both].mean(), "estimate": values.mean()}
            row |= {"ci_low": low, "ci_high": high, "p": p, "failed": ""}
        rows.append(row)
    wide = pd.concat(differences, axis=1).sort_index() if differences else pd.DataFrame()
    test = curve_test(wide.to_numpy(float).T, permutations, generator(seed, "multiverse curve"))
    found = table(rows, MULTIVERSE.names)
    known = found["estimate"].notna().to_numpy()
    choices = [f.specification.choices for f, has in zip(findings, known, strict=True) if has]
    estimates: Floats = found["estimate"].to_numpy(float)[known]
    facts = {name: _plain(value) for name, value in vars(test).items()}
    return found, {"test": facts, "explained": explained(choices, estimates)}


def _rows_of(finding: Finding, goal: Estimand) -> pd.DataFrame:
    summary = finding.summary
    mine = (summary["measure"] == goal.measure) & (summary["route"] == goal.route)
    mine &= (summary["scale"] == goal.scale(finding.units)) & summary["condition"].isin(goal.contrast)
    return summary[mine]


def _by_subject(rows: pd.DataFrame, goal: Estimand) -> tuple[pd.Series, pd.Series]:
    values = subject_values(rows)
    a, b = (values[values["condition"] == condition].set_index("subject")["value"] for condition in goal.contrast)
    return a.astype(float), b.astype(float)


def _head(finding: Finding, goal: Estimand, rows: pd.DataFrame) -> dict[str, Any]:
    """Return what a row says besides its numbers."""
    words = {word.partition(":")[0] for flag in rows["flag"] for word in str(flag).split(";") if word}
    words |= {"incomplete"} if finding.incomplete else set()
    return {
        "specification": finding.specification.name,
        "main": "yes" if finding.specification.main else "",
        "choices": finding.specification.told,
        "measure": goal.measure,
        "route": goal.route,
        "scale": goal.scale(finding.units),
        "contrast": "-".join(goal.contrast),
        "estimator": " + ".join(sorted(set(map(str, rows["estimator"])))),
        "flag": ";".join(sorted(words)),
        "failed": finding.why or "no subject has a value in both conditions",
        **dict.fromkeys(("mean_a", "mean_b", "estimate", "ci_low", "ci_high", "p"), np.nan),
    }


def _plain(value: float) -> float | int | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.10g}") if np.isfinite(value) else None
