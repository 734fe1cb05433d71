"""The section `iit` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import MOST_DRAWS, MOST_FRAMES, Section


class Iit(Section):
    """What the exact engine computes."""

    formalism: Literal["2023", "2026", "2026-specified"] = Field(
        "2023",
        description="Version of IIT 4.0 that phi_s is of: 2023 (Albantakis et al.), or 2026 (Mayner, Marshall & "
        "Tononi), where it is capped by the intrinsic information and differentiation of cause and effect, the latter "
        "of the present state, or of the specified ones (2026-specified)",
    )
    big_phi_max_units: Annotated[int, Field(ge=0, le=10)] = Field(
        5,
        description="Largest number of units for which the whole structure (Φ, distinctions, relations) is unfolded",
    )
    big_phi_draws: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        200,
        description="Posterior draws that are unfolded (the first ones; all where there are fewer); below 200 the "
        "limits of a 95% interval of Φ rest on fewer than five draws each",
    )
    structures: Annotated[int, Field(ge=0, le=1024)] = Field(
        3, description="Structures stored, for the most visited states"
    )
    min_visits: Annotated[int, Field(ge=1, le=MOST_FRAMES)] = Field(
        1, description="A state counts as visited from this many frames on"
    )
    min_row_visits: Annotated[int, Field(ge=0, le=MOST_FRAMES)] = Field(
        10,
        description="Rows of the TPM visited less often than this are extrapolation: effective information and causal "
        "power are withheld where one row is so, Φ where more than half of them are; 0 withholds nothing",
    )
    complex_max_units: Annotated[int, Field(ge=0, le=10)] = Field(
        6,
        description="Largest number of units for which the first complex is searched (among all subsets of units) in "
        "every posterior draw and surrogate; with more units it is known for the point estimate only",
    )
