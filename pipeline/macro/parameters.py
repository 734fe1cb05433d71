"""The section `macro` of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PlainValidator, WithJsonSchema

from pipeline.base.parameters import MOST_DRAWS, Section

Mapping = Literal["and", "or", "majority", "threshold"]
MAPPINGS: tuple[Mapping, ...] = get_args(Mapping)
RESTARTS, STEPS, RANDOM_GROUPINGS = 8, 200, 50
ALL = "all"
MOST_SCALE = 9  # macro units: fewer than the units
EXHAUSTIVE_UNITS = 6  # up to these every grouping is tried


def scale_sizes(scales: int | Sequence[int] | Literal["all"], units: int) -> list[int]:
    """Return numbers of macro units, as they may be written.

    Args:
        scales: one, several, or `all`: every number from one less than the units down to 1.
        units: number of units.

    >>> scale_sizes("all", 4), scale_sizes(2, 4), scale_sizes([3, 2], 4)
    ([3, 2, 1], [2], [3, 2])
    """
    if scales == ALL:
        return list(range(units - 1, 0, -1))
    return [scales] if isinstance(scales, int) else [int(size) for size in scales]


def _all_mappings() -> list[Mapping]:
    return list(MAPPINGS)


def _scales() -> list[int]:
    return [2]


def _read(scales: Any) -> Any:
    """Return scales if they are some, so that a fault is told once and not once per type."""
    listed = scales if isinstance(scales, list) else [scales]
    if scales == ALL or all(
        isinstance(size, int) and not isinstance(size, bool) and 1 <= size <= MOST_SCALE for size in listed
    ):
        return scales if scales == ALL else listed
    raise ValueError(f"write one number of macro units, a list of numbers (1 to {MOST_SCALE} each), or all")


_ONE = {"type": "integer", "minimum": 1, "maximum": MOST_SCALE}
_SCHEMA = {"anyOf": [{"const": ALL}, _ONE, {"type": "array", "items": _ONE}]}
Scales = Annotated[list[int] | Literal["all"], PlainValidator(_read), WithJsonSchema(_SCHEMA)]


class Macro(Section):
    """Macro units: a learned disjoint grouping of the units, and state mappings."""

    scales: Scales = Field(
        default_factory=_scales,
        description="Numbers of macro units: one, or a list; all: every one from one less than the units down to 1",
    )
    objective: Literal["effective_information", "phi_s"] = Field(
        "effective_information",
        description="What the grouping is chosen for: effective information of the macro TPM, or phi_s of the macro "
        "units (mean over visited states; slower)",
    )
    mappings: list[Mapping] = Field(
        default_factory=_all_mappings, description="State mappings that a macro unit may take"
    )
    grouping: Literal["recording", "window"] = Field(
        "recording",
        description="One grouping and mapping for all windows of a recording, or of all recordings that share their "
        "units (ensembles.grouping) (that with the largest mean objective over the windows, each counting alike), or "
        "one learned in each window by itself (its contrasts then compare different macro units)",
    )
    restarts: Annotated[int, Field(ge=1, le=1000)] = Field(
        RESTARTS, description="Initialisations of the encoder; the best is kept, their agreement reported"
    )
    steps: Annotated[int, Field(ge=1, le=100_000)] = Field(STEPS, description="Training steps of each")
    cross_fit: bool = Field(
        True,
        description="Values and tests of macro units are of groupings that were learned on the other half of the "
        "window (both ways, averaged): a grouping has an advantage where it was chosen. The grouping that is reported "
        "is learned on all data",
    )
    random_groupings: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        RANDOM_GROUPINGS, description="Matched random groupings (same sizes, same mappings) as the control"
    )

    def sizes(self, units: int) -> list[int]:
        """Return the numbers of macro units, in the order given.

        Args:
            units: number of units of the study.
        """
        return scale_sizes(self.scales, units)
