"""What the sections of a study are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the study; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
