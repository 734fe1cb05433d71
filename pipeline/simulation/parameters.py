"""The section `simulate` of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.base.parameters import Positive, Section


class Simulate(Section):
    """Simulated recordings with known causal structure (format `simulate` in recordings.tsv)."""

    motifs: Annotated[int, Field(ge=1, le=4)] = Field(
        1, description="Planted pairs of ensembles: 4 ensembles per motif"
    )
    neurons_per_ensemble: Annotated[int, Field(ge=2)] = Field(100, description="Neurons driven by one ensemble")
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
