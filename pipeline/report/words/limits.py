"""What the numbers of this study cannot say, told from the data at hand."""

from __future__ import annotations

import pandas as pd

from pipeline.inference.families import ALPHA, PRIMARY, SECONDARY
from pipeline.inference.subjects import flagged, subject_activity, subject_means
from pipeline.nulls.parameters import SHOWN
from pipeline.report.findings import Findings
from pipeline.report.macro_units import MacroUnits
from pipeline.report.words.glossary import NULL_NAMES, number, probability
from pipeline.report.words.testing import what_it_takes

MAX_RESIDUAL = 0.1  # instantaneous correlation left given the past
MAX_STATIONARITY_Z = 3.0
RATE_RATIO = 1.5


def limits(study: Findings, found: list[MacroUnits]) -> list[str]:
    """Write the sentences on what the results cannot say, the general ones first.

    Args:
        study: what was found in the study.
        found: macro units of all recordings, windows and scales.
    """
    said = [
        (
            "Nothing was perturbed. Unrecorded neurons look like interaction among the units, and so does common input "
            "where the estimator does not hold it (it holds a slow one, common to the units)."
        ),
        (
            "phi_s and Φ are those of the units as defined here (ensembles, threshold, time bin, lag); none of these "
            "numbers is the Φ of a brain."
        ),
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


def _subjects(study: Findings) -> list[str]:
    if study.comparison.empty:
        return (
            ["There is no contrast between conditions; every number describes its own window."]
            if len(study.summary)
            else []
        )
    tests = study.comparison[study.comparison["smallest_p_corrected"].notna()]
    if tests.empty:
        return ["No subject has two conditions, so no difference is tested; every number describes its own window."]
    n, least = int(tests["n_subjects"].max()), float(tests["smallest_p"].min())
    said = (
        f"The subject is the unit of inference: at most {n} enter a contrast, and the smallest p that the sign-flip "
        f"test can give is {probability(least)}."
    )
    return [
        f"{said}{_reach(tests)} Error bars of single subjects show the uncertainty of one estimate, not the spread of "
        "the population. Flipping signs supposes that chance differences point either way alike."
    ]


def _reach(tests: pd.DataFrame) -> str:
    """Say which families no p of 5% can come from."""
    said = ""
    for role, name in ((PRIMARY, "The primary endpoint"), (SECONDARY, "No secondary test")):
        own = tests[tests["role"] == role].sort_values(["smallest_p_corrected", "n_tests"], kind="stable")
        best = next(own.itertuples(), None)
        if best is not None and best.smallest_p_corrected > ALPHA:
            cannot = "cannot reach" if role == PRIMARY else f"can reach, corrected for {int(best.n_tests)},"
            said += f" {name} {cannot} p = {ALPHA:g}; that would take {what_it_takes(best)}."
    return said


def _names(fits: pd.DataFrame) -> list[str]:
    return list(fits["recording"] + "/" + fits["window"])


def _short(study: Findings) -> list[str]:
    fits = study.fits
    few = _names(fits[flagged(fits["flag"], "few_frames")])
    said = []
    if len(fits):
        shortest = fits.loc[fits["transitions_per_state"].idxmin()]
        name = f"{shortest['recording']}/{shortest['window']}"
        said.append(
            f"Data per state: the shortest window ({name}) has {number(shortest['transitions_per_state'])} "
            "transitions per possible state. Short data bias phi_s and effective information upward; "
            "compare with the null, not with zero."
        )
    if few:
        said.append(
            f"Windows with fewer frames than the study's minimum: {_list(few)}. Their values are not to be "
            "interpreted alone."
        )
    return said


def _unvisited(study: Findings) -> list[str]:
    missing = study.fits[study.fits["states_never_visited"] > 0]
    if missing.empty:
        return []
    worst = missing.loc[missing["states_never_visited"].idxmax()]
    most = f"{int(worst['states_never_visited'])} in {worst['recording']}/{worst['window']}"
    return [
        (
            f"In {len(missing)} of {len(study.fits)} windows some states were never visited (most: {most}). "
            "phi is given for visited states only, but the unvisited rows of the TPM, which come from the "
            "model and its prior, enter every phi: they are the causes and effects that did not happen."
        )
    ]


def _constant(study: Findings) -> list[str]:
    constant = _names(study.fits[flagged(study.fits["flag"], "constant_unit")])
    return (
        [f"A unit hardly changes in {_list(constant)}; phi_s of such a window says little about interaction."]
        if constant
        else []
    )


def _drifting(study: Findings) -> list[str]:
    rows = study.quality[study.quality["measure"] == "stationarity_z"]
    rows = rows[rows["value"].abs() > MAX_STATIONARITY_Z]
    names = list(dict.fromkeys(rows["recording"] + "/" + rows["window"]))
    return (
        [
            (
                f"The activity drifts within {len(names)} windows (|z| > {MAX_STATIONARITY_Z:g} between "
                f"halves: {_list(names)}). Time-shifted surrogates do not control for drift; phi_s may be "
                "inflated there."
            )
        ]
        if names
        else []
    )


def _dependent(study: Findings) -> list[str]:
    high = study.fits[study.fits["largest_residual"] > MAX_RESIDUAL]
    if high.empty:
        return []
    worst = high.loc[high["largest_residual"].idxmax()]
    most = f"{number(worst['largest_residual'], 2)} in {worst['recording']}/{worst['window']}"
    return [
        (
            f"Units are not independent given the past in {len(high)} of {len(study.fits)} windows (largest "
            f"correlation left: {most}). IIT's TPM assumes that they are; interaction faster than the time bin "
            "is not seen."
        )
    ]


def _predicts_nothing(study: Findings) -> list[str]:
    poor = _names(study.fits[study.fits["held_out_gain"] <= 0])
    return (
        [
            (
                f"In {len(poor)} of {len(study.fits)} windows the TPM predicts held-out data no better than "
                f"constant rates ({_list(poor)}): there is no measurable influence of the units on each other "
                "or on themselves, and phi_s there is estimation error."
            )
        ]
        if poor
        else []
    )


def _rates(study: Findings) -> list[str]:
    if len(study.conditions) < 2 or study.quality.empty:
        return []
    own = study.quality[study.quality["condition"].isin(study.conditions)]
    rate = subject_means(subject_activity(own[own["measure"] == "event_rate_hz"]))
    rate = rate[rate > 0]
    if len(rate) < 2 or rate.max() < RATE_RATIO * rate.min():
        return []
    return [
        (
            f"Event rates differ between conditions ({rate.idxmax()} {number(rate.max(), 2)} Hz, "
            f"{rate.idxmin()} {number(rate.min(), 2)} Hz). A difference in phi_s may follow from how active "
            "the units are; the common occupancy controls for which states are visited, not for everything "
            "that goes with the rate. The comparison of conditions says what is left with the rates matched."
        )
    ]


def _unequal(study: Findings) -> list[str]:
    frames = study.summary.drop_duplicates(["recording", "window"]).groupby("subject")["n_frames"]
    unequal = [str(subject) for subject, n in frames if n.max() > 1.2 * n.min()]
    matched = "matched_length" in set(study.adjusted["adjusted"])
    told = "; the comparison of conditions says what is left with windows of the same length" if matched else ""
    return (
        [
            f"Windows of different length are compared in {_list(unequal)}; the bias of short data differs between "
            f"them{told}."
        ]
        if unequal
        else []
    )


def _null(study: Findings) -> list[str]:
    shown = study.parameters.get("nulls", {}).get("shown", SHOWN)["phi_s"]
    rows = study.nulls[(study.nulls["measure"] == "phi_s") & (study.nulls["null"] == shown)]
    weak = rows[rows["p"] > ALPHA]
    return (
        [
            (
                f"{len(weak)} of {len(rows)} values of phi_s are not distinguishable from their null "
                f"({NULL_NAMES.get(shown, shown)}; p > {ALPHA:g}). They are not evidence of integration."
            )
        ]
        if len(weak)
        else []
    )


def _big_phi(study: Findings) -> list[str]:
    rows = study.summary[(study.summary["measure"] == "big_phi") & study.summary["value"].notna()]
    if rows.empty:
        return []
    return [
        (
            "Φ is less robust than phi_s: relations multiply with every weak distinction that an estimated TPM adds, "
            "so that it can be many times the true one, most of all where interactions are weak."
        )
    ]


def _groupings(found: list[MacroUnits]) -> list[str]:
    if not found:
        return []
    return [
        (
            "A macro grouping that is chosen on the data it is valued on is optimistic; the matched random "
            "groupings show what choosing adds."
        ),
        *_no_units(found),
    ]


def _no_units(found: list[MacroUnits]) -> list[str]:
    """Macro units that the theory does not accept as units."""
    checked = [v for g in found for v in g.valid if v >= 0]
    refused = checked.count(0)
    if not refused:
        return []
    return [
        (
            f"{refused} of {len(checked)} macro units (all windows) are not maximally irreducible within: "
            "their own units do not form a whole, or one inside them is more of a whole. IIT does not accept "
            "these as units: phi_s and Φ over them are those of a coarse description."
        )
    ]


def _list(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
