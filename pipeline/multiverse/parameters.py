"""The section `multiverse` of a study."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pipeline.base.parameters import Section


class Multiverse(Section):
    """The same question asked over a grid of choices that would be as defensible (phiscale multiverse)."""

    grid: dict[str, list[Any]] = Field(
        min_length=1,
        description="Field of this study, as section.field -> its values; every combination is a specification. "
        "A field that belongs to one method varies with that method only",
    )
    sample: Annotated[int, Field(ge=1, le=20_000)] | None = Field(
        None, description="Run so many specifications, drawn at random with the study's seed; empty runs all"
    )
    measure: str | None = Field(None, description="Measure that is compared; empty takes the study's primary one")
    macro_scale: Annotated[int, Field(ge=1, le=9)] | None = Field(
        None, description="Number of macro units at which it is compared; empty: the units themselves (micro scale)"
    )
    contrast: tuple[str, str] | None = Field(
        None, description="Conditions [a, b], a minus b; empty takes the study's primary or first contrast"
    )
    light: bool = Field(
        True,
        description="Leave out of each specification what its difference does not need: Φ, macro units and complexes "
        "unless they are compared, and surrogates beyond 20",
    )
