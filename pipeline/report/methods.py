"""The methods section of a paper, with the parameters that were used."""

from __future__ import annotations

from typing import Any

from pipeline.inference.summary import LEAST_RANDOM
from pipeline.report.findings import Findings

REFERENCES = (
    "Albantakis L, Barbosa L, Findlay G, Grasso M, Haun AM, Marshall W, et al. (2023). Integrated information theory (IIT) 4.0: formulating the properties of phenomenal existence in physical terms. PLoS Computational Biology 19(10): e1011465.",
    "Marshall W, Findlay G, Albantakis L, Tononi G (2024). Intrinsic units: identifying a system's causal grain. bioRxiv.",
    "Hoel EP, Albantakis L, Tononi G (2013). Quantifying causal emergence shows that macro can beat micro. Proceedings of the National Academy of Sciences 110(49): 19790-19795.",
    "Hoel E (2025). Causal emergence 2.0: quantifying emergent complexity. arXiv:2503.13395.",
    "Wang Z, Rong Y, Liu K, Yang M, Zhang J, He J (2025). Causal emergence of consciousness through learned multiscale neural dynamics in mice. arXiv:2509.10891.",
    "Friedrich J, Zhou P, Paninski L (2017). Fast online deconvolution of calcium imaging data. PLoS Computational Biology 13(3): e1005423.",
    "Hesterberg TC (2015). What teachers should know about the bootstrap. The American Statistician 69(4): 371-386.",
    "Holm S (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2): 65-70.",
    "Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate. Journal of the Royal Statistical Society B 57(1): 289-300.",
)  # fmt: skip

_BINARIZE = {
    "quantile": "ON where its mean over the bin exceeded the {quantile:g} quantile",
    "median": "ON where its mean over the bin exceeded its median",
    "zscore": "ON where its mean over the bin exceeded the median by {z:g} robust standard deviations",
    "otsu": "ON where its mean over the bin exceeded Otsu's threshold",
    "hmm": "ON where the upper state of a two-state Gaussian hidden Markov model was the more probable one given all frames",
    "events": "ON where its calcium rose, over the bin, by more than {z:g} times the standard deviation that noise alone gives such a rise; rises were found by non-negative deconvolution with {decay} [6]",
}  # fmt: skip
_TPM = {
    "logistic": "logistic regression of each unit's next state on the states of all units (coded −1 and +1; Gaussian prior of precision {prior:g} on the weights; posterior mode, with draws from the Laplace approximation)",
    "logistic_pairwise": "logistic regression of each unit's next state on the states of all units and their pairwise products (coded −1 and +1; Gaussian prior of precision {prior:g} on the weights; posterior mode, with draws from the Laplace approximation)",
    "beta": "a Beta-Binomial model per unit and state (prior Beta({prior:g}, {prior:g}); posterior mean)",
}  # fmt: skip
_GROUPS = {
    "position": "by k-means on their positions",
    "activity": "by k-means on the correlations of their activity",
    "region": "by region label",
    "none": "not at all: each neuron was a unit",
}
_NULLS = {
    "shift": "the units' state sequences shifted circularly against each other by random amounts, any two by at least the longest autocorrelation time where the window is long enough (keeps each unit's own dynamics, destroys interaction; does not control for drift)",
    "transition_shuffle": "whole frames permuted over the window (keeps occupancy and simultaneous correlation, destroys dynamics)",
}
_CORRECTION = {
    "holm": "by Holm's method",
    "fdr": "by the Benjamini-Hochberg procedure",
    "none": "not at all",
}


def paragraphs(study: Findings) -> list[tuple[str, str]]:
    """(heading, text) of each part of the methods section."""
    p = study.parameters
    parts = [
        ("Recordings", _recordings(study)),
        ("Preprocessing", _preprocess(p["preprocess"])),
        ("Ensembles", _ensembles(p["ensembles"])),
        ("States", _states(p["binarize"])),
        ("Transition probability matrices", _tpm(p["tpm"])),
        ("Macro units", _macro(p["macro"], p["ensembles"])),
        ("Integrated information", _iit(p["iit"])),
        ("Effective information", "Effective information is the mutual information between a uniformly distributed state and the state that follows, from the row-stochastic TPM [3]; causal power is effective information divided by its maximum, the logarithm of the number of states [4]. Their gain is the macro value minus the micro value of the same window."),
        ("Nulls", _nulls(p["nulls"], p["macro"])),
        ("Comparison of conditions", _compare(p["compare"])),
        ("Multiscale approach", "The question asked at every scale, whether states of consciousness differ in the causal power of learned coarse-grainings, follows [5]; the method does not: macro units are disjoint groups of units, so that their integrated information is defined and comparable with that of the units."),
        ("Software", _software(study)),
    ]  # fmt: skip
    return parts


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _recordings(study: Findings) -> str:
    simulated = [r for r in study.analysed if r in study.truths]
    text = f"{_count(len(study.analysed), 'recording')} of {_count(len(study.subjects), 'subject')} {'was' if len(study.analysed) == 1 else 'were'} analysed in the conditions {', '.join(study.conditions)}."
    if simulated:
        s = study.parameters["simulate"]
        text += f" {len(simulated)} of them were simulated: a substrate of binary ensembles ({_count(s['motifs'], 'motif')} of two planted pairs, updated every {s['step_s']:g} s, couplings jittered by {s['jitter']:.0%} between subjects; coupling {s['anesthesia_coupling']:g} under anesthesia and {s['recovery_coupling']:g} in recovery relative to awake) drove {s['neurons_per_ensemble']} neurons per ensemble (participation {s['participation']:g}), observed at {s['rate_hz']:g} Hz through calcium kinetics, noise, neuropil, bleaching and motion."
    codes = study.parameters.get("state_codes")
    if codes:
        names = ", ".join(f"{k} {v}" for k, v in codes["codes"].items())
        text += f" Windows were taken from state codes ({names}); bouts shorter than {codes['min_bout_s']:g} s were left out and {codes['trim_s']:g} s cut from both ends of each; the bouts of one condition form one window."
    return text


def _preprocess(p: dict[str, Any]) -> str:
    if p["kind"] == "dff":
        text = "The recordings held ΔF/F."
    else:
        text = f"Where a neuropil signal was available, {p['neuropil_factor']:g} times it was subtracted. ΔF/F was computed against a running baseline F0, percentile {p['baseline_percentile']:g} of a running window of {p['baseline_window_s']:g} s."
    detrend = {
        "none": "No detrending was applied.",
        "linear": "A linear trend was removed.",
        "highpass": f"A running median of {p['highpass_s']:g} s was subtracted.",
    }[p["detrend"]]
    resample = f" Recordings were resampled to {p['resample_hz']:g} Hz." if p["resample_hz"] else ""
    return f"{text} {detrend}{resample} Frames marked as dropped (motion, missing values) were not used. A bin with at least half of its frames left stayed valid; no transition was counted across a bin that did not."


def _ensembles(p: dict[str, Any]) -> str:
    chosen = f" Chosen neurons were used for {', '.join(sorted(p['neurons']))}." if p.get("neurons") else ""
    return f"Neurons were grouped {_GROUPS[p['method']]}, into {p['iit']} units, one grouping per recording for all its windows; where a recording had no more neurons than that, each neuron was a unit. A unit's activity is the mean of its neurons' ΔF/F, each scaled by its robust noise standard deviation.{chosen}"


def _states(p: dict[str, Any]) -> str:
    rule = _BINARIZE[p["method"]].format(**p, decay=_decay(p["tau_s"]))
    threshold = "separately in each window" if p["per_window"] else "once for all windows of a recording"
    matched = (
        f" Windows were cut to their first frames, as many as the recording's shortest window of at least {p['min_frames']} frames has, so that the bias of short data is equal."
        if p["match_length"]
        else " Windows were not matched in length."
    )
    return f"In bins of {p['bin_s']:g} s a unit was {rule}. Thresholds were determined {threshold}. Bins with fewer than half of their frames valid were left out.{matched}"


def _decay(tau_s: float | None) -> str:
    return "a decay time estimated for each unit" if tau_s is None else f"a decay time of {tau_s:g} s"


def _tpm(p: dict[str, Any]) -> str:
    return f"For each window, the probability of each unit being ON given the state of all units {_count(p['lag'], 'bin')} earlier was estimated by {_TPM[p['method']].format(**p)}. Transitions never cross the border of a window, a bin left out or a gap. The fit was judged by the log-likelihood of five held-out contiguous blocks, separated from the training data by the longest autocorrelation time of the units (at most a tenth of the window) and the lag. {p['draws']} posterior draws of the TPM carried its uncertainty into every measure. Units are taken as conditionally independent given the past state; the correlation that this leaves is reported. The TPM is observational: the system was not perturbed."


def _macro(p: dict[str, Any], ensembles: dict[str, Any]) -> str:
    scales = " and ".join(map(str, p["scales"]))
    if not p["scales"]:
        return "No macro units were formed."
    learned = {
        "recording": "once for all windows of a recording, as those with the largest mean effective information over the windows (each counting alike), so that contrasts between its windows compare the same macro units",
        "window": "in each window by itself, so that contrasts may compare different macro units",
    }[p["grouping"]]
    return f"At the scale{'s' if len(p['scales']) > 1 else ''} of {scales} macro units, the {ensembles['iit']} units were grouped into disjoint macro units, each with a state mapping ({', '.join(p['mappings'])}), by an encoder that maximises effective information of the macro TPM (hard assignment, trained through a straight-through relaxation; {p['restarts']} restarts of {p['steps']} steps, the best kept; for up to 6 units checked against exhaustive search, whose result is taken where the encoder misses it). The grouping was learned {learned}. The macro TPM of a window was derived from its own micro TPM, not estimated anew, following [1,2], so that macro and micro values are comparable. Up to {p['random_groupings']} other groupings with the same sizes and mappings (all, if there are fewer) serve as control. Posterior draws keep the grouping of the point estimate."


def _iit(p: dict[str, Any]) -> str:
    return f"System integrated information φ_s of all units together (a candidate system in its current state, over the minimum partition), the first complex (the subset of units with the largest φ_s) and, up to {p['big_phi_max_units']} units, the Φ-structure (distinctions, relations and their sum Φ) were computed exactly as defined by IIT 4.0 [1] for every state visited at least {_count(p['min_visits'], 'time').replace('1 time', 'once')}, for the point estimate of the TPM and its posterior draws (the first {p['big_phi_draws']} draws for Φ). A window's value is the mean over visited states weighted by the share of frames spent in each (own occupancy). With the suffix “common”, the weights are the mean occupancy over the conditions of a recording (of a subject, where each recording holds one condition and all hold the same named neurons as units), restricted to states visited in all of them and carried over to macro states, so that a change of mechanism is told from a change of occupancy. Intervals are quantiles over posterior draws under the same weights. Values are in ibits."


def _nulls(p: dict[str, Any], macro: dict[str, Any]) -> str:
    kinds = "; ".join(_NULLS[k] for k in p["kinds"])
    learned = controls = ""
    if macro["scales"]:
        own = (
            ", so that each surrogate has its own best grouping and a window the one of its recording"
            if macro["grouping"] == "recording"
            else ""
        )
        learned = f" For macro units the grouping was learned anew on every surrogate of a window (exhaustively, for up to 6 units){own}."
        controls = " Macro units were also compared with the matched random groupings."
        if "shift" in p["kinds"] and p["surrogates"]:
            controls += f" The summary repeats that test where there are at least {LEAST_RANDOM} of them, and otherwise the one against shifts."
    if not p["kinds"] or not p["surrogates"]:
        return "No surrogates were computed." + controls
    return f"{p['surrogates']} surrogates per null ({p['big_phi_surrogates']} for Φ) went through the same estimation: {kinds}.{learned}{controls} One-sided p-values are (1 + number of surrogates at or above the value) / (1 + number of surrogates)."


def _compare(p: dict[str, Any]) -> str:
    return f"The subject is the unit of inference: sessions and windows of one subject in one condition were averaged, weighted by frames; windows of few frames were left out where the subject had others in that condition. Differences between conditions within subjects were averaged over subjects. Intervals ({p['confidence']:.0%}) are from a bootstrap over subjects ({p['bootstrap']} resamples, or all), stretched, to the same end as [7], by t/z · √(n/(n − 1)) for n subjects (t and z: quantiles of Student's t with n − 1 degrees of freedom and of the normal distribution); p-values from a two-sided sign-flip permutation test across subjects (all flips where these are at most {p['permutations']}), corrected over scales and measures within a contrast {_CORRECTION[p['correction']]}{ {'holm': ' [8]', 'fdr': ' [9]', 'none': ''}[p['correction']] }. The smallest p that the test can give{', before and after correction,' if p['correction'] != 'none' else ''} is stated with each test."


def _software(study: Findings) -> str:
    v = study.provenance
    known = v.get("packages", {})
    listed = ", ".join(f"{n} {known[n]}" for n in ("numpy", "scipy", "torch", "xarray", "snakemake") if n in known)
    return f"phiscale {v.get('phiscale', '')} (Python {v.get('python', '')}{'; ' + listed if listed else ''}), seed {study.parameters['seed']}. All random choices derive from the seed."
