"""The section `binarize` of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field, TypeAdapter

from pipeline.base.parameters import MOST_FRAMES, Seconds, Section
from pipeline.base.registry import chosen_section
from pipeline.binarize.registry import BINARIZERS


class BinarizeCommon(Section):
    """From continuous activity to ON and OFF."""

    bin_s: Seconds = Field(0.5, description="Time bin of one state [s]")
    per_window: bool = Field(
        False,
        description="Thresholds per window instead of one per unit for all windows "
        "(removes differences in level between conditions)",
    )
    match_length: bool = Field(
        True,
        description="Use the same number of frames in every window of a recording, or of all recordings of a subject "
        "that are compared since its conditions stand in different ones (that of the shortest window with at least "
        "min_frames), so that the bias of short data is equal",
    )
    min_frames: Annotated[int, Field(ge=2, le=MOST_FRAMES)] = Field(
        200, description="Windows with fewer frames (bins) are flagged and not matched to"
    )


if TYPE_CHECKING:

    class _Chosen(BinarizeCommon):
        method: str

    Binarize: TypeAlias = _Chosen
else:
    Binarize = chosen_section(BINARIZERS, BinarizeCommon, "events", "How a unit's ON state is decided")

DEFAULT: Binarize = TypeAdapter(Binarize).validate_python({})  # what a study has that says nothing of it
