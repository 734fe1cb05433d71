"""The section `binarize` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Positive, Section


class Binarize(Section):
    """From continuous activity to ON and OFF."""

    method: Literal["quantile", "median", "zscore", "otsu", "hmm", "events"] = Field(
        "events", description="How a unit's ON state is decided"
    )
    quantile: Annotated[float, Field(gt=0, lt=1)] = Field(0.85, description="Threshold of the method 'quantile'")
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
