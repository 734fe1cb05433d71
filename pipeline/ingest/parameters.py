"""The section `state_codes` of a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.base.parameters import Section

Code = Annotated[int, Field(ge=-(10**9), le=10**9)]
NotNegative = Annotated[float, Field(ge=0, le=1e6)]


class StateCodes(Section):
    """Windows from codes per frame or per sample (such as a hypnogram), one per condition and recording."""

    codes: dict[Code, str] = Field(description="Code -> condition; other codes and NaN are left out")
    min_bout_s: NotNegative = Field(10.0, description="Shorter bouts are left out [s]")
    trim_s: NotNegative = Field(0.0, description="Cut from both ends of each bout [s]")
