"""Names, units and meanings of what is measured, and how numbers are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.binarize.registry import BINARIZERS
from pipeline.inference.flags import FLAGS as flags_of_inference
from pipeline.integration.flags import FLAGS as flags_of_integration
from pipeline.macro.flags import FLAGS as flags_of_macro
from pipeline.nulls.registry import FAMILIES
from pipeline.tpm.flags import FLAGS as flags_of_tpm
from pipeline.tpm.registry import ESTIMATORS


@dataclass(frozen=True)
class Term:
    """A measure: its sign in figures (mathtext), its name in words, its unit and what it means."""

    sign: str
    words: str
    unit: str
    meaning: str


MEASURES = {
    "phi_s": Term(r"$\varphi_s$", "system integrated information", "ibit", "System integrated information of all units together: what is lost over the partition that makes the least difference. Mean over visited states, weighted by the window's own occupancy."),
    "phi_s_common": Term(r"$\varphi_s$, common occupancy", "system integrated information, common occupancy", "ibit", "The same values per state, weighted with one occupancy for all conditions that are compared (the mean over conditions, on states visited in all of them): a difference here is one of the observed transition probabilities, not of which states are visited."),
    "phi_s_complex": Term(r"$\varphi_s$ of first complex", "system integrated information of the first complex", "ibit", "phi_s of the subset of units with the largest phi_s in each state (the first complex)."),
    "phi_s_complex_common": Term(r"$\varphi_s$ of first complex, common occupancy", "phi_s of the first complex, common occupancy", "ibit", "phi_s_complex under the common occupancy."),
    "big_phi": Term(r"$\Phi$", "structure integrated information", "ibit", "Structure integrated information Φ: sum of the integrated information of all distinctions and relations. Mean over visited states."),
    "big_phi_common": Term(r"$\Phi$, common occupancy", "structure integrated information, common occupancy", "ibit", "big_phi under the common occupancy."),
    "n_distinctions": Term("Distinctions", "number of distinctions", "count", "Number of distinctions (mechanisms that specify a cause and an effect), mean over visited states."),
    "n_relations": Term("Relations", "number of relations", "count", "Number of relations among distinctions, mean over visited states."),
    "effective_information": Term("Effective information", "effective information", "bit", "Mutual information between a uniformly distributed state and the next one, from the TPM (Hoel 2013)."),
    "causal_power": Term("Causal power", "causal power", "1", "Effective information relative to its maximum, EI / log2(number of states) = determinism + specificity − 1; 0 to 1 (Hoel 2025)."),
    "delta_causal_power": Term(r"$\Delta$ causal power", "gain in causal power", "1", "Causal power of the macro scale minus that of the micro scale of the same window; above 0 the macro scale is the more deterministic and specific description."),
    "event_rate_hz": Term("Event rate", "event rate", "Hz", "OFF→ON transitions of a unit per second."),
    "fraction_on": Term("Fraction ON", "fraction of time ON", "1", "Share of frames in which a unit is ON."),
    "entropy_bits": Term("Entropy", "entropy", "bit", "Entropy of a unit's state."),
    "autocorrelation_time_s": Term("Autocorr. time", "autocorrelation time", "s", "Time over which a unit's state stays correlated with itself."),
    "stationarity_z": Term("Stationarity z", "stationarity", "1", "Difference of the fraction ON between the halves of the window, in standard errors."),
    "mean_pairwise_correlation": Term("Pairwise correlation", "mean pairwise correlation of the units", "1", "Mean correlation of the units' states within a window."),
    "mean_pairwise_correlation_neurons": Term("Pairwise correlation (neurons)", "mean pairwise correlation of the neurons", "1", "Mean correlation of the neurons' ΔF/F."),
    "neuron_transients_per_5min": Term("Transients per 5 min", "transients per neuron", "1 / 5 min", "Median over neurons of the number of calcium transients in 5 minutes."),
    "dropped_fraction": Term("Dropped frames", "share of dropped frames", "1", "Share of the window's frames that were not used (motion, missing values)."),
    "n_frames": Term("Frames", "frames", "count", "States (time bins) in the window."),
    "n_transitions": Term("Transitions", "transitions", "count", "Pairs of states, one lag apart, within a segment."),
    "n_matched": Term("Frames used", "frames used after matching", "count", "States used for the TPM after windows were matched in length."),
    "duration_s": Term("Duration", "duration", "s", "Time covered by the window's states."),
}  # fmt: skip

COLUMNS = {
    "scale": "Number of units of the system that was analysed.",
    "route": "How the system was made: micro (the ensembles themselves), macro_units (disjoint groups of ensembles with a state mapping; their TPM follows from the micro TPM), macro_model (learned latent variables).",
    "value": "The measure of the point estimate of the TPM.",
    "ci_low, ci_high": "summary.csv: quantiles over posterior draws of the TPM (uncertainty of one window). comparison.csv: bootstrap over subjects.",
    "null_mean, null_p": "Mean of the measure over surrogates that went through the same estimation, and the one-sided p, (1 + surrogates at or above the value) / (1 + surrogates).",
    "n_states_visited": "States that occurred in the window; only those have a phi.",
    "estimator": "How the TPM was estimated.",
    "contrast": "a-b: condition a minus condition b, within subjects.",
    "p, p_corrected": "Two-sided sign-flip test across subjects; corrected over all scales and measures of the contrast.",
    "excess, z": "nulls.csv: value minus the mean of the surrogates, absolute and in their standard deviations.",
}  # fmt: skip

FLAGS: dict[str, str] = {
    **flags_of_tpm,
    **flags_of_macro,
    **flags_of_integration,
    **flags_of_inference,
    **{
        word: meaning
        for entry in (*BINARIZERS.values(), *ESTIMATORS.values(), *FAMILIES.values())
        for word, meaning in entry.flags.items()
    },
}

NULL_NAMES = {name: family.label for name, family in FAMILIES.items()}
MINUS = "\u2212"


def axis(measure: str) -> str:
    """Axis label with the unit, as mathtext."""
    term = MEASURES[measure]
    return term.sign if term.unit in ("1", "count") else f"{term.sign} [{term.unit}]"


def plain(measure: str) -> str:
    """A measure's name in words."""
    return MEASURES[measure].words if measure in MEASURES else measure


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with `digits` significant digits; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 10**digits:
        text = f"{value:.0f}" if abs(value) < 1e7 else f"{value:.{digits - 1}e}"
    elif abs(value) < 1e-4:
        text = f"{value:.1e}"
    else:
        text = f"{value:#.{digits}g}".rstrip(".")
        text = f"{value:.0f}" if "e" in text else text  # 999.96 is 1000, not 1.00e+03
    return text.replace("-", MINUS)


def count(value: float | None) -> str:
    """Write a whole number; an en dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.0f}"


def probability(p: float | None) -> str:
    """Write a p-value: three decimals at most, never 0."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}".rstrip("0").rstrip(".") if p < 1 else "1"
