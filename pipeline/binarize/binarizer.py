"""What a way to decide between ON and OFF has to say of itself and to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.base.registry import Entry
from pipeline.binarize.bins import Bins


@dataclass(frozen=True)
class Activity:
    """Activity of units, and the bins that states are wanted for.

    Attributes:
        where: what messages call it.
        values: (time, unit) activity.
        units: names.
        bins: all bins.
        kept: (frame,) indices of the bins that become frames.
        segment: (frame,) stretch of consecutive bins.
    """

    where: str
    values: Floats
    units: Sequence[str]
    bins: Bins
    kept: Ints
    segment: Ints


@dataclass(frozen=True)
class Signal:
    """What is compared with a threshold.

    Attributes:
        values: (frame, unit), in units of the activity.
        decay_s: (unit,) decay time of the indicator [s]; NaN where the method has no use for it.
    """

    values: Floats
    decay_s: Floats


@dataclass(frozen=True)
class Stretch:
    """One unit in the frames that share a threshold.

    Attributes:
        signal: (frame,) its signal.
        segment: (frame,) label of the stretch of consecutive frames; no transition crosses them.
        trace: (time,) its activity in the whole recording.
        inside: (time,) camera frames that belong to these frames and may be used.
        rate_hz: camera frames per second [Hz].
        bin_frames: camera frames per bin.
        decay_s: decay time of the indicator [s], or NaN.
    """

    signal: Floats
    segment: Ints
    trace: Floats
    inside: Bools
    rate_hz: float
    bin_frames: float
    decay_s: float


class Binarizer(Entry, Protocol):
    """A way to decide when a unit is ON.

    Attributes:
        signal_name: what is compared with the threshold.
        fix: what to do about a unit that is never or always ON.
    """

    signal_name: ClassVar[str] = "mean over the bin"
    fix: ClassVar[str] = "use another binarize.method, or leave the unit out"

    def signal(self, activity: Activity, parameters: Any) -> Signal:
        """Return the signal of every unit: the mean over the bin, where an entry has no other.

        Args:
            activity: of the whole recording.
            parameters: the entry's own, an object of its `Parameters`.

        Raises:
            PhiscaleError: the activity does not allow it.
        """
        unknown = np.full(len(activity.units), np.nan)
        return Signal(activity.bins.mean(activity.values)[activity.kept], unknown)

    def decide(self, stretch: Stretch, parameters: Any) -> tuple[float, Bools]:
        """Return the threshold, in units of the signal, and (frame,) where the unit is ON.

        Args:
            stretch: a unit whose activity is not constant there.
            parameters: the entry's own, an object of its `Parameters`.
        """

    def sentence(self, section: Mapping[str, Any]) -> str:
        """Return `methods` filled in: what a unit was "in bins of so many seconds".

        Args:
            section: fields of the study's section `binarize`.
        """
        return self.methods.format(**section)


def above(signal: Floats, limit: float) -> tuple[float, Bools]:
    """Return the threshold and (frame,) where the signal exceeds it.

    Args:
        signal: (frame,) of a unit.
        limit: the threshold, in units of the signal.
    """
    return limit, signal > limit
