"""What was planted in simulated recordings, in terms of the units that the analysis found."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.integration import batch as measures
from pipeline.macro import groupings
from pipeline.report.data import Scale, Study

COMPARED = ("phi_s", "big_phi", "effective_information")
MOST_UNITS = 6  # beyond, the true integrated information is not computed for the report
MOST_UNITS_BIG_PHI = 4  # the same of whole structures
KINDS = ("planted", "unlimited")  # from the interventional TPM, from the observational one
COLUMNS = ("recording", "subject", "condition", "window", "route", "scale", "measure", *KINDS)
OTHER_MAPPING = "pairs, other mapping"


@lru_cache(maxsize=1)
def known_values(study: Study) -> pd.DataFrame:
    """True values of the systems that were estimated: COLUMNS, one row per window, scale and measure.

    Macro units are those that were learned, with their mapping, wherever each unit of the analysis
    is one of the true ensembles. `planted` is from the interventional TPM of the substrate;
    `unlimited` from the observational one, which recordings of any length would approach: what
    separates the two is common drive, what separates an estimate from `unlimited` is observation,
    binarization and the amount of data. NaN where one of them is not known.
    """
    micro = study.summary.query("route == 'micro'")[list(COLUMNS[:6])].drop_duplicates()
    macro = [found for found in study.tpms if found[2].route == "macro_units"]
    rows: list[dict[str, Any]] = []
    for row in micro.to_dict("records"):
        known = _condition(study, row["recording"], row["condition"])
        if known:
            rows += _rows(row, micro_truth(known, int(row["scale"])))
    for recording, window, scale, tpm in macro:
        condition = study.condition_of(recording, window)
        known = _condition(study, recording, condition)
        grouping = in_true_units(study, recording, tpm)
        if known and grouping is not None:
            head = dict(zip(COLUMNS, (recording, study.truths[recording]["subject"], condition, window, scale.route, scale.size), strict=False))  # fmt: skip
            rows += _rows(head, macro_truth(known, grouping))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _condition(study: Study, recording: str, condition: str) -> dict[str, Any]:
    return study.truths.get(recording, {}).get("conditions", {}).get(condition, {})


def _rows(head: dict[str, Any], values: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    return [
        {**head, "measure": measure, **dict(zip(KINDS, pair, strict=True))}
        for measure, pair in values.items()
        if np.isfinite(pair).any()
    ]


def micro_truth(known: dict[str, Any], size: int) -> dict[str, tuple[float, float]]:
    """True values (planted, unlimited) of all units together; none where the units are not the true ones."""
    entry = next((e for e in known["scales"] if (e["route"], int(e["scale"])) == ("micro", size)), None)
    if entry is None:
        return {}
    p_on, occupancy = tpms_of(known)
    found = {m: (float(entry.get(m, np.nan)), np.nan) for m in COMPARED}
    if p_on is not None:
        own = _values(p_on, occupancy, phi_s="phi_s_observational" not in entry)
        found |= {m: (own[m][0] if np.isnan(v) else v, own[m][1]) for m, (v, _) in found.items()}
    if "phi_s_observational" in entry:
        found["phi_s"] = (found["phi_s"][0], float(entry["phi_s_observational"]))
    return found


def macro_truth(known: dict[str, Any], grouping: groupings.Grouping) -> dict[str, tuple[float, float]]:
    """True values (planted, unlimited) of macro units over the true ensembles."""
    p_on, occupancy = tpms_of(known)
    if p_on is None or p_on.shape[-1] != len(grouping.group):
        return {}
    macro = grouping.macro_p_on(p_on)
    return _values(macro, np.bincount(grouping.macro_state(), occupancy, macro.shape[-2]))


def tpms_of(known: dict[str, Any]) -> tuple[np.ndarray | None, np.ndarray]:
    """Interventional and observational P(ON), (2, 2**n, n), and the occupancy; None above 8 units."""
    if known.get("tpm") is None:
        return None, np.empty(0)
    planted = np.array(known["tpm"])
    seen = known.get("tpm_observational")
    unlimited = np.full_like(planted, np.nan) if seen is None else np.array(seen)
    return np.stack([planted, unlimited]), np.array(known["occupancy"])


def _values(p_on: np.ndarray, occupancy: np.ndarray, *, phi_s: bool = True) -> dict[str, tuple[float, float]]:
    """The compared measures of both TPMs, means over all states weighted with their true occupancy."""
    there, states, n = np.isfinite(p_on).all(axis=(1, 2)), np.arange(p_on.shape[1]), p_on.shape[-1]
    found = {m: np.full(len(p_on), np.nan) for m in COMPARED}
    known = p_on[there]
    found["effective_information"][there] = measures.causal_measures(known)["effective_information"]
    if phi_s and n <= MOST_UNITS:
        found["phi_s"][there] = measures.system_phi(known, states) @ occupancy
    if n <= MOST_UNITS_BIG_PHI:
        found["big_phi"][there] = measures.structures(known, states)["big_phi"] @ occupancy
    return {m: (float(v[0]), float(v[1])) for m, v in found.items()}


def planted(study: Study, scale: Scale, measure: str) -> pd.DataFrame:
    """Planted values of a measure: recording, subject, condition, value (no rows if unknown).

    A recording's windows of one condition are averaged (their macro units may differ).
    """
    rows = scale.of(known_values(study))
    rows = rows[(rows["measure"] == measure) & rows["condition"].isin(study.conditions)]
    keys = ["recording", "subject", "condition"]
    own = rows.rename(columns={"planted": "value"}).dropna(subset="value")
    return own.groupby(keys, sort=False, as_index=False)["value"].mean()[[*keys, "value"]]


def planted_grouping(truth: dict[str, Any], condition: str, size: int) -> tuple[list[int], list[str]] | None:
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
        members = Counter(own[n] for n, k in zip(names, label, strict=True) if k == unit and n in own)
        found.append(members.most_common(1)[0][0] if members else -1)
    return found


def in_true_units(study: Study, recording: str, tpm: xr.Dataset) -> groupings.Grouping | None:
    """A learned grouping over the true ensembles, or None unless the units are these, one for one."""
    truth, ensembles = study.truths.get(recording), study.dataset("ensembles", recording)
    if truth is None or ensembles is None or "group" not in tpm:
        return None
    matched, group = true_ensembles(truth, ensembles), [int(g) for g in tpm["group"].values]
    if sorted(matched) != list(range(len(group))):
        return None
    of_true = tuple(group[matched.index(k)] for k in range(len(group)))
    return groupings.Grouping(of_true, tuple(str(m) for m in tpm["mapping"].values))


def recovered(study: Study, recording: str, window: str, tpm: xr.Dataset) -> str:
    """Whether a learned grouping is the planted one: "yes", OTHER_MAPPING, "no".

    Empty where none was planted, or the units are not the true ensembles.
    """
    found = in_true_units(study, recording, tpm)
    if found is None:
        return ""
    size, condition = len(found.mapping), study.condition_of(recording, window)
    known = planted_grouping(study.truths[recording], condition, size)
    if known is None:
        return ""
    return likeness(found, groupings.Grouping(tuple(known[0]), tuple(known[1])))


def likeness(found: groupings.Grouping, planted: groupings.Grouping) -> str:
    """Compare partition and mapping, whatever the groups are called; "or" of one unit is its "and"."""
    if set(found.blocks) != set(planted.blocks):
        return "no"
    same = dict(zip(found.blocks, found.thresholds, strict=True)) == dict(
        zip(planted.blocks, planted.thresholds, strict=True)
    )
    return "yes" if same else OTHER_MAPPING


def truth_pairs(study: Study) -> pd.DataFrame:
    """True and estimated values side by side: COLUMNS and value, ci_low, ci_high of the estimate."""
    keys = list(COLUMNS[:7])
    estimates = study.summary[study.summary["value"].notna()]
    estimates = estimates[[*keys, "value", "ci_low", "ci_high"]]
    pairs = known_values(study).merge(estimates, on=keys)
    order = {scale: i for i, scale in enumerate(study.scales)}
    rank = [order[Scale(r, int(n))] for r, n in zip(pairs["route"], pairs["scale"], strict=True)]
    measure = pairs["measure"].map({m: i for i, m in enumerate(COMPARED)})
    sort = pairs.assign(rank=rank, at=measure).sort_values(["rank", "at"], kind="stable")
    return sort.drop(columns=["rank", "at"]).reset_index(drop=True)
