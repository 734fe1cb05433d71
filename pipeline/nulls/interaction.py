"""The null without interaction: every unit keeps its own course, at another time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from pipeline.base.registry import Entry
from pipeline.nulls.drawn import Surrogates

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.base.arrays import Array, Ints


class Interaction(Entry):
    """Each unit moved along the joined frames of the window, any two at least the longest autocorrelation time apart.

    The shifts are uniform among those that leave the gap (`least_shift`). The borders of a unit move with it,
    and where the window's end meets its start is one more.

    A shift is no remedy for drift: a signal whose level changes over the window correlates with its shifted copies,
    so the null is only as good as the window is stationary.
    """

    name: ClassVar[str] = "interaction"
    summary: ClassVar[str] = "units shifted independently (no interaction)"
    label: ClassVar[str] = "units shifted in time"
    methods: ClassVar[str] = (
        "the units' state sequences shifted circularly against each other by random amounts, any two by at least the "
        "longest autocorrelation time where the window is long enough (keeps each unit's own dynamics, destroys "
        "interaction; does not control for drift)"
    )
    tests: ClassVar[str] = "a small p rejects that the units do not act on each other"
    keeps: ClassVar[str] = "each unit's own course, rate and autocorrelation"
    breaks: ClassVar[str] = "every relation between units"
    acts_on: ClassVar[Literal["states", "traces"]] = "states"
    takes: ClassVar[tuple[str, ...]] = ("states", "traces")
    flags: ClassVar[Mapping[str, str]] = {
        "short_shift": "The window is too short to shift any two units apart by their autocorrelation time; the null "
        "may keep some interaction between slow units, and be too high."
    }

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of values (frame, unit), each unit with its own borders; see `Null.draw`."""
        n_frames, n_units = values.shape
        gap = _least(values, runs).gap
        shifts = np.zeros((n, n_units), dtype=np.int64)
        for row in shifts:
            spread = np.sort(rng.integers(0, n_frames - n_units * gap + 1, n_units - 1))
            row[1:] = spread + gap * np.arange(1, n_units)
            row[:] = rng.permutation((row + rng.integers(n_frames)) % n_frames)
        counted_on = np.arange(n_frames)[:, None] + shifts[:, None, :]  # past the end of the window
        shown = counted_on % n_frames
        later = (runs.max(initial=0) + 1) * (counted_on // n_frames)
        return Surrogates(np.take_along_axis(values[None], shown, axis=1), runs[shown] + later)


@dataclass(frozen=True)
class LeastShift:
    """Least shift between any two units, and what it should reach.

    Attributes:
        gap: least shift [frames].
        autocorrelation_time: longest of the units [frames]. Where the window is too short for it, the units are
            spread as far apart as half of an even spacing allows.
    """

    gap: int
    autocorrelation_time: int

    @property
    def short(self) -> bool:
        """Whether the window was too short for the full gap."""
        return self.gap < self.autocorrelation_time


def least_shift(
    states: Array | xr.DataArray | xr.Dataset,
    segments: Sequence[int] | Ints | None = None,
) -> LeastShift:
    """Return the least shift between two units that the null `interaction` uses.

    Args:
        states: (frame, unit), as `pipeline.nulls.surrogates` takes them.
        segments: (frame,) labels of consecutive frames.
    """
    from pipeline.base.raster import raster

    array, runs, _, _ = raster(states, segments)
    return _least(array, runs)


def _least(values: Array, runs: Ints) -> LeastShift:
    from pipeline.base.raster import autocorrelation_time

    wanted = int(np.ceil(autocorrelation_time(values, runs).max()))
    return LeastShift(min(wanted, len(values) // (2 * values.shape[1])), wanted)
