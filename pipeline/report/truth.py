"""What was planted in simulated recordings, in terms of the units that the analysis found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.report.data import Scale, Study

COMPARED = ("phi_s", "big_phi", "effective_information")


def planted(study: Study, scale: Scale, measure: str) -> pd.DataFrame:
    """Planted values of a measure: columns recording, subject, condition, value (no rows if unknown)."""
    rows = [
        {"recording": name, "subject": truth["subject"], "condition": condition, "value": entry[measure]}
        for name, truth in study.truths.items()
        if name in study.analysed
        for condition, known in truth["conditions"].items()
        if condition in study.conditions
        for entry in known["scales"]
        if Scale(entry["route"], int(entry["scale"])) == scale and entry.get(measure) is not None
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["recording", "subject", "condition", "value"])


def planted_grouping(
    truth: dict[str, Any], condition: str, size: int
) -> tuple[list[int], list[str]] | None:
    """Group of each *true* ensemble and the mappings at a macro scale, or None where nothing was planted."""
    for entry in truth["conditions"].get(condition, {}).get("scales", ()):
        if entry["route"] == "macro_units" and int(entry["scale"]) == size and "group" in entry:
            return list(entry["group"]), list(entry.get("mapping", ()))
    return None


def true_ensembles(truth: dict[str, Any], ensembles: xr.Dataset) -> list[int]:
    """For each unit of the analysis, the true ensemble that most of its neurons belong to."""
    label = ensembles["label"].values
    names = [str(n) for n in ensembles["neuron"].values]
    own = truth["neuron_ensemble"]
    found = []
    for unit in range(ensembles.sizes["ensemble"]):
        members = Counter(
            own[n] for n, k in zip(names, label, strict=True) if k == unit and n in own
        )
        found.append(members.most_common(1)[0][0] if members else -1)
    return found


def same_partition(a: list[int], b: list[int]) -> bool:
    """Whether two groupings put the same units together, whatever the groups are called."""
    a_, b_ = np.asarray(a), np.asarray(b)
    return a_.shape == b_.shape and bool(np.all((a_[:, None] == a_) == (b_[:, None] == b_)))


def recovered(
    study: Study, recording: str, window: str, size: int, group: list[int]
) -> bool | None:
    """Whether a learned grouping is the planted one; None where none was planted or units cannot be matched."""
    truth, ensembles = study.truths.get(recording), study.dataset("ensembles", recording)
    if truth is None or ensembles is None:
        return None
    known = planted_grouping(truth, study.condition_of(recording, window), size)
    matched = true_ensembles(truth, ensembles)
    if known is None or -1 in matched or len(matched) != len(group):
        return None
    return same_partition(group, [known[0][k] for k in matched])


@dataclass(frozen=True)
class _Pair:
    recording: str
    condition: str
    route: str
    scale: int
    measure: str
    truth: float
    value: float
    ci_low: float
    ci_high: float


def truth_pairs(study: Study) -> pd.DataFrame:
    """Planted and estimated values side by side: one row per window, scale and measure."""
    pairs = []
    for scale in study.scales:
        estimates = scale.of(study.summary)
        for measure in COMPARED:
            known = planted(study, scale, measure)
            rows = estimates[estimates["measure"] == measure].merge(
                known[["recording", "condition", "value"]].rename(columns={"value": "truth"}),
                on=["recording", "condition"],
            )
            pairs += [
                _Pair(r.recording, r.condition, scale.route, scale.size, measure, r.truth, r.value, r.ci_low, r.ci_high)
                for r in rows[rows["value"].notna()].itertuples()
            ]  # fmt: skip
    return pd.DataFrame(pairs, columns=list(_Pair.__dataclass_fields__))
