"""The section `macro` of a study."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from pipeline.base.parameters import Section

Mapping = Literal["and", "or", "majority", "threshold"]
MAPPINGS: tuple[Mapping, ...] = get_args(Mapping)
RESTARTS, STEPS, RANDOM_GROUPINGS = 8, 200, 50


def _all_mappings() -> list[Mapping]:
    return list(MAPPINGS)


def _scales() -> list[int]:
    return [2]


class Macro(Section):
    """Macro units: a learned disjoint grouping of the units, and state mappings."""

    scales: list[Annotated[int, Field(ge=1)]] = Field(default_factory=_scales, description="Numbers of macro units")
    mappings: list[Mapping] = Field(
        default_factory=_all_mappings, description="State mappings that a macro unit may take"
    )
    grouping: Literal["recording", "window"] = Field(
        "recording",
        description="One grouping and mapping for all windows of a recording, or of all recordings that share their "
        "units (ensembles.grouping) (that with the largest mean effective "
        "information over the windows, each counting alike), or one learned in each window by itself (its contrasts "
        "then compare different macro units)",
    )
    restarts: Annotated[int, Field(ge=1)] = Field(
        RESTARTS, description="Initialisations of the encoder; the best is kept, their agreement reported"
    )
    steps: Annotated[int, Field(ge=1)] = Field(STEPS, description="Training steps of each")
    random_groupings: Annotated[int, Field(ge=0)] = Field(
        RANDOM_GROUPINGS, description="Matched random groupings (same sizes, same mappings) as the control"
    )
