"""Estimates beside the truth of simulated recordings, in terms of the units that the analysis found.

A truth is what `simulation.truth` writes: per recording its `neuron_ensemble` (the true ensemble of each neuron) and,
per condition, the interventional and the observational TPM, their occupancy, and the scales that were planted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from iitcore import Formalism
from pipeline.base.arrays import Floats
from pipeline.integration import batch
from pipeline.integration.occupancy import window_of
from pipeline.macro.groupings import Grouping
from pipeline.results.columns import ROUTES, TRUE_GROUPINGS, TRUTH
from pipeline.results.measures import MEASURES, WITH_TRUTH
from pipeline.results.tables import table

MOST_UNITS = 6  # beyond, the true integrated information is not computed here
MOST_UNITS_BIG_PHI = 4  # the same of whole structures
KINDS = ("planted", "unlimited")  # from the interventional TPM, from the observational one
KEYS = ["recording", "subject", "condition", "window", "route", "scale", "measure"]
STORED: Formalism = "2023"  # what truths hold phi_s of
OTHER_MAPPING = "pairs, other mapping"

Truth = Mapping[str, Any]  # of one recording
Known = Mapping[str, Any]  # of one condition of it
Pair = tuple[float, float]  # planted, unlimited


def hold_against_truth(
    summary: pd.DataFrame,
    truths: Mapping[str, Truth],
    macro: Iterable[xr.Dataset] = (),
    ensembles: Mapping[str, xr.Dataset] | None = None,
    formalism: Formalism = STORED,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is true of the systems that were estimated, beside the estimates.

    Macro units are those that were learned, with their mapping, wherever each unit of the analysis is one of the true
    ensembles. `planted` is from the interventional TPM of the substrate; `unlimited` from the observational one, which
    recordings of any length would approach: what separates the two is common drive, what separates an estimate from
    `unlimited` is observation, binarization and the amount of data. NaN where one of them is not known.

    Args:
        summary: rows of summary.csv.
        truths: truth of each recording of which something is known, by recording.
        macro: macro TPMs (`macro.coarse_grain`).
        ensembles: the ensembles of each recording with macro units, by recording.
        formalism: version of the theory that the estimates are of.

    Returns:
        The tables truth.csv and true_groupings.csv (see `results.columns`); without rows where nothing is known.
    """
    known = [tpm for tpm in macro if tpm.attrs["recording"] in truths and "group" in tpm]
    ensembles = ensembles or {}
    rows = _micro_rows(summary, truths, formalism)
    groupings = []
    for tpm in sorted(known, key=lambda found: (*window_of(found), found.sizes["unit"])):
        truth, units = truths[tpm.attrs["recording"]], ensembles.get(tpm.attrs["recording"])
        head = _head(tpm)
        found = in_true_units(truth, units, tpm)
        if found is not None:
            rows += _rows(head, macro_truth(_condition(truth, head["condition"]), found, formalism))
        groupings.append(head | _recovery(truth, units, tpm, found))
    return _beside_estimates(rows, summary), table(groupings, TRUE_GROUPINGS.names)


def _micro_rows(summary: pd.DataFrame, truths: Mapping[str, Truth], formalism: Formalism) -> list[dict[str, Any]]:
    micro = summary[(summary["route"] == "micro") & summary["recording"].isin(list(truths))]
    rows: list[dict[str, Any]] = []
    for head in micro[KEYS[:-1]].drop_duplicates().to_dict("records"):
        known = _condition(truths[head["recording"]], head["condition"])
        rows += _rows(head, micro_truth(known, int(head["scale"]), formalism))
    return rows


def _head(tpm: xr.Dataset) -> dict[str, Any]:
    named = {key: str(tpm.attrs[key]) for key in ("recording", "subject", "condition", "window")}
    return named | {"route": "macro_units", "scale": tpm.sizes["unit"]}


def _condition(truth: Truth, condition: str) -> Known:
    known: Known = truth.get("conditions", {}).get(condition, {})
    return known


def _rows(head: dict[str, Any], values: Mapping[str, Pair]) -> list[dict[str, Any]]:
    if "phi_s" in values:  # of an estimator that tells both, one stands for the one truth and one for the other
        values = {**values, "phi_s_observational": (np.nan, values["phi_s"][1])}
    return [
        {**head, "measure": measure, **dict(zip(KINDS, pair, strict=True))}
        for measure, pair in values.items()
        if np.isfinite(pair).any()
    ]


def _beside_estimates(rows: list[dict[str, Any]], summary: pd.DataFrame) -> pd.DataFrame:
    """True values with the estimates of the same systems, micro scales first, then measure by measure."""
    known = pd.DataFrame(rows, columns=[*KEYS, *KINDS])
    pairs = known.merge(summary[[*KEYS, "value", "ci_low", "ci_high"]], how="left", on=KEYS)
    pairs = pairs[(pairs["measure"] != "phi_s_observational") | pairs["value"].notna()]
    for kind in KINDS:
        pairs[f"contains_{kind}"] = [
            contains(p.ci_low, p.ci_high, true) for p, true in zip(pairs.itertuples(), pairs[kind], strict=True)
        ]
    order = pairs.assign(
        by_route=pairs["route"].map(list(ROUTES).index),
        by_size=-pairs["scale"].astype(float),
        by_measure=pairs["measure"].map(list(MEASURES).index),
    )
    order = order.sort_values(["by_route", "by_size", "by_measure"], kind="stable")
    return table(order.to_dict("records"), TRUTH.names)


def contains(low: float, high: float, true: float) -> str:
    """Say whether an interval contains a value: "yes", "no", or "" where either is not known.

    Args:
        low: lower end of the interval, or NaN.
        high: upper end, or NaN.
        true: the value, or NaN.
    """
    if not np.isfinite([low, high, true]).all():
        return ""
    return "yes" if low <= true <= high else "no"


def micro_truth(known: Known, size: int, formalism: Formalism = STORED) -> dict[str, Pair]:
    """Return the true values of all units together; none where the units are not the true ones.

    Args:
        known: truth of one condition.
        size: number of units that were analysed.
        formalism: version of the theory; what a truth holds of another is not taken.
    """
    scales = known.get("scales", ())
    entry = next((e for e in scales if (e["route"], int(e["scale"])) == ("micro", size)), None)
    if entry is None:
        return {}
    p_on, occupancy = tpms_of(known)
    if formalism != STORED:
        entry = {name: value for name, value in entry.items() if not name.startswith("phi_s")}
    found = {m: (float(entry.get(m, np.nan)), np.nan) for m in WITH_TRUTH}
    if p_on is not None:
        own = _values(p_on, occupancy, formalism, phi_s="phi_s_observational" not in entry)
        found |= {m: (own[m][0] if np.isnan(v) else v, own[m][1]) for m, (v, _) in found.items()}
    if "phi_s_observational" in entry:
        found["phi_s"] = (found["phi_s"][0], float(entry["phi_s_observational"]))
    return found


def macro_truth(known: Known, grouping: Grouping, formalism: Formalism = STORED) -> dict[str, Pair]:
    """Return the true values of macro units.

    Args:
        known: truth of one condition.
        grouping: the macro units, over the true ensembles (`in_true_units`).
        formalism: version of the theory.
    """
    p_on, occupancy = tpms_of(known)
    if p_on is None or p_on.shape[-1] != len(grouping.group):
        return {}
    there, n = np.isfinite(p_on).all(axis=(1, 2)), len(grouping.mapping)
    macro = np.full((len(p_on), 2**n, n), np.nan)
    macro[there] = grouping.macro_p_on(p_on[there])
    image: Floats = np.bincount(grouping.macro_state(), occupancy, macro.shape[-2]).astype(float)
    return _values(macro, image, formalism)


def tpms_of(known: Known) -> tuple[Floats | None, Floats]:
    """Return P(ON) of the interventional and the observational TPM, (2, 2**n, n), and the occupancy, (2**n,).

    None above 8 units, where a truth does not hold them.
    """
    if known.get("tpm") is None:
        return None, np.empty(0)
    planted = np.array(known["tpm"])
    seen = known.get("tpm_observational")
    unlimited = np.full_like(planted, np.nan) if seen is None else np.array(seen)
    return np.stack([planted, unlimited]), np.array(known["occupancy"])


def _values(p_on: Floats, occupancy: Floats, formalism: Formalism, *, phi_s: bool = True) -> dict[str, Pair]:
    """The measures of both TPMs, means over all states weighted with their true occupancy."""
    there, states, n = np.isfinite(p_on).all(axis=(1, 2)), np.arange(p_on.shape[1]), p_on.shape[-1]
    found = {m: np.full(len(p_on), np.nan) for m in WITH_TRUTH}
    known = p_on[there]
    found["effective_information"][there] = batch.causal_measures(known)["effective_information"]
    if phi_s and n <= MOST_UNITS:
        found["phi_s"][there] = batch.system_phi(known, states, formalism=formalism) @ occupancy
    if n <= MOST_UNITS_BIG_PHI:
        found["big_phi"][there] = batch.structures(known, states, formalism=formalism)["big_phi"] @ occupancy
    return {m: (float(v[0]), float(v[1])) for m, v in found.items()}


def true_ensembles(truth: Truth, ensembles: xr.Dataset) -> list[int]:
    """Return, for each unit of the analysis, the true ensemble that most of its neurons belong to; -1 for none.

    Args:
        truth: of the recording.
        ensembles: (neuron,) `label`, the unit of each neuron; dim `ensemble`.
    """
    label = ensembles["label"].values
    names = [str(n) for n in ensembles["neuron"].values]
    own = truth["neuron_ensemble"]
    found = []
    for unit in range(ensembles.sizes["ensemble"]):
        members = Counter(own[n] for n, k in zip(names, label, strict=True) if k == unit and n in own)
        found.append(members.most_common(1)[0][0] if members else -1)
    return found


def in_true_units(truth: Truth, ensembles: xr.Dataset | None, tpm: xr.Dataset) -> Grouping | None:
    """Return a learned grouping over the true ensembles, or None unless the units are these, one for one.

    Args:
        truth: of the recording.
        ensembles: (neuron,) `label`, the unit of each neuron; None where there are none.
        tpm: a macro TPM, with the `group` of each micro unit and the `mapping` of each macro unit.
    """
    if ensembles is None or "group" not in tpm:
        return None
    matched, group = true_ensembles(truth, ensembles), [int(g) for g in tpm["group"].values]
    if sorted(matched) != list(range(len(group))):
        return None
    of_true = tuple(group[matched.index(k)] for k in range(len(group)))
    return Grouping(of_true, tuple(str(m) for m in tpm["mapping"].values))


def planted_grouping(truth: Truth, condition: str, size: int) -> Grouping | None:
    """Return the macro units that were planted at a scale, over the true ensembles; None where there are none.

    Args:
        truth: of the recording.
        condition: one of its conditions.
        size: number of macro units.
    """
    for entry in _condition(truth, condition).get("scales", ()):
        if entry["route"] == "macro_units" and int(entry["scale"]) == size and "group" in entry:
            return Grouping(tuple(entry["group"]), tuple(entry.get("mapping", ())))
    return None


def _recovery(truth: Truth, ensembles: xr.Dataset | None, tpm: xr.Dataset, found: Grouping | None) -> dict[str, str]:
    """Where the planted macro units are among the units of the analysis, and whether they were found."""
    planted = planted_grouping(truth, str(tpm.attrs["condition"]), tpm.sizes["unit"])
    if planted is None or ensembles is None:
        return {"planted_group": "", "recovered": ""}
    matched = true_ensembles(truth, ensembles)
    placed = set(matched) <= set(range(len(planted.group))) and len(matched) == tpm.sizes["micro_unit"]
    return {
        "planted_group": " ".join(str(planted.group[k]) for k in matched) if placed else "",
        "recovered": "" if found is None else likeness(found, planted),
    }


def likeness(found: Grouping, planted: Grouping) -> str:
    """Compare partition and mapping, whatever the groups are called. An "or" of one unit is its "and".

    Args:
        found: the grouping that was learned.
        planted: the grouping that is true.

    Returns:
        "yes"; OTHER_MAPPING where only the partition is the same; "no".

    >>> likeness(Grouping((1, 1, 0, 0), ("and", "and")), Grouping((0, 0, 1, 1), ("and", "or")))
    'pairs, other mapping'
    """
    if set(found.blocks) != set(planted.blocks):
        return "no"
    same = dict(zip(found.blocks, found.thresholds, strict=True)) == dict(
        zip(planted.blocks, planted.thresholds, strict=True)
    )
    return "yes" if same else OTHER_MAPPING
