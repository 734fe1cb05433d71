"""The section `state_codes` of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.base.parameters import Section


class StateCodes(Section):
    """Windows from codes per frame or per sample (such as a hypnogram), one per condition and recording."""

    codes: dict[int, str] = Field(description="Code -> condition; other codes and NaN are left out")
    min_bout_s: Annotated[float, Field(ge=0)] = Field(10.0, description="Shorter bouts are left out [s]")
    trim_s: Annotated[float, Field(ge=0)] = Field(0.0, description="Cut from both ends of each bout [s]")
