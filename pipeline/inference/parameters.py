"""The section `compare` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.base.parameters import Section
from pipeline.results.measures import SUMMARISED

MOST_RESAMPLES = 1_000_000


class Primary(Section):
    """The one endpoint that is named before the data are seen: tested alone, hence not corrected."""

    measure: str = Field("phi_s", description="Measure of summary.csv")
    route: Literal["micro", "macro_units"] = Field("micro", description="How its system is made")
    scale: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None, description="Number of units; empty: the largest of the route"
    )
    contrast: tuple[str, str] | None = Field(
        None, description="Pair [a, b], one of the contrasts; empty: the first of them"
    )

    @field_validator("measure")
    @classmethod
    def _is_a_measure(cls, measure: str) -> str:
        if measure not in SUMMARISED:
            raise ValueError(f"no measure of summary.csv; use one of {', '.join(SUMMARISED)}")
        return measure


class Compare(Section):
    """Comparison of conditions, with the subject as the unit of inference."""

    contrasts: list[tuple[str, str]] = Field(
        default_factory=list,
        description="Pairs [a, b] of conditions: a minus b; empty takes all pairs in the order of `conditions`",
    )
    primary: Primary = Field(
        Primary(),
        description="The endpoint named beforehand (measure, route, scale, contrast): tested alone and not corrected; "
        "all others are secondary",
    )
    bootstrap: Annotated[int, Field(ge=100, le=MOST_RESAMPLES)] = Field(
        2000, description="Bootstrap resamples of the subjects"
    )
    permutations: Annotated[int, Field(ge=100, le=MOST_RESAMPLES)] = Field(
        10000, description="Sign flips (all of them are used where there are fewer)"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="Level of the intervals")
    correction: Literal["holm", "fdr", "none"] = Field(
        "holm",
        description="Correction of all secondary tests of the study (contrasts × scales × measures) together: Holm, or "
        "Benjamini-Hochberg",
    )
    repeats: Annotated[int, Field(ge=0, le=1000)] = Field(
        5,
        description="Times that ON events are deleted at random to match the event rates of two conditions, and phi_s "
        "estimated anew (the mean counts); 0: contrasts are not repeated with matched length and rate",
    )
