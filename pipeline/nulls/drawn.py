"""What drawing a null gives: surrogates together with the borders that they bring."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.base.arrays import Array, Ints

LEFT_OUT = {
    "surrogates_left_out": "So many surrogates (the number behind the colon) were left out because a unit that varies "
    "in the data was never, or always, ON in them, or could not be binarized at all; the null is made of the others."
}


@dataclass(frozen=True)
class Surrogates:
    """Surrogates of one raster, or of traces, and where their runs of consecutive frames end.

    Counting transitions across borders would make slow units less predictable in the surrogates than in the data,
    and so the null too low; give `runs` to `pipeline.tpm.point_estimates` with the values.

    Attributes:
        values: (surrogate, frame, unit).
        runs: (frame,) where all share the data's borders, (surrogate, frame, unit) where each unit brings its own.
    """

    values: Array
    runs: Ints
