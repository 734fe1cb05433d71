"""The methods section of a paper, with the parameters that were used.

What was chosen from a registry is told in the words of its entry; whom an entry names is cited after them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.base.registry import Entry
from pipeline.binarize.registry import BINARIZERS
from pipeline.encoder.parameters import Encoder
from pipeline.inference.corrections import CORRECTIONS
from pipeline.ingest.registry import READERS
from pipeline.macro.parameters import EXHAUSTIVE_UNITS, scale_sizes
from pipeline.nulls.registry import NULLS, Null
from pipeline.report.findings import Findings
from pipeline.report.words.glossary import counted
from pipeline.results.measures import MEASURES
from pipeline.tpm.choice import parameters_of
from pipeline.tpm.registry import ESTIMATORS
from pipeline.traces.parameters import EVERY_SUBJECT

# By the names that the texts below cite them with; the order is that of the list.
_WORKS = {
    "iit": "Albantakis L, Barbosa L, Findlay G, Grasso M, Haun AM, Marshall W, et al. (2023). Integrated information "
    "theory (IIT) 4.0: formulating the properties of phenomenal existence in physical terms. PLoS Computational "
    "Biology 19(10): e1011465.",
    "units": "Marshall W, Findlay G, Albantakis L, Tononi G (2024). Intrinsic units: identifying a system's causal "
    "grain. bioRxiv.",
    "information": "Hoel EP, Albantakis L, Tononi G (2013). Quantifying causal emergence shows that macro can beat "
    "micro. Proceedings of the National Academy of Sciences 110(49): 19790-19795.",
    "power": "Hoel E (2025). Causal emergence 2.0: quantifying emergent complexity. arXiv:2503.13395.",
    "multiscale": "Wang Z, Rong Y, Liu K, Yang M, Zhang J, He J (2025). Causal emergence of consciousness through "
    "learned multiscale neural dynamics in mice. arXiv:2509.10891.",
    "events": BINARIZERS["events"].references[0],
    "bootstrap": "Hesterberg TC (2015). What teachers should know about the bootstrap. The American Statistician "
    "69(4): 371-386.",
    **{name: correction.reference for name, correction in CORRECTIONS.items() if correction.reference},
}
REFERENCES = tuple(_WORKS.values())
_CITED = {name: number for number, name in enumerate(_WORKS, 1)}

_RECORDINGS = "{recordings} of {subjects} {were} analysed in the conditions {conditions}."
_SIMULATED = " {n} of them were simulated: {how}."
_STATE_CODES = (
    " Windows were taken from state codes ({names}); bouts shorter than {min_bout_s:g} s were left out and {trim_s:g} "
    "s cut from both ends of each; the bouts of one condition form one window."
)
_KIND = {
    "dff": "The recordings held ΔF/F.",
    "fluorescence": (
        "Where a neuropil signal was available, {neuropil_factor:g} times it was subtracted. ΔF/F was computed "
        "against a running baseline F0, percentile {baseline_percentile:g} of a running window of "
        "{baseline_window_s:g} s."
    ),
}
_DETREND = {
    "none": "No detrending was applied.",
    "linear": "A linear trend was removed.",
    "highpass": "A running median of {highpass_s:g} s was subtracted.",
}
_DROPPED = (
    " Frames marked as dropped (motion, missing values) were not used. A bin with at least half of its frames left "
    "stayed valid; no transition was counted across a bin that did not."
)
_GROUPS = {
    "position": "by k-means on their positions",
    "activity": "by k-means on the correlations of their activity",
    "region": "by region label",
    "none": "not at all: each neuron was a unit",
}
_ENSEMBLES = (
    "Neurons were grouped {grouped}, into {iit} units, {shared}. A unit's activity is the mean of its neurons' "
    "ΔF/F, each scaled by its robust noise standard deviation.{chosen}"
)
_SHARED = {
    "recording": (
        "one grouping per recording for all its windows; where a recording had no more neurons than that, each neuron "
        "was a unit"
    ),
    "subject": (
        "one grouping for all recordings of a subject, of the neurons (identified by name) that were usable in each of "
        "them{traces}"
    ),
    "study": (
        "one grouping for all recordings of the study, of the neurons (identified by name) that were usable in each of "
        "them{traces}"
    ),
}
_JOINED = "; correlations were those of all recordings together, each neuron z-scored within its recording"
_STATES = (
    "In bins of {bin_s:g} s a unit was {rule}. Thresholds were determined {threshold}. Bins with fewer than half of "
    "their frames valid were left out.{matched}"
)
_MATCHED = (
    " Windows were cut to their first frames, as many as the recording's shortest window of at least {min_frames} "
    "frames has (the subject's, where conditions stand in different recordings), so that the bias of short data is "
    "equal."
)
_TPM = (
    "For each window, the probability of each unit being ON given the state of all units {bins} earlier was "
    "estimated by {estimator}. Transitions never cross the border of a window, a bin left out or a gap. The fit was "
    "judged by the log-likelihood of five held-out contiguous blocks, separated from the training data by the "
    "longest autocorrelation time of the units (at most a tenth of the window) and the lag. {draws} {drawn} carried "
    "its uncertainty into every measure. Units are taken as conditionally independent given the past state; "
    "the correlation that this leaves is reported. {kind}"
)
_OBSERVATIONAL = "The TPM is observational: the system was not perturbed."
_DRIVE_HELD = (
    "The TPM is drive-held: P(ON) given the state, averaged over how a hidden common drive stands, whatever the state; "
    "phi_s was computed of the observational TPM as well, in which the state tells of the drive too. Neither is "
    "interventional: the system was not perturbed, and a drive of another form is not held."
)
_DRAWN = {
    "posterior": "posterior draws of the TPM",
    "bootstrap": (
        "estimates of the TPM from resampled transitions (moving-block bootstrap, blocks of at least the longest "
        "autocorrelation time of the units), here called draws,"
    ),
}
_MACRO = (
    "At the scale{s} of {at} macro units, the {n_units} units were grouped into disjoint macro units, each with a "
    "state mapping ({allowed}), by an encoder that maximises {maximised} (hard "
    "assignment, trained through a straight-through relaxation; {restarts} restarts of {steps} steps, the best kept; "
    "{checked}). The "
    "grouping was learned {learned}. The macro TPM of a window was derived from its own micro TPM, not estimated "
    "anew, following [{iit},{units}], so that macro and micro values are comparable. Up to {random_groupings} other "
    "groupings with the same sizes and mappings (all, if there are fewer) serve as control. Posterior draws keep the "
    "grouping of the point estimate.{crossed}"
)
_ENCODER = (
    "For multiscale variables the neurons were grouped into {units} ensembles. In each window a hierarchy of "
    "invertible encoders, each halving the dimensions down to 1 ({couplings} affine couplings a flow), was learned "
    "with the dynamics of each scale ({mode}, {seeds} initialisation{s}, lag {lag} frame{of_lag}; after "
    "[{multiscale}]). {how} Causal power of a scale is the information in bits, per dimension, that a Gaussian "
    "intervention with the latents' covariance carries through the learned dynamics, with the residual covariance of "
    "held-out contiguous blocks; its interval draws these blocks anew, and does not hold what another window would "
    "have taught. {surrogates} surrogates of each null ({nulls}) were trained in the same way."
)
_DYNAMICS = (
    " Flow and phase portrait of the latents of one and two dimensions were estimated by local linear regression of "
    "steps on positions; two wells and saddles were tested against {dynamics_surrogates} Gaussian autoregressions and "
    "on the window's blocks drawn anew."
)
_MACRO_MODEL = (
    " For the macro model one such hierarchy was learned of all windows of a recording together; its {scales} latents "
    "were turned by varimax, made ON above their medians over the training fold of all conditions, and their TPM was "
    "estimated in each window ({estimator}). Its surrogates were encoded by hierarchies trained on them. Latents are "
    "functions of all ensembles, so phi of the macro model is none of a macro grain of the theory; tests of learned "
    "variables were corrected as a family of their own."
)
_MODES = {
    "calibrated": (
        "Latents were white over the training fold, dynamics bounded in their spectral norms. Training maximised the "
        "likelihood of the next frame at every scale, then causal power with the loss of each scale at most "
        "{tolerance:g} nat per unit and frame above that; both stopped by the held-out blocks."
    ),
    "published": "Training followed the published stages and errors.",
}
_SEVERAL = (
    " Tests of macro scales were corrected over all macro scales of a window: each value was compared with the largest "
    "of any scale in each surrogate, in standard deviations (single-step maxT), all scales sharing the surrogates. The "
    "grain of a window is the scale with the largest φ_s of those whose units are all maximally irreducible within "
    "[{units}]."
)
_CROSSED = (
    " The grouping named is that of all data; values of macro units (own occupancy) and their tests were cross-fitted: "
    "each window was divided into two contiguous halves, apart by the longest autocorrelation time of the units, macro "
    "units were learned on one half of all windows that share them and evaluated on the other, both ways, and the two "
    "averaged. The gain in causal power is over the micro units of the same half."
)
_MAXIMISED = {
    "effective_information": "effective information of the macro TPM",
    "phi_s": "effective information of the macro TPM, and from what it finds climbs by φ_s of the macro units, the "
    "mean over visited states",
}
_MAXIMAL = {"effective_information": "effective information", "phi_s": "φ_s"}
_CHECKED = "for up to 6 units checked against exhaustive search, whose result is taken where the encoder misses it"
_DESCENT = (
    "; beyond, against a search from scale to scale, which merges the best groupings of one scale into those of the "
    "next and moves and swaps units until nothing is better, and whose result is taken likewise"
)
_LEARNED = {
    "recording": (
        "once for all windows of a recording, as those with the largest mean {maximal} over the windows "
        "(each counting alike), so that contrasts between its windows compare the same macro units"
    ),
    "shared": (
        "once for all windows of all recordings that share their units, as those with the largest mean {maximal} "
        "over the windows (each counting alike), so that contrasts compare the same macro units"
    ),
    "window": "in each window by itself, so that contrasts may compare different macro units",
}
_IIT = (
    "System integrated information φ_s of all units together (a candidate system in its current state, over the "
    "minimum partition), the first complex (the subset of units with the largest φ_s) and, up to {big_phi_max_units} "
    "units, the Φ-structure (distinctions, relations and their sum Φ) were computed exactly as defined by IIT 4.0 "
    "[{iit}]{capped} for every state visited at least {times}, for the point estimate of the TPM and its posterior "
    "draws (the first {big_phi_draws} draws for Φ). A window's value is the mean over visited states weighted by the "
    "share of frames spent in each (own occupancy). With the suffix “common”, the weights are the mean occupancy over "
    "the conditions of a recording (of a subject, where each recording holds one condition and all hold the same named "
    "neurons as units), restricted to states visited in all of them and carried over to macro states, so that a "
    "change of mechanism is told from a change of occupancy. Intervals are quantiles over posterior draws under the "
    "same weights. Values are in ibits."
)
_OPEN = (
    ", φ_s in its version of 2026 (Mayner, Marshall & Tononi, Entropy 28: 410): at the same partition no more than "
    "the intrinsic information and the intrinsic differentiation of cause and effect, the latter -log2 of the "
    "probability of the {state},"
)
_CAPPED = {
    "2023": "",
    "2026": _OPEN.replace("{state}", "present state given itself"),
    "2026-specified": _OPEN.replace("{state}", "specified states given the present one"),
}
_COPIES = (
    " Values and intervals of φ_s (own occupancy), of φ_s of the first complex where it is searched in draws, and of "
    "effective information and causal power were corrected by a parametric double bootstrap: {copies} recordings "
    "were simulated from posterior draws of the window's TPM, with its length and gaps, and estimated in the same way; "
    "r is the square root of a measure of the TPM that was simulated, under its stationary distribution, minus the "
    "square root of its mean over the draws estimated from the copy. With the mean m over the window's own draws, the "
    "value is (√m + mean of r)², and the interval (√m + quantiles of r)². Tests against surrogates are of the "
    "values before correction."
)
_WITHHELD = (
    " P(φ_s > 0) is the share of posterior draws above zero. Rows of a TPM visited less than {min_row_visits} times "
    "are extrapolation: effective information and causal power, which average all rows alike, are withheld where "
    "there is such a row, Φ where more than half of the rows are so, and Φ also where its interval spans more than a "
    "factor of ten."
)
_INFORMATION = (
    "Effective information is the mutual information between a uniformly distributed state and the state that "
    "follows, from the row-stochastic TPM [{information}]; causal power is effective information divided by its "
    "maximum, the logarithm of the number of states [{power}]. Their gain is the macro value minus the micro value "
    "of the same window."
)
_NULLS = (
    "{surrogates} surrogates per null ({big_phi_surrogates} for Φ) went through the same estimation: {families}."
    "{learned}{controls}{shown} One-sided p-values are (1 + number of surrogates at or above the value) / (1 + number "
    "of surrogates)."
)
_LEARNED_ANEW = (
    " For macro units the grouping was learned anew on {where}every surrogate of a window (exhaustively, for up to 6 "
    "units){own}."
)
_OWN = ", so that each surrogate has its own best grouping and a window the one of its recording"
_CONTROLS = " Macro units were also compared with the matched random groupings."
_SHOWN = " The p shown is that of the null {null} for {measures}."
_COMPARE = (
    "The subject is the unit of inference: sessions and windows of one subject in one condition were averaged, "
    "weighted by frames; windows of few frames were left out where the subject had others in that condition. "
    "Differences between conditions within subjects were averaged over subjects. Intervals ({confidence:.0%}) are "
    "from a bootstrap over subjects ({resamples} resamples, or all), stretched, to the same end as [{bootstrap}], by "
    "t/z · √(n/(n − 1)) for n subjects (t and z: quantiles of Student's t with n − 1 degrees of freedom and of the "
    "normal distribution); p-values from a two-sided sign-flip permutation test across subjects (all flips where "
    "these are at most {permutations}). The primary endpoint, named beforehand, was {primary}; it was tested alone. "
    "All other tests of the study were secondary, and corrected together over contrasts, scales and measures "
    "{corrected}; causal power, a multiple of effective information, shares its test. The smallest p that the test "
    "can give is stated with each test. For the primary measure a linear mixed model (value ~ condition, random "
    "intercept of the subject, restricted maximum likelihood, Student's t with n − 1 degrees of freedom) was fitted "
    "to the same values. Its differences were also formed of the excess over the null{repeated}. The conditions of "
    "the primary contrast were told in each subject from the values of the others, by logistic regression on the "
    "primary measure, on the event rate, and on both, against labels exchanged within subjects."
)
_REPEATED_MATCHED = (
    ", and of values that were estimated anew in windows cut to the same length, without and with the event rates of "
    "the two conditions made equal (in the condition with the higher rate, ON events of each unit were deleted at "
    "random; mean of {repeats} repetitions)"
)
_MULTISCALE = (
    "The question asked at every scale, whether states of consciousness differ in the causal power of learned "
    "coarse-grainings, follows [{multiscale}]; the method does not: macro units are disjoint groups of units, so "
    "that their integrated information is defined and comparable with that of the units."
)
_SOFTWARE = "phiscale {phiscale} (Python {python}{packages}), seed {seed}. All random choices derive from the seed."
_PACKAGES = ("numpy", "scipy", "torch", "xarray", "snakemake")


def paragraphs(study: Findings) -> list[tuple[str, str]]:
    """Return (heading, text) of each part of the methods section.

    Args:
        study: its results; what was chosen stands in its parameters.
    """
    p, listed = settled(study), references(study)
    return [
        ("Recordings", _recordings(study)),
        ("Preprocessing", _preprocess(p["preprocess"])),
        ("Ensembles", _ensembles(p["ensembles"])),
        ("States", _states(p["binarize"], listed)),
        ("Transition probability matrices", _tpm(p["tpm"], listed) + _chosen(study)),
        ("Macro units", _macro(p["macro"], p["ensembles"])),
        *([("Multiscale variables", _encoder(p["encoder"]))] if p.get("encoder") else []),
        ("Integrated information", _iit(p["iit"], p["tpm"]["copies"], p["tpm"]["draws"])),
        ("Effective information", _INFORMATION.format(**_CITED)),
        ("Nulls", _nulls(p["nulls"], p["macro"], listed)),
        ("Comparison of conditions", _compare(p["compare"], p["conditions"])),
        ("Multiscale approach", _MULTISCALE.format(**_CITED)),
        ("Software", _software(study)),
    ]


def written(study: Findings) -> str:
    """Return the methods section as Markdown, for methods.md.

    Args:
        study: its results; what was chosen stands in its parameters.
    """
    parts = [f"# Methods of {study.parameters['study']}", *(f"**{head}.** {text}" for head, text in paragraphs(study))]
    listed = "\n".join(f"{i}. {reference}" for i, reference in enumerate(references(study), 1))
    return "\n\n".join([*parts, "## References", listed]) + "\n"


def in_short(study: Findings) -> str:
    """Return the choices of the study in one sentence.

    Args:
        study: its results; what was chosen stands in its parameters.
    """
    p = settled(study)
    bins = isinstance(p["binarize"].get("bin_s"), int | float)
    choices = [
        f"{p['ensembles']['iit']} units ({p['ensembles']['method']})",
        f"ON and OFF by {p['binarize']['method']}" + (f" in bins of {p['binarize']['bin_s']:g} s" if bins else ""),
        f"TPMs by {p['tpm']['method']}, {p['tpm']['draws']} draws",
        f"exact IIT 4.0 (formalism {p['iit']['formalism']})",
        f"{p['nulls']['surrogates']} surrogates per null",
        f"sign-flip tests over subjects, corrected by {p['compare']['correction']}",
    ]
    return "; ".join(choices) + "."


def references(study: Findings) -> tuple[str, ...]:
    """Return what the text cites, [1] first: the works that it is built on, then those that chosen entries add.

    Args:
        study: its results.
    """
    added = (reference for entry in _entries(settled(study)) for reference in entry.references)
    return tuple(dict.fromkeys([*REFERENCES, *added]))


def settled(study: Findings) -> dict[str, Any]:
    """Return a study's parameters, with the estimator that its recordings have chosen where it leaves that open."""
    p, choice = study.parameters, getattr(study, "choice", None)
    if choice is None or p["tpm"]["method"] != "auto":
        return p
    own = parameters_of(choice["method"], {n: v for n, v in p["tpm"].items() if n != "method"})
    return p | {"tpm": p["tpm"] | own | {"method": choice["method"]}}


def _chosen(study: Findings) -> str:
    """Say why the estimator is the one that it is, where that was left to the recordings."""
    choice = getattr(study, "choice", None)
    if choice is None or study.parameters["tpm"]["method"] != "auto":
        return ""
    scores = "; ".join(
        f"{what} {', '.join(f'{name} {bits:.3f}' for name, bits in choice[kind].items())}"
        for kind, what in (("states", "of the states:"), ("signal", "of the signal's categories:"))
        if choice[kind]
    )
    return (
        f" This estimator ({choice['method']}) was chosen for all recordings together, because {choice['reason']} "
        f"(log2-likelihood of what was left out, in bits per bin and unit, {scores})."
    )


def _entries(p: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield what a study has chosen from the registries, in the order of the text."""
    yield BINARIZERS.choose(p["binarize"]["method"])
    yield ESTIMATORS.choose(p["tpm"]["method"])
    if p["nulls"]["surrogates"]:
        yield from (NULLS.choose(kind) for kind in p["nulls"]["kinds"])


def _said(entry: Entry, fields: Mapping[str, Any], listed: tuple[str, ...]) -> str:
    """Return an entry's words for the methods section, with the numbers of its references behind them."""
    numbers = ",".join(str(listed.index(reference) + 1) for reference in entry.references)
    return entry.sentence(fields) + (f" [{numbers}]" if numbers else "")


def _recordings(study: Findings) -> str:
    if not study.analysed:
        return "No recording could be analysed; what follows is what the study asks for."
    text = _RECORDINGS.format(
        recordings=counted(len(study.analysed), "recording"),
        subjects=counted(len(study.subjects), "subject"),
        were="was" if len(study.analysed) == 1 else "were",
        conditions=", ".join(study.conditions),
    )
    simulated = [r for r in study.analysed if r in study.truths]
    if simulated:
        how = READERS["simulate"].sentence(study.parameters["simulate"])
        text += _SIMULATED.format(n=len(simulated), how=how)
    codes = study.parameters.get("state_codes")
    if codes:
        names = ", ".join(f"{k} {v}" for k, v in codes["codes"].items())
        text += _STATE_CODES.format(names=names, **codes)
    return text


def _preprocess(p: dict[str, Any]) -> str:
    text = f"{_KIND[p['kind']]} {_DETREND[p['detrend']]}"
    text += " Recordings were resampled to {resample_hz:g} Hz." if p["resample_hz"] else ""
    return (text + _DROPPED).format(**p)


def _ensembles(p: dict[str, Any]) -> str:
    subjects = ["all subjects" if name == EVERY_SUBJECT else name for name in sorted(p.get("neurons") or {})]
    chosen = f" Chosen neurons were used for {', '.join(subjects)}." if subjects else ""
    shared = _SHARED[p["grouping"]].format(traces=_JOINED if p["method"] == "activity" else "")
    return _ENSEMBLES.format(grouped=_GROUPS[p["method"]], iit=p["iit"], shared=shared, chosen=chosen)


def _states(p: dict[str, Any], listed: tuple[str, ...]) -> str:
    return _STATES.format(
        bin_s=p["bin_s"],
        rule=_said(BINARIZERS.choose(p["method"]), p, listed),
        threshold="separately in each window" if p["per_window"] else "once for all windows of a recording",
        matched=_MATCHED.format(**p) if p["match_length"] else " Windows were not matched in length.",
    )


def _tpm(p: dict[str, Any], listed: tuple[str, ...]) -> str:
    estimator = _said(ESTIMATORS.choose(p["method"]), p, listed)
    return _TPM.format(
        bins=counted(p["lag"], "bin"),
        estimator=estimator,
        draws=p["draws"],
        drawn=_DRAWN[p["uncertainty"]],
        kind=_DRIVE_HELD if p.get("drive") else _OBSERVATIONAL,
    )


def _macro(p: dict[str, Any], ensembles: dict[str, Any]) -> str:
    sizes = scale_sizes(p["scales"], ensembles["iit"])
    if not sizes:
        return "No macro units were formed."
    return _MACRO.format(
        s="s" if len(sizes) > 1 else "",
        at=" and ".join([", ".join(map(str, sizes[:-1])), str(sizes[-1])] if len(sizes) > 1 else map(str, sizes)),
        maximised=_MAXIMISED[p["objective"]],
        checked=_CHECKED + (_DESCENT if ensembles["iit"] > EXHAUSTIVE_UNITS else ""),
        n_units=ensembles["iit"],
        allowed=", ".join(p["mappings"]),
        learned=_LEARNED[_learned_of(p["grouping"], ensembles["grouping"])].format(maximal=_MAXIMAL[p["objective"]]),
        crossed=(_CROSSED if p["cross_fit"] else "") + (_SEVERAL.format(**_CITED) if len(sizes) > 1 else ""),
        **p,
        **_CITED,
    )


def _encoder(p: dict[str, Any]) -> str:
    words = {name: NULLS[name].label for name in p["nulls"]}
    sizes = ", ".join(map(str, Encoder(**p).macro_models))
    more = _DYNAMICS.format(**p)
    more += _MACRO_MODEL.format(scales=sizes, estimator=ESTIMATORS[p["macro_estimator"]].summary) if sizes else ""
    told = _ENCODER.format(
        **{**_CITED, **p, "nulls": ", ".join(words.values())},
        s="" if p["seeds"] == 1 else "s",
        of_lag="" if p["lag"] == 1 else "s",
        how=_MODES[p["mode"]].format(**p),
    )
    return told + more


def _learned_of(macro: str, units: str) -> str:
    return "shared" if macro == "recording" and units != "recording" else macro


def _iit(p: dict[str, Any], copies: int, draws: int) -> str:
    times = counted(p["min_visits"], "time").replace("1 time", "once")
    corrected = _COPIES.format(copies=copies) if copies else ""
    withheld = _WITHHELD.format(**p) if p["min_row_visits"] else ""
    unfolded = {"big_phi_draws": min(p["big_phi_draws"], draws)}
    return _IIT.format(times=times, capped=_CAPPED[p["formalism"]], **(p | unfolded), **_CITED) + withheld + corrected


def _nulls(p: dict[str, Any], macro: dict[str, Any], listed: tuple[str, ...]) -> str:
    learned = controls = ""
    if macro["scales"]:
        where = "each half of " if macro["cross_fit"] else ""
        learned = _LEARNED_ANEW.format(where=where, own=_OWN if macro["grouping"] == "recording" else "")
        controls = _CONTROLS
    if not p["kinds"] or not p["surrogates"]:
        return "No surrogates were computed." + controls
    families = "; ".join(_tested(NULLS.choose(kind), p, listed) for kind in p["kinds"])
    shown = "".join(_shown(null, p["shown"]) for null in dict.fromkeys(p["shown"].values()))
    return _NULLS.format(families=families, learned=learned, controls=controls, **p | {"shown": shown})


def _tested(null: Null, p: dict[str, Any], listed: tuple[str, ...]) -> str:
    """A null by its name, what it is made of, and what it is for."""
    return f"{null.name}: {_said(null, p, listed)}; {null.tests}"


def _shown(null: str, shown: Mapping[str, str]) -> str:
    """Which measures have this null beside them in the summary."""
    known = [MEASURES[measure] for measure, chosen in shown.items() if chosen == null]
    measures = [m.words if " " in m.short else m.short for m in known]  # signs stay signs, all else is spelt out
    return _SHOWN.format(null=null.replace("_", " "), measures=", ".join(measures))


def _compare(p: dict[str, Any], conditions: Sequence[str]) -> str:
    correction = CORRECTIONS[p["correction"]]
    cited = f" [{_CITED[correction.name]}]" if correction.reference else ""
    return _COMPARE.format(
        confidence=p["confidence"],
        resamples=p["bootstrap"],
        permutations=p["permutations"],
        primary=_primary(p, conditions),
        corrected=correction.methods + cited,
        repeated=_REPEATED_MATCHED.format(**p) if p["repeats"] else "",
        **_CITED,
    )


def _primary(p: dict[str, Any], conditions: Sequence[str]) -> str:
    """Say what the primary endpoint is; what the study leaves open is filled in."""
    own = p["primary"]
    pair = own["contrast"] or next(iter(p["contrasts"]), None) or list(conditions[:2])
    size = f"{own['scale']} " if own["scale"] else ""
    words = "units" if own["route"] == "micro" else "macro units"
    between = f", {pair[0]} minus {pair[1]}" if len(pair) == 2 else ""
    return f"{MEASURES[own['measure']].words} of the {size}{words}{between}"


def _software(study: Findings) -> str:
    known = study.provenance.get("packages", {})
    listed = ", ".join(f"{name} {known[name]}" for name in _PACKAGES if name in known)
    return _SOFTWARE.format(
        phiscale=study.provenance.get("phiscale", ""),
        python=study.provenance.get("python", ""),
        packages=f"; {listed}" if listed else "",
        seed=study.parameters["seed"],
    )
