"""Surrogates of a recording's activity, made states by the binarization that made the data's.

Each window is drawn by itself, with its own mean and covariances: a window's null should differ from the window in
what the family breaks and in nothing else, and a covariance of the whole recording would bring the differences
between conditions into every one of them. Frames outside the windows, and dropped ones, stay as they were; no
threshold rests on them. All windows of one surrogate are binarized together, since they share thresholds (unless the
study sets `per_window`) and are matched in length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError
from pipeline.base.raster import raster, runs_of
from pipeline.base.recording import GAP
from pipeline.base.seeds import generator
from pipeline.nulls.drawn import Surrogates
from pipeline.nulls.registry import NULLS

LEAST_FRAMES = 3  # of a window; fewer have no covariance from frame to frame


@dataclass(frozen=True)
class Traces:
    """The activity of a recording's units, and how it becomes states.

    One of these serves all windows and scales of a recording: what was drawn and binarized once is kept.

    Attributes:
        activity: (time, ensemble) `activity`, (time,) `dropped`, attr sampling_rate_hz [Hz]
            (`pipeline.traces.ensembles.group`).
        windows: rows window, condition, start_s, end_s [s].
        binarize: fields of the section `binarize`, those with which the data were binarized.
        seed: fixes all surrogates; the same for all windows and scales of a recording.
    """

    activity: xr.Dataset
    windows: pd.DataFrame
    binarize: Mapping[str, Any]
    seed: int = 0
    _kept: dict[tuple[str, int], tuple[Array, xr.Dataset | None]] = field(default_factory=dict, repr=False)

    def surrogates(self, kind: str, n: int, window: str) -> Surrogates:
        """Return the surrogates of one window.

        Args:
            kind: a null that acts on traces.
            n: how many are drawn.
            window: name of the window.

        Returns:
            States (surrogate, frame, unit) of the window's matched frames. Less than `n` where the binarization
            refused some, e.g. since a unit was never ON in any window.
        """
        if (kind, n) not in self._kept:
            self._kept[kind, n] = self._binarized(kind, n)
        states, frames = self._kept[kind, n]
        if frames is None:
            return Surrogates(np.empty((0, 0, self.activity.sizes["ensemble"]), np.uint8), np.empty(0, np.int64))
        inside = frames["window"].values.astype(str) == window
        runs = raster(frames.isel(frame=np.flatnonzero(inside)), None)[1]
        return Surrogates(states[:, inside & frames["matched"].values.astype(bool)], runs)

    def draw(self, kind: str, n: int) -> Iterator[Floats]:
        """Yield `n` surrogates of the activity, (time, ensemble); the first ones do not depend on `n`.

        Args:
            kind: a null that acts on traces.
            n: how many are drawn.
        """
        values = self.activity["activity"].transpose("time", "ensemble").values.astype(float)
        rng = generator(self.seed, "surrogates", kind)
        for _ in range(n):
            drawn = values.copy()
            for frames, runs in self._stretches:
                drawn[frames] = NULLS[kind].draw(values[frames], runs, 1, rng).values[0]
            yield drawn

    @cached_property
    def _stretches(self) -> list[tuple[Ints, Ints]]:
        """Usable frames of each window, and their runs: new ones after dropped frames, gaps and between rows."""
        time = self.activity["time"].values.astype(float)
        values = self.activity["activity"].transpose("time", "ensemble").values
        usable: Bools = ~self.activity["dropped"].values.astype(bool) & np.isfinite(values).all(axis=1)
        step = 1 / float(self.activity.attrs["sampling_rate_hz"])
        gaps = np.cumsum(np.diff(time, prepend=time[:1]) > GAP * step)
        found = []
        for _, rows in self.windows.groupby(self.windows["window"].astype(str), sort=False):
            row = np.full(len(time), -1)
            for i, (start, end) in enumerate(zip(rows["start_s"], rows["end_s"], strict=True)):
                row[(time >= start - step / 2) & (time < end - step / 2)] = i
            keep: Bools = usable & (row >= 0)
            runs = runs_of(row + gaps * (len(rows) + 1), len(time), keep)
            if keep.sum() >= LEAST_FRAMES:
                found.append((np.flatnonzero(keep), runs))
        return found

    def _binarized(self, kind: str, n: int) -> tuple[Array, xr.Dataset | None]:
        """States (surrogate, frame, unit) of those that could be binarized, and what is known of their frames."""
        from pipeline.binarize.states import binarize_windows

        states, frames = [], None
        for drawn in self.draw(kind, n):
            dataset = self.activity.assign(activity=(("time", "ensemble"), drawn, self.activity["activity"].attrs))
            try:
                found = binarize_windows(dataset, self.windows, **self.binarize)
            except PhiscaleError:  # a unit never or always ON, or constant: no raster, so no surrogate
                continue
            states.append(found["states"].transpose("frame", "unit").values)
            frames = found if frames is None else frames
        return np.stack(states) if states else np.empty(0), frames
