"""The section `nulls` of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from pipeline.base.parameters import Section
from pipeline.nulls.registry import NULLS, RANDOM_GROUPING

KIND, SURROGATES, UNFOLDED = "shift", 100, 20

if TYPE_CHECKING:
    Kind: TypeAlias = str
else:
    Kind = Literal[tuple(NULLS)]


class Nulls(Section):
    """Surrogates that go through the same estimation."""

    kinds: Annotated[list[Kind], NULLS] = Field(
        default_factory=lambda: [KIND],
        description=f"Null families; macro units get {RANDOM_GROUPING.label} besides",
    )
    surrogates: Annotated[int, Field(ge=0)] = Field(SURROGATES, description="Surrogates per null")
    big_phi_surrogates: Annotated[int, Field(ge=0)] = Field(
        UNFOLDED, description="Surrogates that are unfolded for Φ (the first ones)"
    )
