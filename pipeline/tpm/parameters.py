"""The section `tpm` of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from pipeline.base.parameters import MOST_DRAWS, MOST_FRAMES, Section
from pipeline.base.registry import chosen_section
from pipeline.tpm.registry import ESTIMATORS

METHOD, LAG = "auto", 1
QUICK = "logistic"  # of functions that are given states and told nothing else
LEAST_COPIES = 10  # fewer have no quantiles to speak of
COPY_DRAWS = 50  # of each copy's posterior


class TpmCommon(Section):
    """Unit TPM of a window."""

    lag: Annotated[int, Field(ge=1, le=MOST_FRAMES)] = Field(LAG, description="Lag of a transition [bins]")
    draws: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        400, description="Posterior draws that carry the uncertainty into phi"
    )
    uncertainty: Literal["posterior", "bootstrap"] = Field(
        "posterior",
        description="What the draws are of: the posterior of the method, or estimates from transitions resampled in "
        "blocks as long as the units stay correlated (moving-block bootstrap)",
    )
    copies: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        0,
        description="Simulated copies of each window, estimated like it, that correct the bias and the level of the "
        "intervals; 0: none; 40 is enough",
    )


if TYPE_CHECKING:

    class _Chosen(TpmCommon):
        method: str

    Tpm: TypeAlias = _Chosen
else:
    Tpm = chosen_section(ESTIMATORS, TpmCommon, METHOD, "Estimator")
