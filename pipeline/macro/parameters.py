"""The section `macro` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Section


class Macro(Section):
    """Macro units: a learned disjoint grouping of the units, and state mappings."""

    scales: list[Annotated[int, Field(ge=1)]] = Field(default_factory=lambda: [2], description="Numbers of macro units")
    mappings: list[Literal["and", "or", "majority", "threshold"]] = Field(
        default_factory=lambda: ["and", "or", "majority", "threshold"],
        description="State mappings that a macro unit may take",
    )
    grouping: Literal["recording", "window"] = Field(
        "recording",
        description="One grouping and mapping for all windows of a recording (that with the largest mean effective information over the windows, each counting alike), or one learned in each window by itself (its contrasts then compare different macro units)",
    )
    restarts: Annotated[int, Field(ge=1)] = Field(
        8, description="Initialisations of the encoder; the best is kept, their agreement reported"
    )
    steps: Annotated[int, Field(ge=1)] = Field(200, description="Training steps of each")
    random_groupings: Annotated[int, Field(ge=0)] = Field(
        50, description="Matched random groupings (same sizes, same mappings) as the control"
    )
