"""The section `nulls` of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, field_validator

from pipeline.base.parameters import MOST_DRAWS, Section
from pipeline.nulls.registry import FAMILIES, NULLS, RANDOM_GROUPING
from pipeline.results.measures import OF_SURROGATES

KINDS, KIND = ("integration", "interaction"), "interaction"  # of a study; of states or traces at hand
SURROGATES, UNFOLDED, HIDDEN = 100, 20, 40
LEAST_RANDOM = 19  # random groupings: with fewer no p can be 0.05
WITHOUT_CUT = ("effective_information", "causal_power", "delta_causal_power")  # no cut makes them 0
SHOWN: Mapping[str, str] = {m: "interaction" if m in WITHOUT_CUT else "integration" for m in OF_SURROGATES}

if TYPE_CHECKING:
    Kind: TypeAlias = str
    Family: TypeAlias = str
    Measured: TypeAlias = str
else:
    Kind = Literal[tuple(NULLS)]
    Family = Literal[tuple(FAMILIES)]
    Measured = Literal[OF_SURROGATES]


class Nulls(Section):
    """Surrogates that go through the same estimation."""

    kinds: Annotated[list[Kind], NULLS] = Field(
        default_factory=lambda: list(KINDS),
        description=f"Null families; macro units get {RANDOM_GROUPING.label} besides",
    )
    shown: dict[Measured, Family] = Field(
        default_factory=lambda: dict(SHOWN),
        description="The null of each measure that summary.csv shows; one that was not computed is never replaced by "
        "another. A study names only the measures for which it wants another",
    )
    detection: Annotated[int, Field(ge=0, le=1000)] = Field(
        5,
        description="How often errors of detection are drawn, to see what is left of a difference between two windows "
        "if they were detected equally well (detection/R.csv); 0: not at all",
    )
    surrogates: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(SURROGATES, description="Surrogates per null")
    hidden_surrogates: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        HIDDEN,
        description="Surrogates of `integration` at most where states are hidden: each is seen and fitted anew",
    )
    big_phi_surrogates: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        UNFOLDED, description="Surrogates that are unfolded for Φ (the first ones)"
    )

    @field_validator("shown")
    @classmethod
    def _completed(cls, shown: dict[str, str]) -> dict[str, str]:
        """Add the nulls of the measures that were not named."""
        return {**SHOWN, **shown}
