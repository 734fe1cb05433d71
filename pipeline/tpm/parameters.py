"""The section `tpm` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Positive, Section


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
    draws: Annotated[int, Field(ge=0)] = Field(100, description="Posterior draws that carry the uncertainty into phi")
