"""What the numbers of this study cannot say, told from the data at hand."""

from __future__ import annotations

import numpy as np

from pipeline.report.data import Study
from pipeline.report.figures import window_means
from pipeline.report.glossary import number, probability
from pipeline.report.grouping_figures import Grouping
from pipeline.report.headline import ALPHA, attainable_p, corrected_p, needed

MAX_RESIDUAL = 0.1  # instantaneous correlation left given the past
MAX_STATIONARITY_Z = 3.0
RATE_RATIO = 1.5


def limits(study: Study, found: list[Grouping]) -> list[str]:
    """Sentences, the general ones first."""
    said = [
        "The TPMs are observational: nothing was perturbed. They describe how the recorded states followed each other; common input and unrecorded neurons look like interaction among the units.",
        "phi_s and Φ are those of the units as they were defined here (ensembles, threshold, time bin, lag). Other definitions give other values; none of these numbers is the Φ of a brain.",
    ]
    if study.truths:
        said.append("Recordings with planted values are simulated: they test the method and say nothing about animals.")
    for part in (
        _subjects,
        _short,
        _predicts_nothing,
        _unvisited,
        _constant,
        _drifting,
        _dependent,
        _rates,
        _unequal,
    ):
        said += part(study)
    return said + _null(study) + _big_phi(study) + _groupings(found)


def _subjects(study: Study) -> list[str]:
    if study.comparison.empty:
        return (
            ["There is no contrast between conditions; every number describes its own window."]
            if len(study.summary)
            else []
        )
    n = int(study.comparison["n_subjects"].max())
    tests = study.comparison.groupby("contrast")["p"].count()
    reach = [
        (corrected_p(study, p, int(tests[r.contrast])), p, int(tests[r.contrast]))
        for r in study.comparison.itertuples()
        for p in [attainable_p(str(r.method), int(r.n_subjects))]
    ]
    corrected, smallest, m = min(reach)
    left = f", {probability(corrected)} after correction for {m} tests" if corrected > smallest else ""
    no = (
        f" No corrected p in this report can reach {ALPHA:g}; that would take {needed(study, m)}."
        if corrected > ALPHA
        else ""
    )
    return [
        f"The subject is the unit of inference: at most {n} enter a contrast, and the smallest p that the sign-flip test can give is {probability(smallest)}{left}.{no} Error bars of single subjects show the uncertainty of one estimate, not the spread of the population."
    ]


def _micro(study: Study):
    return [(f"{r}/{w}", scale, tpm) for r, w, scale, tpm in study.tpms if scale.route == "micro"]


def _short(study: Study) -> list[str]:
    ratio = {name: float(tpm.attrs.get("n_transitions", np.nan)) / 2**scale.size for name, scale, tpm in _micro(study)}
    few = [name for name, _, tpm in _micro(study) if "few_frames" in str(tpm.attrs.get("flag", ""))]
    said = []
    if ratio:
        low = min(ratio, key=lambda name: ratio[name])
        said.append(
            f"Data per state: the shortest window ({low}) has {number(ratio[low])} transitions per possible state. Short data bias phi_s and effective information upward; compare with the null, not with zero."
        )
    if few:
        said.append(
            f"Windows with fewer frames than the study's minimum: {_list(few)}. Their values are not to be interpreted alone."
        )
    return said


def _unvisited(study: Study) -> list[str]:
    missing = {
        name: int(tpm.attrs["states_never_visited"])
        for name, _, tpm in _micro(study)
        if int(tpm.attrs.get("states_never_visited", 0)) > 0
    }
    if not missing:
        return []
    total = len(_micro(study))
    worst = max(missing, key=lambda name: missing[name])
    return [
        f"In {len(missing)} of {total} windows some states were never visited (most: {missing[worst]} in {worst}). phi is given for visited states only, but the unvisited rows of the TPM, which come from the model and its prior, enter every phi: they are the causes and effects that did not happen."
    ]


def _constant(study: Study) -> list[str]:
    constant = [name for name, _, tpm in _micro(study) if "constant_unit" in str(tpm.attrs.get("flag", ""))]
    return (
        [f"A unit hardly changes in {_list(constant)}; phi_s of such a window says little about interaction."]
        if constant
        else []
    )


def _drifting(study: Study) -> list[str]:
    rows = study.quality[study.quality["measure"] == "stationarity_z"]
    rows = rows[rows["value"].abs() > MAX_STATIONARITY_Z]
    names = list(dict.fromkeys(rows["recording"] + "/" + rows["window"]))
    return (
        [
            f"The activity drifts within {len(names)} windows (|z| > {MAX_STATIONARITY_Z:g} between halves: {_list(names)}). Time-shifted surrogates do not control for drift; phi_s may be inflated there."
        ]
        if names
        else []
    )


def _dependent(study: Study) -> list[str]:
    left = {name: largest_residual(tpm) for name, _, tpm in _micro(study)}
    high = [name for name, value in left.items() if value > MAX_RESIDUAL]
    if not high:
        return []
    worst = max(high, key=lambda name: left[name])
    return [
        f"Units are not independent given the past in {len(high)} of {len(left)} windows (largest correlation left: {number(left[worst], 2)} in {worst}). IIT's TPM assumes that they are; interaction faster than the time bin is not seen."
    ]


def fit_gain(tpm) -> float:
    """Held-out log2-likelihood of the TPM above that of constant rates [bit per transition and unit]."""
    fit, rate = (float(tpm.attrs.get(k, np.nan)) for k in ("held_out_bits", "held_out_bits_rate"))
    return fit - rate


def _predicts_nothing(study: Study) -> list[str]:
    poor = [name for name, _, tpm in _micro(study) if fit_gain(tpm) <= 0]
    return (
        [
            f"In {len(poor)} of {len(_micro(study))} windows the TPM predicts held-out data no better than constant rates ({_list(poor)}): there is no measurable influence of the units on each other or on themselves, and phi_s there is estimation error."
        ]
        if poor
        else []
    )


def largest_residual(tpm) -> float:
    """Largest instantaneous correlation of two units that the TPM leaves unexplained."""
    if "residual_correlation" not in tpm:
        return float("nan")
    values = np.abs(tpm["residual_correlation"].values.astype(float))
    off = values[~np.eye(len(values), dtype=bool)]
    return float(np.nanmax(off)) if np.isfinite(off).any() else float("nan")


def _rates(study: Study) -> list[str]:
    if len(study.conditions) < 2 or study.quality.empty:
        return []
    rate = window_means(study, "event_rate_hz").groupby("condition")["value"].mean()
    rate = rate[rate > 0]
    if len(rate) < 2 or rate.max() < RATE_RATIO * rate.min():
        return []
    return [
        f"Event rates differ between conditions ({rate.idxmax()} {number(rate.max(), 2)} Hz, {rate.idxmin()} {number(rate.min(), 2)} Hz). A difference in phi_s may follow from how active the units are; the common occupancy controls for which states are visited, not for everything that goes with the rate."
    ]


def _unequal(study: Study) -> list[str]:
    frames = study.summary.drop_duplicates(["recording", "window"]).groupby("recording")["n_frames"]
    unequal = [str(r) for r, n in frames if n.max() > 1.2 * n.min()]
    return (
        [f"Windows of different length are compared in {_list(unequal)}; the bias of short data differs between them."]
        if unequal
        else []
    )


def _null(study: Study) -> list[str]:
    rows = study.nulls[(study.nulls["measure"] == "phi_s") & (study.nulls["null"] != "random_grouping")]
    weak = rows[rows["p"] > ALPHA]
    return (
        [
            f"{len(weak)} of {len(rows)} values of phi_s are not distinguishable from surrogates without interaction or dynamics (p > {ALPHA:g}). They are not evidence of integration."
        ]
        if len(weak)
        else []
    )


def _big_phi(study: Study) -> list[str]:
    rows = study.summary[(study.summary["measure"] == "big_phi") & study.summary["value"].notna()]
    if rows.empty:
        return []
    return [
        "Φ sums over all distinctions and relations, and relations multiply with every weak distinction that an estimated TPM adds to the true ones. It is therefore less robust than phi_s: an estimated Φ can be many times that of the underlying system, most of all where interactions are weak."
    ]


def _groupings(found: list[Grouping]) -> list[str]:
    if not found:
        return []
    return [
        "A macro grouping is chosen because it does well on the same data, so its values are optimistic; only the matched random groupings, which share sizes and mappings, show what choosing a grouping adds.",
        *_no_units(found),
    ]


def _no_units(found: list[Grouping]) -> list[str]:
    """Macro units that the theory does not accept as units."""
    checked = [v for g in found for v in g.valid if v >= 0]
    refused = checked.count(0)
    if not refused:
        return []
    return [
        f"{refused} of {len(checked)} macro units (all windows) are not maximally irreducible within: their own units do not form a whole, or one inside them is more of a whole. IIT does not accept these as units, so phi_s and Φ over them are those of a coarse description, not a grain at which the system exists, however large they are."
    ]


def _list(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
