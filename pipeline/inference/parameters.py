"""The section `compare` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Section


class Compare(Section):
    """Comparison of conditions, with the subject as the unit of inference."""

    contrasts: list[tuple[str, str]] = Field(
        default_factory=list,
        description="Pairs [a, b] of conditions: a minus b; empty takes all pairs in the order of `conditions`",
    )
    bootstrap: Annotated[int, Field(ge=100)] = Field(2000, description="Bootstrap resamples of the subjects")
    permutations: Annotated[int, Field(ge=100)] = Field(
        10000, description="Sign flips (all of them are used where there are fewer)"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="Level of the intervals")
    correction: Literal["holm", "fdr", "none"] = Field(
        "holm",
        description="Correction over scales × measures within a contrast: Holm, or Benjamini-Hochberg",
    )
