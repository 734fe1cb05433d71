"""The study: its parameters (study.yaml) and its two sheets (recordings.tsv, windows.tsv) as one model.

The commented template that `phiscale init` writes and the JSON schema are generated from this model.
"""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pipeline.errors import Problem, Problems

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the study; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Preprocess(Section):
    """From fluorescence to ΔF/F."""

    kind: Literal["fluorescence", "dff"] = Field(
        "fluorescence",
        description="What the recordings hold: raw fluorescence, or ΔF/F already (then only detrending and resampling are done)",
    )
    neuropil_factor: Annotated[float, Field(ge=0, le=1)] = Field(
        0.7, description="Share of the neuropil signal subtracted, where a recording has one"
    )
    baseline_percentile: Annotated[float, Field(gt=0, lt=100)] = Field(
        8.0, description="Running percentile taken as F0 [%]"
    )
    baseline_window_s: Positive = Field(60.0, description="Length of the running window for F0 [s]")
    detrend: Literal["none", "linear", "highpass"] = Field(
        "none",
        description="Detrending of ΔF/F: per recording, linear or a running-median high-pass",
    )
    highpass_s: Positive = Field(300.0, description="Window of the high-pass detrending [s]")
    resample_hz: Positive | None = Field(
        None, description="Common frame rate [Hz]; empty keeps each recording's own"
    )


class Ensembles(Section):
    """Grouping of neurons into ensembles, one grouping per recording for all its windows."""

    method: Literal["position", "activity", "region", "none"] = Field(
        "position",
        description="k-means on position, k-means on activity correlation, by region label, or none (each neuron is a unit; then K is the number of neurons)",
    )
    iit: Annotated[int, Field(ge=2, le=10)] = Field(4, description="Units for the TPM and IIT")
    dynamics: Annotated[int, Field(ge=2)] = Field(
        32, description="Ensembles for the continuous encoders"
    )
    neurons: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Chosen neurons per subject (by neuron name); subjects that are absent use all",
    )


class Binarize(Section):
    """From continuous activity to ON and OFF."""

    method: Literal["quantile", "median", "zscore", "otsu", "hmm", "events"] = Field(
        "events", description="How a unit's ON state is decided"
    )
    quantile: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.85, description="Threshold of the method 'quantile'"
    )
    z: Positive = Field(
        3.0,
        description="Threshold of the methods 'zscore' and 'events' [robust standard deviations of the trace, standard deviations of the noise]",
    )
    tau_s: Positive | None = Field(
        0.7,
        description="Decay time of the indicator, for the method 'events' [s]; empty estimates it for each unit (needs the extra 'deconvolution')",
    )
    bin_s: Positive = Field(0.5, description="Time bin of one state [s]")
    per_window: bool = Field(
        False,
        description="Thresholds per window instead of one per unit for all windows (removes differences in level between conditions)",
    )
    match_length: bool = Field(
        True,
        description="Use the same number of frames in every window of a recording (that of its shortest one with at least min_frames), so that the bias of short data is equal",
    )
    min_frames: Annotated[int, Field(ge=2)] = Field(
        200, description="Windows with fewer frames (bins) are flagged and not matched to"
    )


class Tpm(Section):
    """Unit TPM of a window."""

    method: Literal["logistic", "logistic_pairwise", "beta"] = Field(
        "logistic",
        description="Regularised logistic per unit, the same with pairwise terms, or Beta-Binomial per unit and state",
    )
    lag: Annotated[int, Field(ge=1)] = Field(1, description="Lag of a transition [bins]")
    prior: Positive = Field(
        1.0,
        description="Strength of the prior: the ridge penalty of the logistic methods, the Beta pseudo-counts (a = b) of 'beta'",
    )
    draws: Annotated[int, Field(ge=0)] = Field(
        100, description="Posterior draws that carry the uncertainty into phi"
    )


class Macro(Section):
    """Macro units: a learned disjoint grouping of the units, and state mappings."""

    scales: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=lambda: [2], description="Numbers of macro units"
    )
    mappings: list[Literal["and", "or", "majority", "threshold"]] = Field(
        default_factory=lambda: ["and", "or", "majority", "threshold"],
        description="State mappings that a macro unit may take",
    )
    grouping: Literal["recording", "window"] = Field(
        "recording",
        description="One grouping and mapping for all windows of a recording (that with the largest mean effective information over the windows, each counting alike), or one learned in each window by itself (its contrasts then compare different macro units)",
    )
    restarts: Annotated[int, Field(ge=1)] = Field(
        8, description="Initialisations of the encoder; the best is kept, their agreement reported"
    )
    steps: Annotated[int, Field(ge=1)] = Field(200, description="Training steps of each")
    random_groupings: Annotated[int, Field(ge=0)] = Field(
        50, description="Matched random groupings (same sizes, same mappings) as the control"
    )


class Iit(Section):
    """What the exact engine computes."""

    big_phi_max_units: Annotated[int, Field(ge=0)] = Field(
        5,
        description="Largest number of units for which the whole structure (Φ, distinctions, relations) is unfolded",
    )
    big_phi_draws: Annotated[int, Field(ge=0)] = Field(
        20, description="Posterior draws that are unfolded (the first ones)"
    )
    structures: Annotated[int, Field(ge=0)] = Field(
        3, description="Structures stored, for the most visited states"
    )
    min_visits: Annotated[int, Field(ge=1)] = Field(
        1, description="A state counts as visited from this many frames on"
    )


class Nulls(Section):
    """Surrogates that go through the same estimation."""

    kinds: list[Literal["shift", "transition_shuffle"]] = Field(
        default_factory=lambda: ["shift"],
        description="Null families: units shifted independently (no interaction), transitions shuffled (no dynamics); macro units get matched random groupings besides",
    )
    surrogates: Annotated[int, Field(ge=0)] = Field(100, description="Surrogates per null")
    big_phi_surrogates: Annotated[int, Field(ge=0)] = Field(
        20, description="Surrogates that are unfolded for Φ (the first ones)"
    )


class Compare(Section):
    """Comparison of conditions, with the subject as the unit of inference."""

    contrasts: list[tuple[str, str]] = Field(
        default_factory=list,
        description="Pairs [a, b] of conditions: a minus b; empty takes all pairs in the order of `conditions`",
    )
    bootstrap: Annotated[int, Field(ge=100)] = Field(
        2000, description="Bootstrap resamples of the subjects"
    )
    permutations: Annotated[int, Field(ge=100)] = Field(
        10000, description="Sign flips (all of them are used where there are fewer)"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.95, description="Level of the intervals"
    )
    correction: Literal["holm", "fdr", "none"] = Field(
        "holm",
        description="Correction over scales × measures within a contrast: Holm, or Benjamini-Hochberg",
    )


class StateCodes(Section):
    """Per-frame or per-sample state codes (such as a hypnogram) that become windows, one per condition and recording."""

    codes: dict[int, str] = Field(description="Code -> condition; other codes and NaN are left out")
    min_bout_s: Annotated[float, Field(ge=0)] = Field(
        10.0, description="Shorter bouts are left out [s]"
    )
    trim_s: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Cut from both ends of each bout [s]"
    )


class Simulate(Section):
    """Simulated recordings with known causal structure (format `simulate` in recordings.tsv)."""

    motifs: Annotated[int, Field(ge=1, le=4)] = Field(
        1, description="Planted pairs of ensembles: 4 ensembles per motif"
    )
    neurons_per_ensemble: Annotated[int, Field(ge=2)] = Field(
        100, description="Neurons driven by one ensemble"
    )
    rate_hz: Positive = Field(10.0, description="Frame rate [Hz]")
    step_s: Positive = Field(0.5, description="Update interval of the substrate [s]")
    duration_s: Positive = Field(1000.0, description="Length of each condition [s]")
    jitter: Annotated[float, Field(ge=0)] = Field(
        0.05, description="Spread of the couplings between subjects (relative)"
    )
    anesthesia_coupling: Annotated[float, Field(ge=0, le=1)] = Field(
        0.2, description="Coupling under anesthesia, relative to awake"
    )
    recovery_coupling: Annotated[float, Field(ge=0, le=1)] = Field(
        0.6, description="Coupling in recovery, relative to awake"
    )
    participation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.1, description="Probability that a neuron fires in a step in which its ensemble is ON"
    )


class Parameters(Section):
    """Everything in study.yaml."""

    study: Identifier = Field(description="Name of the study; results go to RESULTS/STUDY")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="Fixes every random choice")
    results: str = Field(
        "results", description="Folder of the results (relative to where the run is started)"
    )
    data: str | None = Field(
        None,
        description="Folder from which paths in the sheet start; empty: that of study.yaml. May name environment variables as ${NAME}; --data on the command line wins",
    )
    recordings: str = Field(
        "recordings.tsv", description="Sheet of recordings (relative to study.yaml)"
    )
    windows: str | None = Field(
        "windows.tsv",
        description="Sheet of windows (relative to study.yaml); empty when state codes give them",
    )
    conditions: list[Identifier] = Field(
        min_length=1, description="Conditions in the order of the figures and contrasts"
    )
    preprocess: Preprocess = Preprocess()
    ensembles: Ensembles = Ensembles()
    binarize: Binarize = Binarize()
    tpm: Tpm = Tpm()
    macro: Macro = Macro()
    iit: Iit = Iit()
    nulls: Nulls = Nulls()
    compare: Compare = Compare()
    state_codes: StateCodes | None = Field(None, description="Windows from state codes")
    simulate: Simulate = Simulate()

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Parameters:
        faults = [str(problem) for problem in cross_checks(self)]
        if faults:
            raise PydanticCustomError("cross_field", "{faults}", {"faults": "\n".join(faults)})
        return self


def contrasts(parameters: Parameters) -> list[tuple[str, str]]:
    """Return the contrasts of a study: those it names, or every pair of conditions in their order."""
    return list(parameters.compare.contrasts) or list(combinations(parameters.conditions, 2))


def cross_checks(p: Parameters) -> list[Problem]:
    """Return what is wrong between fields that are each valid on their own."""
    found = Problems()
    if len(set(p.conditions)) < len(p.conditions):
        found.add(
            "conditions",
            f"a condition is listed twice in {p.conditions}",
            "Its contrasts would be zero",
            "list each condition once",
        )
    for pair in p.compare.contrasts:
        unknown = sorted(set(pair) - set(p.conditions))
        if unknown:
            found.add(
                "compare.contrasts and conditions",
                f"the contrast {list(pair)} names {unknown}, which is not among the conditions {p.conditions}",
                "There would be nothing to compare",
                "correct the name, or add it to conditions",
            )
        elif pair[0] == pair[1]:
            found.add(
                "compare.contrasts",
                f"the contrast {list(pair)} compares a condition with itself",
                "It is always zero",
                "name two conditions",
            )
    for scale in p.macro.scales:
        if scale >= p.ensembles.iit:
            found.add(
                "macro.scales and ensembles.iit",
                f"{scale} macro units cannot be made of {p.ensembles.iit} units",
                "A macro unit would be a single unit, and the scale the micro scale again",
                f"use scales below {p.ensembles.iit}, or raise ensembles.iit",
            )
    if len(set(p.macro.scales)) < len(p.macro.scales):
        found.add(
            "macro.scales",
            f"a scale is listed twice in {p.macro.scales}",
            "Its results would be counted twice in the correction",
            "list each scale once",
        )
    if p.macro.scales and not p.macro.mappings:
        found.add(
            "macro.mappings and macro.scales",
            "macro units are asked for, but no state mapping is allowed",
            "No macro unit has a state",
            "name at least one mapping, or empty macro.scales",
        )
    if p.iit.big_phi_draws > p.tpm.draws:
        found.add(
            "iit.big_phi_draws and tpm.draws",
            f"{p.iit.big_phi_draws} draws are to be unfolded, but only {p.tpm.draws} are made",
            "The interval of Φ would rest on fewer draws than stated",
            "lower iit.big_phi_draws or raise tpm.draws",
        )
    if p.nulls.big_phi_surrogates > p.nulls.surrogates:
        found.add(
            "nulls.big_phi_surrogates and nulls.surrogates",
            f"{p.nulls.big_phi_surrogates} surrogates are to be unfolded, but only {p.nulls.surrogates} are made",
            "The null of Φ would rest on fewer surrogates than stated",
            "lower nulls.big_phi_surrogates or raise nulls.surrogates",
        )
    rate = p.preprocess.resample_hz
    if rate and p.binarize.bin_s < 1 / rate - 1e-9:
        found.add(
            "binarize.bin_s and preprocess.resample_hz",
            f"a bin of {p.binarize.bin_s} s is shorter than a frame at {rate} Hz",
            "Bins would be empty",
            f"use bins of at least {1 / rate:g} s, or a higher rate",
        )
    codes = p.state_codes
    if codes is not None:
        for condition in sorted(set(codes.codes.values()) - set(p.conditions)):
            found.add(
                "state_codes.codes and conditions",
                f"a code stands for {condition!r}, which is not among the conditions {p.conditions}",
                "Its frames would belong to no condition",
                "correct the name, or add it to conditions",
            )
        for condition in [
            c for c in p.conditions if c not in codes.codes.values() and not p.windows
        ]:
            found.add(
                "conditions and state_codes.codes",
                f"no code stands for the condition {condition!r}",
                "It would have no data",
                "add its code, or remove the condition",
            )
        shortest = p.binarize.bin_s * (p.tpm.lag + 1)
        if codes.min_bout_s < shortest:
            found.add(
                "state_codes.min_bout_s and binarize.bin_s × (tpm.lag + 1)",
                f"bouts of {codes.min_bout_s} s would be kept, but one transition takes {shortest:g} s",
                "Such bouts hold no transition",
                f"raise min_bout_s to at least {shortest:g}",
            )
    elif not p.windows:
        found.add(
            "windows and state_codes",
            "both are empty",
            "No frame would belong to a condition",
            "name a sheet of windows, or give state_codes",
        )
    return found.found
