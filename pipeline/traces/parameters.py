"""The sections `preprocess` and `ensembles` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Hertz, Seconds, Section

EVERY_SUBJECT = "*"  # in place of a subject, in a choice of neurons


class Preprocess(Section):
    """From fluorescence to ΔF/F."""

    kind: Literal["fluorescence", "dff"] = Field(
        "fluorescence",
        description="What the recordings hold: raw fluorescence, or ΔF/F already "
        "(then only detrending and resampling are done)",
    )
    neuropil_factor: Annotated[float, Field(ge=0, le=1)] = Field(
        0.7, description="Share of the neuropil signal subtracted, where a recording has one"
    )
    baseline_percentile: Annotated[float, Field(gt=0, lt=100)] = Field(
        8.0, description="Running percentile taken as F0 [%]"
    )
    baseline_window_s: Seconds = Field(60.0, description="Length of the running window for F0 [s]")
    detrend: Literal["none", "linear", "highpass"] = Field(
        "none",
        description="Detrending of ΔF/F: per recording, linear or a running-median high-pass",
    )
    highpass_s: Seconds = Field(300.0, description="Window of the high-pass detrending [s]")
    resample_hz: Hertz | None = Field(None, description="Common frame rate [Hz]; empty keeps each recording's own")


class Ensembles(Section):
    """Grouping of neurons into ensembles, each grouping for all windows of its recordings."""

    method: Literal["position", "activity", "region", "none"] = Field(
        "position",
        description="k-means on position, k-means on activity correlation, by region label, or none "
        "(each neuron is a unit; then K is the number of neurons)",
    )
    grouping: Literal["recording", "subject", "study"] = Field(
        "recording",
        description="Whose recordings share their units: each recording has its own, those of a subject share them "
        "(the same neurons under the same names), or all do (e.g. parcels of an atlas). Needed where the conditions "
        "that are compared stand in different recordings",
    )
    iit: Annotated[int, Field(ge=2, le=10)] = Field(4, description="Units for the TPM and IIT")
    neurons: dict[str, list[str]] = Field(
        default_factory=dict,
        description='Chosen neurons per subject (by neuron name), or under "*" for all subjects that are not named; '
        "without, all are used",
    )
