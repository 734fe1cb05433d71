"""The section `nulls` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Section


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
